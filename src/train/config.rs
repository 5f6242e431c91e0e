//! How networks are trained.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The recipe.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `recipe` | `auto` | `auto`, `small`, `medium`, `large`, `none` | parameters of networks and their training that are not set themselves; `auto` goes by the number of rows |
/// | `epochs` | 300 | 1..=100000 | most passes over the training rows |
/// | `patience` | 60 | 0..=100000 | epochs without a better inner validation loss before a fold stops; 0 never stops early |
/// | `batch_size` | 32 | 1..=1000000 | most rows per step |
/// | `learning_rate` | 0.002 | 1e-7..=1 | step size of Adam |
/// | `schedule` | `cosine` | `constant`, `cosine`, `cycles` | learning rate over the epochs |
/// | `weight_decay` | 0.01 | 0..=10 | decoupled decay of weight matrices (Loshchilov and Hutter, 2019) |
/// | `beta_2` | 0.999 | 0.5..1 | memory of Adam's second moment |
/// | `regularisation` | `constant` | `constant`, `fading` | weight decay and dropout over the epochs |
/// | `loss` | `mse` | `mse`, `huber` | loss of the standardised target |
/// | `huber_delta` | 1 | > 0 | residual at which Huber's loss turns linear, in standard deviations |
/// | `inner_parts` | 5 | 2..=100 | each network judges its epochs on one of so many parts of its fold's training rows |
/// | `seed` | 7 | any | start of every random number |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Where parameters come from that are not set themselves.
    pub recipe: Recipe,
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
    /// Memory of Adam's second moment.
    pub beta_2: f64,
    /// Weight decay and dropout over the epochs.
    pub regularisation: Regularisation,
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
            recipe: Recipe::Auto,
            epochs: 300,
            patience: 60,
            batch_size: 32,
            learning_rate: 0.002,
            schedule: Schedule::Cosine,
            weight_decay: 0.01,
            beta_2: 0.999,
            regularisation: Regularisation::Constant,
            loss: Loss::Mse,
            huber_delta: 1.0,
            inner_parts: 5,
            seed: 7,
        }
    }
}

/// Where parameters of networks and their training come from that are not set themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipe {
    /// From the number of rows.
    #[default]
    Auto,
    /// For tables of up to two thousand rows.
    Small,
    /// For tables of up to twenty thousand rows.
    Medium,
    /// For larger tables.
    Large,
    /// From the plain defaults of each parameter.
    None,
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
    /// Four waves from 0 over the full rate to 0, each twice as long as the one before:
    /// `(1 - cos(2 pi log2(1 + 15 t))) / 2` (Holzmüller, Grinsztajn and Steinwart, 2024).
    Cycles,
}

/// Weight decay and dropout over the epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Regularisation {
    /// Always the same.
    #[default]
    Constant,
    /// Full in the first half, then half a cosine down to 0 (Holzmüller, Grinsztajn and Steinwart,
    /// 2024).
    Fading,
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
    /// The share of the learning rate after the share `progress` of all steps, 0..1.
    #[must_use]
    pub fn rate_share_at(&self, progress: f64) -> f64 {
        match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Cosine => 0.01 + 0.99 * half_cosine(progress),
            Schedule::Cycles => {
                let angle = 2.0 * PI * libm::log2(1.0 + 15.0 * progress);
                0.5 * (1.0 - libm::cos(angle))
            }
        }
    }

    /// The share of the learning rate at the end of an epoch, from 1.
    pub(super) fn rate_share_after(&self, epoch: usize) -> f64 {
        self.rate_share_at(self.progress(epoch, (0, 1)))
    }

    /// The share of weight decay and dropout after the share `progress` of all steps, 0..1.
    #[must_use]
    pub fn regularisation_at(&self, progress: f64) -> f64 {
        match self.regularisation {
            Regularisation::Constant => 1.0,
            Regularisation::Fading => half_cosine((2.0 * progress - 1.0).max(0.0)),
        }
    }

    /// The share of all steps that lie before step `step` of `steps` in `epoch`, from 1.
    #[must_use]
    pub fn progress(&self, epoch: usize, (step, steps): (usize, usize)) -> f64 {
        let within = step.min(steps) as f64 / steps.max(1) as f64;
        ((epoch - 1) as f64 + within) / self.epochs as f64
    }
}

/// From 1 at 0 down to 0 at 1.
fn half_cosine(share: f64) -> f64 {
    0.5 * (1.0 + libm::cos(PI * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_touch_zero_where_their_formula_does() {
        let config = TrainConfig { schedule: Schedule::Cycles, ..TrainConfig::default() };
        for zero in [0.0, 1.0 / 15.0, 3.0 / 15.0, 7.0 / 15.0, 1.0] {
            assert!(config.rate_share_at(zero).abs() < 1e-12);
        }
        // log2(1 + 15 t) = 3.5 amid the last wave.
        let amid = (2.0_f64.powf(3.5) - 1.0) / 15.0;
        assert!((config.rate_share_at(amid) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn regularisation_fades_in_the_second_half() {
        let fading = Regularisation::Fading;
        let config = TrainConfig { regularisation: fading, ..TrainConfig::default() };
        let shares = [0.0, 0.5, 0.75, 1.0].map(|progress| config.regularisation_at(progress));
        for (share, expected) in shares.iter().zip([1.0, 1.0, 0.5, 0.0]) {
            assert!((share - expected).abs() < 1e-12);
        }
    }
}
