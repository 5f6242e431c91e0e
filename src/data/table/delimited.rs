//! A delimited text file, cut into blocks of whole lines that can be read side by side.
//!
//! A cell that goes on in the next line is refused, so that every end of a line is the end of a row.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use csv::ByteRecord;
use memchr::{memchr_iter, memrchr};

use super::{
    super::{DataError, HashingReader},
    row::Row,
};

/// Bytes that are read at once: with the numbers in them they stay in the second-level cache. Of wide tables more, so
/// that a block has many rows.
const BLOCK_BYTES: usize = 1 << 16;

/// The same in lengths of the header.
const BLOCK_HEADERS: usize = 16;

/// The lines of a text file behind its header.
pub(super) struct DelimitedFile {
    input: HashingReader<Box<dyn Read + Send>>,
    format: Format,
    /// What was read behind the last whole line.
    rest: Vec<u8>,
    /// The number of its line.
    line: u64,
    has_ended: bool,
    /// Bytes that are read at once.
    block: usize,
}

/// How rows are to be read.
#[derive(Clone)]
struct Format {
    path: PathBuf,
    delimiter: u8,
    columns: usize,
}

/// Whole lines.
pub(super) struct Lines {
    format: Format,
    bytes: Vec<u8>,
    /// The number of the first.
    first: u64,
    /// How many end here.
    ends: u64,
}

impl DelimitedFile {
    /// Reads the header of the table in `input`; the delimiter (`,`, `;` or tab) is taken from it.
    pub(super) fn open(
        path: &Path,
        input: Box<dyn Read + Send>,
    ) -> Result<(Self, ByteRecord), DataError> {
        let format = Format { path: path.to_owned(), delimiter: b',', columns: 0 };
        let input = HashingReader::new(input);
        let (rest, block) = (Vec::new(), BLOCK_BYTES);
        let mut file = Self { input, format, rest, line: 1, has_ended: false, block };
        let mut first = file.whole_lines()?;
        refuse_other_encodings(path, &first)?;
        if first.starts_with(BYTE_ORDER_MARK) {
            first.drain(..BYTE_ORDER_MARK.len());
        }
        file.format.delimiter = detect_delimiter(&first);
        let (header, end, line) = {
            let mut reader = file.format.reader(&first);
            let mut header = ByteRecord::new();
            reader.read_byte_record(&mut header).map_err(|error| csv_error(path, error))?;
            (header, reader.position().byte() as usize, reader.position().line())
        };
        file.format.columns = header.len();
        file.block = BLOCK_BYTES.max(BLOCK_HEADERS * end);
        // What follows the header in these lines goes before what follows them.
        first.extend_from_slice(&file.rest);
        first.drain(..end);
        (file.rest, file.line) = (first, line);
        Ok((file, header))
    }

    /// The next lines, or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Lines>, DataError> {
        let bytes = self.whole_lines()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let (first, ends) = (self.line, memchr_iter(b'\n', &bytes).count() as u64);
        self.line += ends;
        Ok(Some(Lines { format: self.format.clone(), bytes, first, ends }))
    }

    /// How many rows a file of `bytes` has if all are as long as the first; 0 where none of them is known.
    pub(super) fn expected_rows(&self, bytes: u64) -> usize {
        let Some(end) = memrchr(b'\n', &self.rest) else { return 0 };
        let known = memchr_iter(b'\n', &self.rest).count();
        (known as f64 * bytes as f64 / (end + 1) as f64) as usize
    }

    /// Reads what is left and returns the SHA-256 of the whole file.
    pub(super) fn finish(self) -> io::Result<String> {
        self.input.finish()
    }

    /// Reads on until there is a whole line, or the end; leaves in `rest` what follows the last end of a line.
    fn whole_lines(&mut self) -> Result<Vec<u8>, DataError> {
        let mut lines = std::mem::take(&mut self.rest);
        loop {
            let known = lines.len();
            if !self.has_ended {
                lines.reserve(self.block);
                let input = (&mut self.input).take(self.block as u64);
                let count = { input }.read_to_end(&mut lines);
                let path = || self.format.path.clone();
                let count = count.map_err(|source| DataError::Read { path: path(), source })?;
                self.has_ended = count < self.block;
            }
            if self.has_ended {
                return Ok(lines);
            }
            if let Some(end) = memrchr(b'\n', &lines[known..]) {
                self.rest = lines.split_off(known + end + 1);
                return Ok(lines);
            }
        }
    }
}

