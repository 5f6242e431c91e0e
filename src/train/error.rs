//! Why a training ended without a model.

use std::{io, path::PathBuf};

use thiserror::Error;

impl TrainError {
    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted)
    }
}

/// Why a training ended without a model.
#[derive(Debug, Error)]
pub enum TrainError {
    /// A loss is not finite or has exploded.
    #[error(
        "training diverged in epoch {epoch} (repeat {repeat}, fold {fold}, member {member}): the \
         training loss is {loss}, expected a finite number below {limit}\n\nhint: lower \
         `train.learning_rate`, or look for extreme values in the features"
    )]
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// Repeat, from 0.
        repeat: usize,
        /// Fold, from 0.
        fold: usize,
        /// Member, from 0.
        member: usize,
        /// The loss.
        loss: f64,
        /// Losses beyond it are taken for divergence.
        limit: f64,
    },
    /// Somebody asked to stop; the state is saved.
    #[error("interrupted")]
    Interrupted,
    /// The state cannot be written or read.
    #[error("{path}: cannot be used", path = path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A saved state does not belong to this training.
    #[error(
        "{path}: {found}, expected the state of this training\n\nhint: start again with `--force`",
        path = path.display()
    )]
    ForeignState {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
}
