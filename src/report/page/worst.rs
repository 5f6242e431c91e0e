//! The worst predictions with their rows, and what made them.

use maud::{Markup, html};

use crate::evaluate::{Explained, ScoredRow};
use crate::report::RunReport;
use crate::report::names::told_apart;
use crate::report::number_format::significant;
use crate::report::plots::bars::LONGEST_NAME;

/// Most digits of a value.
const MOST_DIGITS: f64 = 8.0;

/// Parts below this share of the prediction are rounding errors.
const ROUNDING: f64 = 1e-6;

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
    let (row, number) = (&own.row, |value: f64| resolved(&own.row, value));
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

/// A value of the row's target with three digits, or with as many as show two digits of its error.
pub(in crate::report) fn resolved(row: &ScoredRow, value: f64) -> String {
    let exponent = |value: f64| value.abs().log10().floor();
    let digits = 2.0 + exponent(row.target) - exponent(row.prediction - row.target);
    significant(value, if digits.is_finite() { digits.clamp(3.0, MOST_DIGITS) as usize } else { 3 })
}

/// The columns with the largest parts, e.g. `det3 +12.1, det7 −4.20`; a dash where nothing moved the prediction.
pub(in crate::report) fn reasons(report: &RunReport, own: &Explained) -> String {
    let mut order: Vec<usize> = (0..own.contributions.len()).collect();
    let size = |column: &usize| own.contributions[*column].abs();
    order.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let labels = told_apart(report.data.features.iter().map(String::as_str), LONGEST_NAME);
    // Below this stand rounding errors.
    let least = ROUNDING * (own.row.prediction.abs() + own.base.abs());
    let named = order.iter().take(NAMED).filter(|column| size(column) > least).map(|column| {
        let part = own.contributions[*column];
        let sign = if part < 0.0 { "−" } else { "+" };
        let name = labels.get(*column).map_or("", String::as_str);
        format!("{name} {sign}{}", significant(part.abs(), 3))
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { "–".to_owned() } else { named.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_report::full_report;

    #[test]
    fn digits_follow_the_error() {
        let report = full_report(20, 2);
        let mut row = report.evaluation.rows[0].clone();
        (row.target, row.prediction) = (1000.123, 1000.088);
        assert_eq!(
            (resolved(&row, row.target), resolved(&row, row.prediction)),
            ("1000.123".into(), "1000.088".into())
        );
        row.prediction = 700.0;
        assert_eq!(resolved(&row, row.target), "1000");
        row.prediction = row.target;
        assert_eq!(resolved(&row, row.target), "1000");
    }

    #[test]
    fn rounding_errors_are_no_reasons() {
        let report = full_report(20, 2);
        let mut own = report.insights.as_ref().unwrap().worst[0].clone();
        assert_eq!(reasons(&report, &own), "detector_1 +3.00, detector_2 −2.00");
        own.contributions = vec![1e-12 * own.base, 0.0];
        assert_eq!(reasons(&report, &own), "–");
    }
}
