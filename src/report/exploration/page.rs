//! The page of an exploration: findings, key numbers, the columns, the figures.
//!
//! Invariant: every word that comes from a user's file passes through maud's escaping.

use maud::{Markup, html};

use super::target_against_features::correlation;
use super::{Exploration, column_table, findings};
use crate::data::explore::{ColumnProfile, ColumnRole};
use crate::report::number_format::{count, counted, percent, significant};
use crate::report::page::{document, figure_block};
use crate::report::plots::Figure;

/// What this page adds to the layout of every report.
const STYLE: &str = include_str!("exploration.css");

/// The whole page.
pub(super) fn render(exploration: &Exploration<'_>, figures: &[Figure]) -> String {
    let title = format!("{} – massay exploration", exploration.dataset.path);
    document(&title, &exploration.version, STYLE, &content(exploration, figures))
}

fn content(exploration: &Exploration<'_>, figures: &[Figure]) -> Markup {
    html! {
        header {
            h1 { (exploration.dataset.path) }
            p.about { (about(exploration)) }
        }
        (findings::section(exploration.findings))
        (tiles(exploration))
        (column_table::section(&exploration.profile.columns))
        section {
            h2 { "Figures" }
            @for figure in figures { (figure_block(figure)) }
        }
        footer { "Written by massay " (exploration.version) "." }
    }
}

/// What the table holds, in one line.
fn about(exploration: &Exploration<'_>) -> Markup {
    let (dataset, profile) = (exploration.dataset, exploration.profile);
    let skipped = dataset.text.len();
    html! {
        (counted(profile.rows, "row"))
        @if let Some(groups) = &profile.groups {
            " in " (counted(groups.groups, "group")) " by " code { (groups.column) }
        }
        " · " (counted(dataset.features.len(), "feature"))
        " · target " strong { (dataset.target_name) }
        @if let Some(unit) = &exploration.unit { " in " (unit) }
        @if skipped > 0 { " · " (counted(skipped, "text column")) " not used" }
    }
}

/// The key numbers.
fn tiles(exploration: &Exploration<'_>) -> Markup {
    html! {
        div.tiles {
            (rows_tile(exploration))
            (target_tile(exploration))
            (strongest_tile(exploration))
            (missing_tile(exploration))
        }
    }
}

fn tile(name: &str, value: &str, note: &str) -> Markup {
    html! {
        div.tile {
            div.name { (name) }
            div.value { (value) }
            div.note { (note) }
        }
    }
}

fn rows_tile(exploration: &Exploration<'_>) -> Markup {
    let profile = exploration.profile;
    let features = exploration.dataset.features.len().max(1);
    let note = match &profile.groups {
        Some(groups) if groups.repeated > 0 => format!(
            "{}; the largest has {}",
            counted(groups.groups, "group"),
            counted(groups.largest, "row")
        ),
        Some(groups) => format!("{}, one row each", counted(groups.groups, "group")),
        None => format!("{} per feature", significant(profile.rows as f64 / features as f64, 2)),
    };
    tile("Rows", &count(profile.rows), &note)
}

fn target_tile(exploration: &Exploration<'_>) -> Markup {
    let mut columns = exploration.profile.columns.iter();
    let target = columns.find(|column| column.role == ColumnRole::Target);
    let unit = exploration.unit.as_ref().map(|unit| format!("\u{a0}{unit}")).unwrap_or_default();
    let amount = |value: f64| significant(value, 3);
    let range = target.and_then(|target| Some((target.minimum?, target.maximum?)));
    let value = match range {
        Some((low, high)) => format!("{} to {}", amount(low), amount(high)),
        None => "–".to_owned(),
    };
    let note = match target.and_then(|target| target.median) {
        Some(median) => format!("median {}{unit}", amount(median)),
        None => "no row has a value".to_owned(),
    };
    tile("Target", &value, &note)
}

fn strongest_tile(exploration: &Exploration<'_>) -> Markup {
    let strength = |column: &&ColumnProfile| column.spearman.map_or(0.0, f64::abs);
    let features = exploration.profile.columns.iter();
    let strongest = features
        .filter(|column| column.role == ColumnRole::Feature && column.spearman.is_some())
        .max_by(|left, right| strength(left).total_cmp(&strength(right)));
    match strongest.and_then(|column| Some((column.spearman?, &column.name))) {
        Some((spearman, name)) => tile(
            "Strongest rank correlation",
            &correlation(spearman),
            &format!("of {name} with the target"),
        ),
        None => tile("Strongest rank correlation", "–", "no column varies with the target"),
    }
}

fn missing_tile(exploration: &Exploration<'_>) -> Markup {
    let columns = &exploration.profile.columns;
    let missing: usize = columns.iter().map(|column| column.missing).sum();
    if missing == 0 {
        return tile("Missing values", "none", "every cell has a value");
    }
    let cells = (columns.len() * exploration.profile.rows).max(1);
    let affected = columns.iter().filter(|column| column.missing > 0).count();
    let share = percent(missing as f64 / cells as f64, 1);
    let note = format!("{share} of the cells, in {}", counted(affected, "column"));
    tile("Missing values", &count(missing), &note)
}
