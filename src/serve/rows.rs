//! From the body of a request to raw rows, whatever shape they come in.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::data::{MissingCells, detect_delimiter, is_missing, nearest, parse_number};

use super::{Fault, ServedModel, unique_json};

/// Raw rows of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct RawRows {
    /// Values in the order of the model's columns, row-major.
    pub(super) values: Vec<f64>,
    /// The container (group) that each row names; empty where rows name none.
    pub(super) containers: Vec<Option<String>>,
}

impl From<Vec<f64>> for RawRows {
    fn from(values: Vec<f64>) -> Self {
        Self { values, containers: Vec::new() }
    }
}

/// Reads rows for one model: columns by name, in the model's order, nothing left out or made up.
pub(super) struct RowReader<'a> {
    model: &'a ServedModel,
    most: usize,
}

impl<'a> RowReader<'a> {
    /// A reader of at most `most` rows for `model`.
    pub(super) fn new(model: &'a ServedModel, most: usize) -> Self {
        Self { model, most }
    }

    /// Rows that each name their columns; what the model does not know is left aside.
    pub(super) fn records(&self, records: &[Value]) -> Result<RawRows, Fault> {
        self.check_count(records.len())?;
        let mut values = Vec::with_capacity(records.len() * self.columns().len());
        let mut containers = Vec::new();
        for (row, record) in records.iter().enumerate() {
            let Value::Object(record) = record else {
                let found = format!("row {row} is {}, expected an object", kind(record));
                return Err(Fault::malformed(found).at_row(row));
            };
            self.record(row, record, &mut values)?;
            containers.push(record.get(&self.model.schema.group).and_then(name_of));
        }
        Ok(RawRows { values, containers })
    }

    fn record(
        &self,
        row: usize,
        record: &Map<String, Value>,
        values: &mut Vec<f64>,
    ) -> Result<(), Fault> {
        for column in self.columns() {
            let cell = record.get(column).ok_or_else(|| {
                let names: Vec<&str> = record.keys().map(String::as_str).collect();
                self.missing_column(column, &names).at(row, column)
            })?;
            values.push(self.number(row, column, cell)?);
        }
        Ok(())
    }

    /// Rows as lists of values in the order of `columns`.
    pub(super) fn split(&self, columns: &[&str], rows: &[Value]) -> Result<RawRows, Fault> {
        self.check_count(rows.len())?;
        let places = self.places(columns)?;
        let mut values = Vec::with_capacity(rows.len() * places.len());
        let (group, mut containers) = (self.group_place(columns)?, Vec::new());
        for (row, cells) in rows.iter().enumerate() {
            let cells = self.list(row, cells, columns.len())?;
            for (column, place) in self.columns().iter().zip(&places) {
                values.push(self.number(row, column, &cells[*place])?);
            }
            containers.extend(group.map(|place| name_of(&cells[place])));
        }
        Ok(RawRows { values, containers })
    }

