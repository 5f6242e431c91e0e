//! Labelled rows that the champion has not seen: from the log, and from a table.

use std::{collections::HashSet, path::Path};

use anyhow::{Result, bail};

use crate::{
    data::{DataConfig, Dataset},
    monitor::{LogQuery, LogStore, LoggedModel, LoggedRow},
};

use super::{champion::Champion, decision::Decision};

/// Where a row came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The champion's table, before any retraining.
    Training,
    /// The log: the service answered it, and feedback brought its true value.
    Served,
    /// A table that was named by hand.
    Table,
}

impl Origin {
    pub(super) const ALL: [Self; 3] = [Self::Training, Self::Served, Self::Table];

    /// As it stands in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Served => "served",
            Self::Table => "table",
        }
    }
}

/// A row with its true value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NewRow {
    /// Empty where nobody knows: then it may be another measurement of any other row's.
    pub(super) container: String,
    pub(super) truth: f64,
    /// Raw values in the order of the champion's columns.
    pub(super) inputs: Vec<f64>,
    /// When its true value was known, milliseconds since 1970 (UTC).
    pub(super) time: i64,
    pub(super) origin: Origin,
}

/// All labelled rows of the log that a version of the champion's model answered, with its target and columns.
pub(super) async fn of_log(store: &LogStore, champion: &Champion) -> Result<Vec<NewRow>> {
    let schema = champion.schema();
    let models = store.models().await?;
    let fits = |own: &LoggedModel| {
        own.name == champion.model
            && (&own.target, &own.unit) == (&schema.target, &schema.unit)
            && own.columns == schema.features
    };
    let known: Vec<String> = models.into_iter().filter(fits).map(|own| own.version).collect();
    let rows = store.rows(&LogQuery { labelled: true, ..LogQuery::default() }).await?;
    let rows = rows.into_iter().filter(|own| known.contains(&own.model));
    Ok(rows.filter_map(|row| served(row, schema.group.is_empty())).collect())
}

fn served(row: LoggedRow, stands_alone: bool) -> Option<NewRow> {
    let truth = row.truth?;
    let own = if stands_alone {
        format!("served-{}-{}", row.request_id, row.position)
    } else {
        String::new()
    };
    Some(NewRow {
        container: row.container.clone().unwrap_or(own),
        truth,
        time: row.corrected.or(row.truth_time).unwrap_or(row.time),
        inputs: row.inputs,
        origin: Origin::Served,
    })
}

/// The rows of a labelled table, and its checksum. What one of the `decisions` knew is no news: its rows are as old as that.
pub(super) fn of_table(
    path: &Path,
    champion: &Champion,
    decisions: &[Decision],
) -> Result<(Vec<NewRow>, String)> {
    let dataset = read(path, champion, "`--data`")?;
    let is_known = |own: &&Decision| !own.dry_run && own.named_sha256 == dataset.sha256;
    let known = decisions.iter().rfind(is_known);
    let time = known.map_or_else(|| jiff::Timestamp::now().as_millisecond(), |own| own.until);
    let row = |row: usize| NewRow {
        container: container_of(&dataset, row),
        truth: dataset.target[row],
        inputs: dataset.features.iter().map(|column| column[row]).collect(),
        time,
        origin: Origin::Table,
    };
    Ok(((0..dataset.rows()).map(row).collect(), dataset.sha256.clone()))
}

/// A labelled table with the champion's columns.
pub(super) fn read(path: &Path, champion: &Champion, asked_by: &str) -> Result<Dataset> {
    if !path.is_file() {
        bail!("{}: there is no such file, {asked_by} expects a labelled table", path.display());
    }
    let config = DataConfig { path: path.to_owned(), ..champion.params.data.clone() };
    let dataset = Dataset::read(&config, "", champion.missing)?;
    let group = &champion.params.data.group;
    if !group.is_empty() && dataset.groups.is_none() {
        bail!(
            "{}: there is no column `{group}`, by which `{}` tells containers apart: rows of one \
             could stand on both sides of a split\n\nhint: add the column, with a name for each container",
            path.display(),
            champion.pointer.run,
        );
    }
    Ok(dataset)
}

/// The containers of a table.
pub(super) fn containers_of(table: &Dataset) -> HashSet<String> {
    (0..table.rows()).map(|row| container_of(table, row)).collect()
}

/// The container of a row; a name of its own where the table names none.
pub(super) fn container_of(dataset: &Dataset, row: usize) -> String {
    let own = || format!("{}-{}", dataset.sha256.get(..8).unwrap_or_default(), row + 1);
    dataset.group_name(row).map_or_else(own, |name| name.to_string())
}
