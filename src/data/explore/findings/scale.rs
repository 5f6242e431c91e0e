//! The scale on which the values of a column are compared.

use crate::data::explore::statistics::{Moments, quantile};

/// Ratio of the upper to the lower twentieth from which positive values span decades.
const DECADES: f64 = 10.0;
/// Ratio of the upper twentieth to the median that they must have as well: evenly spread numbers
/// from 0 to 1 span decades only towards 0.
const UPWARDS: f64 = 3.0;
/// Turns a median absolute deviation into a standard deviation, for normal numbers.
pub(super) const DEVIATIONS: f64 = 1.482_602_218_505_602;
/// Values from which a scale is taken at most: quantiles of evenly chosen sorted values are those of
/// all.
const MOST_VALUES: usize = 20_001;
/// Zeros on a logarithmic scale stand this far below the smallest positive value.
const BELOW: f64 = 0.1;

/// A linear or logarithmic scale with a robust centre and spread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// On a logarithmic scale, the value that zeros get.
    floor: Option<f64>,
    /// Median, on the scale.
    pub(super) centre: f64,
    /// Median absolute deviation as a standard deviation, on the scale; never 0.
    pub(super) spread: f64,
}

impl Scale {
    /// The natural scale of a column: logarithmic where values are positive and span decades.
    pub(super) fn of(sorted: &[f64]) -> Option<Self> {
        let floor = if spans_decades(sorted) { floor(sorted) } else { None };
        Self::with_floor(sorted, floor)
    }

    /// The plain scale.
    pub(super) fn linear(sorted: &[f64]) -> Option<Self> {
        Self::with_floor(sorted, None)
    }

    /// The logarithmic scale, for values that are not negative.
    pub(super) fn logarithmic(sorted: &[f64]) -> Option<Self> {
        Self::with_floor(sorted, Some(floor(sorted)?))
    }

    /// `None` where the values do not vary.
    fn with_floor(sorted: &[f64], floor: Option<f64>) -> Option<Self> {
        let mut scale = Self { floor, centre: 0.0, spread: 1.0 };
        let step = sorted.len().div_ceil(MOST_VALUES).max(1);
        let values: Vec<f64> =
            sorted.iter().step_by(step).map(|value| scale.standard(*value)).collect();
        scale.centre = quantile(&values, 0.5)?;
        let mut far: Vec<f64> = values.iter().map(|value| (value - scale.centre).abs()).collect();
        let middle = far.len() / 2;
        scale.spread = *far.select_nth_unstable_by(middle, f64::total_cmp).1 * DEVIATIONS;
        if scale.spread == 0.0 {
            let place = |value: &f64| Self { spread: 1.0, centre: 0.0, ..scale }.standard(*value);
            let all: Vec<f64> = sorted.iter().map(place).collect();
            scale.spread = Moments::of(&all).deviation.filter(|spread| *spread > 0.0)?;
        }
        Some(scale)
    }

    pub(super) fn is_logarithmic(&self) -> bool {
        self.floor.is_some()
    }

    /// The value in robust standard deviations from the median (Iglewicz and Hoaglin 1993).
    pub(super) fn standard(&self, value: f64) -> f64 {
        let value = self.floor.map_or(value, |floor| value.max(floor).ln());
        // Divided first: the difference of huge values may not be a number.
        value / self.spread - self.centre / self.spread
    }
}

fn spans_decades(sorted: &[f64]) -> bool {
    let positive = &sorted[sorted.partition_point(|value| *value <= 0.0)..];
    let none_negative = sorted.first().is_some_and(|value| *value >= 0.0);
    let of = |share| quantile(positive, share).unwrap_or(0.0);
    none_negative
        && 2 * positive.len() > sorted.len()
        && of(0.95) >= DECADES * of(0.05)
        && of(0.95) >= UPWARDS * of(0.5)
}

fn floor(sorted: &[f64]) -> Option<f64> {
    let positive = sorted.partition_point(|value| *value <= 0.0);
    Some(BELOW * sorted.get(positive)?)
}
