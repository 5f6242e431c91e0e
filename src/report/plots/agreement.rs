//! Predicted against actual: how close the points lie to the line where both agree.

use super::Figure;
use super::axis::Axis;
use super::canvas::{Area, Drawn, sheet};
use super::legend::{Entry, Mark, legend};
use super::panel::{Chart, Panel, crowd_style};
use super::sample::{MOST_POINTS, sample, sample_note};
use super::style::{BLUE, MUTED, VERMILLION, fill, line};
use crate::evaluate::ScoredRow;
use crate::report::number_format::percent;
use crate::report::{ReportError, RunReport};

/// Draws the figure.
pub(super) fn draw(report: &RunReport) -> Result<Figure, ReportError> {
    let rows = &report.evaluation.rows;
    let axis = common_axis(rows);
    let svg = sheet((720, 560), |area| draw_panel(area, report, axis.clone()))?;
    Ok(Figure {
        name: "predicted_against_actual",
        title: "Predicted against actual",
        caption: caption(report, axis.is_logarithmic()),
        svg,
    })
}

/// One axis for both directions, so that agreement is the diagonal.
fn common_axis(rows: &[ScoredRow]) -> Axis {
    let values: Vec<f64> = rows.iter().flat_map(|row| [row.target, row.prediction]).collect();
    Axis::fitting(&values, 6)
}

fn draw_panel(area: &Area<'_>, report: &RunReport, axis: Axis) -> Drawn {
    let rows = sample(&report.evaluation.rows, MOST_POINTS);
    let has_strangers = rows.iter().any(|row| row.out_of_domain);
    let rest = legend(area, entries(has_strangers))?;
    let target = report.data.target_label();
    let panel = Panel {
        heading: String::new(),
        x_name: format!("actual {target}"),
        y_name: format!("predicted {target}"),
        x: axis.clone(),
        y: axis,
    };
    let mut chart = panel.draw(&rest)?;
    draw_intervals(&mut chart, &rows)?;
    let ends = chart.ends().x;
    chart.path([(ends.0, ends.0), (ends.1, ends.1)], line(MUTED, 1.0, 1.25))?;
    draw_points(&mut chart, &rows)
}

fn entries(has_strangers: bool) -> &'static [Entry] {
    const ENTRIES: [Entry; 4] = [
        (Mark::Disc, BLUE, "prediction"),
        (Mark::Whisker, BLUE, "interval"),
        (Mark::Line, MUTED, "predicted = actual"),
        (Mark::Diamond, VERMILLION, "row unlike the training data"),
    ];
    if has_strangers { &ENTRIES } else { &ENTRIES[..3] }
}

fn draw_intervals(chart: &mut Chart<'_>, rows: &[&ScoredRow]) -> Drawn {
    let opacity = if rows.len() > 500 { 0.15 } else { 0.35 };
    rows.iter().filter(|row| !row.lower.is_nan() && !row.upper.is_nan()).try_for_each(|row| {
        let color = if row.out_of_domain { VERMILLION } else { BLUE };
        chart.path([(row.target, row.lower), (row.target, row.upper)], line(color, opacity, 1.25))
    })
}

fn draw_points(chart: &mut Chart<'_>, rows: &[&ScoredRow]) -> Drawn {
    let finite: Vec<&ScoredRow> =
        rows.iter().copied().filter(|row| (row.target + row.prediction).is_finite()).collect();
    let (radius, style) = crowd_style(BLUE, finite.len());
    let points = |stranger: bool| {
        let chosen = finite.iter().filter(move |row| row.out_of_domain == stranger);
        chosen.map(|row| (row.target, row.prediction))
    };
    chart.discs(points(false), radius, style)?;
    chart.diamonds(points(true), radius + 1.2, fill(VERMILLION, 0.9))
}

fn caption(report: &RunReport, is_logarithmic: bool) -> String {
    let level = percent(report.evaluation.level, 0);
    let scale = if is_logarithmic { " Both axes are logarithmic." } else { "" };
    let judged = if report.is_cross_validated() {
        "predicted by models that did not see it"
    } else {
        "predicted by the finished model"
    };
    format!(
        "Each point is one row, {judged}; its bar is the {level} interval, which should cross the \
         diagonal in about {level} of the rows.{scale}{}",
        sample_note(report.evaluation.rows.len())
    )
}
