//! Relative errors against the true value: where the assay is precise, and where it sees nothing.

use super::Figure;
use super::axis::Axis;
use super::canvas::{Area, Drawn, sheet};
use super::legend::{Entry, Mark, legend};
use super::panel::{Panel, crowd_style};
use super::sample::{MOST_POINTS, sample, sample_note};
use super::style::{BLUE, ORANGE, VERMILLION, line};
use crate::evaluate::{DetectionLimit, ScoredRow};
use crate::report::number_format::{counted, percent, significant};
use crate::report::{ReportError, RunReport};

/// Points of the curve of the expected error.
const CURVE_POINTS: usize = 100;

/// A detection limit below this share of the smallest judged value is beyond what the table can tell.
const FARTHEST: f64 = 0.1;

/// Relative errors below this share are drawn at it: a logarithmic axis has no zero.
const SMALLEST: f64 = 1e-3;

/// Draws the figure; `None` where some target is not positive.
pub(super) fn draw(report: &RunReport) -> Result<Option<Figure>, ReportError> {
    let rows = &report.evaluation.rows;
    let Some(limit) = report.trust.detection.filter(|limit| limit.smallest > 0.0) else {
        return Ok(None);
    };
    let svg = sheet((720, 380), |area| draw_panel(area, report, &limit))?;
    Ok(Some(Figure {
        name: "relative_error",
        title: "Relative error by true value",
        caption: format!(
            "Errors grow as the square root of ({}{unit})² + ({} of the value)², fitted by maximum likelihood. \
             {}{}{}",
            significant(limit.error.constant, 2),
            percent(limit.error.relative, 0),
            limits(report, &limit),
            floor_note(&sample(rows, MOST_POINTS)),
            sample_note(rows.len()),
            unit = report.data.unit_suffix(),
        ),
        svg,
    }))
}

/// That some errors are drawn larger than they are.
fn floor_note(shown: &[&ScoredRow]) -> String {
    let below = shown.iter().filter(|row| relative(row) < SMALLEST).count();
    let (count, floor) = (counted(below, "error"), percent(SMALLEST, 1));
    match below {
        0 => String::new(),
        1 => format!(" {count} below {floor} is drawn as {floor}."),
        _ => format!(" {count} below {floor} are drawn as {floor}."),
    }
}

/// Size of the error as a share of the true value.
fn relative(row: &ScoredRow) -> f64 {
    (row.prediction - row.target).abs() / row.target
}

/// What can be told from nothing, in a sentence.
pub(in crate::report) fn limits(report: &RunReport, limit: &DetectionLimit) -> String {
    let unit = report.data.unit_suffix();
    let amount = |value: f64| format!("{}{unit}", significant(value, 2));
    let Some(detection) = limit.detection else {
        return "Relative errors are so large that no amount can be told from nothing with 95 % certainty."
            .to_owned();
    };
    let largest = report.evaluation.rows.iter().map(|row| row.target).fold(0.0, f64::max);
    if detection > largest {
        return format!(
            "No amount in the table, up to {}, can be told from nothing with 95 % certainty (detection limit {}; \
             Currie, 1968).",
            amount(largest),
            amount(detection)
        );
    }
    if detection < FARTHEST * limit.smallest {
        return format!(
            "The detection limit lies far below the smallest judged value, {}: the table cannot tell it.",
            amount(limit.smallest)
        );
    }
    let extrapolated = if detection < limit.smallest {
        format!(", extrapolated: the smallest judged value is {}", amount(limit.smallest))
    } else {
        String::new()
    };
    format!(
        "A prediction above {} is more than nothing (critical level), and {} is found with 95 % certainty \
         (detection limit; Currie, 1968{extrapolated}).",
        amount(limit.critical),
        amount(detection)
    )
}

fn draw_panel(area: &Area<'_>, report: &RunReport, limit: &DetectionLimit) -> Drawn {
    const ENTRIES: [Entry; 3] = [
        (Mark::Disc, BLUE, "one prediction"),
        (Mark::Line, ORANGE, "expected error"),
        (Mark::Dashes, VERMILLION, "detection limit"),
    ];
    let shown = sample(&report.evaluation.rows, MOST_POINTS);
    let point = |row: &&ScoredRow| (row.target, 100.0 * relative(row).max(SMALLEST));
    let points: Vec<(f64, f64)> = shown.iter().map(point).collect();
    let finite = || points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()).copied();
    let x = Axis::fitting(&finite().map(|point| point.0).collect::<Vec<_>>(), 6);
    let y = Axis::logarithmic(finite().map(|point| point.1), 6);
    let is_inside = |value: &f64| (x.low()..=x.high()).contains(value);
    let detection = limit.detection.filter(is_inside);
    let rest = legend(area, &ENTRIES[..if detection.is_some() { 3 } else { 2 }])?;
    let panel = Panel {
        heading: String::new(),
        x_name: format!("actual {}", report.data.target_label()),
        y_name: "size of the relative error (%)".to_owned(),
        x,
        y,
    };
    let mut chart = panel.draw(&rest)?;
    let (radius, style) = crowd_style(BLUE, points.len());
    chart.discs(finite(), radius, style)?;
    let ends = chart.ends();
    let expected = |value: f64| {
        100.0 * ((limit.error.constant / value).powi(2) + limit.error.relative.powi(2)).sqrt()
    };
    let (low, high) = (ends.x.0.max(limit.smallest), ends.x.1);
    let curve = (0..=CURVE_POINTS)
        .map(|step| low * (high / low).powf(step as f64 / CURVE_POINTS as f64))
        .map(|value| (value, expected(value)));
    chart.path(curve, line(ORANGE, 1.0, 2.0))?;
    if let Some(detection) = detection {
        chart.dashes((detection, ends.y.0), (detection, ends.y.1), VERMILLION)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::ErrorModel;
    use crate::report::sample_report::sample_report;

    #[test]
    fn limits_are_told_as_far_as_the_table_carries_them() {
        let report = sample_report(40, 4);
        let told = |detection: Option<f64>| {
            let error = ErrorModel { constant: 1.0, relative: 0.1 };
            let limit = DetectionLimit { error, critical: 1.6, detection, smallest: 0.5 };
            limits(&report, &limit).replace('\u{a0}', " ")
        };
        assert!(
            told(Some(3.4))
                .ends_with("3.4 g is found with 95 % certainty (detection limit; Currie, 1968).")
        );
        assert!(told(Some(0.4)).contains("extrapolated: the smallest judged value is 0.50 g"));
        assert!(
            told(Some(0.04))
                .contains("far below the smallest judged value, 0.50 g: the table cannot")
        );
        assert!(told(Some(200.0)).starts_with("No amount in the table, up to "));
        assert!(told(None).starts_with("Relative errors are so large"));
    }
}
