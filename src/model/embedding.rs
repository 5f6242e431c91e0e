//! What becomes of each feature before the first layer: several numbers instead of one.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{ParameterShape, Role};

/// Frequencies of a periodic embedding, and numbers that they are mixed into.
pub(super) const FREQUENCIES: usize = 16;
pub(super) const MIXED: usize = 3;

/// The phase of a whole wave.
pub(super) const TURN: f32 = 2.0 * std::f32::consts::PI;

/// Bins of a piecewise-linear embedding, and numbers that they are mixed into.
pub const BINS: usize = 48;
pub(super) const PIECEWISE_WIDTH: usize = 16;

/// An embedding of each feature by itself (Gorishniy, Rubachev and Babenko, 2022).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Embedding {
    /// The feature itself.
    #[default]
    None,
    /// Periodic with a dense bypass: the feature and three mixtures of `cos(2 pi w x + b)` with 16
    /// learned frequencies (PBLD; Holzmüller, Grinsztajn and Steinwart, 2024).
    Pbld,
    /// Piecewise linear between 48 quantiles of the training rows, mixed into 16 numbers that start
    /// as plain lines (`TabM`, Gorishniy et al., 2025).
    Piecewise,
}

impl Embedding {
    /// Inputs of the first layer for `inputs` features.
    #[must_use]
    pub fn width(self, inputs: usize) -> usize {
        match self {
            Self::None => inputs,
            Self::Pbld => (MIXED + 1) * inputs,
            Self::Piecewise => PIECEWISE_WIDTH * inputs,
        }
    }

    /// The parameters of the embedding of `inputs` features.
    pub(super) fn parameters(self, inputs: usize) -> Vec<ParameterShape> {
        let embedding = |name: &str, rows: usize, columns: usize, role: Role| {
            ParameterShape::new(format!("embedding.{name}"), (rows, columns), role)
        };
        match self {
            Self::None => Vec::new(),
            Self::Pbld => vec![
                embedding("frequency", inputs, FREQUENCIES, Role::Embedding),
                embedding("phase", inputs, FREQUENCIES, Role::Embedding),
                embedding("mixture", inputs * FREQUENCIES, MIXED, Role::Embedding),
                embedding("shift", inputs, MIXED, Role::Embedding),
            ],
            Self::Piecewise => vec![
                embedding("left", inputs, BINS, Role::Constant),
                embedding("inverse_width", inputs, BINS, Role::Constant),
                embedding("slope", inputs, PIECEWISE_WIDTH, Role::Embedding),
                embedding("shift", inputs, PIECEWISE_WIDTH, Role::Embedding),
                embedding("mixture", inputs * BINS, PIECEWISE_WIDTH, Role::Embedding),
            ],
        }
    }

    /// Number of parameter tensors.
    pub(super) fn tensors(self) -> usize {
        self.parameters(1).len()
    }

    /// The embedded features `[M, batch, width]` of features `[M, batch, inputs]`.
    pub(super) fn apply(self, features: Tensor<3>, parameters: &[Tensor<3>]) -> Tensor<3> {
        match self {
            Self::None => features,
            Self::Pbld => periodic(features, parameters),
            Self::Piecewise => piecewise(features, parameters),
        }
    }
}

fn periodic(features: Tensor<3>, parameters: &[Tensor<3>]) -> Tensor<3> {
    let [_, _, inputs] = features.dims();
    let per_feature = |index: usize| by_feature(&parameters[index], inputs);
    let angles = column(features.clone() * (2.0 * std::f64::consts::PI)) * per_feature(0);
    let waves = (angles + per_feature(1)).cos();
    let mixed = waves.matmul(per_feature(2)) + per_feature(3);
    Tensor::cat(vec![flat(mixed), features], 2)
}

fn piecewise(features: Tensor<3>, parameters: &[Tensor<3>]) -> Tensor<3> {
    let [_, _, inputs] = features.dims();
    let per_feature = |index: usize| by_feature(&parameters[index], inputs);
    let x = column(features);
    let shares = (x.clone() - per_feature(0)) * per_feature(1);
    // The outermost bins go on for ever: a line beyond the known range, not a step.
    let inner = shares.clone().narrow(3, 1, BINS - 2).clamp(0.0, 1.0);
    let first = shares.clone().narrow(3, 0, 1).clamp_max(1.0);
    let last = shares.narrow(3, BINS - 1, 1).clamp_min(0.0);
    let shares = Tensor::cat(vec![first, inner, last], 3);
    flat(x * per_feature(2) + per_feature(3) + shares.matmul(per_feature(4)))
}

/// A parameter `[M, inputs * rows, columns]` as `[M, inputs, rows, columns]`.
fn by_feature(parameter: &Tensor<3>, inputs: usize) -> Tensor<4> {
    let [members, rows, columns] = parameter.dims();
    parameter.clone().reshape([members, inputs, rows / inputs, columns])
}

/// Features `[M, batch, inputs]` as `[M, inputs, batch, 1]`.
fn column(features: Tensor<3>) -> Tensor<4> {
    let [members, batch, inputs] = features.dims();
    features.swap_dims(1, 2).reshape([members, inputs, batch, 1])
}

/// Embedded features `[M, inputs, batch, width]` as `[M, batch, inputs * width]`.
fn flat(embedded: Tensor<4>) -> Tensor<3> {
    let [members, inputs, batch, width] = embedded.dims();
    embedded.swap_dims(1, 2).reshape([members, batch, inputs * width])
}
