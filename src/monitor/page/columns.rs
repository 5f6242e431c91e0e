//! The comparisons of the newest window, as a table.

use maud::{Markup, html};

use crate::{
    monitor::{Comparison, MonitorReport, Watched},
    report::{counted, percent, significant},
};

use super::when;

/// Comparisons that are shown at once; those that have drifted always are.
const SHOWN: usize = 8;

pub(super) fn section(report: &MonitorReport) -> Markup {
    let Some(newest) = report.windows.last() else { return html! {} };
    let drifted = newest.drifted().count();
    let (shown, others) =
        newest.comparisons.split_at(drifted.max(SHOWN).min(newest.comparisons.len()));
    html! { section {
        h2 { "The newest window beside the training" }
        p.about {
            "Window " (newest.number) ", " (newest.rows) " rows, from " (when(newest.from)) " to "
            (when(newest.to)) "; the largest shift first."
        }
        (table(shown))
        @if !others.is_empty() {
            details {
                summary { (counted(others.len(), "smaller shift")) }
                (table(others))
            }
        }
        p.note {
            "Given others: what a column has more than the row's other columns let expect. Shift: of the \
             medians, in standard deviations of the training; of what is missing, of the shares of rows. An alarm needs a corrected p below "
            (significant(newest.budget, 2)) " here."
        }
    } }
}

fn table(comparisons: &[Comparison]) -> Markup {
    html! { div.scroll tabindex="0" { table {
        thead { tr {
            th { "what" }
            th.number { "median" }
            th.number { "in training" }
            th.number { "shift (sd)" }
            th.number { "KS" }
            th.number { "p, corrected" }
            th.number { "Wasserstein (sd)" }
            th.number { "PSI" }
            th.number { "JS" }
            th.number { "missing" }
            th.number { "out of range" }
        } }
        tbody { @for own in comparisons { (line(own)) } }
    } } }
}

fn line(own: &Comparison) -> Markup {
    let number = |value: f64| html! { td.number { (significant(value, 2)) } };
    html! { tr.drifted[own.drifted] {
        th scope="row" { (name(own)) }
        td.number { (middle(own, own.median)) }
        td.number { (middle(own, own.reference_median)) }
        (number(own.shift))
        (number(own.test.statistic)) (number(own.adjusted)) (number(own.wasserstein))
        (number(own.stability)) (number(own.jensen_shannon))
        td.number { (percent(own.missing, 1)) }
        td.number { (percent(own.outside, 1)) }
    } }
}

/// A median, or the share of rows without a value.
fn middle(own: &Comparison, value: f64) -> String {
    if own.watched == Watched::Missing { percent(value, 1) } else { significant(value, 3) }
}

fn name(own: &Comparison) -> String {
    match own.watched {
        Watched::Column => own.column.clone(),
        Watched::GivenOthers => format!("{} given others", own.column),
        Watched::Joint => "joint distance".to_owned(),
        Watched::Prediction => "prediction".to_owned(),
        Watched::Missing => format!("{} missing", own.column),
    }
}
