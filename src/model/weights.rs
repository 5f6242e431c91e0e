//! The weights of one network on the host: how members are drawn, saved and put in stacks.

use crate::data::Generator;

use super::StackShape;

/// The weights of one network: for each layer its matrix (`fan_in` x `fan_out`, row-major), then
/// its biases (`fan_out`).
#[derive(Clone, Debug, PartialEq)]
pub struct MemberWeights(pub Vec<f32>);

impl MemberWeights {
    /// Draws initial weights: N(0, 2 / `fan_in`) (He et al., 2015), the output layer
    /// N(0, 1 / `fan_in`), biases 0. Of the inputs of the first layer only `active` ever differ from 0:
    /// the others do not count, so that a network starts alike however wide its neighbours are.
    #[must_use]
    pub fn draw(shape: &StackShape, active: usize, generator: &mut Generator) -> Self {
        let mut values = Vec::with_capacity(shape.parameters());
        for (index, (fan_in, fan_out)) in shape.layers().enumerate() {
            let is_output = index + 1 == shape.depth();
            let gain: f64 = if is_output { 1.0 } else { 2.0 };
            let feeding = if index == 0 { active.max(1) } else { fan_in };
            let deviation = (gain / feeding as f64).sqrt();
            values.extend((0..fan_in * fan_out).map(|_| (deviation * generator.normal()) as f32));
            values.extend(std::iter::repeat_n(0.0, fan_out));
        }
        Self(values)
    }

    /// The matrix and the biases of layer `layer`.
    pub(crate) fn layer(&self, shape: &StackShape, layer: usize) -> (&[f32], &[f32]) {
        let size = |(fan_in, fan_out): (usize, usize)| fan_in * fan_out + fan_out;
        let start: usize = shape.layers().take(layer).map(size).sum();
        let (fan_in, fan_out) = shape.layer(layer);
        self.0[start..start + fan_in * fan_out + fan_out].split_at(fan_in * fan_out)
    }
}