    /// Where the column of containers stands, if it is there.
    fn group_place(&self, names: &[&str]) -> Result<Option<usize>, Fault> {
        let group = &self.model.schema.group;
        let is_it = |place: &usize| names[*place] == group && !group.is_empty();
        let mut found = (0..names.len()).filter(is_it);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(twice(group)),
            (place, None) => Ok(place),
        }
    }

    /// Rows as lists of values in the model's own order.
    pub(super) fn arrays(&self, rows: &[Value]) -> Result<RawRows, Fault> {
        let columns: Vec<&str> = self.columns().iter().map(String::as_str).collect();
        self.split(&columns, rows)
    }

    /// Columns as lists of values, or one value each.
    pub(super) fn by_column(&self, columns: &Map<String, Value>) -> Result<RawRows, Fault> {
        let names: Vec<&str> = columns.keys().map(String::as_str).collect();
        // Of the first column of the model: others may be of any kind.
        let first = self.columns().first().and_then(|column| columns.get(column));
        let count = first.and_then(Value::as_array).map_or(1, Vec::len);
        self.check_count(count)?;
        let mut lists = Vec::with_capacity(self.columns().len());
        for column in self.columns() {
            let own = columns.get(column).ok_or_else(|| self.missing_column(column, &names))?;
            let list = if let Value::Array(list) = own { list } else { std::slice::from_ref(own) };
            if list.len() != count {
                let message = format!(
                    "column `{column}` has {} values, column `{}` has {count}",
                    list.len(),
                    self.columns()[0]
                );
                return Err(Fault::malformed(message).of_column(column));
            }
            lists.push((column, list));
        }
        let cells = (0..count).flat_map(|row| lists.iter().map(move |own| (row, own)));
        let values: Result<Vec<f64>, Fault> =
            cells.map(|(row, (column, list))| self.number(row, column, &list[row])).collect();
        let containers = match columns.get(&self.model.schema.group) {
            Some(Value::Array(names)) if names.len() == count => {
                names.iter().map(name_of).collect()
            }
            Some(Value::Array(names)) => {
                let group = &self.model.schema.group;
                let message =
                    format!("column `{group}` has {} values, expected {count}", names.len());
                return Err(Fault::malformed(message).of_column(group));
            }
            Some(name) if count == 1 => vec![name_of(name)],
            _ => Vec::new(),
        };
        Ok(RawRows { values: values?, containers })
    }

    /// Rows of a CSV with a line of column names.
    pub(super) fn csv(&self, text: &[u8]) -> Result<RawRows, Fault> {
        let wrong = |error: &csv::Error| Fault::malformed(format!("the CSV is broken: {error}"));
        if text.trim_ascii().is_empty() {
            return Err(Fault::malformed("the body is empty, expected a CSV with column names"));
        }
        let mut reader =
            csv::ReaderBuilder::new().delimiter(detect_delimiter(text)).from_reader(text);
        let header = reader.headers().map_err(|error| wrong(&error))?.clone();
        let names: Vec<&str> = header.iter().map(str::trim).collect();
        let places = self.places(&names)?;
        let group = self.group_place(&names)?;
        let (mut values, mut containers, mut count) = (Vec::new(), Vec::new(), 0);
        for record in reader.byte_records() {
            let record = record.map_err(|error| wrong(&error))?;
            for (column, place) in self.columns().iter().zip(&places) {
                values.push(self.cell(count, column, &record[*place])?);
            }
            containers.extend(
                group.map(|place| container_named(&String::from_utf8_lossy(&record[place]))),
            );
            count += 1;
            if count > self.most {
                break;
            }
        }
        self.check_count(count)?;
        Ok(RawRows { values, containers })
    }

    /// The number in a cell of a CSV.
    fn cell(&self, row: usize, column: &str, cell: &[u8]) -> Result<f64, Fault> {
        if is_missing(cell) {
            return self.number(row, column, &Value::Null);
        }
        parse_number(cell).ok_or_else(|| {
            let text = String::from_utf8_lossy(cell);
            not_a_number(column, row, &format!("the text `{}`", shortened(&text)))
        })
    }

    /// The number of a cell, in the rules of the model for missing values.
    pub(super) fn number(&self, row: usize, column: &str, cell: &Value) -> Result<f64, Fault> {
        match cell {
            Value::Number(number) => number
                .as_f64()
                .filter(|number| number.is_finite())
                .ok_or_else(|| not_a_number(column, row, "a number out of range")),
            Value::Null if self.model.missing != MissingCells::Refuse => Ok(f64::NAN),
            Value::Null => Err(not_a_number(column, row, "no value").hint(
                "this model was trained without missing values; one trained with `clean.missing` = \
                 \"median\" takes them",
            )),
            Value::String(text) => {
                Err(not_a_number(column, row, &format!("the text `{}`", shortened(text))))
            }
            other => Err(not_a_number(column, row, kind(other))),
        }
    }

    /// Where the model's columns stand among `names`.
    fn places(&self, names: &[&str]) -> Result<Vec<usize>, Fault> {
        let of = |column: &String| {
            let mut found = (0..names.len()).filter(|place| names[*place] == column);
            match (found.next(), found.next()) {
                (Some(place), None) => Ok(place),
                (None, _) => Err(self.missing_column(column, names)),
                (Some(_), Some(_)) => Err(twice(column)),
            }
        };
        self.columns().iter().map(of).collect()
    }

    fn list<'v>(
        &self,
        row: usize,
        cells: &'v Value,
        expected: usize,
    ) -> Result<&'v [Value], Fault> {
        let Value::Array(cells) = cells else {
            let message = format!("row {row} is {}, expected a list", kind(cells));
            return Err(Fault::malformed(message).at_row(row));
        };
        if cells.len() == expected {
            return Ok(cells);
        }
        let message = format!("row {row} has {} values, expected {expected}", cells.len());
        let order = format!("the model's columns are {}", self.columns().join(", "));
        Err(Fault::malformed(message).hint(shortened(&order)).at_row(row))
    }

    fn missing_column(&self, column: &str, names: &[&str]) -> Fault {
        let message = format!("column `{column}` is missing");
        let fault = Fault::new(StatusCode::BAD_REQUEST, "missing_column", message);
        let unknown = names.iter().copied().filter(|name| self.model.place(name).is_none());
        let fault = fault.of_column(column);
        match nearest(column, unknown) {
            Some(similar) => fault.hint(format!("is it `{similar}`?")),
            None => {
                fault.hint(shortened(&format!("the columns are {}", self.columns().join(", "))))
            }
        }
    }

    pub(super) fn check_count(&self, count: usize) -> Result<(), Fault> {
        if count == 0 {
            return Err(Fault::malformed("there is no row"));
        }
        if count <= self.most {
            return Ok(());
        }
        let message = format!("there are {count} rows or more, at most {} are allowed", self.most);
        let fault = Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_rows", message);
        Err(fault.hint("send them in several requests, or raise `serve.max_rows`"))
    }

    fn columns(&self) -> &'a [String] {
        self.model.columns()
    }
}

