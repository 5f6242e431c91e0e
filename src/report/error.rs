//! What can go wrong while a report is written.

use std::io;
use std::path::PathBuf;

use plotters::drawing::DrawingAreaErrorKind;
use thiserror::Error;

/// A report could not be written.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A file of the report could not be written.
    #[error("{}: cannot be written", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of a finished report could not be read.
    #[error(
        "{}: cannot be read: {reason}\n\nhint: train the run again with this version of massay, and its report is \
         whole",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A figure could not be drawn.
    #[error("cannot draw a figure: {0}")]
    Draw(#[from] DrawingAreaErrorKind<io::Error>),
    /// A figure could not be turned into pixels.
    #[error("cannot turn figure `{figure}` into pixels: {reason}")]
    Pixels {
        /// Name of the figure.
        figure: &'static str,
        /// What the renderer said.
        reason: String,
    },
}
