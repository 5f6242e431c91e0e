//! Why a pointer was not moved.

use std::path::PathBuf;

use thiserror::Error;

use crate::track::TrackError;

/// Why a pointer was not moved.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The file of pointers cannot be read or written.
    #[error("{path}: cannot be used", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is nothing to move to.
    #[error("{found}, expected {expected}\n\nhint: {hint}")]
    Nothing {
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
        /// What to do about it.
        hint: String,
    },
    /// A move that was cut short cannot be taken back.
    #[error(
        "{path}: a promotion was cut short here and cannot be taken back on the server\n\nhint: start the server \
         and try again, or remove the file to leave the alias there as it is",
        path = path.display()
    )]
    CutShort {
        /// What is known of the move.
        path: PathBuf,
        /// What the server says.
        source: Box<TrackError>,
    },
    /// The server does not move its pointer, so that none was moved.
    #[error("nothing was moved, because the server does not follow")]
    Server(#[from] TrackError),
}
