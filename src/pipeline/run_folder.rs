//! A run on disk: unfinished while it works, then a checkpoint and a report, or a report alone.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    data::{TableSchema, hexadecimal},
    model::BackendKind,
    train::{TrainError, remove_folder, replace_folder, write_atomically},
};

use super::{JobError, Params, PathsConfig, feature_choice::Choice, provenance};

const START_FILE: &str = "start.json";

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RunKind {
    /// Trains what predicts: a checkpoint and a report.
    Training,
    /// Searches for parameters: a report.
    Tuning,
}

impl RunKind {
    /// The command that starts it.
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::Training => "train",
            Self::Tuning => "tune",
        }
    }

    /// What the folder of its state ends with.
    fn unfinished(self) -> &'static str {
        match self {
            Self::Training => ".unfinished",
            Self::Tuning => ".tuning",
        }
    }
}

/// What a run was started with; written before the first epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RunStart {
    /// Name of the run.
    pub(super) name: String,
    /// Identifies it wherever it is spoken of.
    pub(super) run_id: String,
    /// What it does.
    pub(super) kind: RunKind,
    /// UTC start time.
    pub(super) started: String,
    /// Backend that computes it.
    pub(super) backend: BackendKind,
    /// Version of massay.
    pub(super) version: String,
    /// SHA-256 of the data file.
    pub(super) data_sha256: String,
    /// SHA-256 of the folds.
    pub(super) folds_sha256: String,
    /// What is stated about the table.
    pub(super) schema: TableSchema,
    /// The features of each fold; `None` until they are chosen.
    pub(super) choice: Option<Choice>,
    /// Whether every kind of model is trained.
    pub(super) compare: bool,
    /// How many rows train, the first of the table; `None`: all.
    #[serde(default)]
    pub(super) only_first: Option<usize>,
    /// All parameters.
    pub(super) params: Params,
}

impl RunStart {
    /// That of a training which leaves no run behind, of the table with the hash `data_sha256`.
    pub(super) fn unnamed(params: Params, schema: TableSchema, data_sha256: &str) -> Self {
        Self {
            name: String::new(),
            run_id: String::new(),
            kind: RunKind::Training,
            started: String::new(),
            backend: BackendKind::Cpu,
            version: String::new(),
            data_sha256: data_sha256.to_owned(),
            folds_sha256: String::new(),
            schema,
            choice: None,
            compare: false,
            only_first: None,
            params,
        }
    }

    /// An error of training as the user is told: an interrupted run can go on.
    pub(super) fn told(&self, error: TrainError) -> anyhow::Error {
        match error {
            TrainError::Interrupted => {
                let (name, flags) = (self.name.clone(), self.params.paths.flags());
                let command = self.kind.command();
                JobError::Interrupted { command, name, flags }.into()
            }
            other => other.into(),
        }
    }
}

/// The folders of one run.
#[derive(Clone, Debug)]
pub(super) struct RunFolder {
    kind: RunKind,
    /// The finished checkpoint, of a run that has one.
    pub(super) checkpoint: PathBuf,
    /// The finished report.
    pub(super) report: PathBuf,
    /// The state while it works.
    pub(super) unfinished: PathBuf,
}

impl RunFolder {
    /// The folders of the run that `start` starts.
    pub(super) fn of(start: &RunStart) -> Result<Self, JobError> {
        Self::new(&start.params.paths, &start.name, start.kind)
    }

    pub(super) fn new(paths: &PathsConfig, name: &str, kind: RunKind) -> Result<Self, JobError> {
        check_name(name)?;
        Ok(Self {
            kind,
            checkpoint: paths.checkpoints.join(name),
            report: paths.reports.join(name),
            unfinished: paths.checkpoints.join(format!("{name}{}", kind.unfinished())),
        })
    }

    /// Begins a new run; what exists under its name is refused, or with `force` replaced (a
    /// finished checkpoint only once there is a new one).
    pub(super) fn begin(&self, start: &RunStart, force: bool) -> Result<()> {
        let name = &start.name;
        if !force {
            self.refuse_existing(name)?;
        } else if self.unfinished.exists() {
            drop(self.lock(name)?);
            remove_folder(&self.unfinished).with_context(|| cannot("remove", &self.unfinished))?;
        }
        fs::create_dir_all(&self.unfinished).with_context(|| cannot("create", &self.unfinished))?;
        self.save(start)
    }

    /// Writes down what the run was started with.
    pub(super) fn save(&self, start: &RunStart) -> Result<()> {
        let text = serde_json::to_string_pretty(start)?;
        let file = self.unfinished.join(START_FILE);
        write_atomically(&file, |file| file.write_all(text.as_bytes()))
            .with_context(|| cannot("write", &file))
    }

