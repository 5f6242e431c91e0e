//! Rows that feedback cannot change.

use std::collections::HashSet;

use anyhow::{Result, bail};

use crate::data::Dataset;

use super::{
    super::Params,
    champion::Champion,
    new_rows,
    screening::{measurement, measurements},
};

/// The trusted rows.
pub(super) struct Anchor {
    /// A table of its own, whose rows do not train; `None`: the trusted rows of the champion's table.
    pub(super) table: Option<Dataset>,
    pub(super) containers: HashSet<String>,
}

impl Anchor {
    pub(super) fn read(params: &Params, champion: &Champion) -> Result<Self> {
        let path = &params.retrain.anchor;
        if path.as_os_str().is_empty() {
            return Ok(Self { table: None, containers: HashSet::new() });
        }
        let table = new_rows::read(path, champion, "`retrain.anchor`")?;
        let known = new_rows::containers_of(&champion.table);
        // Where rows have no names, the champion's own are known by their values.
        let values = measurements(&champion.table);
        let is_fresh = |row: usize| {
            !known.contains(&new_rows::container_of(&table, row))
                && !values.contains(&measurement(&table, row))
        };
        let fresh: Vec<u32> =
            (0..table.rows() as u32).filter(|row| is_fresh(*row as usize)).collect();
        if fresh.is_empty() {
            bail!(
                "{}: the champion was trained on everything in it, expected containers that it has not \
                 seen\n\nhint: leave `retrain.anchor` empty to trust the training rows",
                path.display()
            );
        }
        let table = table.gather(&fresh);
        Ok(Self { containers: new_rows::containers_of(&table), table: Some(table) })
    }
}
