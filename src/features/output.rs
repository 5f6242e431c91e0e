//! The last step of a feature: into a range that single precision holds well.

use std::f64::consts::SQRT_2;

use serde::{Deserialize, Serialize};

use crate::data::explore::quantile;

/// One feature: (value - shift) / scale, smoothly clipped where a bound is set.
///
/// Without a bound the constants are coarse (a power of two, and a multiple of eight of it), because
/// every network standardises its inputs anyway: folds then mostly agree and share one matrix. With
/// a bound they are the median and the distance of the quartiles of the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OutputColumn {
    pub(super) name: String,
    pub(crate) shift: f64,
    pub(crate) scale: f64,
    /// Largest size, in robust deviations; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bound: Option<f64>,
}

impl OutputColumn {
    /// Fits on `values`, which may hold `NaN` for missing ones.
    pub(super) fn fit(name: String, mut values: Vec<f64>, bound: Option<f64>) -> Self {
        values.retain(|value| value.is_finite());
        if values.is_empty() {
            return Self::indicator(name);
        }
        values.sort_unstable_by(f64::total_cmp);
        let (shift, scale) = if bound.is_some() { robust(&values) } else { coarse(&values) };
        Self { name, shift, scale, bound }
    }

    /// A feature that is 0 or 1.
    pub(super) fn indicator(name: String) -> Self {
        Self { name, shift: 0.0, scale: 1.0, bound: None }
    }

    /// Whether a feature was beyond the bound before it was clipped; `None` without a bound.
    pub(super) fn is_clipped(&self, feature: f32) -> Option<bool> {
        // The bound itself is clipped to bound / sqrt(2).
        self.bound.map(|bound| f64::from(feature.abs()) > bound / SQRT_2 + 1e-6)
    }

    /// The feature of a value.
    pub(super) fn apply(&self, value: f64) -> f32 {
        // Halved first: the difference of two huge numbers need not be finite.
        let feature = 2.0 * ((0.5 * value - 0.5 * self.shift) / self.scale);
        let feature = match self.bound {
            Some(bound) => smooth(feature, bound),
            None => feature,
        };
        feature.clamp(-1e6, 1e6) as f32
    }
}

/// `z / sqrt(1 + (z / bound)^2)`: z near 0, never beyond the bound (Holzmüller, Grinsztajn and
/// Steinwart 2024).
fn smooth(z: f64, bound: f64) -> f64 {
    if z.abs() > 1e100 { bound * z.signum() } else { z / libm::hypot(1.0, z / bound) }
}

/// Median and distance of the quartiles (linear interpolation); half the range where the quartiles
/// agree, 1 where nothing varies.
fn robust(sorted: &[f64]) -> (f64, f64) {
    let at = |share: f64| quantile(sorted, share).unwrap_or(0.0);
    let spreads = [at(0.75) - at(0.25), 0.5 * sorted[sorted.len() - 1] - 0.5 * sorted[0]];
    let scale = spreads.into_iter().find(|spread| *spread > 0.0 && spread.is_finite());
    (at(0.5), scale.unwrap_or(1.0))
}

fn coarse(sorted: &[f64]) -> (f64, f64) {
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    // Quartiles, so that one wild value does not squeeze all others together.
    let spreads = [(0.25, 0.75), (0.0, 1.0)].map(|(low, high)| 0.5 * at(high) - 0.5 * at(low));
    let spread = spreads.into_iter().find(|spread| *spread > 0.0);
    // Of a constant its own size, so that leaving it means the same in every unit.
    let size = at(0.5).abs();
    let spread = spread.unwrap_or(if size > 0.0 { size } else { 1.0 });
    let scale = libm::exp2(libm::log2(spread).round().clamp(-1000.0, 1000.0));
    let shift = (at(0.5) / scale / 8.0).round() * 8.0 * scale;
    (if shift.is_finite() { shift } else { 0.0 }, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_bound_are_told() {
        let output = fitted(&(0..9).map(f64::from).collect::<Vec<_>>(), Some(3.0));
        // Median 4 and quartiles 2 and 6: the bound lies at 4 + 3 * 4.
        let told = [15.9, 16.1].map(|value| output.is_clipped(output.apply(value)));
        assert_eq!(told, [Some(false), Some(true)]);
        assert_eq!(fitted(&[1.0, 2.0], None).is_clipped(9.0), None);
    }

    fn fitted(values: &[f64], bound: Option<f64>) -> OutputColumn {
        OutputColumn::fit("x".to_owned(), values.to_vec(), bound)
    }

    #[test]
    fn one_wild_value_does_not_squeeze_the_others() {
        let mut column: Vec<f64> = (0..50).map(f64::from).collect();
        let before = fitted(&column, None);
        column[49] = 1e9;
        assert_eq!(before, fitted(&column, None));
    }

    #[test]
    fn constant_and_huge_columns_stay_finite() {
        for clip in [None, Some(3.0)] {
            let constant = fitted(&[3.0, 3.0], clip);
            assert!(constant.apply(3.0).is_finite());
            let huge = fitted(&[-1e308, 1e308], clip);
            assert!(huge.apply(1e308) > huge.apply(-1e308));
            assert!(fitted(&[0.0, 1.0], clip).apply(1e300).is_finite());
        }
    }

    #[test]
    fn clipped_values_are_those_of_realmlps_preprocessing() {
        // pytabkit: robust scale, then x / sqrt(1 + (x / 3)^2); numpy.percentile of 0..=8 with 100.
        let column: Vec<f64> = (0..9).map(f64::from).chain([100.0]).collect();
        let output = fitted(&column, Some(3.0));
        // Median 4.5, quartiles 2.25 and 6.75: (100 - 4.5) / 4.5 = 21.2222 -> 2.970464...
        let z: f64 = 95.5 / 4.5;
        let expected = z / (1.0 + (z / 3.0).powi(2)).sqrt();
        assert!((f64::from(output.apply(100.0)) - expected).abs() < 1e-6);
        assert!(output.apply(1e30) <= 3.0);
    }
}
