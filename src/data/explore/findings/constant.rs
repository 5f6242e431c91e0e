//! Columns that do not vary.

use crate::data::explore::{
    Finding, FindingKind, Severity,
    wording::{names, number},
};

use super::table::{Column, Table};

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    let signals = table.holds_signals();
    let constant = table.columns.iter().filter(|column| column.profile.distinct == 1);
    constant.map(|column| finding(column, signals)).collect()
}

fn finding(column: &Column<'_>, signals: bool) -> Finding {
    let (value, column_name) = (column.sorted[0], names(&[column.name]));
    let rows = column.sorted.len();
    let (kind, severity, sentences) = if column.is_target() {
        let what = format!("the target {column_name} is {} in every row", number(value));
        let why = "there is nothing to learn";
        let training = "it refuses the table";
        (FindingKind::ConstantTarget, Severity::Error, [what, why.into(), training.into()])
    } else if value == 0.0 && signals {
        let what = format!("{column_name} is 0 in all {rows} rows, while the other columns vary");
        let why = "a detector that never counts is dead or was not read out";
        (FindingKind::DeadDetector, Severity::Error, [what, why.into(), LEFT_OUT.into()])
    } else {
        let what = format!("{column_name} is {} in every row", number(value));
        let why = "a column that does not vary tells nothing about the target";
        (FindingKind::ConstantColumn, Severity::Warning, [what, why.into(), LEFT_OUT.into()])
    };
    Finding::new(kind, severity, sentences).about(&[column.name]).counting(rows)
}

const LEFT_OUT: &str =
    "a column that does not vary in the training rows of a fold is left out there";
