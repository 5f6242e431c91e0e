//! The affine maps around each network: inputs to standard units, outputs back to the target.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{Linear, stack::tensor};

/// Most standard deviations that an input may lie from its mean.
const LARGEST_INPUT: f32 = 20.0;

/// Bound that robustly scaled inputs approach (Holzmüller, Grinsztajn and Steinwart, 2024).
const SMOOTH_BOUND: f32 = 3.0;

/// How features come to the units of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputScaling {
    /// Mean 0 and standard deviation 1, at most twenty deviations away.
    #[default]
    Standard,
    /// Median 0 and interquartile range 1, then `x / sqrt(1 + (x / 3)^2)`, so that nothing lies
    /// beyond 3.
    Robust,
}

impl InputScaling {
    fn bound(self, x: f32) -> f32 {
        match self {
            Self::Standard => x.clamp(-LARGEST_INPUT, LARGEST_INPUT),
            Self::Robust => {
                let share = x * (1.0 / SMOOTH_BOUND);
                x / (share * share + 1.0).sqrt()
            }
        }
    }
}

/// The scaling of one network, fitted on the rows that train it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberScaling {
    /// How features are bounded.
    pub inputs: InputScaling,
    /// Centre of each feature, shape `[features]`.
    pub centre: Vec<f32>,
    /// One over the scale of each feature; 0 where it does not vary.
    pub inverse_scale: Vec<f32>,
    /// A linear model of the transformed target that the network adds to; none where it predicts
    /// the target alone.
    pub linear: Option<Linear>,
    /// Mean of what the network predicts.
    pub target_mean: f64,
    /// Standard deviation of what the network predicts.
    pub target_deviation: f64,
}

impl MemberScaling {
    /// Appends the network's units of a row of features to `values`, as [`StackScaling::apply`]
    /// gives them.
    pub fn scale(&self, row: &[f32], values: &mut Vec<f32>) {
        let constants = self.centre.iter().zip(&self.inverse_scale);
        let own = |(x, (centre, inverse)): (&f32, (&f32, &f32))| {
            self.inputs.bound((x - centre) * inverse)
        };
        values.extend(row.iter().zip(constants).map(own));
    }

    /// The transformed target that the network's output `output` stands for in a row of features.
    #[must_use]
    pub fn target(&self, output: f32, row: &[f32]) -> f64 {
        self.linear_part(row) + self.target_mean + self.target_deviation * f64::from(output)
    }

    /// The transformed target of a row of features in the network's standard units.
    #[must_use]
    pub fn standardise(&self, target: f64, row: &[f32]) -> f32 {
        ((target - self.linear_part(row) - self.target_mean) / self.target_deviation) as f32
    }

    /// What the linear model gives.
    #[must_use]
    pub fn linear_part(&self, row: &[f32]) -> f64 {
        self.linear.as_ref().map_or(0.0, |linear| linear.predict(row))
    }
}

/// The input scaling of `M` networks on a device.
#[derive(Clone, Debug)]
pub struct StackScaling {
    inputs: InputScaling,
    centre: Tensor<3>,
    inverse_scale: Tensor<3>,
}

impl StackScaling {
    /// Stacks `members`, which bound their inputs alike, on `device`.
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
        let inputs = members.clone().next().map(|member| member.inputs).unwrap_or_default();
        let centre = members.clone().flat_map(|member| member.centre.iter().copied()).collect();
        let inverse = members.flat_map(|member| member.inverse_scale.iter().copied()).collect();
        Self { inputs, centre: stacked(centre), inverse_scale: stacked(inverse) }
    }

    /// Network units of features `[M, batch, features]`, or of `[1, batch, features]` for all: a
    /// wild value may mislead, but not explode.
    #[must_use]
    pub fn apply(&self, features: Tensor<3>) -> Tensor<3> {
        let x = (features - self.centre.clone()) * self.inverse_scale.clone();
        match self.inputs {
            InputScaling::Standard => x.clamp(-LARGEST_INPUT, LARGEST_INPUT),
            InputScaling::Robust => {
                let share = x.clone() * (1.0 / SMOOTH_BOUND);
                x / (share.clone() * share + 1.0).sqrt()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Backend, BackendKind, stack::host};

    #[test]
    fn rows_on_the_host_and_tensors_are_scaled_alike() {
        let device = Backend::select(BackendKind::Flex).unwrap().device;
        for (inputs, largest) in
            [(InputScaling::Standard, LARGEST_INPUT), (InputScaling::Robust, SMOOTH_BOUND)]
        {
            let member = MemberScaling {
                inputs,
                centre: vec![0.3, -1.7],
                inverse_scale: vec![2.9, 1e5],
                linear: None,
                target_mean: 0.0,
                target_deviation: 1.0,
            };
            let rows = vec![0.1, -1.69, 7.7, 3.0, -5.5, -1.7];
            let mut values = Vec::new();
            rows.chunks_exact(2).for_each(|row| member.scale(row, &mut values));
            let stacked = StackScaling::new(std::iter::once(&member), &device);
            assert_eq!(values, host(stacked.apply(tensor(rows, [1, 3, 2], &device))));
            assert!((values[1] - largest).abs() < 1e-4);
        }
    }
}
