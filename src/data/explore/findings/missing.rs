//! Cells without a value.

use crate::data::explore::{
    Finding, FindingKind, Severity,
    wording::{counted, names, rows},
};

use super::table::{Column, Table};

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    table.columns.iter().filter(|column| column.profile.missing > 0).map(finding).collect()
}

fn finding(column: &Column<'_>) -> Finding {
    let is_missing = |(row, value): (usize, &f64)| value.is_nan().then_some(row);
    let empty: Vec<usize> = column.values.iter().enumerate().filter_map(is_missing).collect();
    let share = 100.0 * empty.len() as f64 / column.values.len() as f64;
    let cells = counted(empty.len(), "row");
    let (role, severity) =
        if column.is_target() { ("the target ", Severity::Error) } else { ("", Severity::Warning) };
    let place = if empty.len() == column.values.len() {
        String::new()
    } else {
        format!(": {}", rows(&empty))
    };
    let what =
        format!("{role}{} has no value in {cells} ({share:.2} %){place}", names(&[column.name]));
    let [why, training] = if column.is_target() {
        ["nothing can be learned from a row without its target", "it refuses the table"]
    } else {
        [
            "what is put in place of a missing value is a guess",
            "it refuses missing values unless `clean.missing = \"median\"` fills them",
        ]
    };
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::MissingValues, severity, sentences)
        .about(&[column.name])
        .in_rows(&empty)
}
