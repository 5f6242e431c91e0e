//! How often the values of a column occur, by differences or by ratios.

use super::grid::plot_width;
use super::table_view::{Column, Scale};
use crate::report::plots::axis::Axis;
use crate::report::plots::canvas::{Area, Drawn};
use crate::report::plots::panel::Panel;
use crate::report::plots::style::{BLUE, VERMILLION, fill, px};

/// Fewest bars of a histogram of many values.
const FEWEST_BINS: usize = 10;

/// Values that differ by less than this share of their size differ by rounding only.
const ROUNDING: f64 = 1e-6;

/// Place of the bar of zeros on a logarithmic scale: left of all others, and apart.
const ZEROS: i32 = -2;

/// Part of a bar left free on either side.
const GAP: f64 = 0.04;

/// Counts in bins of one width; on a logarithmic scale edges are powers of ten.
#[derive(Debug, PartialEq)]
pub(super) struct Histogram {
    /// Left edge of the first bin, as a power of ten on a logarithmic scale.
    low: f64,
    /// Width of a bin, in decades on a logarithmic scale.
    width: f64,
    /// Values in each bin.
    pub counts: Vec<usize>,
    /// Zeros that a logarithmic scale has no place for.
    pub zeros: usize,
    scale: Scale,
}

impl Histogram {
    /// Counts every finite value of `column` in at most `most_bins` bins; negative values on a logarithmic
    /// scale are the caller's mistake and are counted with the zeros.
    pub(super) fn new(column: &Column<'_>, scale: Scale, most_bins: usize) -> Self {
        let (low, width, n_bins) = bins(column, scale, most_bins);
        let mut histogram = Self { low, width, counts: vec![0; n_bins], zeros: 0, scale };
        for value in column.present() {
            if scale == Scale::Logarithmic && value <= 0.0 {
                histogram.zeros += 1;
            } else {
                let bin = ((position(value, scale) / width - low / width) as usize).min(n_bins - 1);
                histogram.counts[bin] += 1;
            }
        }
        histogram
    }

    /// The panel's horizontal axis with ticks that have room on `pixels`.
    fn axis(&self, pixels: f64) -> Axis {
        let (zeros, (left, _)) = (self.bar(ZEROS), self.bar(0));
        let (_, right) = self.bar(self.counts.len() as i32 - 1);
        roomy_axis(pixels, most_ticks(pixels), |n_ticks| match self.scale {
            Scale::Linear => Axis::linear([left, right], n_ticks),
            Scale::Logarithmic if self.zeros == 0 => Axis::logarithmic([left, right], n_ticks),
            Scale::Logarithmic => Axis::logarithmic([zeros.0, right], n_ticks).with_zeros_at(zeros),
        })
    }

    /// Left and right edge of a bin, in the column's unit, less the gap.
    fn bar(&self, bin: i32) -> (f64, f64) {
        let edge = |bin: f64| {
            let edge = self.low + bin * self.width;
            if self.scale == Scale::Logarithmic { 10f64.powf(edge) } else { edge }
        };
        (edge(f64::from(bin) + GAP), edge(f64::from(bin) + 1.0 - GAP))
    }

    /// Draws the bars below a heading, which is told its room in pixels, within named axes; zeros on a logarithmic scale stand apart, left of all others.
    pub(super) fn draw(
        &self,
        area: &Area<'_>,
        heading: &dyn Fn(f64) -> String,
        axes: (String, String),
    ) -> Drawn {
        let tallest = self.counts.iter().copied().max().unwrap_or(0).max(self.zeros);
        let (width, height) = area.dim_in_pixel();
        let most_ticks = if height as i32 > px(200.0) { 6 } else { 4 };
        let y = Axis::from_zero([tallest.max(1) as f64], tallest.clamp(2, most_ticks));
        let room = plot_width(f64::from(width) / f64::from(px(1.0)), &y);
        let is_empty = self.counts.iter().sum::<usize>() + self.zeros == 0;
        let x = if is_empty { Axis::empty() } else { self.axis(room) };
        let (heading, (x_name, y_name)) = (heading(room), axes);
        let mut chart = Panel { heading, x_name, y_name, x, y }.draw(area)?;
        for (bin, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (left, right) = self.bar(bin as i32);
            chart.bar((left, 0.0), (right, *count as f64), fill(BLUE, 0.55))?;
        }
        if self.zeros > 0 {
            let (left, right) = self.bar(ZEROS);
            chart.bar((left, 0.0), (right, self.zeros as f64), fill(VERMILLION, 0.75))?;
        }
        Ok(())
    }
}

/// Most ticks of a horizontal axis of a length in pixels.
pub(super) fn most_ticks(pixels: f64) -> usize {
    if pixels > 250.0 { 8 } else { 5 }
}

