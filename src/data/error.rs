//! What can be wrong with a table.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a table was refused.
#[derive(Debug, Error)]
pub enum DataError {
    /// The file cannot be opened or read.
    #[error("{path}: cannot be read", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file's content is not what was expected.
    #[error("{place}: {found}, expected {expected}\n\nhint: {hint}")]
    Malformed {
        /// File, and line where there is one.
        place: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// What to do about it.
        hint: String,
    },
}

impl DataError {
    /// A [`DataError::Malformed`].
    pub fn malformed(
        place: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Malformed {
            place: place.into(),
            found: found.into(),
            expected: expected.into(),
            hint: hint.into(),
        }
    }
}
