//! The log as Parquet: what data frames read with its types.

use std::{io::Write, sync::Arc};

use anyhow::Result;
use parquet::{
    basic::{LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{Type, TypePtr},
};

use crate::monitor::LoggedRow;

use super::{Columns, FACTS, Sink};

/// Writes rows as Parquet, those that come together as a row group.
pub(super) struct ParquetFile<W: Write + Send> {
    writer: SerializedFileWriter<W>,
}

impl<W: Write + Send> ParquetFile<W> {
    pub(super) fn begin(output: W, columns: &Columns) -> Result<Self> {
        let properties = Arc::new(WriterProperties::builder().build());
        Ok(Self { writer: SerializedFileWriter::new(output, schema(columns)?, properties)? })
    }
}

/// The type of each fact, in the order of [`FACTS`], and then of each input.
fn schema(columns: &Columns) -> Result<TypePtr> {
    use Physical::{BOOLEAN, BYTE_ARRAY, DOUBLE, INT64};
    let time = LogicalType::timestamp(true, TimeUnit::MILLIS);
    let kinds = [
        (INT64, Some(time)),
        (BYTE_ARRAY, Some(LogicalType::String)),
        (INT64, None),
        (BYTE_ARRAY, Some(LogicalType::String)),
        (BYTE_ARRAY, Some(LogicalType::String)),
        (DOUBLE, None),
        (DOUBLE, None),
        (DOUBLE, None),
        (BOOLEAN, None),
        (BYTE_ARRAY, Some(LogicalType::String)),
        (DOUBLE, None),
        (INT64, None),
    ];
    let field = |name: &str, (physical, logical): (Physical, Option<LogicalType>)| {
        let may_lack = name == "container" || name == "truth" || !FACTS.contains(&name);
        let repetition = if may_lack { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let field = Type::primitive_type_builder(name, physical);
        field.with_repetition(repetition).with_logical_type(logical).build().map(Arc::new)
    };
    let facts = FACTS.into_iter().zip(kinds).map(|(name, kind)| field(name, kind));
    let inputs = columns.names().iter().map(|name| field(name, (DOUBLE, None)));
    let fields: Vec<TypePtr> = facts.chain(inputs).collect::<Result<_, _>>()?;
    Ok(Arc::new(Type::group_type_builder("log").with_fields(fields).build()?))
}

impl<W: Write + Send> Sink for ParquetFile<W> {
    fn add(&mut self, rows: &[LoggedRow], columns: &Columns) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        let text = |own: &str| Some(ByteArray::from(own));
        let number = |own: f64| Some(own).filter(|own| !own.is_nan());
        put::<Int64Type>(&mut group, rows.iter().map(|row| Some(row.time)))?;
        put::<ByteArrayType>(&mut group, rows.iter().map(|row| text(&row.request_id)))?;
        put::<Int64Type>(&mut group, rows.iter().map(|row| Some(row.position)))?;
        put::<ByteArrayType>(&mut group, rows.iter().map(|row| text(&row.model)))?;
        let container = |row: &LoggedRow| row.container.as_deref().and_then(text);
        put::<ByteArrayType>(&mut group, rows.iter().map(container))?;
        put::<DoubleType>(&mut group, rows.iter().map(|row| Some(row.prediction)))?;
        put::<DoubleType>(&mut group, rows.iter().map(|row| Some(row.lower)))?;
        put::<DoubleType>(&mut group, rows.iter().map(|row| Some(row.upper)))?;
        put::<BoolType>(&mut group, rows.iter().map(|row| Some(row.out_of_domain)))?;
        put::<ByteArrayType>(&mut group, rows.iter().map(|row| text(&row.columns_at_fault)))?;
        put::<DoubleType>(&mut group, rows.iter().map(|row| row.truth))?;
        put::<Int64Type>(&mut group, rows.iter().map(|row| Some(row.id)))?;
        for place in 0..columns.names().len() {
            let input = |row| number(columns.input(row, place));
            put::<DoubleType>(&mut group, rows.iter().map(input))?;
        }
        group.close()?;
        Ok(())
    }

    fn end(self: Box<Self>) -> Result<()> {
        self.writer.close()?;
        Ok(())
    }
}

/// Writes the next column of a row group; where a value may be lacking its place is kept by a level of 0.
fn put<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<()> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    let values: Vec<Option<T::T>> = values.collect();
    let levels: Vec<i16> = values.iter().map(|own| i16::from(own.is_some())).collect();
    let known: Vec<T::T> = values.into_iter().flatten().collect();
    // Where a value is required there are no levels, and the writer does not look at them.
    column.typed::<T>().write_batch(&known, Some(&levels), None)?;
    Ok(column.close()?)
}
