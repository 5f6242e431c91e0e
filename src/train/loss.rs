//! The loss of a batch and its slope, network by network.

use burn::tensor::Tensor;

use super::{Loss, TrainConfig};

/// The weighted loss of each network, shape `[M, 1, 1]`, from outputs, targets and weights
/// `[M, rows, 1]`, and its slope by each output, `[M, rows, 1]`. Weights of a network add up to
/// one; padded rows weigh nothing.
///
/// The slope is known in closed form, so that gradients need not be tracked through the loss:
/// on a small network each tracked operation costs as much as a layer.
pub(super) fn losses_and_slopes(
    config: &TrainConfig,
    outputs: Tensor<3>,
    targets: Tensor<3>,
    weights: Tensor<3>,
) -> (Tensor<3>, Tensor<3>) {
    let residuals = outputs - targets;
    let (losses, slopes) = match config.loss {
        Loss::Mse => (residuals.clone() * residuals.clone(), residuals * 2.0),
        Loss::Huber => huber(residuals, config.huber_delta),
    };
    ((losses * weights.clone()).sum_dim(1), slopes * weights)
}

/// The loss of one residual and its slope, as in [`losses_and_slopes`].
#[inline]
pub(super) fn loss_and_slope(config: &TrainConfig, residual: f32) -> (f32, f32) {
    match config.loss {
        Loss::Mse => (residual * residual, residual * 2.0),
        Loss::Huber => {
            let delta = config.huber_delta as f32;
            let slope = residual.clamp(-delta, delta);
            (slope * (residual - slope * 0.5), slope)
        }
    }
}

/// `r^2 / 2` for `|r| <= delta`, `delta (|r| - delta / 2)` beyond; the slope is `r`, clamped.
fn huber(residuals: Tensor<3>, delta: f64) -> (Tensor<3>, Tensor<3>) {
    let slopes = residuals.clone().clamp(-delta, delta);
    let losses = slopes.clone() * (residuals - slopes.clone() * 0.5);
    (losses, slopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Backend, BackendKind};

    fn close(values: Tensor<3>, expected: &[f32]) -> bool {
        let values = values.into_data().try_into_vec::<f32>().unwrap();
        values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6)
    }

    fn column(values: [f32; 5]) -> Tensor<3> {
        let device = Backend::select(BackendKind::Cpu).unwrap().device;
        Tensor::<1>::from_floats(values, &device).reshape([1, 5, 1])
    }

    fn of(loss: Loss) -> (Tensor<3>, Tensor<3>) {
        let config = TrainConfig { loss, ..TrainConfig::default() };
        let outputs = column([-2.0, 0.5, 1.0, 1.9, 3.0]);
        losses_and_slopes(&config, outputs, column([1.0; 5]), column([0.1, 0.2, 0.3, 0.4, 0.0]))
    }

    #[test]
    fn squared_loss_and_slope_match_the_closed_form() {
        let (loss, slopes) = of(Loss::Mse);
        assert!(close(loss, &[0.1 * 9.0 + 0.2 * 0.25 + 0.4 * 0.81]));
        assert!(close(slopes, &[-0.6, -0.2, 0.0, 0.72, 0.0]));
    }

    #[test]
    fn huber_loss_and_slope_match_the_closed_form() {
        let (loss, slopes) = of(Loss::Huber);
        assert!(close(loss, &[0.1 * 2.5 + 0.2 * 0.125 + 0.4 * 0.405]));
        assert!(close(slopes, &[-0.1, -0.1, 0.0, 0.36, 0.0]));
    }

    #[test]
    fn losses_of_single_residuals_equal_those_of_tensors() {
        for loss in [Loss::Mse, Loss::Huber] {
            let config = TrainConfig { loss, huber_delta: 0.7, ..TrainConfig::default() };
            let outputs = [-2.0, 0.5, 1.0, 1.9, 3.0];
            let of = |output| loss_and_slope(&config, output - 1.0);
            let sum: f32 = outputs.iter().map(|output| 0.2 * of(*output).0).sum();
            let expected: Vec<f32> = outputs.iter().map(|output| 0.2 * of(*output).1).collect();
            let (losses, slopes) =
                losses_and_slopes(&config, column(outputs), column([1.0; 5]), column([0.2; 5]));
            assert!(close(losses, &[sum]) && close(slopes, &expected));
        }
    }

    #[test]
    fn slopes_equal_those_of_automatic_differentiation() {
        for loss in [Loss::Mse, Loss::Huber] {
            let config = TrainConfig { loss, huber_delta: 0.7, ..TrainConfig::default() };
            let weights = column([0.1, 0.2, 0.3, 0.4, 0.0]);
            let outputs = column([-2.0, 0.5, 1.0, 1.9, 3.0]).autodiff().require_grad();
            let (targets, tracked) = (column([1.2; 5]).autodiff(), weights.autodiff());
            let (losses, slopes) = losses_and_slopes(&config, outputs.clone(), targets, tracked);
            let gradients = losses.sum().backward();
            let expected = outputs.grad(&gradients).unwrap().into_data();
            assert!(close(slopes.inner(), &expected.try_into_vec::<f32>().unwrap()));
        }
    }
}
