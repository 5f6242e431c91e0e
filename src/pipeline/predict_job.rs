//! Predictions for a table of any size, block by block.

use std::{
    fs::File,
    io::{self, Seek, Write},
    path::Path,
    sync::mpsc::sync_channel,
    thread,
};

use anyhow::{Context, Result};
use csv::{ByteRecord, Writer};
use rayon::prelude::*;
use tempfile::NamedTempFile;

use crate::{
    data::{DataError, MissingCells, TableFile, is_missing, nearest, parse_number},
    model::{Backend, BackendKind, Prediction, Predictor},
    train::Checkpoint,
};

/// Columns of the answer; one of the input with such a name is passed through as `input.NAME`.
const ANSWERS: [&str; 5] = ["prediction", "lower", "upper", "out_of_domain", "columns_at_fault"];

/// Rows that are predicted at once.
const BLOCK_ROWS: usize = 4096;

/// Blocks that are read before the present one is predicted.
const BLOCKS_AHEAD: usize = 2;

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
    let spooled = spool(input)?;
    let file = spooled.as_ref().map_or(input, |spooled| spooled.path());
    let table = TableFile::open_named(file, input)?;
    let columns = InputColumns::find(&checkpoint, &table)?;
    let predictor = checkpoint.predictor(&Backend::select(backend)?);
    let cannot = "cannot write the predictions";
    let mut answers = tempfile::tempfile().context(cannot)?;
    write_all(&predictor, &columns, table, &mut Writer::from_writer(&mut answers))?;
    answers.rewind().context(cannot)?;
    io::copy(&mut answers, output).context(cannot)?;
    output.flush().context(cannot)
}

/// A copy of an input that can be read only once: `-` for standard input, or a pipe.
fn spool(input: &Path) -> Result<Option<NamedTempFile>> {
    let is_standard_input = input == Path::new("-");
    if !is_standard_input && (input.is_file() || input.is_dir() || !input.exists()) {
        return Ok(None);
    }
    let cannot = || format!("cannot read {}", input.display());
    let mut copy = NamedTempFile::new().with_context(cannot)?;
    if is_standard_input {
        io::copy(&mut io::stdin().lock(), &mut copy).with_context(cannot)?;
    } else {
        io::copy(&mut File::open(input).with_context(cannot)?, &mut copy).with_context(cannot)?;
    }
    Ok(Some(copy))
}

/// Writes all answers; the next rows are read while some are predicted.
fn write_all(
    predictor: &Predictor,
    columns: &InputColumns,
    mut table: TableFile,
    writer: &mut Writer<&mut File>,
) -> Result<()> {
    let id = |index: &usize| {
        let name = table.header()[*index].as_str();
        if ANSWERS.contains(&name) { format!("input.{name}") } else { name.to_owned() }
    };
    let ids = columns.ids.iter().map(id);
    writer.write_record(ids.chain(ANSWERS.map(str::to_owned)))?;
    let (sender, blocks) = sync_channel(BLOCKS_AHEAD);
    thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                let block = columns.block(&mut table);
                let is_last = block.as_ref().map_or(true, |(ids, _)| ids.is_empty());
                if sender.send(block).is_err() || is_last {
                    return;
                }
            }
        });
        for block in blocks {
            let (ids, numbers) = block?;
            let predictions = predictor.predict(&numbers);
            let own = |(ids, prediction)| answer(ids, prediction, predictor.columns());
            let answers: Vec<ByteRecord> = ids.into_par_iter().zip(&predictions).map(own).collect();
            for answer in answers {
                writer.write_byte_record(&answer)?;
            }
        }
        writer.flush().context("cannot write the predictions")
    })
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

/// Which columns of the input are features, in the model's order, and which are passed through.
struct InputColumns {
    features: Vec<usize>,
    ids: Vec<usize>,
    missing: MissingCells,
}

impl InputColumns {
    fn find(checkpoint: &Checkpoint, table: &TableFile) -> Result<Self, DataError> {
        let (schema, header) = (&checkpoint.manifest.schema, table.header());
        let find = |name: &String| {
            header.iter().position(|column| column == name).ok_or_else(|| {
                let similar = nearest(name, header.iter().map(String::as_str));
                let hint = similar.map_or_else(
                    || format!("the model needs {}", schema.features.join(", ")),
                    |similar| format!("did you mean `{similar}`?"),
                );
                let place = format!("{}:1", table.path().display());
                let found = format!("there is no column `{name}`");
                DataError::malformed(place, found, "every feature of the model", hint)
            })
        };
        let features: Vec<usize> = schema.features.iter().map(find).collect::<Result<_, _>>()?;
        let is_id = |index: &usize| !features.contains(index) && header[*index] != schema.target;
        let ids = (0..header.len()).filter(is_id).collect();
        Ok(Self { ids, features, missing: checkpoint.missing_cells() })
    }

    /// Appends the features of a row to `numbers`, or says which column holds no number.
    fn numbers(&self, record: &ByteRecord, numbers: &mut Vec<f64>) -> Result<(), usize> {
        for &column in &self.features {
            let cell = &record[column];
            let keeps = self.missing != MissingCells::Refuse && is_missing(cell);
            numbers.push(if keeps { f64::NAN } else { parse_number(cell).ok_or(column)? });
        }
        Ok(())
    }

    /// The next rows: their passed-through cells and their features, row-major.
    fn block(&self, table: &mut TableFile) -> Result<(Vec<ByteRecord>, Vec<f64>), DataError> {
        let mut ids = Vec::new();
        let mut numbers = Vec::new();
        while ids.len() < BLOCK_ROWS {
            let Some((line, record)) = table.next_row()? else { break };
            if let Err(column) = self.numbers(record, &mut numbers) {
                let cell = record[column].to_vec();
                let hint =
                    "fill the cell, or use a model trained with `clean.missing` = \"median\"";
                return Err(table.bad_number(line, column, &cell, hint));
            }
            ids.push(self.ids.iter().map(|index| &record[*index]).collect());
        }
        Ok((ids, numbers))
    }
}
