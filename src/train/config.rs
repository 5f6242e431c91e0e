//! How networks are trained.

use serde::{Deserialize, Serialize};

/// The recipe.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `epochs` | 300 | 1..=100000 | most passes over the training rows |
/// | `patience` | 60 | 0..=100000 | epochs without a better inner validation loss before a fold stops; 0 never stops early |
/// | `batch_size` | 32 | 1..=1000000 | most rows per step |
/// | `learning_rate` | 0.002 | 1e-7..=1 | step size of Adam |
/// | `schedule` | `cosine` | `constant`, `cosine` | learning rate over the epochs |
/// | `weight_decay` | 0.01 | 0..=10 | decoupled decay of weight matrices (Loshchilov and Hutter, 2019) |
/// | `loss` | `mse` | `mse`, `huber` | loss of the standardised target |
/// | `huber_delta` | 1 | > 0 | residual at which Huber's loss turns linear, in standard deviations |
/// | `inner_parts` | 5 | 2..=100 | each network judges its epochs on one of so many parts of its fold's training rows |
/// | `seed` | 7 | any | start of every random number |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Most passes over the training rows.
    pub epochs: usize,
    /// Epochs without improvement before a fold stops; 0 never stops early.
    pub patience: usize,
    /// Most rows per step.
    pub batch_size: usize,
    /// Step size of Adam at the start.
    pub learning_rate: f64,
    /// Learning rate over the epochs.
    pub schedule: Schedule,
    /// Decoupled decay of weight matrices; biases do not decay.
    pub weight_decay: f64,
    /// Loss of the standardised target.
    pub loss: Loss,
    /// Residual at which Huber's loss turns linear, in standard deviations of the target.
    pub huber_delta: f64,
    /// Parts that a fold's training rows are cut into; one of them is each network's inner
    /// validation part.
    pub inner_parts: usize,
    /// Start of every random number.
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 300,
            patience: 60,
            batch_size: 32,
            learning_rate: 0.002,
            schedule: Schedule::Cosine,
            weight_decay: 0.01,
            loss: Loss::Mse,
            huber_delta: 1.0,
            inner_parts: 5,
            seed: 7,
        }
    }
}

/// Learning rate over the epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Always the same.
    Constant,
    /// Half a cosine from the full rate down to a hundredth of it.
    #[default]
    Cosine,
}

/// A loss of the standardised target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// Mean squared error.
    #[default]
    Mse,
    /// Huber's loss: squared near zero, linear beyond `huber_delta` (Huber, 1964).
    Huber,
}

impl TrainConfig {
    /// The learning rate in `epoch`, from 1.
    #[must_use]
    pub fn learning_rate_at(&self, epoch: usize) -> f64 {
        let progress = (epoch - 1) as f64 / self.epochs as f64;
        match self.schedule {
            Schedule::Constant => self.learning_rate,
            Schedule::Cosine => {
                let cosine = 0.5 * (1.0 + libm::cos(std::f64::consts::PI * progress));
                self.learning_rate * (0.01 + 0.99 * cosine)
            }
        }
    }
}
