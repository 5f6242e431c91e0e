//! A data set while it is read, column by column.

use std::{collections::HashMap, path::Path, sync::Arc};

use csv::ByteRecord;

use super::{
    DataError, Dataset, Groups, MissingCells,
    columns::{ColumnRoles, list},
    table::{TableFile, TableReader, bad_number, is_missing, parse_number},
};

/// What to do about a feature without a value.
const FILL: &str =
    "fill the cell, or let training fill in medians with `--set clean.missing=median`";

/// The columns while they are read.
pub(super) struct Columns {
    target: Column,
    features: Vec<Column>,
    group: Option<(usize, GroupColumn)>,
    order: Option<(usize, Vec<String>)>,
    weight: Option<Column>,
    uncertainty: Option<Column>,
    named: bool,
    rows: usize,
}

/// One numeric column while it is read.
struct Column {
    index: usize,
    name: String,
    values: Vec<f64>,
    any_number: bool,
    first_bad: Option<(u64, Vec<u8>)>,
    /// Whether missing values are kept.
    keeps_missing: bool,
    /// The cells as text, for as long as none is a number.
    text: GroupColumn,
}

#[derive(Default)]
struct GroupColumn {
    ids: Vec<u32>,
    names: Vec<Arc<str>>,
    known: HashMap<Arc<str>, u32>,
    /// Line of the first cell that names no group.
    first_bad: Option<u64>,
}

impl Columns {
    pub(super) fn new(roles: &ColumnRoles, header: &[String], missing: MissingCells) -> Self {
        let column =
            |index: usize| Column::new(index, &header[index], missing != MissingCells::Refuse);
        let mut target = column(roles.target);
        target.keeps_missing = missing == MissingCells::Keep;
        let chosen = (0..header.len()).filter(|index| roles.may_be_feature(*index));
        Self {
            target,
            features: chosen.map(column).collect(),
            group: roles.group.map(|index| (index, GroupColumn::default())),
            order: roles.order.map(|index| (index, Vec::new())),
            weight: roles.weight.map(|index| Column::new(index, &header[index], false)),
            uncertainty: roles.uncertainty.map(|index| Column::new(index, &header[index], false)),
            named: matches!(roles.features, super::columns::FeatureChoice::Named(_)),
            rows: 0,
        }
    }

    pub(super) fn push(&mut self, line: u64, record: &ByteRecord) {
        self.rows += 1;
        self.target.push(line, record);
        let others = self.weight.iter_mut().chain(&mut self.uncertainty);
        for column in self.features.iter_mut().chain(others) {
            column.push(line, record);
        }
        if let Some((index, group)) = &mut self.group {
            group.push(line, &record[*index]);
        }
        if let Some((index, order)) = &mut self.order {
            order.push(String::from_utf8_lossy(&record[*index]).trim().to_owned());
        }
    }

    pub(super) fn finish(
        self,
        path: &Path,
        header: &[String],
        sha256: String,
    ) -> Result<Dataset, DataError> {
        if self.rows == 0 {
            let found = "there are no rows under the header";
            let hint = format!("the columns are {}", list(header));
            return Err(DataError::malformed(path.display().to_string(), found, "data rows", hint));
        }
        let named = self.named;
        let (numeric, text): (Vec<Column>, Vec<Column>) =
            self.features.into_iter().partition(|column| named || column.is_numeric());
        self.target
            .check(path, "fill the cell, or remove the row: there is nothing to learn from it")?;
        numeric.iter().try_for_each(|column| column.check(path, FILL))?;
        let (feature_names, features) =
            numeric.into_iter().map(|column| (column.name, column.values)).unzip();
        let groups = self.group.map(|(index, group)| group.finish(&header[index], path));
        let order = self.order.map(|(index, values)| ranks(&values, &header[index], path));
        Ok(Dataset {
            path: path.display().to_string(),
            sha256,
            target_name: self.target.name,
            target: self.target.values,
            feature_names,
            features,
            weights: positive(self.weight, path, 0.0)?,
            uncertainty: positive(self.uncertainty, path, f64::MIN_POSITIVE)?,
            groups: groups.transpose()?,
            order: order.transpose()?,
            text: text.into_iter().map(|column| column.text.keep(column.name)).collect(),
        })
    }
}

/// The values of a column that must all be numbers from `least` on, not all of them 0.
fn positive(
    column: Option<Column>,
    path: &Path,
    least: f64,
) -> Result<Option<Vec<f64>>, DataError> {
    let Some(column) = column else { return Ok(None) };
    column.check(path, "fill the cell, or remove the row")?;
    let is_wrong = |value: &f64| !(*value >= least && value.is_finite());
    let wrong = column.values.iter().find(|value| is_wrong(value)).copied();
    let all_zero = column.values.iter().all(|value| *value == 0.0);
    let Some(value) = wrong.or(all_zero.then_some(0.0)) else { return Ok(Some(column.values)) };
    let found = format!("column `{}` holds {value}", column.name);
    let expected =
        if least > 0.0 { "positive numbers" } else { "numbers from 0 on, not all of them 0" };
    let hint = "check `data.weight` and `data.uncertainty`";
    Err(DataError::malformed(path.display().to_string(), found, expected, hint))
}

