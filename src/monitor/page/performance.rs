//! What true values say, as tables.

use maud::{Markup, html};

use crate::{
    evaluate::Scores,
    monitor::MonitorReport,
    report::{percent, significant},
};

use super::{unit, when};

pub(super) fn section(report: &MonitorReport) -> Markup {
    let own = &report.performance;
    html! { section {
        h2 { "True values that came back" }
        @if own.scores.is_none() {
            p { "None yet. " code { "POST /feedback" } " brings them." }
        } @else {
            div.scroll tabindex="0" { table {
                (head(report, "window"))
                tbody {
                    @for window in &own.windows {
                        (line(&format!("{} to {}", when(window.from), when(window.to)), &window.scores))
                    }
                    @if let Some(scores) = &own.scores { (line("all", scores)) }
                }
            } }
            @if own.ranges.len() > 1 { div.scroll tabindex="0" { table {
                (head(report, "true value"))
                tbody { @for range in &own.ranges {
                    // Within a range the target hardly varies, and R² would say nothing of the model.
                    (line(&format!("{} to {}{}", significant(range.low, 3), significant(range.high, 3),
                        unit(report)), &Scores { r2: None, ..range.scores.clone() }))
                } }
            } } }
            (coverage(report))
        }
        @if let Some(expected) = report.expected {
            p.note {
                "Error to expect without true values, an estimate: " (significant(expected.estimate, 3))
                (unit(report)) " (in training " (significant(expected.reference, 3)) (unit(report))
                "), from how wide the intervals are. It knows nothing of what the model cannot see."
            }
        }
    } }
}

fn head(report: &MonitorReport, first: &str) -> Markup {
    let unit = unit(report);
    let unit = if unit.is_empty() { unit } else { format!(" ({})", unit.trim()) };
    html! { thead { tr {
        th { (first) }
        th.number { "rows" }
        th.number { "RMSE" (unit) }
        th.number { "MAE" (unit) }
        th.number { "R²" }
        th.number { "bias" (unit) }
        th.number { "coverage" }
    } } }
}

fn line(name: &str, scores: &Scores) -> Markup {
    html! { tr {
        th scope="row" { (name) }
        td.number { (scores.rows) }
        td.number { (significant(scores.rmse, 4)) }
        td.number { (significant(scores.mae, 4)) }
        td.number { (scores.r2.map_or_else(|| "–".to_owned(), |own| format!("{own:.3}"))) }
        td.number { (significant(scores.bias, 3)) }
        td.number { (percent(scores.coverage, 1)) }
    } }
}

fn coverage(report: &MonitorReport) -> Markup {
    let watch = &report.performance.coverage;
    let (often, seldom) = watch.evidence();
    html! { p.note {
        (watch.missed) " of " (watch.containers) " containers' first true values lie outside of their \
         interval. Evidence that intervals miss too often: " (significant(often, 3)) ", too seldom: "
        (significant(seldom, 3)) "; " (significant(watch.limit(), 3)) " raises an alarm."
    } }
}
