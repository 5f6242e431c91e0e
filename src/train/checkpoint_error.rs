//! Why a checkpoint cannot be read or written.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Why a checkpoint was refused.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// A file cannot be read or written.
    #[error("{path}: cannot be used", path = path.display())]
    Access {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The folder does not hold a checkpoint that this program can read.
    #[error("{path}: {found}, expected {expected}\n\nhint: {hint}", path = path.display())]
    Refused {
        /// The file or folder.
        path: PathBuf,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// What to do about it.
        hint: String,
    },
}

pub(super) fn access(path: &Path, source: io::Error) -> CheckpointError {
    CheckpointError::Access { path: path.to_owned(), source }
}

pub(super) fn damaged(path: &Path, found: &str) -> CheckpointError {
    let hint = "the file is damaged or was changed; restore it or train again";
    refused(path, found, "an intact checkpoint", hint)
}

pub(super) fn refused(path: &Path, found: &str, expected: &str, hint: &str) -> CheckpointError {
    CheckpointError::Refused {
        path: path.to_owned(),
        found: found.to_owned(),
        expected: expected.to_owned(),
        hint: hint.to_owned(),
    }
}
