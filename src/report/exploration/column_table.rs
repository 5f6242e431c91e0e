//! Every statistic of every column as a table.

use maud::{Markup, html};

use super::target_against_features::correlation;
use crate::data::explore::{ColumnProfile, ColumnRole};
use crate::report::number_format::{count, significant};

/// The names of the numbers, in the order of the table, each with what it means.
const NUMBERS: [(&str, &str); 13] = [
    ("missing", "rows without a value"),
    ("zeros", "values that are exactly 0"),
    ("distinct", "different values"),
    ("mean", "mean"),
    ("deviation", "standard deviation of the sample"),
    ("minimum", "smallest value"),
    ("25\u{a0}%", "lower quartile"),
    ("median", "half of the values lie below"),
    ("75\u{a0}%", "upper quartile"),
    ("maximum", "largest value"),
    ("skewness", "above 0: a long tail to the right"),
    ("Pearson", "linear correlation with the target"),
    ("Spearman", "rank correlation with the target"),
];

/// The table; it scrolls by itself where it is wider or longer than the page.
pub(super) fn section(columns: &[ColumnProfile]) -> Markup {
    let has_units = columns.iter().any(|column| column.unit.is_some());
    html! {
        section {
            h2 { "Columns" }
            div.columns tabindex="0" role="region" aria-label="statistics of each column" { table {
                thead { tr {
                    th { "column" }
                    @if has_units { th.unit { "unit" } }
                    @for (name, meaning) in NUMBERS { th.number title=(meaning) { (name) } }
                } }
                tbody { @for column in columns { (line(column, has_units)) } }
            } }
            p.note {
                "Over the rows that have a value. Quartiles are interpolated; Pearson and Spearman are \
                 correlations with the target."
            }
        }
    }
}

fn line(column: &ColumnProfile, has_units: bool) -> Markup {
    html! {
        tr {
            th scope="row" title=(column.name) {
                span.name { (column.name) }
                @if column.role == ColumnRole::Target { span.role { "target" } }
            }
            @if has_units { td.unit { (column.unit.as_deref().unwrap_or_default()) } }
            @for number in numbers(column) { td { (number) } }
        }
    }
}

fn numbers(column: &ColumnProfile) -> [String; 13] {
    let known = |value: Option<f64>, show: fn(f64) -> String| value.map_or("–".to_owned(), show);
    let amount = |value: Option<f64>| known(value, |value| significant(value, 4));
    let tie = |value: Option<f64>| match column.role {
        ColumnRole::Target => String::new(),
        ColumnRole::Feature => known(value, correlation),
    };
    [
        count(column.missing),
        count(column.zeros),
        count(column.distinct),
        amount(column.mean),
        amount(column.deviation),
        amount(column.minimum),
        amount(column.lower_quartile),
        amount(column.median),
        amount(column.upper_quartile),
        amount(column.maximum),
        known(column.skewness, |skewness| significant(skewness, 3)),
        tie(column.pearson),
        tie(column.spearman),
    ]
}
