//! A delimited text file, read row by row, with errors that say where.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use csv::ByteRecord;

use super::{DataError, HashingReader};

/// Reads a table with a header; the delimiter (`,`, `;` or tab) is taken from the header line.
pub struct TableReader<R: Read> {
    path: PathBuf,
    header: Vec<String>,
    reader: csv::Reader<R>,
    record: ByteRecord,
}

/// A file on disk, hashed while it is read.
pub type TableFile = TableReader<BufReader<HashingReader<File>>>;

impl TableFile {
    /// Opens the table in the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read or its first line is not a header.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        Self::open_named(path, path)
    }

    /// Opens the table in the file at `path`, which errors call `name`.
    ///
    /// # Errors
    /// When the file cannot be read or its first line is not a header.
    pub fn open_named(path: &Path, name: &Path) -> Result<Self, DataError> {
        let failed = |source| DataError::Read { path: name.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(failed(io::Error::other("it is a folder, expected a CSV file")));
        }
        Self::new(name, BufReader::with_capacity(1 << 18, HashingReader::new(file)))
    }

    /// Reads what is left and returns the SHA-256 of the whole file.
    ///
    /// # Errors
    /// When the rest cannot be read.
    pub fn finish(self) -> Result<String, DataError> {
        let path = self.path;
        let hashing = self.reader.into_inner().into_inner();
        hashing.finish().map_err(|source| DataError::Read { path, source })
    }
}

impl<R: BufRead> TableReader<R> {
    /// Starts reading the table in `input`; `path` is what errors call it.
    ///
    /// # Errors
    /// When the first line cannot be read or is not a header.
    pub fn new(path: &Path, mut input: R) -> Result<Self, DataError> {
        let failed = |source| DataError::Read { path: path.to_owned(), source };
        let first = input.fill_buf().map_err(failed)?;
        refuse_other_encodings(path, first)?;
        let delimiter = detect_delimiter(first);
        if first.starts_with(BYTE_ORDER_MARK) {
            input.consume(BYTE_ORDER_MARK.len());
        }
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(input);
        let record = reader.byte_headers().map_err(|error| csv_error(path, error))?.clone();
        let header = check_header(path, &record)?;
        Ok(Self { path: path.to_owned(), header, reader, record })
    }
}

impl<R: Read> TableReader<R> {
    /// The column names.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// What errors call this table.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next row and its line in the file, or `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read or the row has not one cell per column.
    pub fn next_row(&mut self) -> Result<Option<(u64, &ByteRecord)>, DataError> {
        let read = self.reader.read_byte_record(&mut self.record);
        if !read.map_err(|error| csv_error(&self.path, error))? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        if self.record.as_slice().contains(&b'\n') {
            return Err(DataError::malformed(
                format!("{}:{line}", self.path.display()),
                "a cell goes on in the next line",
                "one line per row",
                "look for an unclosed quote",
            ));
        }
        if self.record.len() == self.header.len() {
            return Ok(Some((line, &self.record)));
        }
        Err(DataError::malformed(
            format!("{}:{line}", self.path.display()),
            format!("the row has {} cells", self.record.len()),
            format!("{}, one per column of the header", self.header.len()),
            "look for a missing or extra delimiter, or an unclosed quote",
        ))
    }

    /// The error for a cell that is not a finite number; `if_missing` is the hint where it is empty.
    pub fn bad_number(&self, line: u64, column: usize, cell: &[u8], if_missing: &str) -> DataError {
        let place = format!("{}:{line}", self.path.display());
        bad_number(place, &self.header[column], cell, if_missing)
    }
}

/// The error for a cell of `column` that is not a finite number; `if_missing` is the hint where it is
/// empty or stands for no value.
pub(super) fn bad_number(place: String, column: &str, cell: &[u8], if_missing: &str) -> DataError {
    let text = String::from_utf8_lossy(cell);
    let shown: String = text.chars().take(40).collect();
    let hint = if is_missing(cell) {
        if_missing.to_owned()
    } else if text.contains(',') {
        format!("decimals use a point, e.g. `{}`", shown.trim().replace(',', "."))
    } else {
        "write every value of the column as a finite number, or leave the cell empty".to_owned()
    };
    let found = if text.trim().is_empty() {
        format!("column `{column}` is empty")
    } else {
        format!("column `{column}` holds `{shown}`")
    };
    DataError::malformed(place, found, "a number", hint)
}

/// The finite number in a cell, spaces around it ignored.
#[must_use]
pub fn parse_number(cell: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(cell).ok()?;
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Whether a cell stands for no value: empty, or `NA`, `N/A`, `NaN`, `null` in any case.
#[must_use]
pub fn is_missing(cell: &[u8]) -> bool {
    let cell = cell.trim_ascii();
    [&b""[..], b"na", b"n/a", b"nan", b"null"].iter().any(|name| cell.eq_ignore_ascii_case(name))
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn refuse_other_encodings(path: &Path, first: &[u8]) -> Result<(), DataError> {
    let utf16 = first.starts_with(b"\xff\xfe") || first.starts_with(b"\xfe\xff");
    if utf16 || first.iter().take(1024).any(|byte| *byte == 0) {
        return Err(DataError::malformed(
            format!("{}:1", path.display()),
            "the file is not plain text in UTF-8",
            "a CSV file",
            "export the table again as CSV, encoding UTF-8",
        ));
    }
    Ok(())
}

fn detect_delimiter(first: &[u8]) -> u8 {
    let line = first.split(|byte| b"\r\n".contains(byte)).next().unwrap_or_default();
    let mut quoted = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    for &byte in line {
        quoted ^= byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += usize::from(byte == *delimiter && !quoted);
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(byte, _)| byte)
}

fn check_header(path: &Path, record: &ByteRecord) -> Result<Vec<String>, DataError> {
    let place = format!("{}:1", path.display());
    let refuse = |found: String, hint: &str| {
        DataError::malformed(&place, found, "a header with one name per column", hint)
    };
    if record.is_empty() {
        return Err(refuse("the file is empty".to_owned(), "write column names in the first line"));
    }
    if record.iter().all(|cell| parse_number(cell).is_some()) {
        let hint = "the first line must hold column names; add them above the data";
        return Err(refuse("the first line holds only numbers".to_owned(), hint));
    }
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    for (index, cell) in record.iter().enumerate() {
        let name = std::str::from_utf8(cell)
            .map_err(|_| refuse(format!("column {} is not UTF-8", index + 1), "save as UTF-8"))?
            .trim();
        if name.is_empty() {
            return Err(refuse(format!("column {} has no name", index + 1), "name every column"));
        }
        if names.iter().any(|other| other == name) {
            return Err(refuse(format!("column `{name}` appears twice"), "rename one of them"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn csv_error(path: &Path, error: csv::Error) -> DataError {
    let source = match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => io::Error::other(format!("{other:?}")),
    };
    DataError::Read { path: path.to_owned(), source }
}
