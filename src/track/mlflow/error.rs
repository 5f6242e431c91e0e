//! Why an MLflow server did not take something.

use std::path::PathBuf;

use thiserror::Error;

/// Why an MLflow server did not take something.
#[derive(Debug, Error)]
pub enum TrackError {
    /// The URI is none that can be spoken to.
    #[error("MLflow at `{uri}`: {found}, expected {expected}\n\nhint: {hint}")]
    Address {
        /// The URI, without a password.
        uri: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
        /// What to do about it.
        hint: String,
    },
    /// There was no answer.
    #[error("MLflow at {server}: {reason}\n\nhint: {hint}")]
    Unreachable {
        /// The server.
        server: String,
        /// What the system says.
        reason: String,
        /// What to do about it.
        hint: String,
    },
    /// The server refused.
    #[error("MLflow at {server}: {message} ({code})\n\nhint: {hint}")]
    Refused {
        /// The server.
        server: String,
        /// MLflow's error code, or the HTTP status.
        code: String,
        /// What the server says.
        message: String,
        /// What to do about it.
        hint: String,
        /// Whether trying again may help.
        passes: bool,
    },
    /// A file of the run cannot be read or written.
    #[error("{path}: cannot be used", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl TrackError {
    /// Whether trying again soon may help: a server that does not answer may take hours.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Refused { passes: true, .. })
    }

    /// MLflow's error code; empty where there is none.
    pub(super) fn code(&self) -> &str {
        if let Self::Refused { code, .. } = self { code } else { "" }
    }
}