impl Column {
    fn new(index: usize, name: &str, keeps_missing: bool) -> Self {
        Self {
            index,
            name: name.to_owned(),
            values: Vec::new(),
            any_number: false,
            first_bad: None,
            keeps_missing,
            text: GroupColumn::default(),
        }
    }

    fn push(&mut self, line: u64, record: &ByteRecord) {
        let cell = &record[self.index];
        match parse_number(cell) {
            Some(number) => {
                if !self.any_number {
                    self.any_number = true;
                    self.text = GroupColumn::default();
                }
                self.values.push(number);
                return;
            }
            None if self.keeps_missing && is_missing(cell) => self.values.push(f64::NAN),
            None if self.first_bad.is_none() => self.first_bad = Some((line, cell.to_vec())),
            None => {}
        }
        if !self.any_number {
            self.text.push(line, cell);
        }
    }

    /// Whether it holds numbers, or lacks every value where missing values are kept.
    fn is_numeric(&self) -> bool {
        self.any_number || (self.keeps_missing && self.first_bad.is_none())
    }

    fn check(&self, path: &Path, if_missing: &str) -> Result<(), DataError> {
        match &self.first_bad {
            None => Ok(()),
            Some((line, cell)) => {
                let place = format!("{}:{line}", path.display());
                Err(bad_number(place, &self.name, cell, if_missing))
            }
        }
    }
}

impl GroupColumn {
    fn push(&mut self, line: u64, cell: &[u8]) {
        let next = self.names.len() as u32;
        let cell = std::str::from_utf8(cell).unwrap_or_default().trim();
        if cell.is_empty() && self.first_bad.is_none() {
            self.first_bad = Some(line);
        }
        let id = self.known.get(cell).copied().unwrap_or_else(|| {
            let name: Arc<str> = cell.into();
            self.known.insert(Arc::clone(&name), next);
            self.names.push(name);
            next
        });
        self.ids.push(id);
    }

    /// The column, whatever is in its cells.
    fn keep(self, column: String) -> Groups {
        Groups { column, ids: self.ids, names: self.names }
    }

    fn finish(self, column: &str, path: &Path) -> Result<Groups, DataError> {
        match self.first_bad {
            None => Ok(self.keep(column.to_owned())),
            Some(line) => Err(DataError::malformed(
                format!("{}:{line}", path.display()),
                format!("the group column `{column}` holds no text"),
                "the name of a group in UTF-8",
                "fill the cell; a row that stands alone needs a name of its own",
            )),
        }
    }
}

/// Dense ranks of the values: numbers, or dates and times that sort as text (ISO 8601).
fn ranks(values: &[String], column: &str, path: &Path) -> Result<Vec<u32>, DataError> {
    let numbers: Option<Vec<f64>> = values.iter().map(|v| parse_number(v.as_bytes())).collect();
    let is_date = |value: &&String| {
        let bytes = value.as_bytes();
        bytes.len() >= 10 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-'
    };
    if let (None, Some(odd)) = (&numbers, values.iter().find(|value| !is_date(value))) {
        return Err(DataError::malformed(
            path.display().to_string(),
            format!("the order column `{column}` holds `{odd}`"),
            "only numbers, or only dates such as 2026-01-31",
            "fill or rewrite the column",
        ));
    }
    let compare = |a: usize, b: usize| match &numbers {
        Some(numbers) => numbers[a].total_cmp(&numbers[b]),
        None => values[a].cmp(&values[b]),
    };
    let mut sorted: Vec<usize> = (0..values.len()).collect();
    sorted.sort_by(|a, b| compare(*a, *b));
    let mut ranks = vec![0; values.len()];
    for pair in 1..sorted.len() {
        let (before, here) = (sorted[pair - 1], sorted[pair]);
        ranks[here] = ranks[before] + u32::from(compare(before, here).is_ne());
    }
    Ok(ranks)
}

/// Reads one numeric column of a table, e.g. the fold of each row.
pub(super) fn read_column(path: &Path, name: &str) -> Result<Vec<(u64, f64)>, DataError> {
    let mut table = TableFile::open(path)?;
    let index = table.header().iter().position(|column| column == name).ok_or_else(|| {
        let found = format!("there is no column `{name}`");
        let hint = format!("the columns are {}", list(table.header()));
        DataError::malformed(format!("{}:1", path.display()), found, "one", hint)
    })?;
    let mut values = Vec::new();
    while let Some((line, number)) = next_number(&mut table, index)? {
        values.push((line, number));
    }
    Ok(values)
}

fn next_number(table: &mut TableFile, index: usize) -> Result<Option<(u64, f64)>, DataError> {
    let Some((line, record)) = table.next_row()? else { return Ok(None) };
    let cell = record[index].to_vec();
    match parse_number(&cell) {
        Some(number) => Ok(Some((line, number))),
        None => Err(TableReader::bad_number(table, line, index, &cell, "fill the cell")),
    }
}
