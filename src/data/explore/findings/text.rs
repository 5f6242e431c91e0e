//! Columns without numbers.

use crate::data::explore::{Finding, FindingKind, Severity, wording::names};

use super::table::Table;

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    table.dataset.text.iter().map(|column| finding(&column.column, column.names.len())).collect()
}

fn finding(column: &str, distinct: usize) -> Finding {
    let what = if distinct > 1 {
        format!("{} holds no numbers ({distinct} different texts)", names(&[column]))
    } else {
        format!("{} holds texts in most rows, or the same one in all", names(&[column]))
    };
    let why = "models see numbers only; a text may say what they cannot see, or name containers";
    let training = "it leaves the column out: write numbers for the texts, or name it with `--group` if rows that \
                    share one belong together";
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::TextColumn, Severity::Warning, sentences).about(&[column])
}