    /// Keeps other processes from the run for as long as the file is held.
    pub(super) fn lock(&self, name: &str) -> Result<fs::File> {
        let path = self.unfinished.join("lock");
        let file = fs::File::create(&path).with_context(|| cannot("write", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => {
                Err(JobError::Busy { name: name.to_owned() }.into())
            }
            // Some network file systems know no locks: then two processes are the user's to avoid.
            Err(fs::TryLockError::Error(error)) => {
                tracing::warn!("{} cannot be locked: {error}", path.display());
                Ok(file)
            }
        }
    }

    /// Refuses a name that is taken.
    pub(super) fn refuse_existing(&self, name: &str) -> Result<(), JobError> {
        if self.unfinished.join(START_FILE).exists() {
            let hint = format!("go on with `--resume --name {name}`, or start anew with `--force`");
            return Err(JobError::Exists { path: self.unfinished.clone(), hint });
        }
        let hint = "choose another `--name`, or replace it with `--force`".to_owned();
        match self.results().find(|path| path.exists()) {
            Some(path) => Err(JobError::Exists { path: path.clone(), hint }),
            None => Ok(()),
        }
    }

    /// The folders that are left of a finished run.
    fn results(&self) -> impl Iterator<Item = &PathBuf> {
        let checkpoint = (self.kind == RunKind::Training).then_some(&self.checkpoint);
        checkpoint.into_iter().chain([&self.report])
    }

    /// The folder of the state of the comparison with the other way to split.
    pub(super) fn other_split(&self) -> Result<PathBuf> {
        let folder = self.unfinished.join("other-split");
        fs::create_dir_all(&folder).with_context(|| cannot("create", &folder))?;
        Ok(folder)
    }

    /// Empty folders beside the final ones, to be filled.
    pub(super) fn drafts(&self) -> Result<(PathBuf, PathBuf)> {
        let checkpoint = self.unfinished.join("checkpoint");
        Ok((empty(checkpoint)?, empty(draft_of(&self.report))?))
    }

    /// Removes what a run that cannot go on has left.
    pub(super) fn discard(&self) {
        let _ = remove_folder(&self.unfinished);
        let _ = fs::remove_dir_all(draft_of(&self.report));
    }

    /// Puts the filled drafts in their place and forgets the state.
    pub(super) fn finish(&self, drafts: &(PathBuf, PathBuf)) -> Result<()> {
        replace_folder(&drafts.1, &self.report).with_context(|| cannot("write", &self.report))?;
        if self.kind == RunKind::Training {
            replace_folder(&drafts.0, &self.checkpoint)
                .with_context(|| cannot("write", &self.checkpoint))?;
        }
        // MLflow may be told of the run still, and the receipt be written.
        remove_folder(&self.unfinished).with_context(|| cannot("remove", &self.unfinished))
    }
}

/// A new, empty folder beside `path`, to be renamed to it.
pub(super) fn draft_of(path: &Path) -> PathBuf {
    let name =
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    path.with_file_name(format!(".{name}.draft"))
}

/// Creates `path` as an empty folder.
pub(super) fn empty(path: PathBuf) -> Result<PathBuf> {
    if path.exists() {
        fs::remove_dir_all(&path).with_context(|| cannot("remove", &path))?;
    }
    fs::create_dir_all(&path).with_context(|| cannot("create", &path))?;
    Ok(path)
}

fn cannot(what: &str, path: &Path) -> String {
    format!("cannot {what} {}", path.display())
}

fn read_start(file: &Path) -> Result<RunStart> {
    let text = fs::read_to_string(file).with_context(|| cannot("read", file))?;
    serde_json::from_str(&text).with_context(|| cannot("read", file))
}

/// The unfinished run called `name`, or the newest one.
pub(super) fn find_unfinished(
    paths: &PathsConfig,
    name: Option<&str>,
    kind: RunKind,
) -> Result<RunStart> {
    let folder = &paths.checkpoints;
    let mut found: Vec<RunStart> = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let folder = entry.file_name().to_string_lossy().into_owned();
        let run = folder.strip_suffix(kind.unfinished());
        if run.is_some_and(|run| name.is_none_or(|name| name == run)) {
            let file = entry.path().join(START_FILE);
            match read_start(&file) {
                Ok(start) => found.push(start),
                Err(error) if name.is_some() => return Err(error),
                Err(error) => tracing::warn!("{error:#}"),
            }
        }
    }
    found.sort_by(|a, b| (&a.started, &a.name).cmp(&(&b.started, &b.name)));
    found.pop().ok_or_else(|| {
        let what = match name {
            Some(name) => format!("there is no unfinished run `{name}` in {}", folder.display()),
            None => format!("there is no unfinished run in {}", folder.display()),
        };
        let hint = format!("start one with `massay {}`", kind.command());
        JobError::NothingToResume { what, hint }.into()
    })
}

/// A name for a run that has none: its UTC time and a short hash of what makes it.
pub(super) fn default_name(kind: RunKind, params: &Params, data_sha256: &str) -> String {
    let time = provenance::compact_now();
    let mut digest = Sha256::new();
    digest.update(params.to_toml());
    digest.update(data_sha256);
    digest.update(&time);
    let name = format!("{time}-{}", hexadecimal(&digest.finalize()[..3]));
    if kind == RunKind::Tuning { format!("tune-{name}") } else { name }
}

pub(super) fn check_name(name: &str) -> Result<(), JobError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let fits = !name.is_empty() && !name.starts_with('.') && name.chars().all(allowed);
    let is_state = |kind: RunKind| name.ends_with(kind.unfinished());
    let reserved =
        [RunKind::Training, RunKind::Tuning].into_iter().any(is_state) || name.len() > 100;
    if fits && !reserved { Ok(()) } else { Err(JobError::Name { name: name.to_owned() }) }
}
