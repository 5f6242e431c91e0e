//! The log of predictions as a table for others.

mod csv_file;
mod parquet_file;

use std::{collections::HashMap, io::Write};

use anyhow::Result;
use tokio::runtime::Builder;

use crate::monitor::{LogQuery, LogStore, LoggedModel, LoggedRow};

use super::{Params, monitor_job::log_of};
use csv_file::CsvFile;
use parquet_file::ParquetFile;

/// Rows that are read at once.
const PART: i64 = 20_000;

/// What is written of every row, before its inputs.
const FACTS: [&str; 12] = [
    "time",
    "request_id",
    "position",
    "model",
    "container",
    "prediction",
    "lower",
    "upper",
    "out_of_domain",
    "columns_at_fault",
    "truth",
    "id",
];

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text, with commas.
    Csv,
    /// Parquet.
    Parquet,
}

/// Takes rows and writes them down.
trait Sink {
    fn add(&mut self, rows: &[LoggedRow], columns: &Columns) -> Result<()>;
    fn end(self: Box<Self>) -> Result<()>;
}

/// Writes served rows: those of a version of a model, where one is named, from `since` (milliseconds since 1970) on.
/// Inputs of models with other columns stand in columns of their own. Returns how many rows there are.
///
/// # Errors
/// When the log cannot be read or the output cannot be written.
pub fn export_log(
    params: &Params,
    (model, since): (Option<String>, i64),
    (output, format): (&mut (dyn Write + Send), LogFormat),
) -> Result<usize> {
    let log = log_of(params)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = LogStore::open_existing(&log.url).await?;
        let columns = Columns::of(store.models().await?, model.as_deref());
        let mut sink: Box<dyn Sink + '_> = match format {
            LogFormat::Csv => Box::new(CsvFile::begin(output, &columns)?),
            LogFormat::Parquet => Box::new(ParquetFile::begin(output, &columns)?),
        };
        let mut query = LogQuery { model, since, most: Some(PART), ..LogQuery::default() };
        let mut count = 0;
        loop {
            let rows = store.rows(&query).await?;
            sink.add(&rows, &columns)?;
            count += rows.len();
            match rows.last() {
                Some(last) if rows.len() as i64 == PART => query.after = last.id,
                _ => break,
            }
        }
        sink.end()?;
        store.close().await;
        Ok(count)
    })
}

/// The input columns of all models of a log.
struct Columns {
    names: Vec<String>,
    /// By version of a model: where the value of each column stands among its inputs.
    places: HashMap<String, Vec<Option<usize>>>,
}

impl Columns {
    /// Those of `models`, or of the one named `only`. An input with the name of a fact stands as `input.NAME`.
    fn of(models: Vec<LoggedModel>, only: Option<&str>) -> Self {
        let mut names: Vec<String> = Vec::new();
        let shown = models.iter().filter(|own| only.is_none_or(|only| only == own.version));
        for name in shown.flat_map(|own| &own.columns) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let of_model = |own: LoggedModel| {
            let place = |name: &String| own.columns.iter().position(|column| column == name);
            let places = names.iter().map(place).collect();
            (own.version, places)
        };
        let places = models.into_iter().map(of_model).collect();
        let shown = |name: String| {
            if FACTS.contains(&name.as_str()) { format!("input.{name}") } else { name }
        };
        Self { places, names: names.into_iter().map(shown).collect() }
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    /// The value of a row in a column; `NaN` where there is none.
    fn input(&self, row: &LoggedRow, column: usize) -> f64 {
        let place = self.places.get(&row.model).and_then(|places| places[column]);
        place.and_then(|place| row.inputs.get(place).copied()).unwrap_or(f64::NAN)
    }

    fn inputs<'a>(&'a self, row: &'a LoggedRow) -> impl Iterator<Item = f64> + 'a {
        (0..self.names.len()).map(|column| self.input(row, column))
    }
}
