//! The affine maps around each network: inputs to standard units, outputs back to the target.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{Linear, Regressor, stack::tensor};

/// Most standard deviations that an input may lie from its mean.
pub(crate) const LARGEST_INPUT: f32 = 20.0;

/// Bound that robustly scaled inputs approach (Holzmüller, Grinsztajn and Steinwart, 2024).
pub(crate) const SMOOTH_BOUND: f32 = 3.0;

/// How features come to the units of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    #[inline]
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

/// The map from features to the units of a model, fitted on the rows that train it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputMap {
    /// How features are bounded.
    pub scaling: InputScaling,
    /// Centre of each feature, shape `[features]`.
    pub centre: Vec<f32>,
    /// One over the scale of each feature; 0 where it does not vary.
    pub inverse_scale: Vec<f32>,
}

impl InputMap {
    /// Appends the mapped features of a row to `values`, as [`StackScaling::apply`] gives them.
    pub fn scale(&self, row: &[f32], values: &mut Vec<f32>) {
        let start = values.len();
        values.resize(start + row.len(), 0.0);
        self.write_scaled(row, &mut values[start..]);
    }

    /// [`Self::scale`] into a row that is there.
    #[inline]
    pub(super) fn write_scaled(&self, row: &[f32], scaled: &mut [f32]) {
        let constants = self.centre.iter().zip(&self.inverse_scale);
        for ((scaled, x), (centre, inverse)) in scaled.iter_mut().zip(row).zip(constants) {
            *scaled = self.scaling.bound((x - centre) * inverse);
        }
    }

    /// Whether it maps rows of `columns` features.
    #[must_use]
    pub fn is_consistent(&self, columns: usize) -> bool {
        self.centre.len() == columns && self.inverse_scale.len() == columns
    }
}

/// The scaling of one network, fitted on the rows that train it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberScaling {
    /// Of the features.
    pub inputs: InputMap,
    /// A linear model of the transformed target that the network adds to; none where it predicts
    /// the target alone.
    pub linear: Option<Linear>,
    /// Mean of what the network predicts.
    pub target_mean: f64,
    /// Standard deviation of what the network predicts.
    pub target_deviation: f64,
}

impl MemberScaling {
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
        let maps = members.map(|member| &member.inputs);
        let inputs = maps.clone().next().map(|map| map.scaling).unwrap_or_default();
        let centre = maps.clone().flat_map(|map| map.centre.iter().copied()).collect();
        let inverse = maps.flat_map(|map| map.inverse_scale.iter().copied()).collect();
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
        let device = Backend::select(BackendKind::Cpu).unwrap().device;
        for (scaling, largest) in
            [(InputScaling::Standard, LARGEST_INPUT), (InputScaling::Robust, SMOOTH_BOUND)]
        {
            let (centre, inverse_scale) = (vec![0.3, -1.7], vec![2.9, 1e5]);
            let member = MemberScaling {
                inputs: InputMap { scaling, centre, inverse_scale },
                linear: None,
                target_mean: 0.0,
                target_deviation: 1.0,
            };
            let rows = vec![0.1, -1.69, 7.7, 3.0, -5.5, -1.7];
            let mut values = Vec::new();
            rows.chunks_exact(2).for_each(|row| member.inputs.scale(row, &mut values));
            let stacked = StackScaling::new(std::iter::once(&member), &device);
            assert_eq!(values, host(stacked.apply(tensor(rows, [1, 3, 2], &device))));
            assert!((values[1] - largest).abs() < 1e-4);
        }
    }
}
