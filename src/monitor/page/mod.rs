//! What is known of a served model, as one page without scripts.
//!
//! Invariant: every word that comes from a user's file passes through maud's escaping.

mod charts;
mod columns;
mod history;
mod performance;

use jiff::{Timestamp, tz::TimeZone};
use maud::{Markup, html};

use crate::report::{counted, document, percent, significant};

use super::MonitorReport;

/// What the page adds to the style of reports.
const STYLE: &str = include_str!("page.css");

/// The page.
#[must_use]
pub fn render(report: &MonitorReport) -> String {
    let title = format!("{} – massay monitor", report.model.version);
    document(&title, env!("CARGO_PKG_VERSION"), STYLE, &content(report))
}

fn content(report: &MonitorReport) -> Markup {
    html! {
        header {
            h1 { (report.model.version) }
            p.about { (about(report)) }
            p.lead { (verdict(report)) }
        }
        (alarms(report))
        (tiles(report))
        @if report.windows.is_empty() { (waiting(report)) } @else {
            (charts::section(report))
            (columns::section(report))
        }
        (performance::section(report))
        (history::section(report))
        (method(report))
        footer { "Written by massay " (env!("CARGO_PKG_VERSION")) " on " (when(report.time)) "." }
    }
}

fn about(report: &MonitorReport) -> Markup {
    let span = report.first.zip(report.last);
    html! {
        strong { (report.model.target) } " · " (counted(report.rows, "served row"))
        @if let Some((first, last)) = span { " from " (when(first)) " to " (when(last)) }
        " · " (counted(report.finished, "window"))
    }
}

/// The state in one sentence.
fn verdict(report: &MonitorReport) -> String {
    if let Some(alarm) = report.alarms.last() {
        // A message about a column begins with its name, which stays as it is.
        let message = &alarm.message;
        let is_name = !alarm.column.is_empty() && message.starts_with(&alarm.column);
        return format!("{}.", if is_name { message.clone() } else { capital(message) });
    }
    if report.windows.is_empty() {
        return "Too few rows were served to say anything yet.".to_owned();
    }
    "What the model is asked looks like what it was trained on.".to_owned()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn alarms(report: &MonitorReport) -> Markup {
    html! {
        @if !report.alarms.is_empty() {
            div.warnings {
                h2 { (counted(report.alarms.len(), "alarm")) }
                ul { @for alarm in report.alarms.iter().rev() { li {
                    (when(alarm.time))
                    @if let Some(window) = alarm.window { ", window " (window) }
                    ": " (alarm.message)
                } } }
            }
        }
    }
}

fn tiles(report: &MonitorReport) -> Markup {
    let unit = unit(report);
    let newest = report.windows.last();
    let scores = report.performance.scores.as_ref();
    html! { div.tiles {
        (tile("unlike the training", newest.map(|own| percent(own.out_of_domain, 1)), "of the newest window"))
        (tile("error to expect", report.expected.map(|own| significant(own.estimate, 3) + &unit),
            "mean absolute error, an estimate without true values"))
        (tile("live RMSE", scores.map(|own| significant(own.rmse, 3) + &unit),
            &scores.map_or_else(|| "no true value has come back".to_owned(), |own| {
                format!("of {}", counted(own.rows, "true value"))
            })))
        (tile("live coverage", scores.map(|own| percent(own.coverage, 1)),
            &format!("of {} intervals", percent(report.model.level, 0))))
    } }
}

fn tile(name: &str, value: Option<String>, note: &str) -> Markup {
    html! { div.tile {
        div.name { (name) }
        div.value { (value.unwrap_or_else(|| "–".to_owned())) }
        div.note { (note) }
    } }
}

fn waiting(report: &MonitorReport) -> Markup {
    html! { section { p {
        "Rows are compared " (report.config.window) " at a time; "
        (report.open) " of the first " (report.config.window) " are there."
    } } }
}

fn method(report: &MonitorReport) -> Markup {
    let config = &report.config;
    html! { section {
        h2 { "How this is told" }
        p {
            "Every " (config.window) " rows are compared with " (counted(report.reference_rows, "row"))
            " of the training by the test of Kolmogorov and Smirnov: each column, each column given the \
             others, the pattern of all, and the predictions; and, by Fisher's exact test, how often each is missing. The chance that a model without drift ever \
             raises an alarm is below " (percent(config.false_alarms, 0)) ": window k spends 1 / (k (k + 1)) \
             of it, and the comparisons of a window share that by Holm's rule. Looking more often changes \
             nothing."
        }
        p.note {
            "A gain that all detectors share looks like mass. It shows only when true values come back, never \
             in the columns."
        }
        p.note {
            "Coverage is watched by a bet on each container's first true value; the chance that coverage \
             within " (percent(config.coverage_band, 0)) " of its level ever raises an alarm is below "
            (percent(config.coverage_false_alarms, 0)) "."
        }
    } }
}

/// The unit behind a number, with a space before it.
fn unit(report: &MonitorReport) -> String {
    let unit = &report.model.unit;
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// A time for people.
fn when(time: i64) -> String {
    Timestamp::from_millisecond(time).map_or_else(
        |_| "–".to_owned(),
        |own| own.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}
