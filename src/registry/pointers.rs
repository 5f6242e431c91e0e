//! The champion of each model, in a file beside the checkpoints.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{track::RegisteredVersion, train::write_atomically};

use super::{Action, Move, RegistryError, moving::Moving};

/// A run that is, or was, the champion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// Its name, as in `checkpoints/NAME`.
    pub run: String,
    /// Its id.
    pub run_id: String,
    /// SHA-256 of its manifest, which holds those of its files: a retrained run of the same name is another.
    pub manifest_sha256: String,
    /// The MLflow server that knows it; empty: none.
    pub server: String,
    /// Its version there.
    pub version: Option<RegisteredVersion>,
}

/// The champion of one model and those before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelPointers {
    /// The run that predicts.
    pub champion: Option<Pointer>,
    /// Earlier champions, the latest last; what `rollback` goes back to.
    pub former: Vec<Pointer>,
    /// Every move, the latest last.
    pub moves: Vec<Move>,
}

/// The champions of all models whose checkpoints share a folder.
#[derive(Debug)]
pub struct Pointers {
    path: PathBuf,
    models: BTreeMap<String, ModelPointers>,
    // Held until the pointers are dropped: two programs never move at once.
    _lock: Option<fs::File>,
}

impl Pointers {
    /// Name of the file in the folder of the checkpoints.
    pub const FILE: &str = "registry.json";

    /// The pointers of the checkpoints in `folder`, to be looked at.
    ///
    /// # Errors
    /// When there is a file that cannot be read.
    pub fn read(folder: &Path) -> Result<Self, RegistryError> {
        let path = folder.join(Self::FILE);
        if !path.exists() {
            return Ok(Self { path, models: BTreeMap::new(), _lock: None });
        }
        let models = fs::read_to_string(&path).and_then(|text| Ok(serde_json::from_str(&text)?));
        let models = models.map_err(|source| file(&path, source))?;
        Ok(Self { path, models, _lock: None })
    }