/// The JSON value of a body.
pub(super) fn json(body: &[u8]) -> Result<Value, Fault> {
    if body.is_empty() {
        return Err(Fault::malformed("the body is empty, expected JSON"));
    }
    unique_json::read(body).map_err(|error| {
        if error.is_data() {
            return Fault::malformed(format!("in the body, {error}"));
        }
        let fault = Fault::malformed(format!("the body is not JSON: {error}"));
        if body.starts_with(b"\xef\xbb\xbf") {
            return fault.hint("it begins with a byte order mark, which JSON must not have");
        }
        let text = String::from_utf8_lossy(body);
        if text.contains("NaN") || text.contains("Infinity") {
            return fault.hint("JSON has no NaN and no infinity; a missing value is `null`");
        }
        fault
    })
}

/// The name of a container: a text or a number.
pub(super) fn name_of(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => container_named(name),
        Value::Number(number) => Some(name_of_number(number)),
        _ => None,
    }
}

/// A whole number as tables write it, `7` also where a program sends `7.0`.
fn name_of_number(number: &serde_json::Number) -> String {
    let whole = number.as_f64().filter(|own| own.fract() == 0.0 && own.abs() < 1e15);
    whole.map_or_else(|| number.to_string(), |own| format!("{own:.0}"))
}

/// A container's name as tables and databases take it; `None` where nothing is left of it, or where it says that there
/// is none.
fn container_named(name: &str) -> Option<String> {
    let name: String = name.trim().chars().filter(|own| !own.is_control()).collect();
    (!is_missing(name.as_bytes())).then_some(name)
}

/// What a JSON value is called.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn twice(column: &str) -> Fault {
    Fault::malformed(format!("column `{column}` is there more than once")).of_column(column)
}

fn not_a_number(column: &str, row: usize, found: &str) -> Fault {
    let message = format!("column `{column}` of row {row} holds {found}, expected a number");
    Fault::new(StatusCode::BAD_REQUEST, "not_a_number", message).at(row, column)
}

/// What a message shows of a text that somebody sent.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 200;
    let mut short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
