//! The errors of two runs row by row, or the differences of several.

use super::{Comparison, PairedDifference};
use crate::report::ReportError;
use crate::report::names::fitted;
use crate::report::plots::Figure;
use crate::report::plots::axis::Axis;
use crate::report::plots::canvas::{Area, Drawn, sheet};
use crate::report::plots::legend::{LEGEND_HEIGHT, Mark, legend};
use crate::report::plots::panel::{Chart, Panel, crowd_style};
use crate::report::plots::sample::{MOST_POINTS, sample, sample_note};
use crate::report::plots::style::{BLUE, MUTED, TEXT, fill, line, px};
use crate::report::plots::ticks::Tick;
use crate::report::run_report::in_unit;

/// Smaller errors than this share of the largest one stand at the end of the axis.
const SMALLEST_SHARE: f64 = 1e-5;

/// Room for the name of a run, in pixels.
const NAME_WIDTH: f64 = 180.0;

/// Draws the figure; `None` where no rows are shared.
pub(super) fn draw(comparison: &Comparison) -> Result<Option<Figure>, ReportError> {
    Ok(match &comparison.differences[..] {
        [] => None,
        [_] if comparison.runs.len() == 2 && !comparison.errors.is_empty() => {
            Some(row_by_row(comparison)?)
        }
        differences => Some(side_by_side(comparison, differences)?),
    })
}

/// The absolute errors of two runs on the same rows.
fn row_by_row(comparison: &Comparison) -> Result<Figure, ReportError> {
    let is_finite = |own: &&(f64, f64)| (own.0 + own.1).is_finite();
    let errors: Vec<(f64, f64)> = comparison.errors.iter().filter(is_finite).copied().collect();
    let largest = errors.iter().map(|own| own.0.max(own.1)).fold(0.0, f64::max);
    let shown = errors.iter().flat_map(|own| [own.0, own.1]);
    let axis = Axis::logarithmic(shown.filter(|own| *own >= SMALLEST_SHARE * largest), 6);
    let svg = sheet((720, 560), |area| {
        let entries = [(Mark::Disc, BLUE, "one judged row"), (Mark::Line, MUTED, "equal errors")];
        let mut chart = error_panel(comparison, axis).draw(&legend(area, &entries)?)?;
        let ends = chart.ends().x;
        chart.path([(ends.0, ends.0), (ends.1, ends.1)], line(MUTED, 1.0, 1.25))?;
        let points = sample(&errors, MOST_POINTS);
        let (radius, style) = crowd_style(BLUE, points.len());
        chart.discs(points.into_iter().copied(), radius, style)
    })?;
    let caption = format!(
        "Each point is one row that both runs judged without having seen it. Below the line {} is closer \
         to the truth, above it {}. Both axes are logarithmic; errors too small for them stand at their \
         end.{}",
        comparison.runs[1].run,
        comparison.reference(),
        sample_note(errors.len())
    );
    Ok(Figure { name: "errors", title: "Errors row by row", caption, svg })
}

fn error_panel(comparison: &Comparison, axis: Axis) -> Panel {
    let named = |name: &str| in_unit(&format!("absolute error of {name}"), &comparison.unit);
    Panel {
        heading: String::new(),
        x_name: named(comparison.reference()),
        y_name: named(&comparison.runs[1].run),
        x: axis.clone(),
        y: axis,
    }
}

/// The difference of each run to the first, with its bounds.
fn side_by_side(
    comparison: &Comparison,
    differences: &[PairedDifference],
) -> Result<Figure, ReportError> {
    let height = 80 + LEGEND_HEIGHT as u32 + 36 * differences.len() as u32;
    let svg = sheet((720, height), |area| draw_differences(area, comparison, differences))?;
    let caption = format!(
        "RMSE of each run less that of {} on the rows that both judged; left of the dashed line the run is \
         better. Bars are bounds of 95\u{a0}% by container: those that leave out zero are more than chance.",
        comparison.reference()
    );
    Ok(Figure { name: "differences", title: "Differences of the errors", caption, svg })
}

fn draw_differences(
    area: &Area<'_>,
    comparison: &Comparison,
    differences: &[PairedDifference],
) -> Drawn {
    let entries = [(Mark::Disc, BLUE, "difference"), (Mark::Line, BLUE, "95 % bounds")];
    let rest = legend(area, &entries)?;
    let panel = Panel {
        heading: String::new(),
        x_name: in_unit(&format!("RMSE less that of {}", comparison.reference()), &comparison.unit),
        y_name: String::new(),
        x: Axis::linear(differences.iter().flat_map(ends).chain([0.0]), 6),
        y: run_axis(differences),
    };
    let mut chart = panel.draw(&rest)?;
    let (low, high) = chart.ends().y;
    chart.dashes((0.0, low), (0.0, high), MUTED)?;
    differences.iter().enumerate().try_for_each(|(index, own)| {
        draw_difference(&mut chart, own, place(index, differences.len()))
    })
}

fn draw_difference(chart: &mut Chart<'_>, own: &PairedDifference, place: f64) -> Drawn {
    if let Some(bounds) = own.bounds {
        chart.path([(bounds.low, place), (bounds.high, place)], line(BLUE, 0.6, 2.5))?;
    }
    chart.discs([(own.difference, place)], 4.5, fill(BLUE, 1.0))
}

/// Everything of a difference that must be on the axis.
fn ends(own: &PairedDifference) -> [f64; 3] {
    let bounds = own.bounds.map_or([own.difference; 2], |bounds| [bounds.low, bounds.high]);
    [own.difference, bounds[0], bounds[1]]
}

/// The runs from top to bottom.
fn run_axis(differences: &[PairedDifference]) -> Axis {
    let count = differences.len();
    let tick = |(index, own): (usize, &PairedDifference)| Tick {
        position: place(index, count),
        label: fitted(&own.run, px(NAME_WIDTH), TEXT),
    };
    // Ticks ascend as everywhere.
    let ticks = differences.iter().enumerate().rev().map(tick).collect();
    Axis::categories(-0.6, count as f64 - 0.4, ticks)
}

fn place(index: usize, count: usize) -> f64 {
    (count - 1 - index) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::sample_comparison::{paired, sample_comparison};
    use crate::report::plots::figure::parse;

    fn drawn(comparison: &Comparison) -> Figure {
        let figure = draw(comparison).unwrap().unwrap();
        parse(&figure.svg).unwrap();
        assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf\n"));
        figure
    }

    #[test]
    fn two_runs_are_drawn_row_by_row() {
        let mut comparison = sample_comparison(2);
        assert!(drawn(&comparison).svg.contains("absolute error of a (g)"));
        comparison.errors = vec![(0.0, 0.0); 3];
        assert_eq!(drawn(&comparison).name, "errors");
        comparison.errors = vec![(1e300, f64::NAN), (f64::INFINITY, 1.0)];
        drawn(&comparison);
    }

    #[test]
    fn several_runs_are_drawn_side_by_side() {
        let mut comparison = sample_comparison(9);
        comparison.differences[2].run = "x".repeat(100);
        comparison.differences[3].bounds = None;
        comparison.differences[4] = paired("same", (10.7, 10.7), Some((0.0, 0.0)), None);
        let figure = drawn(&comparison);
        assert!(figure.svg.contains("RMSE less that of a (g)") && figure.svg.contains("same"));
        comparison.differences.truncate(1);
        assert_eq!(drawn(&comparison).name, "differences");
    }

    #[test]
    fn without_shared_rows_there_is_nothing_to_draw() {
        let mut comparison = sample_comparison(3);
        comparison.differences.clear();
        assert!(draw(&comparison).unwrap().is_none());
    }
}