    /// The pointers of the checkpoints in `folder`, to be moved; waits for others who move them, and takes back a
    /// move that a crash has cut short.
    ///
    /// # Errors
    /// As [`Self::read`], when the folder cannot be written, and when a server does not take such a move back.
    pub fn open(
        folder: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, RegistryError> {
        let path = folder.join(".registry.lock");
        let lock = fs::File::create(&path).map_err(|source| file(&path, source))?;
        // Some network file systems know no locks: then two moves at once are the user's to avoid.
        let _ = lock.lock();
        let pointers = Self { _lock: Some(lock), ..Self::read(folder)? };
        if let Some(moving) = Moving::read(folder)? {
            if pointers.model(&moving.model).champion.as_ref() != Some(&moving.to) {
                let path = folder.join(Moving::FILE);
                let cut_short = |error| RegistryError::CutShort { path, source: Box::new(error) };
                moving.take_back(environment).map_err(cut_short)?;
            }
            Moving::forget(folder)?;
        }
        Ok(pointers)
    }

    /// The pointers of the checkpoints in `folder`, to be looked at, after a move that a crash has cut short was taken
    /// back.
    ///
    /// # Errors
    /// As [`Self::read`], and where there is such a move as [`Self::open`].
    pub fn settled(
        folder: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, RegistryError> {
        if !Moving::is_open(folder) {
            return Self::read(folder);
        }
        match Self::open(folder, environment) {
            // To look at them no server is needed.
            Err(error @ RegistryError::CutShort { .. }) => {
                tracing::warn!("{error}");
                Self::read(folder)
            }
            other => other,
        }
    }

    /// The pointers of a model.
    #[must_use]
    pub fn model(&self, name: &str) -> ModelPointers {
        self.models.get(name).cloned().unwrap_or_default()
    }

    /// The names of all models that had a champion.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    /// Makes a run the champion of `model`; `environment` has the credentials of servers.
    ///
    /// # Errors
    /// When a server does not follow or the file cannot be written; then nothing has moved.
    pub fn promote(
        &mut self,
        model: &str,
        (to, time): (Pointer, String),
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), RegistryError> {
        let mut own = self.model(model);
        let from = own.champion.take();
        let names = (from.as_ref().map(|from| from.run.clone()), to.run.clone());
        own.moves.push(Move { time, action: Action::Promote, from: names.0, to: names.1 });
        own.champion = Some(to);
        let old = from.clone();
        own.former.extend(from);
        self.replace(model, own, old.as_ref(), environment)
    }

    /// Makes the champion before the present one the champion again and returns it.
    ///
    /// # Errors
    /// As [`Self::promote`], and when there is none before it.
    pub fn rollback(
        &mut self,
        model: &str,
        time: String,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Pointer, RegistryError> {
        let mut own = self.model(model);
        let Some(to) = own.former.pop() else {
            return Err(RegistryError::Nothing {
                found: format!("`{model}` has no champion before the present one"),
                expected: "an earlier `massay registry promote`",
                hint: "`massay registry list` shows what there is".to_owned(),
            });
        };
        let old = own.champion.take();
        let from = old.as_ref().map(|old| old.run.clone());
        own.moves.push(Move { time, action: Action::Rollback, from, to: to.run.clone() });
        own.champion = Some(to.clone());
        self.replace(model, own, old.as_ref(), environment)?;
        Ok(to)
    }

    /// Moves the pointers on the servers, then the file; undoes the former where the latter fails. What is to be
    /// undone is on disk first, so that a crash in between is taken back as well.
    fn replace(
        &mut self,
        model: &str,
        new: ModelPointers,
        old: Option<&Pointer>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), RegistryError> {
        let folder = self.path.parent().unwrap_or(Path::new("")).to_owned();
        let Some(to) = new.champion.clone() else { return Ok(()) };
        let moving = Moving::plan(model, old, &to, environment)?;
        if moving.needs_servers() {
            moving.write(&folder)?;
        }
        let before = self.models.insert(model.to_owned(), new);
        let moved = moving.carry_out(environment).map_err(RegistryError::from);
        if let Err(error) = moved.and_then(|()| self.write()) {
            match before {
                Some(before) => self.models.insert(model.to_owned(), before),
                None => self.models.remove(model),
            };
            moving.take_back(environment)?;
            Moving::forget(&folder)?;
            return Err(error);
        }
        Moving::forget(&folder)
    }

    fn write(&self) -> Result<(), RegistryError> {
        let text = serde_json::to_string_pretty(&self.models)
            .map_err(|error| file(&self.path, error.into()))?;
        write_atomically(&self.path, |file| file.write_all((text + "\n").as_bytes()))
            .map_err(|source| file(&self.path, source))
    }
}

pub(super) fn file(path: &Path, source: std::io::Error) -> RegistryError {
    RegistryError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(run: &str) -> Pointer {
        Pointer {
            run: run.to_owned(),
            run_id: format!("id of {run}"),
            manifest_sha256: String::new(),
            server: String::new(),
            version: None,
        }
    }

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn rollback_goes_back_step_by_step_and_says_where_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let mut pointers = Pointers::open(folder.path(), &none).unwrap();
        for run in ["a", "b", "c"] {
            pointers.promote("m", (pointer(run), run.to_owned()), &none).unwrap();
        }
        assert_eq!(pointers.rollback("m", "t".to_owned(), &none).unwrap().run, "b");
        assert_eq!(pointers.rollback("m", "t".to_owned(), &none).unwrap().run, "a");
        let error = pointers.rollback("m", "t".to_owned(), &none).unwrap_err();
        assert!(error.to_string().contains("no champion before"), "{error}");
        drop(pointers);
        let own = Pointers::read(folder.path()).unwrap().model("m");
        assert_eq!(own.champion.unwrap().run, "a");
        assert_eq!(own.moves.len(), 5);
        assert_eq!(own.moves[4].from.as_deref(), Some("b"));
    }

    #[test]
    fn nothing_moves_here_where_the_server_does_not_follow() {
        let folder = tempfile::tempdir().unwrap();
        let mut pointers = Pointers::open(folder.path(), &none).unwrap();
        pointers.promote("m", (pointer("a"), "t".to_owned()), &none).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut known = pointer("b");
        known.server = format!("http://{free}");
        known.version = Some(RegisteredVersion { model: "m".to_owned(), version: "2".to_owned() });
        let error = pointers.promote("m", (known, "t".to_owned()), &none).unwrap_err();
        assert!(matches!(error, RegistryError::Server(_)));
        assert_eq!(pointers.model("m").champion.unwrap().run, "a");
        drop(pointers);
        let own = Pointers::read(folder.path()).unwrap().model("m");
        assert_eq!((own.champion.unwrap().run.as_str(), own.moves.len()), ("a", 1));
    }
}
