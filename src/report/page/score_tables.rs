//! The scores as tables: overall beside the baseline, by range of the target, by fold.

use maud::{Markup, html};

use super::verdict::r2_text;
use crate::evaluate::{Bounds, FoldBounds, FoldScores, RangeScores, ScoreBounds, Scores};
use crate::report::RunReport;
use crate::report::number_format::{count, counted, percent, significant};
use crate::report::run_report::in_unit;

/// More folds than this are folded away until asked for.
const MOST_OPEN_FOLDS: usize = 12;

/// One line of the overall table: name, what it says, how to read it off the scores, and its bounds.
type Measure = (String, &'static str, fn(&Scores) -> String, fn(&ScoreBounds) -> String);

/// The pooled scores beside those of the baseline.
pub(super) fn overall(report: &RunReport) -> Markup {
    let scores = &report.evaluation.pooled;
    let (baseline, bounds) = (report.baseline.as_ref(), report.trust.bounds.as_ref());
    let name = "model";
    html! {
        section {
            h3 { "Scores" }
            div.scroll tabindex="0" { table {
                thead { tr {
                    th { "measure" }
                    th.number { (name) }
                    @if let Some(bounds) = bounds { th { (percent(bounds.confidence, 0)) " bounds" } }
                    @if let Some(baseline) = baseline { th.number { (baseline.name) } }
                    th.meaning { "what it says" }
                } }
                tbody { @for (measure, meaning, show, limits) in measures(report) { tr {
                    th scope="row" { (measure) }
                    td.number { (show(scores)) }
                    @if let Some(bounds) = bounds { td.bounds { (limits(bounds)) } }
                    @if let Some(baseline) = baseline { td.number { (show(&baseline.scores)) } }
                    td.meaning { (meaning) }
                } } }
            } }
            @if let Some(bounds) = bounds {
                p.note {
                    "Bounds: percentiles over 2000 tables drawn with replacement from the "
                    (counted(bounds.units, report.data.one_unit()))
                    " with all their rows (cluster bootstrap; Efron and Tibshirani, 1993)."
                }
            }
        }
    }
}

/// Two bounds as people read them.
fn between(bounds: Bounds, show: impl Fn(f64) -> String) -> String {
    format!("{} to {}", show(bounds.low), show(bounds.high))
}

fn measures(report: &RunReport) -> [Measure; 9] {
    let unit = report.data.unit.as_deref().unwrap_or_default();
    let named = |name: &str| in_unit(name, unit);
    let squared = if unit.is_empty() { String::new() } else { format!("{unit}²") };
    let coverage = format!("coverage (aim {})", percent(report.evaluation.level, 0));
    [
        (
            named("RMSE"),
            "typical error; large errors weigh more",
            |scores| number(scores.rmse),
            |bounds| between(bounds.rmse, number),
        ),
        (
            named("MAE"),
            "mean size of the error",
            |scores| number(scores.mae),
            |bounds| between(bounds.mae, number),
        ),
        (
            "R²".to_owned(),
            "share of the target's variance that is explained",
            |scores| r2(scores),
            |bounds| bounds.r2.map_or_else(String::new, |own| between(own, r2_text)),
        ),
        (
            named("bias"),
            "mean of prediction − actual",
            |scores| number(scores.bias),
            |bounds| between(bounds.bias, number),
        ),
        (
            coverage,
            "share of true values inside their interval",
            |scores| percent(scores.coverage, 1),
            |bounds| between(bounds.coverage, |share| percent(share, 1)),
        ),
        (
            named("interval width"),
            "mean width of the intervals",
            |scores| number(scores.interval_width),
            |_| String::new(),
        ),
        (
            named("interval score"),
            "width, and the penalty for true values outside; smaller is better",
            |scores| number(scores.interval_score),
            |_| String::new(),
        ),
        (
            in_unit("MSE", &squared),
            "mean squared error",
            |scores| number(scores.mse),
            |_| String::new(),
        ),
        (
            "points".to_owned(),
            "scored rows, each repeat counted",
            |scores| count(scores.rows),
            |_| String::new(),
        ),
    ]
}

/// The errors by range of the target, absolute and relative.
pub(super) fn by_range(report: &RunReport) -> Markup {
    let ranges = &report.evaluation.ranges;
    let unit = report.data.unit.as_deref().unwrap_or_default();
    html! {
        @if !ranges.is_empty() {
            section {
                h3 { "By range of the target" }
                div.scroll tabindex="0" { table {
                    thead { tr {
                        th.number { (in_unit(&report.data.target, unit)) }
                        @for name in ["RMSE", "MAE", "bias"] { th.number { (in_unit(name, unit)) } }
                        th.number { "relative RMSE" }
                        th.number { "median relative error" }
                        th.number { "coverage" }
                        th.number { "points" }
                    } }
                    tbody { @for range in ranges { (range_row(range)) } }
                } }
                @if ranges.iter().any(|range| range.relative_rmse.is_some()) { p.note {
                    "A model of good relative precision has larger absolute errors where the target \
                     is large: compare the relative columns."
                } }
            }
        }
    }
}

fn range_row(range: &RangeScores) -> Markup {
    let relative = |error: Option<f64>| error.map_or("–".to_owned(), |error| percent(error, 1));
    html! { tr {
        th.number scope="row" { (significant(range.low, 3)) " to " (significant(range.high, 3)) }
        td.number { (number(range.scores.rmse)) }
        td.number { (number(range.scores.mae)) }
        td.number { (number(range.scores.bias)) }
        td.number { (relative(range.relative_rmse)) }
        td.number { (relative(range.median_relative_error)) }
        td.number { (percent(range.scores.coverage, 1)) }
        td.number { (count(range.scores.rows)) }
    } }
}

/// The scores of each fold; a long list stays closed on screen.
pub(super) fn by_fold(report: &RunReport) -> Markup {
    let folds = &report.evaluation.folds;
    html! {
        @if !folds.is_empty() {
            section {
                h3 { "By fold" }
                @if folds.len() > MOST_OPEN_FOLDS {
                    details { summary { "All " (folds.len()) " folds" } (fold_table(report)) }
                } @else {
                    (fold_table(report))
                }
                p.note { "Repeats and folds are numbered from 0, as in predictions.csv." }
            }
        }
    }
}

fn fold_table(report: &RunReport) -> Markup {
    let folds = &report.evaluation.folds;
    let unit = report.data.unit.as_deref().unwrap_or_default();
    html! {
        div.scroll tabindex="0" { table {
            thead { tr {
                th.number { "repeat" }
                th.number { "fold" }
                th.number { (in_unit("RMSE", unit)) }
                th { "95 % bounds" }
                @for name in ["MAE", "bias"] { th.number { (in_unit(name, unit)) } }
                th.number { "R²" }
                th.number { "coverage" }
                th.number { (in_unit("interval width", unit)) }
                th.number { "epoch kept" }
                th.number { "points" }
            } }
            tbody { @for fold in folds { (fold_row(report, fold)) } }
        } }
    }
}

fn fold_row(report: &RunReport, fold: &FoldScores) -> Markup {
    let scores = &fold.scores;
    let is_own = |own: &&FoldBounds| (own.repeat, own.fold) == (fold.repeat, fold.fold);
    let bounds = report.trust.fold_bounds.iter().find(is_own);
    html! { tr {
        td.number { (fold.repeat) }
        td.number { (fold.fold) }
        td.number { (number(scores.rmse)) }
        td.bounds { (bounds.map_or_else(String::new, |own| between(own.rmse, number))) }
        @for value in [scores.mae, scores.bias] { td.number { (number(value)) } }
        td.number { (r2(scores)) }
        td.number { (percent(scores.coverage, 1)) }
        td.number { (number(scores.interval_width)) }
        td.number { @if fold.best_epoch == 0 { "–" } @else { (fold.best_epoch) } }
        td.number { (count(scores.rows)) }
    } }
}

fn number(value: f64) -> String {
    significant(value, 3)
}

fn r2(scores: &Scores) -> String {
    scores.r2.map_or("–".to_owned(), r2_text)
}
