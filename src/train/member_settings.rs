//! What may differ between the networks of one stack.

use crate::model::ModelConfig;

use super::TrainConfig;

/// The numbers of a recipe that each network of a stack has for itself: trials of one shape differ in
/// them and are trained as one stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemberSettings {
    /// Step size of Adam, before the schedule.
    pub learning_rate: f64,
    /// Decoupled decay of weight matrices, before the schedule.
    pub weight_decay: f64,
    /// Memory of Adam's second moment.
    pub beta_2: f64,
    /// Share of hidden activations dropped while training, before the schedule.
    pub dropout: f64,
}

impl MemberSettings {
    /// Those of a configuration.
    #[must_use]
    pub fn of(model: &ModelConfig, config: &TrainConfig) -> Self {
        Self {
            learning_rate: config.learning_rate,
            weight_decay: config.weight_decay,
            beta_2: config.beta_2,
            dropout: model.dropout,
        }
    }
}
