//! A data set while it is read, column by column.

use std::{path::Path, sync::Arc};

use super::{
    DataError, Dataset, Groups, MissingCells, NameSet, Names,
    columns::{ColumnRoles, in_backticks},
    table::{Cell, Row, Table, bad_number, parse_number},
};

/// What to do about a feature without a value.
const FILL: &str =
    "fill the cell, or train with `--set clean.missing=median`, which fills in medians";

/// What to do about a text in a column of numbers.
const NUMBERS: &str = "write every value of the column as a finite number";

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
    numbers: usize,
    first_bad: Option<BadCell>,
    /// Cells that hold neither a number nor nothing, and those of them that would be numbers with a point for a comma.
    texts: usize,
    decimal_commas: usize,
    /// Whether missing values are kept.
    keeps_missing: bool,
    /// The cells as text, for as long as none is a number.
    text: GroupColumn,
}

/// A cell without a number: where it is and what is in it.
struct BadCell {
    place: String,
    text: Vec<u8>,
}

/// Whether it would be a number with a point for its comma.
fn has_decimal_comma(text: &[u8]) -> bool {
    let point = |byte: &u8| if *byte == b',' { b'.' } else { *byte };
    text.contains(&b',') && parse_number(&text.iter().map(point).collect::<Vec<_>>()).is_some()
}

/// Names of rows.
#[derive(Default)]
struct GroupColumn {
    ids: Vec<u32>,
    names: NameSet,
    /// How many rows are expected in all.
    expected: usize,
    /// Where the first cell is that names no group.
    first_bad: Option<String>,
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

    pub(super) fn push(&mut self, row: Row<'_>) {
        self.rows += 1;
        for column in self.numbers() {
            column.push(row);
        }
        if let Some((index, group)) = &mut self.group {
            group.push(row, &row.cell(*index));
        }
        if let Some((index, order)) = &mut self.order {
            order.push(String::from_utf8_lossy(&row.cell(*index).text()).trim().to_owned());
        }
    }

    /// Makes room for `rows` more, where there is as much.
    pub(super) fn reserve(&mut self, rows: usize) {
        self.numbers().for_each(|column| _ = column.values.try_reserve(rows));
        if let Some((_, group)) = &mut self.group {
            group.reserve(rows);
        }
    }

    /// Takes up the rows that follow, which columns of the same roles have read.
    pub(super) fn append(&mut self, mut next: Self) {
        self.rows += next.rows;
        for (column, next) in self.numbers().zip(next.numbers()) {
            column.append(next);
        }
        if let (Some((_, group)), Some((_, next))) = (&mut self.group, next.group) {
            group.append(next);
        }
        if let (Some((_, order)), Some((_, next))) = (&mut self.order, next.order) {
            order.extend(next);
        }
    }

    /// Every column of numbers.
    fn numbers(&mut self) -> impl Iterator<Item = &mut Column> {
        let others = self.weight.iter_mut().chain(&mut self.uncertainty);
        std::iter::once(&mut self.target).chain(&mut self.features).chain(others)
    }

