//! A Parquet file of flat columns, read by parts of a few thousand rows.

use std::{
    fs::File,
    io::{self, Read, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use parquet::{
    column::reader::ColumnReader,
    errors::{ParquetError, Result as ParquetResult},
    file::reader::{FileReader, SerializedFileReader},
};

use super::{super::DataError, parquet_column::ColumnPart, row::Row};

/// Rows of a part.
const PART_ROWS: usize = 1024;

/// A file that is being read.
pub(super) struct ParquetTable {
    path: PathBuf,
    file: SerializedFileReader<File>,
    /// Columns of the file that are columns of the table.
    columns: Vec<usize>,
    next_group: usize,
    readers: Vec<ColumnReader>,
    /// Rows that the present group has left.
    left: usize,
    next_row: u64,
}

/// Parts of all columns that stand side by side.
pub(super) struct Parts {
    path: PathBuf,
    columns: Vec<ColumnPart>,
    /// The number of their first row.
    first: u64,
}

impl Parts {
    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.columns.first().map_or(0, ColumnPart::len)
    }

    /// Looks at each row in turn.
    ///
    /// # Errors
    /// That of `look`.
    pub(super) fn rows(
        &self,
        mut look: impl FnMut(Row<'_>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        (0..self.len())
            .try_for_each(|row| look(Row::place_in(&self.path, &self.columns, row, self.first)))
    }
}

impl ParquetTable {
    /// Whether a file is one, by its first bytes.
    pub(super) fn is_one(mut file: &File) -> io::Result<bool> {
        let mut first = Vec::new();
        file.take(4).read_to_end(&mut first)?;
        file.rewind()?;
        Ok(first == b"PAR1")
    }

    pub(super) fn open(path: &Path, file: File) -> Result<Self, DataError> {
        let file = guarded(|| SerializedFileReader::new(file));
        let file = file.map_err(|error| refused(path, &error))?;
        let schema = file.metadata().file_metadata().schema_descr_ptr();
        for column in schema.columns() {
            if column.path().parts().len() > 1 || column.max_rep_level() > 0 {
                return Err(DataError::malformed(
                    path.display().to_string(),
                    format!("column `{}` holds lists or records", column.path().string()),
                    "numbers, text or dates in every column",
                    "leave the column out, or write its parts as columns of their own",
                ));
            }
        }
        let is_kept = |column: &usize| !is_index(schema.column(*column).name());
        let columns = (0..schema.num_columns()).filter(is_kept).collect();
        let (path, readers) = (path.to_owned(), Vec::new());
        Ok(Self { path, file, columns, next_group: 0, readers, left: 0, next_row: 1 })
    }

    pub(super) fn header(&self) -> Vec<String> {
        let schema = self.file.metadata().file_metadata().schema_descr();
        self.columns.iter().map(|column| schema.column(*column).name().to_owned()).collect()
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.file.metadata().file_metadata().num_rows().max(0) as usize
    }

    /// The next part of every column, or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Parts>, DataError> {
        guarded(|| self.next_part()).map_err(|error| refused(&self.path, &error))
    }

    fn next_part(&mut self) -> ParquetResult<Option<Parts>> {
        while self.left == 0 {
            if self.next_group == self.file.num_row_groups() {
                return Ok(None);
            }
            self.open_group()?;
        }
        let rows = self.left.min(PART_ROWS);
        let schema = self.file.metadata().file_metadata().schema_descr();
        let columns = self.columns.iter().map(|column| schema.column(*column));
        let parts = self.readers.iter_mut().zip(columns);
        let parts = parts.map(|(reader, column)| ColumnPart::read(reader, &column, rows));
        let parts = parts.collect::<ParquetResult<_>>()?;
        let first = self.next_row;
        self.next_row += rows as u64;
        self.left -= rows;
        Ok(Some(Parts { path: self.path.clone(), columns: parts, first }))
    }

    fn open_group(&mut self) -> ParquetResult<()> {
        let group = self.file.get_row_group(self.next_group)?;
        let readers = self.columns.iter().map(|column| group.get_column_reader(*column));
        let readers = readers.collect::<ParquetResult<_>>()?;
        self.left = group.metadata().num_rows() as usize;
        self.readers = readers;
        self.next_group += 1;
        Ok(())
    }
}

/// What the library says, also where it takes a broken file's word for granted and panics.
fn guarded<T>(work: impl FnOnce() -> ParquetResult<T>) -> ParquetResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(ParquetError::General("its parts contradict each other".to_owned()))
    })
}

/// Whether a column is the index of a pandas data frame, which numbers or names its rows.
fn is_index(name: &str) -> bool {
    name.starts_with("__index_level_") && name.ends_with("__")
}

fn refused(path: &Path, error: &ParquetError) -> DataError {
    let (found, hint) = match error {
        ParquetError::General(text) if text.contains("feature") => (
            format!("it is compressed in a way that is not known here ({text})"),
            "write it with the compression `snappy`, `zstd`, `gzip` or none",
        ),
        error => {
            (format!("it cannot be read ({error})"), "the file may be cut off: write it again")
        }
    };
    DataError::malformed(path.display().to_string(), found, "a Parquet file", hint)
}
