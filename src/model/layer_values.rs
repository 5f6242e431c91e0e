//! What the layers of a network make of some rows, for who sets or rounds its weights layer by layer.

use super::{
    Backend, HostTape, MemberWeights, MlpStack, StackShape,
    stack::{host, layer_inputs, linear, tensor},
};

/// What one layer does with some rows.
#[derive(Clone, Debug)]
pub(crate) struct LayerValues {
    /// What it is given, `[copies * rows, fan_in]`.
    pub(crate) given: Vec<f32>,
    /// What it makes of that before its nonlinearity, `[copies * rows, fan_out]`.
    pub(crate) outputs: Vec<f32>,
}

impl LayerValues {
    /// Those of `layer` of a network, for scaled features `[rows, inputs]`.
    pub(crate) fn of(
        shape: &StackShape,
        weights: &MemberWeights,
        features: &[f32],
        layer: usize,
    ) -> Self {
        if let Some(mut tape) = HostTape::new(shape) {
            let (given, outputs) = tape.layer_values(&weights.0, features, layer);
            return Self { given: given.to_vec(), outputs: outputs.to_vec() };
        }
        Self::by_tensors(shape, weights, features, layer)
    }

    fn by_tensors(
        shape: &StackShape,
        weights: &MemberWeights,
        features: &[f32],
        layer: usize,
    ) -> Self {
        let device = Backend::host().device;
        let size = [1, features.len() / shape.inputs.max(1), shape.inputs];
        let features = tensor(features.to_vec(), size, &device);
        let stack = MlpStack::new(shape, &[weights], &device);
        let (given, own) = layer_inputs(shape, &stack.parameters, features, (&[], layer));
        let outputs = linear(shape, layer, given.clone(), own);
        Self { given: host(given), outputs: host(outputs) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        data::Generator,
        model::{Activation, Embedding},
    };

    #[test]
    fn own_arithmetic_and_tensors_agree_in_every_layer() {
        for (embedding, copies) in [(Embedding::Pbld, 1), (Embedding::Piecewise, 3)] {
            let plain = StackShape::plain(4, vec![9, 17], Activation::Mish);
            let (scaled, parametric) = (true, true);
            let shape = StackShape { parametric, embedding, scaled, copies, ..plain };
            let mut generator = Generator::new(3, &[]);
            let mut draw = |count: usize| -> Vec<f32> {
                (0..count).map(|_| 0.5 * generator.normal() as f32).collect()
            };
            let (weights, features) = (MemberWeights(draw(shape.size())), draw(11 * 4));
            for layer in 0..shape.depth() {
                let found = LayerValues::of(&shape, &weights, &features, layer);
                let expected = LayerValues::by_tensors(&shape, &weights, &features, layer);
                let (fan_in, fan_out) = shape.layer(layer);
                let sizes = (found.given.len(), found.outputs.len());
                assert_eq!(sizes, (11 * copies * fan_in, 11 * copies * fan_out));
                for (found, expected) in
                    [(found.given, expected.given), (found.outputs, expected.outputs)]
                {
                    assert_eq!(found.len(), expected.len());
                    for (found, expected) in found.iter().zip(&expected) {
                        let error = (found - expected).abs();
                        assert!(error < 1e-5 * (1.0 + expected.abs()), "{found} {expected}");
                    }
                }
            }
        }
    }
}
