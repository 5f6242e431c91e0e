//! The champion's table with the new rows behind it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{data::Table, train::write_atomically};

use super::{
    champion::Champion,
    new_rows::{NewRow, Origin, container_of},
};

/// Column that says where a row came from.
const ORIGIN: &str = "massay_origin";

/// A cell: all digits that the number needs, nothing where a value is missing.
pub(super) fn cell(value: f64) -> String {
    if value.is_nan() { String::new() } else { value.to_string() }
}

/// Writes the champion's rows, in their order, and `rows` behind them.
pub(super) fn write(path: &Path, champion: &Champion, rows: &[NewRow]) -> Result<()> {
    let (schema, table) = (champion.schema(), &champion.table);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let group = (!schema.group.is_empty()).then_some(schema.group.as_str());
    let origins = origins(&champion.params.data.path, table.rows())?;
    write_atomically(path, |file| {
        let mut writer = csv::Writer::from_writer(file);
        let names = group.into_iter().chain([schema.target.as_str()]);
        let names = names.chain(schema.features.iter().map(String::as_str)).chain([ORIGIN]);
        writer.write_record(names)?;
        for (row, origin) in origins.iter().enumerate() {
            let container = group.map(|_| container_of(table, row));
            let inputs = table.features.iter().map(|column| cell(column[row]));
            let cells = container.into_iter().chain([cell(table.target[row])]).chain(inputs);
            writer.write_record(cells.chain([origin.name().to_owned()]))?;
        }
        for row in rows {
            let container = group.map(|_| row.container.clone());
            let inputs = row.inputs.iter().map(|value| cell(*value));
            let cells = container.into_iter().chain([cell(row.truth)]).chain(inputs);
            writer.write_record(cells.chain([row.origin.name().to_owned()]))?;
        }
        writer.flush()
    })
    .with_context(|| format!("cannot write {}", path.display()))
}

/// Where each row of a table came from; a table that no retraining made is all training.
pub(super) fn origins(path: &Path, rows: usize) -> Result<Vec<Origin>> {
    let mut table = Table::open(path)?;
    let Some(column) = table.header().iter().position(|name| name == ORIGIN) else {
        return Ok(vec![Origin::Training; rows]);
    };
    let mut origins = Vec::with_capacity(rows);
    table.rows(|row| {
        let text = row.cell(column).text();
        let own = Origin::ALL.into_iter().find(|own| own.name().as_bytes() == text.as_ref());
        // What cannot be read was not written here, and is not trusted.
        origins.push(own.unwrap_or(Origin::Table));
        Ok(())
    })?;
    Ok(origins)
}

/// Finds out whether DVC starts, where it is in use.
pub(super) fn check_dvc() -> Result<()> {
    if Path::new(".dvc").is_dir() {
        let output = Command::new("dvc").arg("--version").output();
        output.context("DVC is in use here, but `dvc` does not start")?;
    }
    Ok(())
}

/// Where DVC is in use, lets it keep the table; returns the file that names this version.
pub(super) fn keep_with_dvc(path: &Path) -> Result<Option<PathBuf>> {
    if !Path::new(".dvc").is_dir() {
        return Ok(None);
    }
    let output = Command::new("dvc").args(["add", "--quiet"]).arg(path).output();
    let output = output.context("DVC is in use here, but `dvc` does not start")?;
    if !output.status.success() {
        anyhow::bail!(
            "`dvc add {}`: {}",
            path.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".dvc");
    Ok(Some(name.into()))
}
