//! A move of a champion that is under way, on disk: what a crash in the middle of it leaves to be taken back.

use std::{fs, io::Write, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    track::{Address, Alias, Registry, TrackError},
    train::write_atomically,
};

use super::{Pointer, RegistryError, pointers::file};

/// The alias `champion` of a registered model on a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct MovedAlias {
    server: String,
    model: String,
    /// The version that it points to so far.
    from: Option<String>,
    /// The version that it is to point to; `None`: none.
    to: Option<String>,
    /// Whether that version has the alias `challenger`, which it loses.
    #[serde(default)]
    challenges: bool,
}

/// A move of a champion that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Moving {
    pub(super) model: String,
    /// What is to be the champion.
    pub(super) to: Pointer,
    aliases: Vec<MovedAlias>,
}

/// Values of the environment, which hold the credentials of servers.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Moving {
    /// Name of its file in the folder of the checkpoints.
    pub(super) const FILE: &str = "registry.moving.json";

    /// What has to be moved so that `to` is the champion instead of `old`: the alias on the server that knows the new
    /// one, and the alias on a server that knows the old one only.
    pub(super) fn plan(
        model: &str,
        old: Option<&Pointer>,
        to: &Pointer,
        environment: Environment<'_>,
    ) -> Result<Self, TrackError> {
        let mut aliases: Vec<MovedAlias> = Vec::new();
        for (pointer, is_new) in [(Some(to), true), (old, false)] {
            let Some((pointer, version)) =
                pointer.and_then(|own| own.version.as_ref().map(|v| (own, v)))
            else {
                continue;
            };
            let is_known =
                |own: &MovedAlias| own.server == pointer.server && own.model == version.model;
            if !aliases.iter().any(is_known) {
                let registry = registry(&pointer.server, &version.model, environment)?;
                let own = Some(version.version.clone()).filter(|_| is_new);
                aliases.push(MovedAlias {
                    server: pointer.server.clone(),
                    model: version.model.clone(),
                    from: registry.version(Alias::Champion)?,
                    challenges: own.is_some() && registry.version(Alias::Challenger)? == own,
                    to: own,
                });
            }
        }
        Ok(Self { model: model.to_owned(), to: to.clone(), aliases })
    }

    /// Whether any server has a part in it.
    pub(super) fn needs_servers(&self) -> bool {
        !self.aliases.is_empty()
    }

    /// Whether a move was cut short in `folder`, or is under way there.
    pub(super) fn is_open(folder: &Path) -> bool {
        folder.join(Self::FILE).exists()
    }

    /// Moves the aliases.
    pub(super) fn carry_out(&self, environment: Environment<'_>) -> Result<(), TrackError> {
        for alias in &self.aliases {
            let registry = registry(&alias.server, &alias.model, environment)?;
            registry.point(Alias::Champion, alias.to.as_deref())?;
            // Who has won challenges nobody any more.
            if alias.challenges {
                registry.point(Alias::Challenger, None)?;
            }
        }
        Ok(())
    }

    /// Points the aliases to where they pointed before.
    pub(super) fn take_back(&self, environment: Environment<'_>) -> Result<(), TrackError> {
        for alias in &self.aliases {
            let registry = registry(&alias.server, &alias.model, environment)?;
            // Somebody may have moved it since.
            if registry.version(Alias::Champion)? == alias.to {
                registry.point(Alias::Champion, alias.from.as_deref())?;
            }
            if alias.challenges && registry.version(Alias::Challenger)?.is_none() {
                registry.point(Alias::Challenger, alias.to.as_deref())?;
            }
        }
        Ok(())
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), RegistryError> {
        let path = folder.join(Self::FILE);
        let text = serde_json::to_string_pretty(self).map_err(|error| file(&path, error.into()))?;
        write_atomically(&path, |own| own.write_all((text + "\n").as_bytes()))
            .map_err(|source| file(&path, source))
    }

    /// The move that was under way in `folder`, if there is one.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, RegistryError> {
        let path = folder.join(Self::FILE);
        if !path.exists() {
            return Ok(None);
        }
        let moving = fs::read_to_string(&path).and_then(|text| Ok(serde_json::from_str(&text)?));
        moving.map(Some).map_err(|source| file(&path, source))
    }

    pub(super) fn forget(folder: &Path) -> Result<(), RegistryError> {
        let path = folder.join(Self::FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file(&path, error)),
            _ => Ok(()),
        }
    }
}

fn registry(
    server: &str,
    model: &str,
    environment: Environment<'_>,
) -> Result<Registry, TrackError> {
    Ok(Registry::new(Address::parse(server, environment)?, model))
}
