//! Columns that number or name the rows.

use crate::data::{
    Groups,
    explore::{Finding, FindingKind, Severity, wording::names},
};

use super::table::{Column, Table};

/// Rows from which an order is more than chance: eight numbers are in order once in 20 000 tables.
const FEWEST_ROWS: usize = 8;

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    let numbers = table.features().iter().filter(|column| numbers_rows(column)).map(numbering);
    let text = table.dataset.text.iter().filter(|text| names_rows(text)).map(naming);
    numbers.chain(text).collect()
}

/// Whether whole numbers, all different, are consecutive or follow the order of the rows.
pub(super) fn numbers_rows(column: &Column<'_>) -> bool {
    let count = column.sorted.len();
    if count < FEWEST_ROWS || !column.integers || column.profile.distinct < count {
        return false;
    }
    column.profile.missing == 0 && (is_consecutive(column) || follows_rows(column.values))
}

fn is_consecutive(column: &Column<'_>) -> bool {
    column.quantile(1.0) - column.quantile(0.0) == (column.sorted.len() - 1) as f64
}

pub(super) fn follows_rows(values: &[f64]) -> bool {
    values.is_sorted_by(|a, b| a < b) || values.is_sorted_by(|a, b| a > b)
}

fn numbering(column: &Column<'_>) -> Finding {
    let how = if is_consecutive(column) { "consecutive" } else { "in the order of the rows" };
    let what = format!(
        "{} looks like an identifier or a time: whole numbers, all different, {how}",
        names(&[column.name])
    );
    let why = "the number of a row says nothing about a new row, but a network learns it by heart";
    let training = "it is used as a feature unless left out with `data.features`";
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::IdColumn, Severity::Warning, sentences)
        .about(&[column.name])
        .counting(column.sorted.len())
}

fn names_rows(text: &Groups) -> bool {
    text.names.len() == text.ids.len() && text.ids.len() >= FEWEST_ROWS
}

fn naming(text: &Groups) -> Finding {
    let what = format!("{} holds text that is different in every row", names(&[&text.column]));
    let why = "it can name the rows, but groups none";
    let training = "columns of text are not used";
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::IdColumn, Severity::Note, sentences)
        .about(&[&text.column])
        .counting(text.ids.len())
}
