//! The answer in one line, and the four numbers behind it.

use maud::{Markup, html};

use crate::evaluate::Scores;
use crate::report::conclusions::bounds_text;
use crate::report::number_format::{percent, significant};
use crate::report::{Baseline, RunReport};

/// A number with its name above and its context below.
struct Tile {
    name: String,
    value: String,
    note: String,
}

/// The verdict in one line.
pub(super) fn lead(report: &RunReport) -> Markup {
    html! { p.lead { (sentence(report)) } }
}

/// The numbers behind the verdict.
pub(super) fn numbers(report: &RunReport) -> Markup {
    html! {
        div.tiles {
            @for tile in tiles(report) {
                div.tile {
                    div.name { (tile.name) }
                    div.value { (tile.value) }
                    div.note { (tile.note) }
                }
            }
        }
    }
}

fn sentence(report: &RunReport) -> String {
    let (evaluation, unit) = (&report.evaluation, report.data.unit_suffix());
    verdict(&evaluation.pooled, evaluation.level, &unit, report.baseline.as_ref())
}

/// RMSE, R², coverage against its level, and the error over the baseline's, in one sentence; `unit` stands
/// behind a number, with the space before it.
#[must_use]
pub fn verdict(scores: &Scores, level: f64, unit: &str, baseline: Option<&Baseline>) -> String {
    let r2 = scores.r2.map(|r2| format!(" (R² {})", r2_text(r2))).unwrap_or_default();
    let coverage = format!(
        "{} of the true values lie inside their {} interval",
        percent(scores.coverage, 0),
        percent(level, 0)
    );
    let rmse = significant(scores.rmse, 3);
    let comparison = baseline.map(|baseline| comparison(scores, baseline)).unwrap_or_default();
    format!("RMSE {rmse}{unit}{r2}; {coverage}{comparison}.")
}

fn comparison(scores: &Scores, baseline: &Baseline) -> String {
    let Some(ratio) = baseline.error_ratio(scores) else { return String::new() };
    if ratio == 1.0 {
        return format!("; the error is that of {}", baseline.name);
    }
    let verdict = if ratio < 1.0 { "" } else { ", so the model does not beat it" };
    format!("; the error is {} times that of {}{verdict}", significant(ratio, 2), baseline.name)
}

fn tiles(report: &RunReport) -> Vec<Tile> {
    let (evaluation, unit) = (&report.evaluation, report.data.unit_suffix());
    let scores = &evaluation.pooled;
    let tile =
        |name: &str, value: String, note: String| Tile { name: name.to_owned(), value, note };
    let amount = |value: f64| format!("{}{unit}", significant(value, 3));
    let mut tiles = vec![
        tile("RMSE", amount(scores.rmse), rmse_note(report)),
        tile("R²", scores.r2.map_or("–".to_owned(), r2_text), r2_note(report)),
        tile(
            "Coverage",
            percent(scores.coverage, 1),
            format!(
                "aim {}; mean width {}",
                percent(evaluation.level, 0),
                amount(scores.interval_width)
            ),
        ),
    ];
    if let Some(baseline) = &report.baseline
        && let Some(ratio) = baseline.error_ratio(scores)
    {
        let note = format!("RMSE over that of {}, {}", baseline.name, amount(baseline.scores.rmse));
        tiles.push(tile("Against the baseline", format!("{}×", significant(ratio, 2)), note));
    }
    tiles
}

fn rmse_note(report: &RunReport) -> String {
    let (unit, number) = (report.data.unit_suffix(), |value: f64| significant(value, 3));
    let bounds = report.trust.bounds.as_ref().map_or_else(String::new, |own| {
        format!("{}; ", bounds_text(own.rmse, own.confidence, number))
    });
    format!("{bounds}mean absolute error {}{unit}", number(report.evaluation.pooled.mae))
}

fn r2_note(report: &RunReport) -> String {
    let bounds = report.trust.bounds.as_ref().and_then(|own| Some((own.r2?, own.confidence)));
    let bounds = bounds.map_or_else(String::new, |(bounds, confidence)| {
        format!("{}; ", bounds_text(bounds, confidence, r2_text))
    });
    format!("{bounds}1 is perfect, 0 no better than the mean")
}

/// R² with three decimals, or in powers of ten where it is far below zero.
pub(in crate::report) fn r2_text(r2: f64) -> String {
    if r2.abs() >= 100.0 {
        return significant(r2, 3);
    }
    let text = format!("{:.3}", r2.abs());
    // What rounds to 0 has no sign.
    if r2 < 0.0 && text != "0.000" { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_report::sample_report;

    #[test]
    fn verdict_names_error_coverage_and_baseline() {
        let mut report = sample_report(40, 4);
        report.evaluation.pooled.rmse = 2.314;
        report.evaluation.pooled.r2 = Some(0.9871);
        report.evaluation.pooled.coverage = 0.913;
        if let Some(baseline) = report.baseline.as_mut() {
            baseline.scores.rmse = 4.628;
        }
        assert_eq!(
            sentence(&report).replace('\u{a0}', " "),
            "RMSE 2.31 g (R² 0.987); 91 % of the true values lie inside their 90 % interval; \
             the error is 0.50 times that of ridge regression."
        );
    }

    #[test]
    fn a_model_that_is_its_own_baseline_is_not_said_to_lose() {
        let mut report = sample_report(40, 4);
        if let Some(baseline) = report.baseline.as_mut() {
            baseline.scores.rmse = report.evaluation.pooled.rmse * 1.000_01;
        }
        assert!(sentence(&report).ends_with("; the error is that of ridge regression."));
    }

    #[test]
    fn a_perfect_baseline_leaves_no_ratio() {
        let mut report = sample_report(40, 4);
        if let Some(baseline) = report.baseline.as_mut() {
            baseline.scores.rmse = 0.0;
        }
        assert!(!sentence(&report).contains("times"));
    }
}