/// The axis with the most ticks whose labels stand apart on `pixels`.
pub(super) fn roomy_axis(pixels: f64, most: usize, make: impl Fn(usize) -> Axis) -> Axis {
    let fits = |axis: &Axis| axis.labels_stand_apart(px(pixels)) && axis.labels().count() > 1;
    (2..=most).rev().map(&make).find(fits).unwrap_or_else(|| make(most).thinned(px(pixels)))
}

fn position(value: f64, scale: Scale) -> f64 {
    if scale == Scale::Logarithmic { value.log10() } else { value }
}

/// Left edge, width and number of the bins: Freedman and Diaconis (1981), within reason; one bin per
/// whole number where the values are few whole numbers.
fn bins(column: &Column<'_>, scale: Scale, most_bins: usize) -> (f64, f64, usize) {
    let Some((low, high)) = drawn_range(column, scale) else { return (0.0, 1.0, 1) };
    let (range, size) = (high - low, low.abs().max(high.abs()));
    let rounding = if scale == Scale::Logarithmic { ROUNDING } else { size * ROUNDING };
    if !range.is_finite() {
        return (low, (high / 2.0 - low / 2.0) / most_bins as f64 * 2.0, most_bins);
    }
    if range <= rounding {
        let room = if size > 0.0 { size * 0.02 } else { 0.02 };
        return (low - 2.5 * room, room, 5);
    }
    if scale == Scale::Linear && range < most_bins as f64 && are_whole(column) {
        return (low - 0.5, 1.0, range as usize + 1);
    }
    let n_bins = bin_count(column, scale, range).clamp(FEWEST_BINS.min(most_bins), most_bins);
    (low, range / n_bins as f64, n_bins)
}

/// Smallest and largest position that gets a bin.
fn drawn_range(column: &Column<'_>, scale: Scale) -> Option<(f64, f64)> {
    let (low, high) = column.range?;
    match scale {
        Scale::Linear => Some((low, high)),
        Scale::Logarithmic if column.smallest_positive.is_finite() => {
            Some((column.smallest_positive.log10(), high.log10()))
        }
        Scale::Logarithmic => None,
    }
}

fn are_whole(column: &Column<'_>) -> bool {
    column.present().all(|value| value.fract() == 0.0)
}

fn bin_count(column: &Column<'_>, scale: Scale, range: f64) -> usize {
    let count = column.present().count() as f64;
    let profile = column.profile;
    let spread = match (profile.lower_quartile, profile.upper_quartile) {
        (Some(lower), Some(upper)) => position(upper, scale) - position(lower, scale),
        _ => f64::NAN,
    };
    let bins = range / (2.0 * spread / count.cbrt());
    if bins.is_finite() { bins.ceil() as usize } else { count.log2().ceil() as usize + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::exploration::sample_table::SampleTable;
    use crate::report::exploration::table_view::TableView;

    /// The histogram of `values` on the scale that fits them.
    fn histogram(values: &[f64]) -> Histogram {
        let target = vec![1.0; values.len()];
        let table = SampleTable::new(vec![("x".to_owned(), values.to_vec())], target);
        let exploration = table.exploration();
        let view = TableView::new(&exploration).unwrap();
        Histogram::new(&view.features[0], view.features[0].scale, 24)
    }

    #[test]
    fn counts_add_up_to_the_rows_with_values() {
        let nan = f64::NAN;
        let spans: Vec<f64> = (0..500).map(|row| f64::from(row % 97) * 1.7).collect();
        let columns: [&[f64]; 9] = [
            &[],
            &[nan, nan],
            &[3.0],
            &[0.0; 5],
            &[-2.0, nan, 7.0, 1.5],
            &[1e-300, 1e300, -1e300],
            &[f64::MAX, f64::MIN],
            &[5e-324, 1.0, 3.0, 1e300],
            &spans,
        ];
        for values in columns {
            let counts = histogram(values);
            let present = values.iter().filter(|value| value.is_finite()).count();
            let counted = counts.counts.iter().sum::<usize>() + counts.zeros;
            assert_eq!(counted, present, "{values:?}");
        }
    }

    #[test]
    fn zeros_stand_apart_from_values_that_span_decades() {
        let counts = histogram(&[0.0, 0.1, 1.0, 10.0, 100.0, 1000.0]);
        assert_eq!((counts.scale, counts.zeros), (Scale::Logarithmic, 1));
        assert!(counts.bar(ZEROS).1 < counts.bar(0).0);
    }

    #[test]
    fn few_whole_numbers_get_a_bar_each() {
        let counts = histogram(&[0.0, 1.0, 1.0, 2.0, 4.0]);
        assert_eq!(counts.counts, [1, 2, 1, 0, 1]);
    }
}
