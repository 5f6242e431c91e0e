//! A table of named columns, read row by row or block by block, with errors that say where.

mod cell;
mod delimited;
mod header;
mod parquet_column;
mod parquet_table;
mod row;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::{DataError, sha256_file};
use delimited::{DelimitedFile, Lines};
use header::{check_names, header_of_text};
use parquet_table::{ParquetTable, Parts};

pub use cell::{Cell, is_missing, parse_number};
pub(crate) use delimited::detect_delimiter;
pub use row::Row;
pub(super) use row::bad_number;

/// So many that threads wait little for the last.
const BLOCKS_FOR_EACH_THREAD: usize = 8;

/// A table with a header: delimited text, or Parquet.
pub struct Table {
    path: PathBuf,
    header: Vec<String>,
    source: Source,
    /// Of a file; 0 where that is not known.
    bytes: u64,
}

enum Source {
    Text(Box<DelimitedFile>),
    Parquet(ParquetTable),
}

/// Some rows that follow each other, as they are in the file: reading their cells is most of the work, and blocks can
/// be read side by side.
pub struct Block(Content);

enum Content {
    Lines(Lines),
    Parts(Parts),
}

impl Table {
    /// Opens the table in the file at `path`, or behind a pipe.
    ///
    /// # Errors
    /// When it cannot be read or does not begin with a header.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let failed = |source| DataError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        let (kind, bytes) = (about.file_type(), about.len());
        if kind.is_dir() {
            let hint = "it is a folder, expected a CSV or Parquet file";
            return Err(failed(io::Error::other(hint)));
        }
        if kind.is_file() && ParquetTable::is_one(&file).map_err(failed)? {
            let table = ParquetTable::open(path, file)?;
            let header = table.header();
            check_names(&path.display().to_string(), &header)?;
            let source = Source::Parquet(table);
            return Ok(Self { path: path.to_owned(), header, source, bytes });
        }
        Ok(Self { bytes, ..Self::of_text(path, file)? })
    }

    /// The table of delimited text in `input`; `path` is what errors call it.
    ///
    /// # Errors
    /// When it cannot be read or does not begin with a header.
    pub fn of_text(path: &Path, input: impl Read + Send + 'static) -> Result<Self, DataError> {
        let (file, record) = DelimitedFile::open(path, Box::new(input))?;
        let header = header_of_text(path, &record)?;
        let source = Source::Text(Box::new(file));
        Ok(Self { path: path.to_owned(), header, source, bytes: 0 })
    }

    /// The column names.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// What errors call this table.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// About how many rows there are, as far as that can be told before they are read; 0 for a pipe.
    #[must_use]
    pub fn expected_rows(&self) -> usize {
        match &self.source {
            Source::Text(file) => file.expected_rows(self.bytes),
            Source::Parquet(table) => table.rows(),
        }
    }

    /// The next blocks, some for each thread that reads them; none at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_blocks(&mut self) -> Result<Vec<Block>, DataError> {
        let mut blocks = Vec::new();
        while blocks.len() < BLOCKS_FOR_EACH_THREAD * rayon::current_num_threads() {
            let Some(content) = self.source.next()? else { break };
            blocks.push(Block(content));
        }
        Ok(blocks)
    }

    /// Reads all that is left, blocks side by side by `read`, and hands what that made of them to `take` in order, while
    /// the next are read.
    ///
    /// # Errors
    /// The first in the table's order: of the file, of `read` or of `take`.
    pub fn read_blocks<T: Send, E: From<DataError> + Send>(
        &mut self,
        read: impl Fn(&Block) -> Result<T, E> + Sync,
        mut take: impl FnMut(T) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let mut blocks = self.next_blocks()?;
        let mut parts = Vec::new();
        while !blocks.is_empty() || !parts.is_empty() {
            let one_by_one = blocks.par_iter().with_max_len(1);
            let all = || one_by_one.map(&read).collect::<Vec<Result<T, E>>>();
            let before = || {
                parts.into_iter().try_for_each(|part: Result<T, E>| take(part?))?;
                Ok::<_, E>(self.next_blocks()?)
            };
            let (own, next) = rayon::join(all, before);
            (parts, blocks) = (own, next?);
        }
        Ok(())
    }

    /// Looks at each row in turn.
    ///
    /// # Errors
    /// That of `look`, or when the table cannot be read.
    pub fn rows(
        &mut self,
        mut look: impl FnMut(Row<'_>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        while let Some(content) = self.source.next()? {
            Block(content).rows(&mut look)?;
        }
        Ok(())
    }

    /// Reads what is left and returns the SHA-256 of the whole file.
    ///
    /// # Errors
    /// When the rest cannot be read.
    pub fn finish(self) -> Result<String, DataError> {
        let sha256 = match self.source {
            Source::Text(file) => file.finish(),
            Source::Parquet(_) => sha256_file(&self.path),
        };
        sha256.map_err(|source| DataError::Read { path: self.path, source })
    }
}

impl Source {
    fn next(&mut self) -> Result<Option<Content>, DataError> {
        Ok(match self {
            Self::Text(file) => file.next()?.map(Content::Lines),
            Self::Parquet(table) => table.next()?.map(Content::Parts),
        })
    }
}

impl Block {
    /// The most rows that there are.
    #[must_use]
    pub fn most_rows(&self) -> usize {
        match &self.0 {
            Content::Lines(lines) => lines.most_rows(),
            Content::Parts(parts) => parts.len(),
        }
    }

    /// Looks at each row in turn.
    ///
    /// # Errors
    /// That of `look`, or when a row has not one cell per column.
    pub fn rows(
        &self,
        look: impl FnMut(Row<'_>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        match &self.0 {
            Content::Lines(lines) => lines.rows(look),
            Content::Parts(parts) => parts.rows(look),
        }
    }
}
