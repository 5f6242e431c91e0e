//! The affine maps around each network: inputs to standard units, outputs back to the target.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::stack::tensor;

/// Most standard deviations that an input may lie from its mean.
const LARGEST_INPUT: f32 = 20.0;

/// The scaling of one network, fitted on the rows that train it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberScaling {
    /// Mean of each feature, shape `[features]`.
    pub mean: Vec<f32>,
    /// One over the standard deviation of each feature; 0 where it does not vary.
    pub inverse_deviation: Vec<f32>,
    /// Mean of the transformed target.
    pub target_mean: f64,
    /// Standard deviation of the transformed target.
    pub target_deviation: f64,
}

impl MemberScaling {
    /// Appends the standard units of a row of features to `values`, as [`StackScaling::apply`]
    /// gives them.
    pub fn scale(&self, row: &[f32], values: &mut Vec<f32>) {
        let constants = self.mean.iter().zip(&self.inverse_deviation);
        let standard = |(x, (mean, inverse)): (&f32, (&f32, &f32))| {
            ((x - mean) * inverse).clamp(-LARGEST_INPUT, LARGEST_INPUT)
        };
        values.extend(row.iter().zip(constants).map(standard));
    }

    /// The transformed target that the network's output `output` stands for.
    #[must_use]
    pub fn target(&self, output: f32) -> f64 {
        self.target_mean + self.target_deviation * f64::from(output)
    }

    /// A transformed target in the network's standard units.
    #[must_use]
    pub fn standardise(&self, target: f64) -> f32 {
        ((target - self.target_mean) / self.target_deviation) as f32
    }
}

/// The input scaling of `M` networks on a device.
#[derive(Clone, Debug)]
pub struct StackScaling {
    mean: Tensor<3>,
    inverse_deviation: Tensor<3>,
}

impl StackScaling {
    /// Stacks `members` on `device`.
    #[must_use]
    pub fn new<'a>(
        members: impl Iterator<Item = &'a MemberScaling> + Clone,
        device: &Device,
    ) -> Self {
        let count = members.clone().count();
        let stacked = |values: Vec<f32>| {
            let features = values.len() / count.max(1);
            tensor(values, [count, 1, features], device)
        };
        let mean = members.clone().flat_map(|member| member.mean.iter().copied()).collect();
        let inverse = members.flat_map(|member| member.inverse_deviation.iter().copied()).collect();
        Self { mean: stacked(mean), inverse_deviation: stacked(inverse) }
    }

    /// Standard units of features `[M, batch, features]`, or of `[1, batch, features]` for all,
    /// at most twenty deviations from the mean: a wild value may mislead, but not explode.
    #[must_use]
    pub fn apply(&self, features: Tensor<3>) -> Tensor<3> {
        let standard = (features - self.mean.clone()) * self.inverse_deviation.clone();
        standard.clamp(-LARGEST_INPUT, LARGEST_INPUT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Backend, BackendKind, stack::host};

    #[test]
    fn rows_on_the_host_and_tensors_are_scaled_alike() {
        let member = MemberScaling {
            mean: vec![0.3, -1.7],
            inverse_deviation: vec![2.9, 1e5],
            target_mean: 0.0,
            target_deviation: 1.0,
        };
        let device = Backend::select(BackendKind::Flex).unwrap().device;
        let rows = vec![0.1, -1.69, 7.7, 3.0, -5.5, -1.7];
        let mut values = Vec::new();
        rows.chunks_exact(2).for_each(|row| member.scale(row, &mut values));
        let stacked = StackScaling::new(std::iter::once(&member), &device);
        assert_eq!(values, host(stacked.apply(tensor(rows, [1, 3, 2], &device))));
        assert_eq!(values[1], LARGEST_INPUT);
    }
}
