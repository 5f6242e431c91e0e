//! The affine maps around each network: inputs to standard units, outputs back to the target.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::stack::tensor;

/// Most standard deviations that an input may lie from its mean.
const LARGEST_INPUT: f64 = 20.0;

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
