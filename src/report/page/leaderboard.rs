//! Every model on the same folds, best first.

use maud::{Markup, html};

use super::verdict::r2_text;
use crate::evaluate::{Difference, LeaderboardEntry};
use crate::report::RunReport;
use crate::report::number_format::{percent, significant};

/// The models side by side; nothing where there is but one.
pub(super) fn section(report: &RunReport) -> Markup {
    let Some(board) = &report.leaderboard else { return html! {} };
    let unit = report.data.unit_in_brackets();
    html! {
        section {
            h3 { "Models" }
            p { (board.sentence()) "." }
            div.scroll tabindex="0" { table {
                thead { tr {
                    th { "model" }
                    th.number { "RMSE" (unit) }
                    th.number { "MAE" (unit) }
                    th.number { "R²" }
                    th.number { "weight" }
                    th.number { "RMSE less that of " (board.deployed) }
                    th.meaning { "verdict" }
                } }
                tbody { @for entry in &board.entries { (line(entry, entry.model == board.deployed)) } }
            } }
            p.note {
                "All models on the same folds. Differences are means over the folds ± their standard \
                 error, corrected for the training rows that folds share (Nadeau and Bengio, 2003); \
                 clear ones would come by chance in fewer than one of twenty comparisons."
            }
        }
    }
}

fn line(entry: &LeaderboardEntry, predicts: bool) -> Markup {
    let number = |value: f64| significant(value, 4);
    html! { tr {
        th scope="row" { (entry.model) }
        td.number { (number(entry.rmse)) }
        td.number { (number(entry.mae)) }
        td.number { (entry.r2.map_or_else(|| "–".to_owned(), r2_text)) }
        td.number { (percent(entry.weight, 0)) }
        td.number { (entry.difference.map_or_else(|| "–".to_owned(), difference)) }
        td.meaning {
            @match entry.difference {
                Some(own) => (own.verdict()),
                None if predicts => "predicts",
                None => "–",
            }
        }
    } }
}

/// A difference with its standard error.
pub(in crate::report) fn difference(own: Difference) -> String {
    let sign = if own.mean < 0.0 { "−" } else { "+" };
    format!("{sign}{} ± {}", significant(own.mean.abs(), 3), significant(own.standard_error, 2))
}
