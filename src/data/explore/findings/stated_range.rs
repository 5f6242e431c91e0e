//! Values outside of what the schema states.

use crate::data::{
    ColumnSchema,
    explore::{
        Finding, FindingKind, Severity,
        wording::{counted, names, number, rows},
    },
};

use super::table::{Column, Table};

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    let stated = |name: &str| table.schema.and_then(|schema| schema.column(name));
    table.columns.iter().filter_map(|column| finding(column, stated(column.name)?)).collect()
}

fn finding(column: &Column<'_>, stated: &ColumnSchema) -> Option<Finding> {
    let (low, high) =
        (stated.minimum.unwrap_or(f64::NEG_INFINITY), stated.maximum.unwrap_or(f64::INFINITY));
    let outside = column.rows_where(|value| !(low..=high).contains(&value));
    let first = column.values[*outside.first()?];
    let role = if column.is_target() { "the target " } else { "" };
    let what = format!(
        "{role}{} is outside of its stated range, {}, in {}, e.g. {} in row {} ({})",
        names(&[column.name]),
        range(stated),
        counted(outside.len(), "row"),
        number(first),
        outside[0] + 1,
        rows(&outside)
    );
    let why = "such a value cannot be right: a mistake in the table, or in the stated range";
    let training = "it refuses the table until the value or the schema is corrected";
    let sentences = [what, why.to_owned(), training.to_owned()];
    let finding = Finding::new(FindingKind::OutOfRange, Severity::Error, sentences);
    Some(finding.about(&[column.name]).in_rows(&outside))
}

fn range(stated: &ColumnSchema) -> String {
    let unit = if stated.unit.is_empty() { String::new() } else { format!(" {}", stated.unit) };
    match (stated.minimum, stated.maximum) {
        (Some(low), Some(high)) => format!("{} to {}{unit}", number(low), number(high)),
        (Some(low), None) => format!("at least {}{unit}", number(low)),
        (None, Some(high)) => format!("at most {}{unit}", number(high)),
        (None, None) => "anything".to_owned(),
    }
}
