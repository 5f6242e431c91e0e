//! What a training did, epoch by epoch.

use serde::{Deserialize, Serialize};

/// The losses of one network after one epoch, in the standardised target's space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Repeat of the cross-validation, from 0.
    pub repeat: usize,
    /// Fold, from 0.
    pub fold: usize,
    /// Ensemble member within the fold, from 0.
    pub member: usize,
    /// Mean training loss over the epoch's batches.
    pub train_loss: f64,
    /// Loss on the member's inner validation rows; `None` where there are too few rows for one.
    pub validation_loss: Option<f64>,
    /// Learning rate at the end of the epoch.
    pub learning_rate: f64,
}
