//! One axis of a panel: its range, linear or logarithmic, and its tick marks.

use std::ops::Range;

use plotters::coord::ranged1d::{
    KeyPointHint, KeyPointWeight, NoDefaultFormatting, Ranged, ValueFormatter,
};

use super::style::{SMALL_TEXT, px, text_width};
use super::ticks::{Tick, linear_ticks, log_ticks};

/// Part of the range left free at each end.
const PADDING: f64 = 0.04;

/// A range narrower than this share of its own size shows rounding errors only, so it is widened.
const NARROWEST: f64 = 1e-6;

/// Ratio of the largest to the smallest value from which positive values get a logarithmic axis.
const LOG_SPAN: f64 = 50.0;

/// Decades that a logarithmic axis shows at most, counted from the top.
const MOST_DECADES: f64 = 15.0;

/// A range of numbers on the page. Values outside it land on its ends.
#[derive(Clone, Debug)]
pub(in crate::report) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    categorical: bool,
    ticks: Vec<Tick>,
}

impl Axis {
    /// Spans the finite `values`, with room at both ends.
    pub(in crate::report) fn linear(values: impl IntoIterator<Item = f64>, n_ticks: usize) -> Self {
        let (low, high) = widened(extent(values));
        let padding = (high - low) * PADDING;
        Self::exact(low - padding, high + padding, n_ticks)
    }

    /// Spans exactly `[low, high]`.
    pub(in crate::report) fn exact(low: f64, high: f64, n_ticks: usize) -> Self {
        let ticks = linear_ticks(low, high, n_ticks);
        Self { low, high, logarithmic: false, categorical: false, ticks }
    }

    /// Spans zero and the finite `values`, with room at the ends that are not zero.
    pub(in crate::report) fn from_zero(
        values: impl IntoIterator<Item = f64>,
        n_ticks: usize,
    ) -> Self {
        let (low, high) = widened(extent(values.into_iter().chain([0.0])));
        let padding = (high - low) * 2.0 * PADDING;
        let end = |value: f64, shift: f64| if value == 0.0 { 0.0 } else { value + shift };
        Self::exact(end(low, -padding), end(high, padding), n_ticks)
    }

    /// Spans the positive finite `values` by ratios; falls back to a linear axis where there are none.
    pub(in crate::report) fn logarithmic(
        values: impl IntoIterator<Item = f64>,
        n_ticks: usize,
    ) -> Self {
        let positive = values.into_iter().filter(|value| *value > 0.0 && value.is_finite());
        let (low, high) = extent(positive.map(f64::log10));
        if low > high {
            return Self::exact(0.0, 1.0, n_ticks);
        }
        let low = low.max(high - MOST_DECADES);
        let padding = ((high - low) * PADDING).max(0.05);
        let (low, high) = (10f64.powf(low - padding), 10f64.powf(high + padding));
        let ticks = log_ticks(low, high, n_ticks);
        Self { low, high, logarithmic: true, categorical: false, ticks }
    }

    /// Logarithmic where every value is positive and they span a wide ratio, else linear.
    pub(in crate::report) fn fitting(values: &[f64], n_ticks: usize) -> Self {
        let (low, high) = extent(values.iter().copied());
        if low > 0.0 && high / low > LOG_SPAN {
            Self::logarithmic(values.iter().copied(), n_ticks)
        } else {
            Self::linear(values.iter().copied(), n_ticks)
        }
    }

    /// Spans exactly `[low, high]`; the ticks name things that stand side by side.
    pub(in crate::report) fn categories(low: f64, high: f64, ticks: Vec<Tick>) -> Self {
        Self { low, high, logarithmic: false, categorical: true, ticks }
    }

    /// Spans nothing, for a panel without values.
    pub(in crate::report) fn empty() -> Self {
        Self::categories(0.0, 1.0, Vec::new())
    }

    /// With a place for zeros between two positive numbers at the low end of a logarithmic axis.
    pub(in crate::report) fn with_zeros_at(mut self, (left, right): (f64, f64)) -> Self {
        self.ticks.retain(|tick| tick.position > right);
        self.ticks.insert(0, Tick { position: (left * right).sqrt(), label: "0".to_owned() });
        self
    }

    /// With every second tick, as often as it takes to keep labels apart on `length` drawing units.
    pub(in crate::report) fn thinned(mut self, length: i32) -> Self {
        while !self.labels_stand_apart(length) {
            self.ticks = self.ticks.into_iter().step_by(2).collect();
        }
        self
    }

