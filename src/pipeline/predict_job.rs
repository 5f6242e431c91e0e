//! Predictions for a table of any size, block by block.

use std::{
    fs::File,
    io::{self, Seek, Write},
    path::Path,
};

use anyhow::{Context, Result};
use csv::{ByteRecord, Writer};
use rayon::prelude::*;

use crate::{
    data::{Block, DataError, MissingCells, Row, Table, in_backticks, nearest},
    model::{Backend, BackendKind, Prediction, Predictor},
    train::{Checkpoint, Schema},
};

/// Columns of the answer; one of the input with such a name is passed through as `input.NAME`.
const ANSWERS: [&str; 5] = ["prediction", "lower", "upper", "out_of_domain", "columns_at_fault"];

/// Writes a prediction for every row of the table at `input`: its columns that are neither
/// features nor the target, then `prediction`, `lower`, `upper`, `out_of_domain` and
/// `columns_at_fault`.
///
/// Nothing is written before the last row was read, answers wait in a temporary file: a bad cell in the last row leaves
/// no half of an answer behind.
///
/// # Errors
/// When the checkpoint or the table is refused, or the output cannot be written.
pub fn predict(
    checkpoint: &Path,
    input: &Path,
    backend: BackendKind,
    output: &mut dyn Write,
) -> Result<()> {
    let checkpoint = Checkpoint::read(checkpoint)?;
    let table = if input == Path::new("-") {
        Table::of_text(input, io::stdin())?
    } else {
        Table::open(input)?
    };
    let columns = InputColumns::find(&checkpoint, &table)?;
    let predictor = checkpoint.predictor(&Backend::select(backend)?);
    let cannot = "cannot write the predictions";
    let mut answers = tempfile::tempfile().context(cannot)?;
    write_all(&predictor, &columns, table, &mut Writer::from_writer(&mut answers))?;
    answers.rewind().context(cannot)?;
    io::copy(&mut answers, output).context(cannot)?;
    output.flush().context(cannot)
}

/// Writes all answers; the next rows are read while some are predicted.
fn write_all(
    predictor: &Predictor,
    columns: &InputColumns,
    mut table: Table,
    writer: &mut Writer<&mut File>,
) -> Result<()> {
    let id = |index: &usize| {
        let name = table.header()[*index].as_str();
        if ANSWERS.contains(&name) { format!("input.{name}") } else { name.to_owned() }
    };
    let ids = columns.ids.iter().map(id);
    writer.write_record(ids.chain(ANSWERS.map(str::to_owned)))?;
    let read = |block: &Block| Ok(columns.read(block)?);
    table.read_blocks(read, |(ids, numbers)| {
        let predictions = predictor.predict(&numbers);
        let own = |(ids, prediction)| answer(ids, prediction, predictor.columns());
        let answers: Vec<ByteRecord> = ids.into_par_iter().zip(&predictions).map(own).collect();
        for answer in answers {
            writer.write_byte_record(&answer)?;
        }
        anyhow::Ok(())
    })?;
    writer.flush().context("cannot write the predictions")
}

/// A line of the answer; starts with `record`, the cells that are passed through.
fn answer(mut record: ByteRecord, prediction: &Prediction, names: &[String]) -> ByteRecord {
    for number in [prediction.value, prediction.lower, prediction.upper] {
        record.push_field(number.to_string().as_bytes());
    }
    record.push_field(prediction.is_out_of_domain().to_string().as_bytes());
    let at_fault: Vec<&str> =
        prediction.columns_at_fault.iter().map(|column| names[*column].as_str()).collect();
    record.push_field(at_fault.join(" ").as_bytes());
    record
}

/// Where a column that the model needs stands in the table; one that it needs elsewhere is not what was meant.
pub(super) fn place_of(name: &str, schema: &Schema, table: &Table) -> Result<usize, DataError> {
    let header = table.header();
    header.iter().position(|column| column == name).ok_or_else(|| {
        let is_free =
            |column: &&String| !schema.features.contains(*column) && **column != schema.target;
        let hint = match nearest(name, header.iter().filter(is_free).map(String::as_str)) {
            Some(similar) => format!("is it `{similar}`? Rename it"),
            None => format!("the model needs {}", in_backticks(&schema.features)),
        };
        let place = format!("{}:1", table.path().display());
        let found = format!("there is no column `{name}`");
        DataError::malformed(place, found, "every column of the model", hint)
    })
}

/// Which columns of the input are features, in the model's order, and which are passed through.
struct InputColumns {
    features: Vec<usize>,
    names: Vec<String>,
    ids: Vec<usize>,
    missing: MissingCells,
}

impl InputColumns {
    fn find(checkpoint: &Checkpoint, table: &Table) -> Result<Self, DataError> {
        let (schema, header) = (&checkpoint.manifest.schema, table.header());
        let find = |name: &String| place_of(name, schema, table);
        let features: Vec<usize> = schema.features.iter().map(find).collect::<Result<_, _>>()?;
        let is_id = |index: &usize| !features.contains(index) && header[*index] != schema.target;
        let ids = (0..header.len()).filter(is_id).collect();
        let (names, missing) = (schema.features.clone(), checkpoint.missing_cells());
        Ok(Self { features, names, ids, missing })
    }

    /// The rows of a block: their passed-through cells and their features, row-major.
    fn read(&self, block: &Block) -> Result<(Vec<ByteRecord>, Vec<f64>), DataError> {
        let rows = block.most_rows();
        let mut ids = Vec::with_capacity(rows);
        let mut numbers = Vec::with_capacity(rows * self.features.len());
        block.rows(|row| {
            for (&column, name) in self.features.iter().zip(&self.names) {
                numbers.push(self.number(row, column, name)?);
            }
            ids.push(self.ids.iter().map(|column| row.cell(*column).text()).collect());
            Ok(())
        })?;
        Ok((ids, numbers))
    }

    fn number(&self, row: Row<'_>, column: usize, name: &str) -> Result<f64, DataError> {
        let cell = row.cell(column);
        let keeps = || self.missing != MissingCells::Refuse && cell.is_missing();
        cell.number().or_else(|| keeps().then_some(f64::NAN)).ok_or_else(|| {
            let hint = "fill the cell, or use a model trained with `clean.missing` = \"median\"";
            row.bad_number(column, name, [hint, "write every value as a finite number"])
        })
    }
}