    pub(super) fn finish(
        self,
        path: &Path,
        header: &[String],
        sha256: String,
    ) -> Result<Dataset, DataError> {
        if self.rows == 0 {
            let found = "there are no rows under the header";
            let hint = format!("the columns are {}", in_backticks(header));
            return Err(DataError::malformed(path.display().to_string(), found, "data rows", hint));
        }
        let named = self.named;
        let (numeric, text): (Vec<Column>, Vec<Column>) =
            self.features.into_iter().partition(|column| named || column.is_numeric());
        let others = self.rows.saturating_sub(self.target.values.len() + 1);
        let rows = match others {
            0 => "the row".to_owned(),
            1 => "the row and the other one like it".to_owned(),
            others => format!("the row and the {others} others like it"),
        };
        let fill =
            format!("fill the cell, or remove {rows}: there is nothing to learn without a target");
        self.target.check([&fill, NUMBERS])?;
        numeric.iter().try_for_each(|column| {
            let name = &column.name;
            let or_leave_out = if named {
                NUMBERS.to_owned()
            } else {
                format!("{NUMBERS}, or leave the column out with `--exclude '{name}'`")
            };
            column.check([FILL, &or_leave_out])
        })?;
        let (feature_names, features) =
            numeric.into_iter().map(|column| (column.name, column.values)).unzip();
        let groups = self.group.map(|(index, group)| group.finish(&header[index]));
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
            text: text.into_iter().map(|column| column.into_text(self.rows)).collect(),
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
    column.check(["fill the cell, or remove the row", NUMBERS])?;
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
            numbers: 0,
            first_bad: None,
            texts: 0,
            decimal_commas: 0,
            keeps_missing,
            text: GroupColumn::default(),
        }
    }

    fn push(&mut self, row: Row<'_>) {
        let cell = row.cell(self.index);
        match cell.number() {
            Some(number) => {
                if self.numbers == 0 {
                    self.text = GroupColumn::default();
                }
                self.numbers += 1;
                self.values.push(number);
                return;
            }
            None if self.keeps_missing && cell.is_missing() => self.values.push(f64::NAN),
            None => self.push_bad(row, &cell),
        }
        if self.numbers == 0 {
            self.text.push(row, &cell);
        }
    }

    fn push_bad(&mut self, row: Row<'_>, cell: &Cell<'_>) {
        let text = cell.text();
        if !cell.is_missing() {
            self.texts += 1;
            self.decimal_commas += usize::from(has_decimal_comma(&text));
        }
        if self.first_bad.is_none() {
            self.first_bad = Some(BadCell { place: row.place(), text: text.into_owned() });
        }
    }

    /// Takes up the values that follow, and leaves none.
    fn append(&mut self, next: &mut Self) {
        self.texts += next.texts;
        self.decimal_commas += next.decimal_commas;
        self.numbers += next.numbers;
        if self.numbers > 0 {
            self.text = GroupColumn::default();
        }
        self.values.append(&mut next.values);
        self.first_bad = self.first_bad.take().or(next.first_bad.take());
        if self.numbers == 0 {
            self.text.append(std::mem::take(&mut next.text));
        }
    }

    /// Whether it holds numbers, or lacks every value where missing values are kept. What holds texts in most of its
    /// cells, and numbers in some, is text (names such as 626 among others); what holds nothing but numbers with commas
    /// is meant to be numeric.
    fn is_numeric(&self) -> bool {
        if self.texts > 0 && self.decimal_commas == self.texts {
            return true;
        }
        let is_text = self.texts > self.numbers;
        (self.numbers > 0 && !is_text) || (self.keeps_missing && self.first_bad.is_none())
    }

    /// The column as text; what each cell held is known only where none held a number.
    fn into_text(self, rows: usize) -> Groups {
        if self.numbers > 0 {
            return Groups {
                column: self.name,
                ids: vec![0; rows],
                names: Arc::new(Names::from_iter([""])),
            };
        }
        self.text.keep(self.name)
    }

    fn check(&self, [if_missing, if_text]: [&str; 2]) -> Result<(), DataError> {
        self.first_bad.as_ref().map_or(Ok(()), |bad| {
            let hints = [if_missing, if_text];
            Err(bad_number(bad.place.clone(), &self.name, &bad.text, hints))
        })
    }
}

impl GroupColumn {
    fn reserve(&mut self, rows: usize) {
        self.expected = rows;
        let _ = self.ids.try_reserve(rows);
    }

    fn push(&mut self, row: Row<'_>, cell: &Cell<'_>) {
        let text = cell.text();
        let name = std::str::from_utf8(&text).unwrap_or_default().trim();
        if name.is_empty() && self.first_bad.is_none() {
            self.first_bad = Some(row.place());
        }
        self.ids.push(self.names.insert(name));
    }

    /// Takes up the cells that follow.
    fn append(&mut self, next: Self) {
        // Where names hardly repeat there will be as many as rows: a set that grows bit by bit finds a new place for
        // every name again and again.
        if 2 * next.names.len() > next.ids.len() {
            self.names.reserve(self.expected);
        }
        let ids = self.names.extend(&next.names);
        self.ids.extend(next.ids.into_iter().map(|id| ids[id as usize]));
        self.first_bad = self.first_bad.take().or(next.first_bad);
    }

    /// The column, whatever is in its cells.
    fn keep(self, column: String) -> Groups {
        Groups { column, ids: self.ids, names: Arc::new(self.names.into_names()) }
    }

    fn finish(self, column: &str) -> Result<Groups, DataError> {
        match self.first_bad {
            None => Ok(self.keep(column.to_owned())),
            Some(place) => Err(DataError::malformed(
                place,
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
    let is_number = |value: &&String| parse_number(value.as_bytes()).is_some();
    let mostly_numbers = 2 * values.iter().filter(is_number).count() > values.len();
    let is_odd = |value: &&String| if mostly_numbers { !is_number(value) } else { !is_date(value) };
    if let (None, Some(row)) = (&numbers, values.iter().position(|value| is_odd(&value))) {
        return Err(DataError::malformed(
            path.display().to_string(),
            format!("the order column `{column}` holds `{}` in data row {}", values[row], row + 1),
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

/// Reads one numeric column of a table, e.g. the fold of each row: the place and the value of each.
pub(super) fn read_column(path: &Path, name: &str) -> Result<Vec<(String, f64)>, DataError> {
    let mut table = Table::open(path)?;
    let index = table.header().iter().position(|column| column == name).ok_or_else(|| {
        let found = format!("there is no column `{name}`");
        let hint = format!("the columns are {}", in_backticks(table.header()));
        DataError::malformed(format!("{}:1", path.display()), found, "one", hint)
    })?;
    let mut values = Vec::new();
    table.rows(|row| {
        let number = row.cell(index).number();
        let number =
            number.ok_or_else(|| row.bad_number(index, name, ["fill the cell", NUMBERS]))?;
        values.push((row.place(), number));
        Ok(())
    })?;
    Ok(values)
}
