//! The nonlinearity between two layers.

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// A nonlinearity, applied element by element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// max(0, x).
    #[default]
    Relu,
    /// x Phi(x), Phi the normal distribution function (Hendrycks and Gimpel, 2016).
    Gelu,
    /// x sigmoid(x).
    Silu,
    /// x tanh(softplus(x)) (Misra, 2019).
    Mish,
    /// tanh(x).
    Tanh,
}

impl Activation {
    /// `x + slope (f(x) - x)`, or `f(x)` where nothing is learned of it.
    pub(super) fn apply_with(self, x: Tensor<3>, slope: Option<&Tensor<3>>) -> Tensor<3> {
        match slope {
            None => self.apply(x),
            Some(slope) => x.clone() + (self.apply(x.clone()) - x) * slope.clone(),
        }
    }

    pub(super) fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Relu => activation::relu(x),
            Self::Gelu => activation::gelu(x),
            Self::Silu => activation::silu(x),
            Self::Mish => activation::mish(x),
            Self::Tanh => activation::tanh(x),
        }
    }
}