impl Format {
    fn reader<'a>(&self, bytes: &'a [u8]) -> csv::Reader<&'a [u8]> {
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(self.delimiter).flexible(true).has_headers(false).from_reader(bytes)
    }
}

impl Lines {
    /// The most rows that there are.
    pub(super) fn most_rows(&self) -> usize {
        self.ends as usize + 1
    }

    /// Looks at each row in turn.
    ///
    /// # Errors
    /// That of `look`, or when a row has not one cell per column.
    pub(super) fn rows(
        &self,
        mut look: impl FnMut(Row<'_>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let path = &self.format.path;
        let mut reader = self.format.reader(&self.bytes);
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(|error| csv_error(path, error))? {
            let line = self.line_of(&record);
            self.refuse_ragged(&record, line)?;
            look(Row::line(path, &record, line))?;
        }
        Ok(())
    }

    /// The line in which a record begins: behind empty lines, and behind the rest of an end of line, which are read
    /// with it.
    fn line_of(&self, record: &ByteRecord) -> u64 {
        let Some(position) = record.position() else { return self.first };
        let bytes = &self.bytes[position.byte() as usize..];
        let skipped = bytes.iter().take_while(|byte| b"\r\n".contains(byte));
        let lines = skipped.filter(|byte| **byte == b'\n').count() as u64;
        self.first - 1 + position.line() + lines
    }

    fn refuse_ragged(&self, record: &ByteRecord, line: u64) -> Result<(), DataError> {
        let place = || format!("{}:{line}", self.format.path.display());
        if record.as_slice().contains(&b'\n') {
            let found = "a cell goes on in the next line";
            let hint = "look for an unclosed quote";
            return Err(DataError::malformed(place(), found, "one line per row", hint));
        }
        let columns = self.format.columns;
        if record.len() == columns {
            return Ok(());
        }
        Err(DataError::malformed(
            place(),
            format!("the row has {} cells", record.len()),
            format!("{columns}, one per column of the header"),
            "look for a missing or extra delimiter, or an unclosed quote",
        ))
    }
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

/// The delimiter of a table, `,`, `;` or tab: the one that is most often in its first line, outside quotes.
pub(crate) fn detect_delimiter(first: &[u8]) -> u8 {
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

fn csv_error(path: &Path, error: csv::Error) -> DataError {
    let source = match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => io::Error::other(format!("{other:?}")),
    };
    DataError::Read { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table whose header has `bytes` and whose rows have ten.
    fn table(bytes: usize, rows: usize) -> (DelimitedFile, usize) {
        let mut text = "a".repeat(bytes - 3) + ",b\n";
        text += &"1234567,9\n".repeat(rows);
        let length = text.len();
        let input = Box::new(io::Cursor::new(text.into_bytes()));
        (DelimitedFile::open(Path::new("wide.csv"), input).unwrap().0, length)
    }

    #[test]
    fn rows_are_expected_from_whole_lines_alone() {
        // What was read behind the header may be a piece of a row, which tells nothing of how long rows are.
        for bytes in [BLOCK_BYTES - 4, 2 * BLOCK_BYTES - 1] {
            let (file, length) = table(bytes, 100_000);
            assert_eq!(file.expected_rows(length as u64), 0);
        }
        let (file, length) = table(1000, 100_000);
        assert_eq!(file.expected_rows(length as u64), length / 10);
    }

    #[test]
    fn a_table_is_whole_however_wide_its_header_is() {
        for bytes in [10, BLOCK_BYTES - 4, 2 * BLOCK_BYTES] {
            let (mut file, _) = table(bytes, 20_000);
            let mut rows = 0;
            while let Some(lines) = file.next().unwrap() {
                lines
                    .rows(|_| {
                        rows += 1;
                        Ok(())
                    })
                    .unwrap();
            }
            assert_eq!(rows, 20_000);
        }
    }
}
