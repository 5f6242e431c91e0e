//! Drift by window, as drawings.

use maud::{Markup, html};

use crate::{
    monitor::{MonitorReport, Watched, WindowDrift},
    report::significant,
};

use super::unit;

/// Windows that are drawn at most, the newest.
const DRAWN: usize = 60;

/// Standard deviations at which a cell has its full colour.
const FULL: f64 = 2.0;

const LEFT: f64 = 84.0;
/// Letters that fit there.
const LETTERS: usize = 12;
const WIDTH: f64 = 800.0;
const ROW: f64 = 18.0;

pub(super) fn section(report: &MonitorReport) -> Markup {
    let first = report.windows.len().saturating_sub(DRAWN);
    let windows = &report.windows[first..];
    html! { section {
        h2 { "By window" }
        (medians(report, windows))
        (grid(windows))
    } }
}

/// Where window `place` of `count` stands.
fn across(place: usize, count: usize) -> f64 {
    LEFT + (place as f64 + 0.5) * (WIDTH - LEFT - 10.0) / count.max(1) as f64
}

/// Median predictions.
fn medians(report: &MonitorReport, windows: &[WindowDrift]) -> Markup {
    let own = |window: &WindowDrift| {
        window.comparison(Watched::Prediction, "").map_or(f64::NAN, |own| own.median)
    };
    let values: Vec<f64> = windows.iter().map(own).collect();
    let known = report.reference_prediction;
    let (low, high) = values
        .iter()
        .chain([&known])
        .fold((known, known), |ends, value| (ends.0.min(*value), ends.1.max(*value)));
    let span = if high > low { high - low } else { 1.0 };
    let place = |value: f64| 130.0 - 100.0 * (value - low) / span;
    let points: Vec<(f64, f64)> = values
        .iter()
        .enumerate()
        .map(|(window, value)| (across(window, values.len()), place(*value)))
        .collect();
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let label = format!("Median prediction of each window, from {} to {}", short(low), short(high));
    html! { figure.chart tabindex="0" {
        svg viewBox="0 0 800 160" role="img" aria-label=(label) {
            line.axis x1=(LEFT) x2=(WIDTH - 10.0) y1="140" y2="140" {}
            line.known x1=(LEFT) x2=(WIDTH - 10.0) y1=(place(known)) y2=(place(known)) {}
            text x=(LEFT - 8.0) y=(place(high) + 4.0) text-anchor="end" { (short(high)) }
            @if high > low { text x=(LEFT - 8.0) y=(place(low) + 4.0) text-anchor="end" { (short(low)) } }
            polyline.median points=(path.join(" ")) {}
            @for (x, y) in &points { circle.dot cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="3" {} }
            (window_numbers(windows, 156.0))
        }
        figcaption {
            "Median prediction" @if !report.model.unit.is_empty() { " (" (unit(report).trim()) ")" }
            " of each window; dashed: of the training."
        }
    } }
}

/// Each column given the others, window by window.
fn grid(windows: &[WindowDrift]) -> Markup {
    let columns = columns_of(windows);
    let height = ROW * columns.len() as f64 + 26.0;
    let width = (WIDTH - LEFT - 10.0) / windows.len().max(1) as f64;
    html! { figure.chart tabindex="0" {
        svg viewBox=(format!("0 0 800 {height}")) role="img"
            aria-label="Shift of each column, given the others, by window" {
            @for (row, column) in columns.iter().enumerate() {
                text x=(LEFT - 8.0) y=(ROW * row as f64 + 13.0) text-anchor="end" {
                    title { (column) }
                    (fitted(column))
                }
                @for (place, window) in windows.iter().enumerate() {
                    @if let Some(own) = window.comparison(Watched::GivenOthers, column) {
                        rect x=(format!("{:.1}", across(place, windows.len()) - width / 2.0 + 1.0))
                            y=(ROW * row as f64 + 1.0) width=(format!("{:.1}", (width - 2.0).max(1.0)))
                            height=(ROW - 3.0)
                            class={ (if own.shift < 0.0 { "below" } else { "above" })
                                (if own.drifted { " alarm" } else { "" }) }
                            fill-opacity=(format!("{:.2}", (own.shift.abs() / FULL).min(1.0))) {}
                    }
                }
            }
            (window_numbers(windows, height - 6.0))
        }
        figcaption {
            "What each column reads above (blue) or below (orange) what the others let expect; the full \
             colour is two standard deviations of the training, a frame an alarm."
        }
    } }
}

/// The columns in the order of the model: comparisons stand in the order of their shifts.
fn columns_of(windows: &[WindowDrift]) -> Vec<&str> {
    let mut columns: Vec<&str> = windows
        .iter()
        .flat_map(|window| &window.comparisons)
        .filter(|own| own.watched == Watched::GivenOthers)
        .map(|own| own.column.as_str())
        .collect();
    // Names with numbers in them sort as people count.
    columns.sort_by_key(|name| {
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        (name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned(), digits.parse::<u64>().ok())
    });
    columns.dedup();
    columns
}

/// A name that fits beside the cells.
fn fitted(name: &str) -> String {
    if name.chars().count() <= LETTERS {
        return name.to_owned();
    }
    let start: String = name.chars().take(LETTERS - 1).collect();
    format!("{}…", start.trim_end())
}

fn window_numbers(windows: &[WindowDrift], y: f64) -> Markup {
    let step = windows.len().div_ceil(15).max(1);
    html! {
        @for (place, window) in windows.iter().enumerate().step_by(step) {
            text x=(format!("{:.1}", across(place, windows.len()))) y=(y) text-anchor="middle" {
                (window.number)
            }
        }
    }
}

fn short(value: f64) -> String {
    significant(value, 3)
}
