//! What the model does with its columns.

use maud::{Markup, html};

use super::{figure_block, leaderboard::difference};
use crate::evaluate::{DroppedColumn, Retraining};
use crate::report::RunReport;
use crate::report::number_format::significant;
use crate::report::plots::Figures;

/// The part of the page; nothing where nobody asked the model.
pub(super) fn part(report: &RunReport, figures: &Figures) -> Markup {
    if report.insights.is_none() {
        return html! {};
    }
    html! {
        section.part id="insights" {
            h2 { "Insights" }
            (figure(figures, "importance"))
            @if let Some(retraining) = &report.retraining { (dropped(report, retraining)) }
            (figure(figures, "effects"))
            (figure(figures, "worst_prediction"))
            (figure(figures, "learning_curve"))
            @if report.retraining.is_none() {
                p.note {
                    "What the loss of each column would cost, and whether more " (report.data.units()) " would help, \
                     takes training again: " code { "massay report --name " (report.name) " --retrain" } "."
                }
            }
        }
    }
}

/// A figure, where it was drawn.
pub(super) fn figure(figures: &Figures, name: &str) -> Markup {
    html! { @if let Some(own) = figures.named(name) { (figure_block(own)) } }
}

/// The models without a column, as a table.
fn dropped(report: &RunReport, retraining: &Retraining) -> Markup {
    let unit = report.data.unit_in_brackets();
    html! {
        details {
            summary { "Trained without a column, in numbers" }
            div.scroll tabindex="0" { table {
                thead { tr {
                    th { "without" }
                    th.number { "RMSE" (unit) }
                    th.number { "RMSE less that with every column, fold by fold" }
                    th.meaning { "verdict" }
                } }
                tbody { @for own in &retraining.dropped { (line(own)) } }
            } }
        }
    }
}

fn line(own: &DroppedColumn) -> Markup {
    html! { tr {
        th scope="row" { (own.set.name) }
        td.number { (significant(own.rmse, 3)) }
        td.number { (difference(own.difference)) }
        td.meaning { (own.difference.verdict()) }
    } }
}
