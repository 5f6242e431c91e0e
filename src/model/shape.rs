//! The shape that all networks of a stack share, and the parameters that follow from it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Activation, Embedding};

/// What a network looks like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackShape {
    /// Number of features.
    pub inputs: usize,
    /// Width of each hidden layer, from input to output.
    pub hidden: Vec<usize>,
    /// Nonlinearity after each hidden layer.
    pub activation: Activation,
    /// Whether each hidden unit learns how much of the nonlinearity it takes, `x + a (f(x) - x)`.
    pub parametric: bool,
    /// What becomes of each feature before the first layer.
    pub embedding: Embedding,
    /// Whether a learned factor is multiplied onto each input of the first layer.
    pub scaled: bool,
    /// Members of a `BatchEnsemble` (Wen, Tran and Ba, 2020) that share the matrices of the
    /// network; 1 for an ordinary network.
    pub copies: usize,
}

/// What a parameter does, which decides how fast it learns and whether it decays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Part of a feature's embedding.
    Embedding,
    /// A constant found in the training rows, which does not learn.
    Constant,
    /// A factor on an input of the first layer.
    Scale,
    /// A matrix between two layers.
    Matrix,
    /// A factor of one copy on the inputs or outputs of a shared matrix.
    Copy,
    /// A bias.
    Bias,
    /// How much of the nonlinearity a unit takes.
    Slope,
}

/// One parameter tensor of a network, shape `[rows, columns]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterShape {
    /// Its name in a checkpoint, e.g. `layer0.weight`.
    pub name: String,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// What it does.
    pub role: Role,
}

impl ParameterShape {
    pub(super) fn new(
        name: impl Into<String>,
        (rows, columns): (usize, usize),
        role: Role,
    ) -> Self {
        Self { name: name.into(), rows, columns, role }
    }

    /// Number of values.
    #[must_use]
    pub fn size(&self) -> usize {
        self.rows * self.columns
    }
}

impl StackShape {
    /// An ordinary network.
    #[must_use]
    pub fn plain(inputs: usize, hidden: Vec<usize>, activation: Activation) -> Self {
        let (parametric, embedding, scaled) = (false, Embedding::None, false);
        Self { inputs, hidden, activation, parametric, embedding, scaled, copies: 1 }
    }

    /// Number of layers, the output layer included.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.hidden.len() + 1
    }

    /// Fan-in and fan-out of layer `layer`.
    #[must_use]
    pub fn layer(&self, layer: usize) -> (usize, usize) {
        let fan_in = match layer {
            0 => self.embedding.width(self.inputs),
            _ => self.hidden[layer - 1],
        };
        (fan_in, self.hidden.get(layer).copied().unwrap_or(1))
    }

    /// Every parameter, in the order in which the network uses them.
    #[must_use]
    pub fn parameters(&self) -> Vec<ParameterShape> {
        let mut all = self.embedding.parameters(self.inputs);
        if self.scaled {
            all.push(ParameterShape::new("scale", (1, self.layer(0).0), Role::Scale));
        }
        for layer in 0..self.depth() {
            let mut add = |name: &str, size: (usize, usize), role: Role| {
                all.push(ParameterShape::new(format!("layer{layer}.{name}"), size, role));
            };
            let (fan_in, fan_out) = self.layer(layer);
            let is_output = layer + 1 == self.depth();
            if self.copies > 1 && is_output {
                // Every copy has an output of its own.
                add("weight", (self.copies, fan_in), Role::Matrix);
            } else {
                if self.copies > 1 {
                    add("input", (self.copies, fan_in), Role::Copy);
                }
                add("weight", (fan_in, fan_out), Role::Matrix);
                if self.copies > 1 {
                    add("output", (self.copies, fan_out), Role::Copy);
                }
            }
            add("bias", (self.copies, fan_out), Role::Bias);
            if self.parametric && !is_output {
                add("slope", (1, fan_out), Role::Slope);
            }
        }
        all
    }

    /// Every parameter with its place among the values of a network.
    pub fn placed(&self) -> impl Iterator<Item = (ParameterShape, Range<usize>)> {
        let mut start = 0;
        self.parameters().into_iter().map(move |parameter| {
            let own = start..start + parameter.size();
            start = own.end;
            (parameter, own)
        })
    }

    /// Number of values of all parameters of one network.
    #[must_use]
    pub fn size(&self) -> usize {
        self.parameters().iter().map(ParameterShape::size).sum()
    }
}
