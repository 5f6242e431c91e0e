//! What the names of columns must be.

use std::{collections::HashSet, path::Path};

use csv::ByteRecord;

use super::{super::DataError, cell::parse_number};

/// The names in the first line of a text file.
pub(super) fn header_of_text(path: &Path, record: &ByteRecord) -> Result<Vec<String>, DataError> {
    let place = format!("{}:1", path.display());
    if record.is_empty() {
        let hint = "write column names in the first line";
        return Err(refuse(&place, "the file is empty".to_owned(), hint));
    }
    if record.iter().all(|cell| parse_number(cell).is_some()) {
        let hint = "the first line must hold column names; add them above the data";
        return Err(refuse(&place, "the first line holds only numbers".to_owned(), hint));
    }
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    for (index, cell) in record.iter().enumerate() {
        let name = std::str::from_utf8(cell).map_err(|_| {
            refuse(&place, format!("column {} is not UTF-8", index + 1), "save as UTF-8")
        })?;
        names.push(name.trim().to_owned());
    }
    check_names(&place, &names)?;
    Ok(names)
}

/// Every column has a name of its own.
pub(super) fn check_names(place: &str, names: &[String]) -> Result<(), DataError> {
    let mut known = HashSet::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            let found = format!("column {} has no name", index + 1);
            return Err(refuse(place, found, "name every column"));
        }
        if !known.insert(name) {
            return Err(refuse(
                place,
                format!("column `{name}` appears twice"),
                "rename one of them",
            ));
        }
    }
    Ok(())
}

fn refuse(place: &str, found: String, hint: &str) -> DataError {
    DataError::malformed(place, found, "a header with one name per column", hint)
}
