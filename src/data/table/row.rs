//! A row of a table, and where it stands.

use std::{borrow::Cow, path::Path};

use csv::ByteRecord;

use super::{
    super::DataError,
    cell::{Cell, is_missing},
    parquet_column::ColumnPart,
};

/// A row while it is looked at.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    path: &'a Path,
    cells: Cells<'a>,
}

#[derive(Clone, Copy)]
enum Cells<'a> {
    /// A line of a text file and its number.
    Line(&'a ByteRecord, u64),
    /// A place in these parts of columns, which begin with the row of that number.
    Place(&'a [ColumnPart], usize, u64),
}

impl<'a> Row<'a> {
    pub(super) fn line(path: &'a Path, record: &'a ByteRecord, number: u64) -> Self {
        Self { path, cells: Cells::Line(record, number) }
    }

    pub(super) fn place_in(
        path: &'a Path,
        parts: &'a [ColumnPart],
        place: usize,
        first: u64,
    ) -> Self {
        Self { path, cells: Cells::Place(parts, place, first) }
    }

    /// What stands in a column, which the table has.
    #[must_use]
    pub fn cell(&self, column: usize) -> Cell<'a> {
        match self.cells {
            Cells::Line(record, _) => Cell::Text(Cow::Borrowed(&record[column])),
            Cells::Place(parts, place, _) => parts[column].cell(place),
        }
    }

    /// Where it stands, e.g. `run7.csv:42` for a line, `run7.parquet, row 41` where there are no lines.
    #[must_use]
    pub fn place(&self) -> String {
        match self.cells {
            Cells::Line(_, line) => format!("{}:{line}", self.path.display()),
            Cells::Place(_, place, first) => {
                format!("{}, row {}", self.path.display(), first + place as u64)
            }
        }
    }

    /// The error for a cell that holds no finite number; `name` is that of its column, `if_missing` the hint where
    /// the cell is empty.
    #[must_use]
    pub fn bad_number(&self, column: usize, name: &str, hints: [&str; 2]) -> DataError {
        bad_number(self.place(), name, &self.cell(column).text(), hints)
    }
}

/// The error for a cell of `column` that is not a finite number; the hints are for a cell that is
/// empty or stands for no value, and for one that holds a text.
pub(in crate::data) fn bad_number(
    place: String,
    column: &str,
    cell: &[u8],
    [if_missing, if_text]: [&str; 2],
) -> DataError {
    let text = String::from_utf8_lossy(cell);
    let shown: String = text.chars().take(40).collect();
    let hint = if is_missing(cell) {
        if_missing.to_owned()
    } else if text.contains(',') {
        format!("decimals use a point, e.g. `{}`", shown.trim().replace(',', "."))
    } else {
        if_text.to_owned()
    };
    let found = if text.trim().is_empty() {
        format!("column `{column}` is empty")
    } else {
        format!("column `{column}` holds `{shown}`")
    };
    DataError::malformed(place, found, "a number", hint)
}
