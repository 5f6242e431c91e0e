//! Predicted against actual: how close the points lie to the line where both agree.

use super::Figure;
use super::axis::Axis;
use super::canvas::{Area, Drawn, sheet};
use super::legend::{Entry, Mark, legend};
use super::panel::{Chart, Panel, crowd_style};
use super::sample::{MOST_POINTS, sample, sample_note};
use super::style::{BLUE, MUTED, VERMILLION, fill, line};
use crate::evaluate::ScoredRow;
use crate::report::number_format::{percent, significant};
use crate::report::{ReportError, RunReport};

/// A point of the figure that says more where it is pointed at: its place on the sheet, in drawing units, and the
/// lines that it says.
pub(in crate::report) type HoverPoint = (i32, i32, String);

/// Name of the figure.
pub(in crate::report) const NAME: &str = "predicted_against_actual";

/// Draws the figure; its points say which row they are.
pub(super) fn draw(report: &RunReport) -> Result<(Figure, Vec<HoverPoint>), ReportError> {
    let rows = &report.evaluation.rows;
    let axis = common_axis(rows);
    let mut points = Vec::new();
    let svg = sheet((720, 560), |area| {
        points = draw_panel(area, report, axis.clone())?;
        Ok(())
    })?;
    let figure = Figure {
        name: NAME,
        title: "Predicted against actual",
        caption: caption(report, axis.is_logarithmic()),
        svg,
    };
    Ok((figure, points))
}

/// One axis for both directions, so that agreement is the diagonal.
fn common_axis(rows: &[ScoredRow]) -> Axis {
    let values: Vec<f64> = rows.iter().flat_map(|row| [row.target, row.prediction]).collect();
    Axis::fitting(&values, 6)
}

fn draw_panel(area: &Area<'_>, report: &RunReport, axis: Axis) -> Drawn<Vec<HoverPoint>> {
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
    draw_points(&mut chart, &rows)?;
    let is_finite = |row: &&&ScoredRow| (row.target + row.prediction).is_finite();
    let point = |row: &&ScoredRow| {
        let (x, y) = chart.place((row.target, row.prediction));
        (x, y, told(report, row))
    };
    Ok(rows.iter().filter(is_finite).map(point).collect())
}

/// What a point says: its row, its values, its interval.
fn told(report: &RunReport, row: &ScoredRow) -> String {
    let unit = report.data.unit_suffix();
    let amount = |value: f64| significant(value, 4);
    let group = row.group.as_deref().map_or_else(String::new, |group| format!(", {group}"));
    let odd = if row.out_of_domain { "\nunlike the training data" } else { "" };
    format!(
        "row {}{group}, fold {}\nactual {}{unit}, predicted {}{unit}\n{} interval {} to {}{unit}{odd}",
        row.row + 1,
        row.fold,
        amount(row.target),
        amount(row.prediction),
        percent(report.evaluation.level, 0),
        amount(row.lower),
        amount(row.upper)
    )
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
