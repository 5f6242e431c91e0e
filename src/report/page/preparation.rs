//! What was done to the table before anything was trained: splits, cleaning, features.

use maud::{Markup, html};

use super::{prose, verdict::r2_text};
use crate::evaluate::Scores;
use crate::report::number_format::{count, counted, percent, significant};
use crate::report::{Leakage, RunReport};

/// The two ways to split, side by side.
pub(super) fn leakage(report: &RunReport) -> Markup {
    let (Some(leakage), Some(group)) = (&report.leakage, &report.data.group) else {
        return html! {};
    };
    html! {
        section {
            h3 { "Leakage guard" }
            p { (prose(&leakage.sentence(group).replace("R2", "R²"))) "." }
            div.scroll tabindex="0" { (leakage_table(report, leakage, group)) }
        }
    }
}

fn leakage_table(report: &RunReport, leakage: &Leakage, group: &str) -> Markup {
    let unit = report.data.unit_in_brackets();
    let line = |name: Markup, scores: &Scores| {
        html! { tr {
            th scope="row" { (name) }
            td.number { (scores.r2.map_or("–".to_owned(), r2_text)) }
            td.number { (significant(scores.rmse, 3)) }
            td.number { (significant(scores.mae, 3)) }
            td.number { (percent(scores.coverage, 1)) }
        } }
    };
    html! { table {
        thead { tr {
            th { "folds" }
            th.number { "R²" } th.number { "RMSE" (unit) } th.number { "MAE" (unit) }
            th.number { "coverage" }
        } }
        tbody {
            (line(html! { "by group: rows of one " code { (group) } " stay together" }, &leakage.by_group))
            (line(html! { "by row: each row for itself" }, &leakage.by_row))
        }
    } }
}

/// What the networks saw, and what became of odd values.
pub(super) fn section(report: &RunReport) -> Markup {
    if report.features.names.is_empty() {
        return html! {};
    }
    html! {
        section {
            h3 { "Features and cleaning" }
            @for sentence in sentences(report) { p { (prose(&sentence)) } }
            (choice(report))
            details {
                summary { "All " (counted(report.features.names.len(), "feature")) }
                p { @for (index, name) in report.features.names.iter().enumerate() {
                    @if index > 0 { ", " } code { (name) }
                } }
            }
        }
    }
}

/// The sets that were compared, where there was a choice.
fn choice(report: &RunReport) -> Markup {
    let candidates = &report.features.candidates;
    html! {
        @if !candidates.is_empty() {
            div.scroll tabindex="0" { table {
                thead { tr {
                    th { "feature set" }
                    th.number { "inner RMSE over the better of raw and log1p(raw)" }
                    th.number { "folds that took it" }
                } }
                tbody { @for candidate in candidates { tr {
                    th scope="row" { code { (candidate.set) } }
                    td.number { (significant(candidate.relative_rmse, 3)) }
                    td.number { (candidate.folds) }
                } } }
            } }
        }
    }
}

fn sentences(report: &RunReport) -> Vec<String> {
    let cleaning = &report.cleaning;
    let mut sentences = Vec::new();
    if !report.features.choice.is_empty() {
        sentences
            .push(format!("Within the training rows of each fold: {}.", report.features.choice));
    }
    if report.features.motions > 0 {
        sentences.push(format!(
            "Every training row was learned from once more under each of {} of the detector array.",
            counted(report.features.motions, "symmetry")
        ));
    }
    let listed = |columns: &[(String, usize)], what: &str| {
        let named = columns.iter().map(|(name, n)| format!("{name} ({})", counted(*n, what)));
        named.collect::<Vec<_>>().join(", ")
    };
    if !cleaning.missing.is_empty() {
        sentences.push(format!(
            "Missing values became the median of the training rows, with an indicator: {}.",
            listed(&cleaning.missing, "row")
        ));
    }
    if !cleaning.dead.is_empty() {
        sentences.push(format!(
            "Columns that do not vary were left out: {}.",
            listed(&cleaning.dead, "fold")
        ));
    }
    if cleaning.duplicates > 0 {
        let rows = count(cleaning.duplicates);
        sentences.push(format!(
            "{rows} rows equal an earlier one: a fold trains on one of them, and on none that it is judged on."
        ));
    }
    if let Some(share) = cleaning.clipped {
        sentences.push(format!(
            "Features were clipped smoothly at {} robust deviations; {} of their values lay beyond.",
            significant(cleaning.clip, 2),
            percent(share, 2)
        ));
    }
    if sentences.is_empty() {
        sentences.push("Nothing had to be cleaned.".to_owned());
    }
    sentences
}
