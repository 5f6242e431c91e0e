//! From what the members of a fold say to one number on the target's own scale, and to an interval.

use serde::{Deserialize, Serialize};

use crate::features::TargetTransform;

/// How the members of one fold become one number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldTarget {
    /// Space in which the networks were trained.
    pub transform: TargetTransform,
    /// Range that a member's logarithm is clamped to; `None` without a logarithm.
    pub clamp: Option<[f64; 2]>,
    /// Physical lower limit of the target.
    pub minimum: Option<f64>,
}

impl FoldTarget {
    /// The target for a fold trained on the transformed targets `training`. A logarithm may leave
    /// their range by one standard deviation or a factor of two, whichever is less: no data speak beyond.
    #[must_use]
    pub fn fit(transform: TargetTransform, minimum: Option<f64>, training: &[f64]) -> Self {
        let count = training.len() as f64;
        let mean = training.iter().sum::<f64>() / count;
        let variance = training.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / count;
        let margin = variance.sqrt().min(std::f64::consts::LN_2);
        let low = training.iter().copied().fold(f64::INFINITY, f64::min) - margin;
        let high = training.iter().copied().fold(f64::NEG_INFINITY, f64::max) + margin;
        let clamp = (transform == TargetTransform::Log).then_some([low, high]);
        Self { transform, clamp, minimum }
    }

    /// The mean of members on the target's own scale, from their transformed targets.
    #[must_use]
    pub fn combine(&self, members: impl ExactSizeIterator<Item = f64>) -> f64 {
        let count = members.len() as f64;
        let own = |member: f64| match self.clamp {
            Some([low, high]) => self.transform.invert(member.clamp(low, high)),
            None => self.transform.invert(member),
        };
        self.limit(members.map(own).sum::<f64>() / count)
    }

    /// Applies the physical limit to a value on the target's own scale; NaN stays NaN.
    #[must_use]
    pub fn limit(&self, value: f64) -> f64 {
        self.minimum.map_or(value, |minimum| if value < minimum { minimum } else { value })
    }

    /// The residual of a prediction, both on the target's own scale, in the space where intervals
    /// are formed.
    #[must_use]
    pub fn residual(&self, target: f64, prediction: f64) -> f64 {
        self.transform.apply(target) - self.transform.apply(prediction)
    }

    /// An interval on the target's own scale around `prediction`, from its transformed bounds. A
    /// bound that is NaN stays NaN: it is not known, which is not the same as no uncertainty.
    #[must_use]
    pub fn interval(&self, prediction: f64, (lower, upper): (f64, f64)) -> (f64, f64) {
        let bound = |bound: f64| self.limit(self.transform.invert(bound));
        let (lower, upper) = (bound(lower), bound(upper));
        (
            if lower > prediction { prediction } else { lower },
            if upper < prediction { prediction } else { upper },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    fn log_target() -> FoldTarget {
        FoldTarget { transform: TargetTransform::Log, clamp: Some([-9.0, 9.0]), minimum: Some(0.0) }
    }

    #[test]
    fn members_are_averaged_on_the_targets_own_scale() {
        let mean = log_target().combine([0.0, 2.0_f64.ln()].into_iter());
        assert!((mean - 1.5).abs() < 1e-12);
    }

    #[test]
    fn back_transform_is_biased_by_the_closed_form_and_no_more() {
        // ln y = N(1, 0.5^2), perfectly predicted in log space: exp(mean) is the median of y, low
        // against its mean by the factor exp(-0.5^2 / 2).
        let mut generator = Generator::new(2, &[]);
        let count = 400_000;
        let targets = (0..count).map(|_| (1.0 + 0.5 * generator.normal()).exp());
        let mean = targets.sum::<f64>() / f64::from(count);
        let prediction = log_target().combine([1.0].into_iter());
        let bias = prediction / mean;
        assert!((bias - (-0.125_f64).exp()).abs() < 0.003, "{bias}");
    }

    #[test]
    fn a_wild_logarithm_is_clamped_beyond_the_training_range() {
        let training = [0.0, 1.0, 2.0, 3.0];
        let of = |scale: f64| {
            let training = training.map(|y| scale * y);
            FoldTarget::fit(TargetTransform::Log, None, &training)
        };
        // A standard deviation of 1.1 is more than a factor of two, one of 0.11 is less.
        for (scale, margin) in [(1.0, std::f64::consts::LN_2), (0.1, 0.1 * 1.25_f64.sqrt())] {
            let high = of(scale).combine([50.0].into_iter()).ln();
            assert!((high - (3.0 * scale + margin)).abs() < 1e-9);
            assert!((of(scale).combine([-50.0].into_iter()).ln() + margin).abs() < 1e-9);
        }
        let plain = FoldTarget::fit(TargetTransform::None, None, &training);
        assert_eq!(plain.combine([50.0].into_iter()), 50.0);
    }

    #[test]
    fn bounds_respect_the_physical_limit_and_contain_the_prediction() {
        let fold = FoldTarget { transform: TargetTransform::None, clamp: None, minimum: Some(0.0) };
        assert_eq!(fold.interval(3.0, (-5.0, 11.0)), (0.0, 11.0));
        assert_eq!(fold.interval(12.0, (-5.0, 11.0)), (0.0, 12.0));
    }

    #[test]
    fn what_is_not_a_number_is_not_the_physical_limit() {
        let fold = FoldTarget { transform: TargetTransform::None, clamp: None, minimum: Some(0.0) };
        assert!(fold.limit(f64::NAN).is_nan());
        assert!(fold.combine([1.0, f64::NAN].into_iter()).is_nan());
        let (lower, upper) = fold.interval(3.0, (f64::NAN, 11.0));
        assert!(lower.is_nan() && upper == 11.0);
        assert!(log_target().combine([f64::NAN].into_iter()).is_nan());
    }
}
