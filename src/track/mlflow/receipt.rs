//! What a server has been told of a run.

use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::train::write_atomically;

use super::{TrackError, server::Entry};

/// What a server has been told of a run; a delivery goes on from here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The server, without credentials.
    pub server: String,
    /// Id of the experiment; empty until it is known.
    pub experiment: String,
    /// The run; empty until it is there.
    pub(super) run: Entry,
    /// Ids of the runs of the folds.
    pub(super) folds: BTreeMap<usize, String>,
    /// Whether parameters, tags and data are there.
    pub(super) described: bool,
    /// Moments of the journal that are there.
    pub(super) moments: usize,
    /// Whether scores and note are there.
    pub(super) scored: bool,
    /// Files that are there.
    pub(super) files: Vec<String>,
    /// The logged model; empty until it is there.
    pub(super) model: Entry,
    /// Files of the model that are there.
    pub(super) model_files: Vec<String>,
    /// The registered version.
    pub version: Option<RegisteredVersion>,
    /// Whether everything is there.
    pub complete: bool,
    #[serde(skip)]
    path: PathBuf,
}

/// A version of a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredVersion {
    /// Name of the model.
    pub model: String,
    /// Its number.
    pub version: String,
}

impl Receipt {
    /// Name of its file in the folder of a run.
    pub const FILE: &str = "mlflow.json";

    /// The receipt in the folder of a run; `None` where it was never tracked.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, TrackError> {
        let path = folder.join(Self::FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(|source| file(&path, source))?;
        let receipt: Self =
            serde_json::from_str(&text).map_err(|error| file(&path, error.into()))?;
        Ok(Some(Self { path, ..receipt }))
    }

    /// The receipt of `server` in the folder of a run, a new one where another server was told.
    pub(super) fn of(server: &str, folder: &Path) -> Result<Self, TrackError> {
        let known = Self::read(folder)?.filter(|receipt| receipt.server == server);
        let path = folder.join(Self::FILE);
        Ok(known.unwrap_or_else(|| Self { server: server.to_owned(), path, ..Self::default() }))
    }

    /// Keeps the receipt in another folder from now on.
    pub(super) fn move_to(&mut self, folder: &Path) {
        self.path = folder.join(Self::FILE);
    }

    pub(super) fn write(&self) -> Result<(), TrackError> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| file(&self.path, error.into()))?;
        match write_atomically(&self.path, |file| file.write_all(text.as_bytes())) {
            // The run has just been finished, and its state is gone; the receipt has yet to be moved.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            written => written.map_err(|source| file(&self.path, source)),
        }
    }

    /// Where a person sees the run.
    #[must_use]
    pub fn page(&self) -> String {
        format!("{}/#/experiments/{}/runs/{}", self.server, self.experiment, self.run.id)
    }
}

fn file(path: &Path, source: std::io::Error) -> TrackError {
    TrackError::File { path: path.to_owned(), source }
}