    /// Whether equal steps are equal ratios.
    pub(in crate::report) fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// Whether the ticks name things rather than amounts.
    pub(in crate::report) fn is_categorical(&self) -> bool {
        self.categorical
    }

    /// The lower end.
    pub(in crate::report) fn low(&self) -> f64 {
        self.low
    }

    /// The upper end.
    pub(in crate::report) fn high(&self) -> f64 {
        self.high
    }

    /// The tick marks.
    pub(in crate::report) fn ticks(&self) -> &[Tick] {
        &self.ticks
    }

    /// The labels of the tick marks.
    pub(in crate::report) fn labels(&self) -> impl Iterator<Item = &str> {
        self.ticks.iter().map(|tick| tick.label.as_str())
    }

    /// Whether no two labels of a horizontal axis touch where the axis is `length` drawing units long.
    pub(in crate::report) fn labels_stand_apart(&self, length: i32) -> bool {
        let width = |tick: &Tick| text_width(&tick.label, SMALL_TEXT) * 11 / 10;
        self.ticks.windows(2).all(|pair| {
            let [left, right] = [&pair[0], &pair[1]];
            let between = |tick: &Tick| self.map(&tick.position, (0, length));
            let needed = i32::midpoint(width(left), width(right)) + px(4.0);
            between(right) - between(left) >= needed
        })
    }

    /// Place of `value` between the ends, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            let low = self.low.ln();
            (value.max(self.low).ln() - low) / (self.high.ln() - low)
        } else {
            // Halved first: the difference of two huge ends must not overflow.
            (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
        };
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        start + (f64::from(end - start) * self.share(*value)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight() {
            KeyPointWeight::Bold => self.ticks.iter().map(|tick| tick.position).collect(),
            KeyPointWeight::Any => Vec::new(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|tick| tick.position.to_bits() == value.to_bits());
        tick.map(|tick| tick.label.clone()).unwrap_or_default()
    }
}

/// Smallest and largest finite value; the first is above the second where there is none.
fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        })
}

fn widened((low, high): (f64, f64)) -> (f64, f64) {
    if low > high {
        return (0.0, 1.0);
    }
    let size = low.abs().max(high.abs());
    if high - low > size * NARROWEST {
        return (low, high);
    }
    let room = if size > 0.0 { size * 0.1 } else { 1.0 };
    (low - room, high + room)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plots::style::register_fonts;

    #[test]
    fn wide_positive_values_get_a_logarithmic_axis() {
        assert!(Axis::fitting(&[0.5, 100.0], 5).is_logarithmic());
        assert!(!Axis::fitting(&[2.0, 80.0], 5).is_logarithmic());
        assert!(!Axis::fitting(&[-0.5, 100.0], 5).is_logarithmic());
    }

    #[test]
    fn values_outside_land_on_the_ends() {
        let axis = Axis::exact(0.0, 10.0, 5);
        let pixels = [-1e300, f64::NAN, 5.0, f64::INFINITY].map(|value| axis.map(&value, (0, 100)));
        assert_eq!(pixels, [0, 0, 50, 100]);
    }

    #[test]
    fn constant_and_missing_values_still_have_a_range() {
        for values in [vec![], vec![5.0; 3], vec![0.0], vec![f64::NAN]] {
            let axis = Axis::linear(values, 5);
            assert!(axis.low() < axis.high() && axis.labels().count() >= 2, "{axis:?}");
        }
    }

    #[test]
    fn labels_are_thinned_until_they_stand_apart() {
        register_fonts();
        let axis = Axis::logarithmic([5.0, 5000.0], 4);
        assert_eq!(axis.labels().collect::<Vec<_>>(), ["10", "100", "1000"]);
        assert!(axis.labels_stand_apart(px(200.0)) && !axis.labels_stand_apart(px(60.0)));
        assert_eq!(axis.thinned(px(60.0)).labels().collect::<Vec<_>>(), ["10", "1000"]);
    }

    #[test]
    fn zeros_get_a_place_of_their_own() {
        let axis = Axis::logarithmic([0.5, 100.0], 4).with_zeros_at((0.5, 2.0));
        assert_eq!(axis.labels().collect::<Vec<_>>(), ["0", "3", "10", "30", "100"]);
        assert_eq!(axis.ticks[0].position, 1.0);
    }

    #[test]
    fn huge_and_tiny_values_keep_a_few_ticks() {
        for scale in [1e-300, 1e-9, 1.0, 1e9, 1e300] {
            let n_ticks = Axis::linear([0.3 * scale, 4.1 * scale], 5).labels().count();
            assert!((3..=10).contains(&n_ticks), "{scale}: {n_ticks}");
        }
    }
}
