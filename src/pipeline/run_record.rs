//! `run.json`: what differs between two runs of the same inputs, beside the manifest that does not.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::report::Provenance;

const FILE: &str = "run.json";

/// What is known of a finished run besides its checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RunRecord {
    /// What produced it.
    #[serde(flatten)]
    pub(super) provenance: Provenance,
    /// UTC time at which it was done, RFC 3339.
    pub(super) ended: String,
    /// Rows of the table.
    pub(super) rows: usize,
}

impl RunRecord {
    /// Writes it into the folder of a checkpoint.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let file = folder.join(FILE);
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Reads it from the folder of a checkpoint.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let file = folder.join(FILE);
        let cannot = || format!("cannot read {}", file.display());
        let text = fs::read_to_string(&file).with_context(cannot)?;
        serde_json::from_str(&text).with_context(cannot)
    }
}
