//! The loss of a batch, network by network.

use burn::tensor::Tensor;

use super::{Loss, TrainConfig};

/// The weighted loss of each network, shape `[M, 1, 1]`, from outputs, targets and weights
/// `[M, rows, 1]`. Weights of a network add up to one; padded rows weigh nothing.
pub(super) fn losses(
    config: &TrainConfig,
    outputs: Tensor<3>,
    targets: Tensor<3>,
    weights: Tensor<3>,
) -> Tensor<3> {
    let residuals = outputs - targets;
    let losses = match config.loss {
        Loss::Mse => residuals.clone() * residuals,
        Loss::Huber => huber(residuals, config.huber_delta),
    };
    (losses * weights).sum_dim(1)
}

/// `r^2 / 2` for `|r| <= delta`, `delta (|r| - delta / 2)` beyond.
fn huber(residuals: Tensor<3>, delta: f64) -> Tensor<3> {
    let size = residuals.abs();
    let near = size.clone().clamp_max(delta);
    near.clone() * near.clone() * 0.5 + (size - near) * delta
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn huber_loss_and_slope_match_the_closed_form() {
        let device = Device::flex().autodiff();
        let residuals = Tensor::<3>::from_floats([[[-3.0], [-0.5], [0.0], [0.9], [2.0]]], &device);
        let residuals = residuals.require_grad();
        let loss = huber(residuals.clone(), 1.0);
        let gradients = loss.clone().sum().backward();
        let slopes = residuals.grad(&gradients).unwrap().into_data().try_into_vec::<f32>().unwrap();
        let losses = loss.inner().into_data().try_into_vec::<f32>().unwrap();
        let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close(&losses, &[2.5, 0.125, 0.0, 0.405, 1.5]), "{losses:?}");
        assert!(close(&slopes, &[-1.0, -0.5, 0.0, 0.9, 1.0]), "{slopes:?}");
    }
}
