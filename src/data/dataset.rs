//! A table of numbers with a target, ready to be split.

use std::{collections::HashMap, path::Path, sync::Arc};

use csv::ByteRecord;

use super::{
    DataConfig, DataError,
    columns::{ColumnRoles, list},
    table::{TableFile, TableReader, bad_number, parse_number},
};

/// Rows with a target, features and, where the table has them, groups and an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Path the rows came from.
    pub path: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Name of the target column.
    pub target_name: String,
    /// Target of each row, shape `[rows]`.
    pub target: Vec<f64>,
    /// Names of the feature columns.
    pub feature_names: Vec<String>,
    /// Features by column, shape `[features][rows]`.
    pub features: Vec<Vec<f64>>,
    /// Groups, where there is a group column.
    pub groups: Option<Groups>,
    /// Rank of each row in time, where an order column was named.
    pub order: Option<Vec<u32>>,
    /// Columns that hold text and are not used.
    pub skipped: Vec<String>,
}

/// Which rows belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    /// Name of the group column.
    pub column: String,
    /// Group of each row, an index into `names`.
    pub ids: Vec<u32>,
    /// Distinct values, in order of first appearance.
    pub names: Vec<Arc<str>>,
}

impl Groups {
    /// Whether any group has more than one row.
    #[must_use]
    pub fn repeat(&self) -> bool {
        self.names.len() < self.ids.len()
    }
}

impl Dataset {
    /// Reads the table that `config` describes; `order_column` may be empty.
    ///
    /// # Errors
    /// When the file cannot be read, is malformed, lacks a named column, or its target is constant.
    pub fn read(config: &DataConfig, order_column: &str) -> Result<Self, DataError> {
        let mut table = TableFile::open(&config.path)?;
        let place = format!("{}:1", config.path.display());
        let roles = ColumnRoles::find(config, order_column, table.header(), &place)?;
        let mut columns = Columns::new(&roles, table.header());
        while let Some((line, record)) = table.next_row()? {
            columns.push(line, record);
        }
        let header = table.header().to_vec();
        let sha256 = table.finish()?;
        let dataset = columns.finish(&config.path, &header, sha256)?;
        dataset.refuse_unusable()?;
        Ok(dataset)
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.target.len()
    }

    /// The group of each row; every row its own group where there is no group column.
    #[must_use]
    pub fn group_ids(&self) -> Vec<u32> {
        match &self.groups {
            Some(groups) => groups.ids.clone(),
            None => (0..self.rows() as u32).collect(),
        }
    }

    /// The name of the group of `row`, where there are groups.
    #[must_use]
    pub fn group_name(&self, row: usize) -> Option<Arc<str>> {
        self.groups.as_ref().map(|groups| Arc::clone(&groups.names[groups.ids[row] as usize]))
    }

    fn refuse_unusable(&self) -> Result<(), DataError> {
        let refuse = |found: String, expected: &str, hint: &str| {
            Err(DataError::malformed(&self.path, found, expected, hint))
        };
        if self.features.is_empty() {
            let found = format!("no numeric column besides the target `{}`", self.target_name);
            return refuse(
                found,
                "at least one feature",
                "check `data.target` and `data.features`",
            );
        }
        Ok(())
    }

    /// Refuses a target that there is nothing to learn about.
    ///
    /// # Errors
    /// When every row has the same target.
    pub fn refuse_constant_target(&self) -> Result<(), DataError> {
        if self.target.iter().any(|value| *value != self.target[0]) {
            return Ok(());
        }
        let found = format!("column `{}` is {} in every row", self.target_name, self.target[0]);
        let (expected, hint) = ("a target that varies", "check `data.target`");
        Err(DataError::malformed(&self.path, found, expected, hint))
    }
}

/// The columns while they are read.
struct Columns {
    target: Column,
    features: Vec<Column>,
    group: Option<(usize, GroupColumn)>,
    order: Option<(usize, Vec<String>)>,
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
    fn new(roles: &ColumnRoles, header: &[String]) -> Self {
        let column = |index: usize| Column::new(index, &header[index]);
        let chosen = (0..header.len()).filter(|index| roles.may_be_feature(*index));
        Self {
            target: column(roles.target),
            features: chosen.map(column).collect(),
            group: roles.group.map(|index| (index, GroupColumn::default())),
            order: roles.order.map(|index| (index, Vec::new())),
            named: matches!(roles.features, super::columns::FeatureChoice::Named(_)),
            rows: 0,
        }
    }

    fn push(&mut self, line: u64, record: &ByteRecord) {
        self.rows += 1;
        self.target.push(line, record);
        for column in &mut self.features {
            column.push(line, record);
        }
        if let Some((index, group)) = &mut self.group {
            group.push(line, &record[*index]);
        }
        if let Some((index, order)) = &mut self.order {
            order.push(String::from_utf8_lossy(&record[*index]).trim().to_owned());
        }
    }

    fn finish(self, path: &Path, header: &[String], sha256: String) -> Result<Dataset, DataError> {
        if self.rows == 0 {
            let found = "there are no rows under the header";
            let hint = format!("the columns are {}", list(header));
            return Err(DataError::malformed(path.display().to_string(), found, "data rows", hint));
        }
        let named = self.named;
        let (numeric, text): (Vec<Column>, Vec<Column>) =
            self.features.into_iter().partition(|column| column.any_number || named);
        self.target.check(path)?;
        numeric.iter().try_for_each(|column| column.check(path))?;
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
            groups: groups.transpose()?,
            order: order.transpose()?,
            skipped: text.into_iter().map(|column| column.name).collect(),
        })
    }
}

impl Column {
    fn new(index: usize, name: &str) -> Self {
        let name = name.to_owned();
        Self { index, name, values: Vec::new(), any_number: false, first_bad: None }
    }

    fn push(&mut self, line: u64, record: &ByteRecord) {
        let cell = &record[self.index];
        match parse_number(cell) {
            Some(number) => {
                self.any_number = true;
                self.values.push(number);
            }
            None if self.first_bad.is_none() => self.first_bad = Some((line, cell.to_vec())),
            None => {}
        }
    }

    fn check(&self, path: &Path) -> Result<(), DataError> {
        match &self.first_bad {
            None => Ok(()),
            Some((line, cell)) => Err(bad_number(path, *line, &self.name, cell)),
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

    fn finish(self, column: &str, path: &Path) -> Result<Groups, DataError> {
        match self.first_bad {
            None => Ok(Groups { column: column.to_owned(), ids: self.ids, names: self.names }),
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
        None => Err(TableReader::bad_number(table, line, index, &cell)),
    }
}
