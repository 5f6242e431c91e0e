//! Training and validation loss by epoch, one small panel per fold.

use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Figure;
use super::axis::Axis;
use super::canvas::{Area, Drawn, sheet};
use super::legend::{Entry, LEGEND_HEIGHT, Mark, legend};
use super::loss_curves::{FoldCurves, LossPoint, fold_curves};
use super::panel::{Chart, Panel};
use super::style::{BLUE, INK, ORANGE, TEXT, VERMILLION, fill, line, px, text};
use crate::report::number_format::counted;
use crate::report::{ReportError, RunReport};

/// Most panels in the figure.
const MOST_PANELS: usize = 12;

/// Height of a row of panels, in pixels.
const ROW_HEIGHT: u32 = 190;

/// Height of the line that names the common horizontal axis, in pixels.
const NAME_HEIGHT: u32 = 22;

/// Decades of loss shown below the largest; what lies lower is drawn at the edge.
const MOST_DECADES: i32 = 8;

/// Draws the figure.
pub(super) fn draw(report: &RunReport) -> Result<Figure, ReportError> {
    let mut curves = fold_curves(&report.history);
    let left_out = curves.len().saturating_sub(MOST_PANELS);
    curves.truncate(MOST_PANELS);
    let columns = match curves.len() {
        1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    let rows = curves.len().div_ceil(columns);
    let row_height = if columns < 3 { ROW_HEIGHT * 3 / 2 } else { ROW_HEIGHT };
    let height = row_height * rows as u32 + LEGEND_HEIGHT as u32 + NAME_HEIGHT;
    let svg = sheet((720, height), |area| {
        let rest = legend(area, &entries(&curves))?;
        let (grid, name) = rest.split_vertically(px(f64::from(row_height * rows as u32)));
        draw_name(&name)?;
        let panels = grid.split_evenly((rows, columns));
        let y = loss_axis(&curves);
        panels.iter().zip(&curves).try_for_each(|(panel, curves)| {
            let best = best_epoch(report, curves);
            draw_fold(panel, curves, &heading(report, curves, best), (best, y.clone()))
        })
    })?;
    Ok(Figure {
        name: "loss",
        title: "Loss by epoch",
        caption: caption(report, &curves, left_out),
        svg,
    })
}

fn entries(curves: &[FoldCurves]) -> Vec<Entry> {
    let mut entries = vec![(Mark::Line, ORANGE, "training")];
    if curves.iter().any(|curves| !curves.validation.is_empty()) {
        entries.push((Mark::Line, BLUE, "inner validation"));
    }
    entries.push((Mark::Dashes, VERMILLION, "epoch kept"));
    entries
}

/// The name of the horizontal axis, which all panels share.
fn draw_name(area: &Area<'_>) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let style = text(INK, TEXT).pos(Pos::new(HPos::Center, VPos::Center));
    area.draw_text("epoch", &style, (width as i32 / 2, height as i32 / 2))
}

/// One axis for all panels, so that folds can be compared.
fn loss_axis(curves: &[FoldCurves]) -> Axis {
    let points = || curves.iter().flat_map(FoldCurves::points);
    let high = points().map(|point| point.high).fold(f64::NEG_INFINITY, f64::max);
    if points().any(|point| point.low < 0.0) || high <= 0.0 {
        return Axis::linear(points().flat_map(|point| [point.low, point.high]), 4);
    }
    let floor = high * 10f64.powi(-MOST_DECADES);
    Axis::logarithmic(points().flat_map(|point| [point.low.max(floor), point.high]), 4)
}

fn best_epoch(report: &RunReport, curves: &FoldCurves) -> Option<usize> {
    let mut folds = report.evaluation.folds.iter();
    let fold = folds.find(|fold| (fold.repeat, fold.fold) == (curves.repeat, curves.fold))?;
    Some(fold.best_epoch)
}

fn draw_fold(
    area: &Area<'_>,
    curves: &FoldCurves,
    heading: &str,
    (best, y): (Option<usize>, Axis),
) -> Drawn {
    let epochs = curves.points().map(|point| point.epoch).chain([1.0]);
    let last = epochs.chain(best.map(|epoch| epoch as f64)).fold(2.0, f64::max);
    let panel = Panel {
        heading: heading.to_owned(),
        x_name: String::new(),
        y_name: "loss".to_owned(),
        x: Axis::exact(0.0, last * 1.02, 4),
        y,
    };
    let mut chart = panel.draw(area)?;
    draw_curve(&mut chart, &curves.train, ORANGE)?;
    draw_curve(&mut chart, &curves.validation, BLUE)?;
    let Some(best) = best.map(|epoch| epoch as f64) else { return Ok(()) };
    let (low, high) = chart.ends().y;
    chart.dashes((best, low), (best, high), VERMILLION)?;
    let marked = curves
        .validation
        .iter()
        .chain(&curves.train)
        .min_by(|left, right| (left.epoch - best).abs().total_cmp(&(right.epoch - best).abs()));
    chart.discs(marked.map(|point| (best, point.mean)), 3.0, fill(VERMILLION, 1.0))
}

fn heading(report: &RunReport, curves: &FoldCurves, best: Option<usize>) -> String {
    let kept = best.map(|epoch| format!(", epoch {epoch}")).unwrap_or_default();
    if report.history.iter().all(|record| record.repeat == 0) {
        return format!("fold {}{kept}", curves.fold);
    }
    format!("repeat {}, fold {}{kept}", curves.repeat, curves.fold)
}

/// The members' mean as a line on the band of their smallest and largest loss.
fn draw_curve(chart: &mut Chart<'_>, points: &[LossPoint], color: RGBColor) -> Drawn {
    let upper = points.iter().map(|point| (point.epoch, point.high));
    let lower = points.iter().rev().map(|point| (point.epoch, point.low));
    if points.iter().any(|point| point.high > point.low) {
        chart.polygon(upper.chain(lower).collect(), fill(color, 0.2))?;
    }
    match points {
        [] => Ok(()),
        [point] => chart.discs([(point.epoch, point.mean)], 2.5, fill(color, 1.0)),
        _ => {
            chart.path(points.iter().map(|point| (point.epoch, point.mean)), line(color, 1.0, 1.75))
        }
    }
}

fn caption(report: &RunReport, curves: &[FoldCurves], left_out: usize) -> String {
    let missing = if left_out > 0 {
        format!(" {} not shown.", counted(left_out, "further fold"))
    } else {
        String::new()
    };
    let advice = if curves.iter().any(|curves| !curves.validation.is_empty()) {
        "Validation that rises while training still falls means that the network learns its rows by \
         heart from there on."
    } else {
        "There were too few rows for an inner validation loss, so the number of epochs was fixed."
    };
    format!(
        "Loss: {}. Lines are means over a fold's networks, bands reach from the smallest to the \
         largest. {advice}{missing}",
        report.loss_name
    )
}
