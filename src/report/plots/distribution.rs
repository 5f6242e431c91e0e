//! The shape of the residuals: a histogram beside a normal quantile plot.

use statrs::distribution::{Continuous, ContinuousCDF, Normal};

use super::Figure;
use super::axis::Axis;
use super::canvas::{Area, Drawn, sheet};
use super::legend::{Entry, LEGEND_HEIGHT, Mark, legend};
use super::panel::{Chart, Panel, crowd_style};
use super::sample::{MOST_POINTS, spread};
use super::style::{BLUE, ORANGE, fill, line, px};
use crate::report::number_format::significant;
use crate::report::{ReportError, RunReport};

/// Most bars of the histogram.
const MOST_BINS: usize = 60;

/// Residuals that differ by less than this share of their size differ by rounding only.
const ROUNDING: f64 = 1e-6;

/// Points of the normal curve.
const CURVE_POINTS: usize = 120;

/// Residuals in rising order with their mean and standard deviation.
struct Residuals {
    sorted: Vec<f64>,
    mean: f64,
    deviation: f64,
}

/// Draws the figure.
pub(super) fn draw(report: &RunReport) -> Result<Figure, ReportError> {
    let residuals = Residuals::of(report);
    let unit = report.data.unit_in_brackets();
    let name = format!("prediction − actual{unit}");
    let svg = sheet((720, 320 + LEGEND_HEIGHT as u32), |area| {
        let rest = legend(area, entries(residuals.normal().is_some()))?;
        let (left, right) = rest.split_horizontally(px(360.0));
        draw_histogram(&left, &residuals, &name)?;
        draw_quantiles(&right, &residuals, &name)
    })?;
    Ok(Figure {
        name: "residual_distribution",
        title: "Distribution of the residuals",
        caption: caption(report, &residuals),
        svg,
    })
}

impl Residuals {
    fn of(report: &RunReport) -> Self {
        let rows = report.evaluation.rows.iter();
        let residuals = rows.map(|row| row.prediction - row.target);
        let mut sorted: Vec<f64> = residuals.filter(|residual| residual.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        Self::of_sorted(sorted)
    }

    fn of_sorted(sorted: Vec<f64>) -> Self {
        let count = sorted.len().max(1) as f64;
        let mean = sorted.iter().map(|residual| residual / count).sum::<f64>();
        // Scaled by the largest deviation: squares of huge or tiny residuals leave the number range.
        let largest = sorted.iter().map(|residual| (residual - mean).abs()).fold(0.0, f64::max);
        let shares = sorted.iter().map(|residual| ((residual - mean) / largest).powi(2) / count);
        let deviation = if largest > 0.0 { largest * shares.sum::<f64>().sqrt() } else { 0.0 };
        Self { sorted, mean, deviation }
    }

    /// The normal distribution of the same mean and standard deviation, where there is one.
    fn normal(&self) -> Option<Normal> {
        let size = self.sorted.iter().copied().map(f64::abs).fold(0.0, f64::max);
        let varies = self.deviation > size * ROUNDING;
        varies.then(|| Normal::new(self.mean, self.deviation).ok()).flatten()
    }

    /// The residual at a share of the sorted list.
    fn quantile(&self, share: f64) -> f64 {
        let position = (share * (self.sorted.len() - 1) as f64).round() as usize;
        self.sorted[position]
    }

    /// Edge and width of the histogram's bars: Freedman and Diaconis (1981), within reason.
    fn bins(&self) -> (f64, f64, usize) {
        let (Some(&low), Some(&high)) = (self.sorted.first(), self.sorted.last()) else {
            return (0.0, 1.0, 1);
        };
        let spread = self.quantile(0.75) - self.quantile(0.25);
        let width = 2.0 * spread / (self.sorted.len() as f64).cbrt();
        let range = high - low;
        let size = low.abs().max(high.abs());
        if range <= size * ROUNDING || !range.is_finite() {
            let room = if size > 0.0 { size * 0.05 } else { 0.05 };
            return (low - room / 2.0, room, 1);
        }
        let fewest = ((self.sorted.len() as f64).log2().ceil() as usize + 1).clamp(1, MOST_BINS);
        let count = if width > 0.0 { (range / width).ceil() as usize } else { fewest };
        let count = count.clamp(fewest.min(8), MOST_BINS);
        (low, range / count as f64, count)
    }
}

fn entries(has_curve: bool) -> &'static [Entry] {
    const ENTRIES: [Entry; 2] = [
        (Mark::Bar, BLUE, "residuals"),
        (Mark::Line, ORANGE, "normal distribution of the same mean and standard deviation"),
    ];
    if has_curve { &ENTRIES } else { &ENTRIES[..1] }
}

