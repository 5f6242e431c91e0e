//! Whether intervals of every level hold as many true values as they promise.

use super::Figure;
use super::axis::Axis;
use super::canvas::sheet;
use super::legend::{Mark, legend};
use super::panel::Panel;
use super::style::{BLUE, MUTED, VERMILLION, fill, line};
use crate::evaluate::Covered;
use crate::report::number_format::percent;
use crate::report::{ReportError, RunReport};

/// Draws the figure.
pub(super) fn draw(report: &RunReport) -> Result<Figure, ReportError> {
    let found = &report.trust.calibration;
    let level = report.evaluation.level;
    let svg = sheet((720, 420), |area| {
        let rest = legend(
            area,
            &[
                (Mark::Disc, BLUE, "found"),
                (Mark::Line, MUTED, "as promised"),
                (Mark::Diamond, VERMILLION, "the level of this run"),
            ],
        )?;
        let panel = Panel {
            heading: String::new(),
            x_name: "promised coverage (%)".to_owned(),
            y_name: "true values inside (%)".to_owned(),
            x: Axis::exact(0.0, 100.0, 10),
            y: Axis::exact(0.0, 100.0, 10),
        };
        let mut chart = panel.draw(&rest)?;
        chart.path([(0.0, 0.0), (100.0, 100.0)], line(MUTED, 1.0, 1.25))?;
        let point = |own: &Covered| (100.0 * own.level, 100.0 * own.coverage);
        chart.path(found.iter().map(point), line(BLUE, 0.8, 2.0))?;
        chart.discs(found.iter().map(point), 3.5, fill(BLUE, 1.0))?;
        let own = (100.0 * level, 100.0 * report.evaluation.pooled.coverage);
        chart.diamonds([own], 5.0, fill(VERMILLION, 1.0))
    })?;
    Ok(Figure {
        name: "calibration",
        title: "Calibration of the intervals",
        caption: format!(
            "Intervals of ten levels, each fold's widths taken from the errors of the other folds. Below the line \
             intervals are too narrow, above it wider than they need to be. This run promises {} and holds {}.",
            percent(level, 0),
            percent(report.evaluation.pooled.coverage, 1)
        ),
        svg,
    })
}
