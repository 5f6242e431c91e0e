//! The nonlinearity between two layers.

use std::f64::consts::FRAC_1_SQRT_2;

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// A nonlinearity, applied element by element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
            Self::Gelu => gelu(x),
            Self::Silu => activation::silu(x),
            Self::Mish => mish(x),
            Self::Tanh => activation::tanh(x),
        }
    }
}

/// `x (1 + erf(x / sqrt 2)) / 2`, spelled out: the gradient of burn's own is that of an approximation by a hyperbolic
/// tangent on some backends, off by 1e-4.
fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let share = (x.clone() * FRAC_1_SQRT_2).erf() + 1.0;
    x * share * 0.5
}

/// `x tanh(ln(1 + e^x)) = x n / (n + 2)` with `n = e^x (e^x + 2)`: one exponential instead of an
/// exponential, a logarithm and a hyperbolic tangent. Beyond 20 it is `x` in single precision.
fn mish<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let power = x.clone().clamp_max(20.0).exp();
    let n = power.clone() * (power + 2.0);
    x * (n.clone() / (n + 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Backend;

    #[test]
    fn mish_equals_its_definition() {
        let values = [-30.0_f32, -5.0, -0.3, 0.0, 0.7, 4.0, 19.0, 25.0, 60.0];
        let found = mish(Tensor::<1>::from_floats(values, &Backend::host().device));
        let found = found.into_data().try_into_vec::<f32>().unwrap();
        for (x, found) in values.map(f64::from).iter().zip(found) {
            let expected = x * x.exp().ln_1p().tanh();
            let error = (f64::from(found) - expected).abs();
            assert!(error < 1e-6 * expected.abs().max(1e-3), "{x}: {found} {expected}");
        }
    }
}