fn draw_histogram(area: &Area<'_>, residuals: &Residuals, name: &str) -> Drawn {
    let (low, width, count) = residuals.bins();
    let heights = bar_heights(residuals, (low, width, count));
    let scale = residuals.sorted.len() as f64 * width;
    let normal = residuals.normal();
    let density = |x: f64| normal.map_or(0.0, |normal| scale * normal.pdf(x));
    let tallest =
        heights.iter().copied().map(|height| height as f64).fold(density(residuals.mean), f64::max);
    let panel = Panel {
        heading: String::new(),
        x_name: name.to_owned(),
        y_name: "number of points".to_owned(),
        x: Axis::linear([low, low + width * count as f64], 5),
        y: Axis::from_zero([tallest], (tallest as usize).clamp(2, 5)),
    };
    let mut chart = panel.draw(area)?;
    for (index, height) in heights.iter().enumerate().filter(|(_, height)| **height > 0) {
        let (left, right) = (low + index as f64 * width, low + (index + 1) as f64 * width);
        let gap = width * 0.04;
        chart.bar((left + gap, 0.0), (right - gap, *height as f64), fill(BLUE, 0.55))?;
    }
    if normal.is_none() {
        return Ok(());
    }
    let (left, right) = chart.ends().x;
    let step = (right - left) / (CURVE_POINTS - 1) as f64;
    let curve = (0..CURVE_POINTS).map(|index| left + index as f64 * step);
    chart.path(curve.map(|x| (x, density(x))), line(ORANGE, 1.0, 2.0))
}

/// Number of residuals in each bar.
fn bar_heights(residuals: &Residuals, (low, width, count): (f64, f64, usize)) -> Vec<usize> {
    let mut heights = vec![0; count];
    for residual in &residuals.sorted {
        heights[(((residual - low) / width) as usize).min(count - 1)] += 1;
    }
    heights
}

fn draw_quantiles(area: &Area<'_>, residuals: &Residuals, name: &str) -> Drawn {
    let standard = Normal::standard();
    let length = residuals.sorted.len();
    let quantile = |index: usize| standard.inverse_cdf((index as f64 + 0.5) / length as f64);
    let points: Vec<(f64, f64)> = spread(length, MOST_POINTS)
        .into_iter()
        .map(|index| (quantile(index), residuals.sorted[index]))
        .collect();
    let panel = Panel {
        heading: String::new(),
        x_name: "quantile of a normal distribution".to_owned(),
        y_name: name.to_owned(),
        x: Axis::linear(points.iter().map(|point| point.0).chain([-1.0, 1.0]), 5),
        y: Axis::linear(points.iter().map(|point| point.1), 5),
    };
    let mut chart = panel.draw(area)?;
    draw_reference(&mut chart, residuals)?;
    let (radius, style) = crowd_style(BLUE, points.len());
    chart.discs(points, radius, style)
}

/// The line on which normal residuals lie, within the panel.
fn draw_reference(chart: &mut Chart<'_>, residuals: &Residuals) -> Drawn {
    if residuals.normal().is_none() {
        return Ok(());
    }
    let ends = chart.ends();
    let height = |x: f64| residuals.mean + x * residuals.deviation;
    let position = |y: f64| (y - residuals.mean) / residuals.deviation;
    let left = ends.x.0.max(position(ends.y.0));
    let right = ends.x.1.min(position(ends.y.1));
    chart.path([(left, height(left)), (right, height(right))], line(ORANGE, 1.0, 2.0))
}

fn caption(report: &RunReport, residuals: &Residuals) -> String {
    let unit = report.data.unit_suffix();
    format!(
        "Mean {}{unit}, standard deviation {}{unit}. Left: how often each residual occurs. Right: \
         points that leave the line at its ends mean more extreme errors than a normal distribution \
         has.",
        significant(residuals.mean, 3),
        significant(residuals.deviation, 3)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn residuals(sorted: Vec<f64>) -> Residuals {
        Residuals::of_sorted(sorted)
    }

    #[test]
    fn every_residual_falls_into_one_bar() {
        for sorted in
            [vec![2.0], vec![0.0; 9], (0..500).map(f64::from).collect(), vec![-1e9, 0.0, 1.0]]
        {
            let residuals = residuals(sorted);
            let heights = bar_heights(&residuals, residuals.bins());
            assert_eq!(heights.iter().sum::<usize>(), residuals.sorted.len());
        }
    }

    #[test]
    fn tiny_and_huge_residuals_keep_their_deviation() {
        for scale in [1e-200, 1.0, 1e200] {
            let residuals = residuals(vec![-scale, scale]);
            assert!((residuals.deviation / scale - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn constant_residuals_have_no_normal_curve() {
        assert!(residuals(vec![0.5, 0.5, 0.5 + 1e-13]).normal().is_none());
    }
}
