//! The log as CSV.

use std::io::Write;

use anyhow::Result;

use crate::monitor::LoggedRow;

use super::{Columns, FACTS, Sink};

/// Writes rows as CSV.
pub(super) struct CsvFile<W: Write> {
    table: csv::Writer<W>,
}

impl<W: Write> CsvFile<W> {
    pub(super) fn begin(output: W, columns: &Columns) -> Result<Self> {
        let mut table = csv::Writer::from_writer(output);
        let inputs = columns.names().iter().map(String::as_str);
        table.write_record(FACTS.into_iter().chain(inputs))?;
        Ok(Self { table })
    }
}

impl<W: Write> Sink for CsvFile<W> {
    fn add(&mut self, rows: &[LoggedRow], columns: &Columns) -> Result<()> {
        rows.iter().try_for_each(|row| Ok(self.table.write_record(record(row, columns))?))
    }

    fn end(mut self: Box<Self>) -> Result<()> {
        Ok(self.table.flush()?)
    }
}

fn record(row: &LoggedRow, columns: &Columns) -> Vec<String> {
    let time = jiff::Timestamp::from_millisecond(row.time)
        .map_or_else(|_| String::new(), |own| own.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string());
    let number = |own: f64| if own.is_nan() { String::new() } else { own.to_string() };
    let mut cells = vec![
        time,
        row.request_id.clone(),
        row.position.to_string(),
        row.model.clone(),
        row.container.clone().unwrap_or_default(),
        row.prediction.to_string(),
        row.lower.to_string(),
        row.upper.to_string(),
        row.out_of_domain.to_string(),
        row.columns_at_fault.clone(),
        row.truth.map_or_else(String::new, number),
        row.id.to_string(),
    ];
    cells.extend(columns.inputs(row).map(number));
    cells
}
