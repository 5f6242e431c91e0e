//! The run among others, and what was decided about them.

use maud::{Markup, html};

use super::{insights::figure, verdict::r2_text};
use crate::report::number_format::significant;
use crate::report::plots::Figures;
use crate::report::{PastRun, RunReport};

/// Runs in the table, the newest.
const MOST_RUNS: usize = 12;

/// The part of the page; nothing for a run that stands alone and of which nothing was decided.
pub(super) fn part(report: &RunReport, figures: &Figures) -> Markup {
    let (runs, decisions) = (&report.milestones.runs, &report.milestones.decisions);
    if !is_there(report) {
        return html! {};
    }
    html! {
        section.part id="milestones" {
            h2 { "Milestones" }
            (figure(figures, "trend"))
            (table(report, runs))
            @if !decisions.is_empty() {
                h3 { "What was decided" }
                ul.milestones { @for own in decisions.iter().rev() {
                    li { time { (minute(&own.time)) } " " (own.what) }
                } }
            }
        }
    }
}

/// Whether there is anything to tell.
pub(super) fn is_there(report: &RunReport) -> bool {
    report.milestones.runs.len() > 1 || !report.milestones.decisions.is_empty()
}

fn table(report: &RunReport, runs: &[PastRun]) -> Markup {
    let unit = report.data.unit_in_brackets();
    html! {
        div.scroll tabindex="0" { table {
            thead { tr {
                th { "run" }
                th { "started" }
                th { "model" }
                th { "table" }
                th.number { "RMSE" (unit) }
                th.number { "R²" }
                th { "mark" }
            } }
            tbody { @for run in runs.iter().rev().take(MOST_RUNS) { tr {
                th scope="row" { (run.name) }
                td { (minute(&run.started)) }
                td { (run.model) }
                td { @if run.data_sha256 == report.data.sha256 { "the same" } @else { "another" } }
                td.number { (significant(run.rmse, 4)) }
                td.number { (run.r2.map_or_else(|| "–".to_owned(), r2_text)) }
                td { @if run.name == report.name { "this run" } @if run.champion { " champion" } }
            } } }
        } }
        @if runs.len() > MOST_RUNS {
            p.note { "The newest " (MOST_RUNS) " of " (runs.len()) " runs; " code { "massay runs" } " lists all." }
        }
    }
}

/// A time to the minute, e.g. `2026-01-31 12:30`.
fn minute(time: &str) -> String {
    time.replace('T', " ").chars().take(16).collect()
}
