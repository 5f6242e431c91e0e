//! The worst predictions with their rows, and what made them.

use maud::{Markup, html};

use crate::evaluate::Explained;
use crate::report::RunReport;
use crate::report::number_format::significant;

/// Columns that are named for a prediction.
const NAMED: usize = 3;

/// The table of the worst predictions; nothing where nobody looked for them.
pub(super) fn section(report: &RunReport) -> Markup {
    let Some(insights) = report.insights.as_ref().filter(|own| !own.worst.is_empty()) else {
        return html! {};
    };
    let unit = report.data.unit_in_brackets();
    html! {
        section {
            h3 { "The worst predictions" }
            div.scroll tabindex="0" { table {
                thead { tr {
                    th.number { "row" }
                    @if let Some(group) = &report.data.group { th { (group) } }
                    th.number { "fold" }
                    th.number { "actual" (unit) }
                    th.number { "predicted" (unit) }
                    th.number { "interval" (unit) }
                    th { "unlike the others" }
                    th { "what moved it most" }
                } }
                tbody { @for own in &insights.worst { (line(report, own)) } }
            } }
            p.note {
                "The largest errors in the space in which the model learns, the worst first. Rows are numbered from 1, \
                 without the header. What moved a prediction are Shapley values against rows that its models were \
                 trained on."
            }
            details {
                summary { "Their values" }
                div.scroll tabindex="0" { table {
                    thead { tr {
                        th.number { "row" }
                        @for name in &report.data.features { th.number { (name) } }
                    } }
                    tbody { @for own in &insights.worst { tr {
                        td.number { (own.row.row + 1) }
                        @for value in &own.values {
                            td.number { (value.map_or("–".to_owned(), |value| significant(value, 4))) }
                        }
                    } } }
                } }
            }
        }
    }
}

fn line(report: &RunReport, own: &Explained) -> Markup {
    let (row, number) = (&own.row, |value: f64| significant(value, 3));
    html! { tr {
        td.number { (row.row + 1) }
        @if report.data.group.is_some() { td { (row.group.as_deref().unwrap_or("–")) } }
        td.number { (row.fold) }
        td.number { (number(row.target)) }
        td.number { (number(row.prediction)) }
        td.number { (number(row.lower)) " to " (number(row.upper)) }
        td { @if row.out_of_domain { "yes" } @else { "no" } }
        td.reasons { (reasons(report, own)) }
    } }
}

/// The columns with the largest parts, e.g. `det3 +12.1, det7 −4.20`.
pub(in crate::report) fn reasons(report: &RunReport, own: &Explained) -> String {
    let mut order: Vec<usize> = (0..own.contributions.len()).collect();
    let size = |column: &usize| own.contributions[*column].abs();
    order.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let named = order.iter().take(NAMED).map(|column| {
        let part = own.contributions[*column];
        let sign = if part < 0.0 { "−" } else { "+" };
        let name = report.data.features.get(*column).map_or("", String::as_str);
        format!("{name} {sign}{}", significant(part.abs(), 3))
    });
    named.collect::<Vec<_>>().join(", ")
}
