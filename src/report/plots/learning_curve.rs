//! The error against the number of groups that train: whether more of them would help.

use super::Figure;
use super::axis::Axis;
use super::canvas::sheet;
use super::panel::Panel;
use super::style::{BLUE, fill, line};
use crate::evaluate::{CurvePoint, Retraining};
use crate::report::{ReportError, RunReport};

/// Draws the figure.
pub(super) fn draw(report: &RunReport, retraining: &Retraining) -> Result<Figure, ReportError> {
    let curve = &retraining.curve;
    let unit = report.data.unit_in_brackets();
    let what = report.data.units();
    let svg = sheet((720, 320), |area| {
        let errors = curve.iter().flat_map(|own| [own.range.0, own.range.1]);
        let panel = Panel {
            heading: String::new(),
            x_name: format!("{what} that train (mean of the folds)"),
            y_name: format!("RMSE on held-out rows{unit}"),
            x: Axis::from_zero(curve.iter().map(|own| own.groups), 6),
            y: Axis::from_zero(errors, 5),
        };
        let mut chart = panel.draw(area)?;
        let point = |own: &CurvePoint| (own.groups, own.rmse);
        for own in curve {
            let ends = [(own.groups, own.range.0), (own.groups, own.range.1)];
            chart.path(ends, line(BLUE, 0.45, 1.5))?;
        }
        chart.path(curve.iter().map(point), line(BLUE, 0.9, 2.0))?;
        chart.discs(curve.iter().map(point), 3.5, fill(BLUE, 1.0))
    })?;
    Ok(Figure {
        name: "learning_curve",
        title: "Would more data help?",
        caption: format!(
            "The same model trained anew on part of the {what}s{}; the held-out rows are always the same. \
             Points are the median of the draws of each share, bars span them.",
            retraining.networks()
        ),
        svg,
    })
}
