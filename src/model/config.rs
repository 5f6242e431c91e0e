//! What kind of model is trained, and its shape.

use serde::{Deserialize, Serialize};

use super::{Activation, StackShape};

/// The model.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `kind` | `mlp` | `mlp` | kind of model |
/// | `hidden` | `[64, 64]` | 1 to 8 widths of 1..=4096 | width of each hidden layer |
/// | `activation` | `relu` | `relu`, `gelu`, `silu`, `mish`, `tanh` | nonlinearity |
/// | `dropout` | 0.1 | 0..0.9 | share of hidden activations dropped while training |
/// | `members` | 5 | 1..=100 | networks per fold; their mean predicts |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Kind of model.
    pub kind: ModelKind,
    /// Width of each hidden layer.
    pub hidden: Vec<usize>,
    /// Nonlinearity after each hidden layer.
    pub activation: Activation,
    /// Share of hidden activations dropped while training.
    pub dropout: f64,
    /// Networks per fold.
    pub members: usize,
}

/// A kind of model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// A stack of multilayer perceptrons.
    #[default]
    Mlp,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            kind: ModelKind::Mlp,
            hidden: vec![64, 64],
            activation: Activation::default(),
            dropout: 0.1,
            members: 5,
        }
    }
}

impl ModelConfig {
    /// The shape of a network for `inputs` features.
    #[must_use]
    pub fn shape(&self, inputs: usize) -> StackShape {
        StackShape { inputs, hidden: self.hidden.clone(), activation: self.activation }
    }
}
