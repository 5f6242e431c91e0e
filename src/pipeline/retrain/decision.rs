//! What was decided, for ever: a file to which lines are added only.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::train::write_atomically;

use super::challenge::{Challenge, Condition};

/// What became of a challenger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is better and takes over, unless this was a dry run.
    Promote,
    /// The champion stays.
    Keep,
}

/// Rows of a retraining.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows of the champion's table.
    pub before: usize,
    /// New rows that train.
    pub added: usize,
    /// New rows that only judge, the newest.
    pub newest: usize,
    /// New rows that were known already.
    pub known: usize,
    /// New rows that were set apart.
    pub quarantined: usize,
    /// New rows without a container, which do not train.
    pub unnamed: usize,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// UTC time, RFC 3339.
    pub time: String,
    /// The model.
    pub model: String,
    /// Run that predicted.
    pub champion: String,
    /// Run that was to take over.
    pub challenger: String,
    /// What was decided.
    pub verdict: Verdict,
    /// Whether nobody asked for more than to know.
    pub dry_run: bool,
    /// When the newest true value came that it knows of, milliseconds since 1970 (UTC).
    pub until: i64,
    /// The conditions, and whether they held.
    pub conditions: Vec<Condition>,
    /// Rows.
    pub rows: RowCounts,
    /// The figures.
    pub challenge: Challenge,
    /// SHA-256 of the table that the challenger was trained on.
    pub data_sha256: String,
    /// SHA-256 of the table that was named by hand; empty where none was.
    #[serde(default)]
    pub named_sha256: String,
}

impl Decision {
    /// Name of its file in the folder of the challenger's report.
    const FILE: &str = "decision.json";

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(Self::FILE);
        let text = serde_json::to_string_pretty(self)? + "\n";
        write_atomically(&path, |file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The decision in the folder of a report, if there is one.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(Self::FILE)).ok()?).ok()
    }
}

/// All decisions about the checkpoints in a folder.
#[derive(Clone, Debug)]
pub struct Decisions {
    path: PathBuf,
}

impl Decisions {
    /// Name of the file in the folder of the checkpoints: one JSON object each line.
    pub const FILE: &str = "decisions.jsonl";

    /// The decisions about the checkpoints in `folder`.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self { path: folder.join(Self::FILE) }
    }

    /// Adds a decision, on disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&self, decision: &Decision) -> Result<()> {
        let cannot = || format!("cannot write {}", self.path.display());
        // A line that a crash has cut short ends here, and stays what it is.
        let text = fs::read(&self.path).unwrap_or_default();
        let gap = if text.last().is_some_and(|last| *last != b'\n') { "\n" } else { "" };
        let line = format!("{gap}{}\n", serde_json::to_string(decision)?);
        let mut file =
            OpenOptions::new().create(true).append(true).open(&self.path).with_context(cannot)?;
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).with_context(cannot)
    }

    /// All decisions about a model, the oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn about(&self, model: &str) -> Result<Vec<Decision>> {
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let bytes =
            fs::read(&self.path).with_context(|| format!("cannot read {}", self.path.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        let mut decisions: Vec<Decision> = Vec::new();
        for (line, own) in text.lines().enumerate().filter(|(_, own)| !own.is_empty()) {
            match serde_json::from_str(own) {
                Ok(decision) => decisions.push(decision),
                Err(error) => {
                    tracing::warn!("{}:{}: no decision: {error}", self.path.display(), line + 1);
                }
            }
        }
        decisions.retain(|own| own.model == model);
        Ok(decisions)
    }

    /// The last decision about a model that was meant.
    ///
    /// # Errors
    /// As [`Self::about`].
    pub(super) fn last(&self, model: &str) -> Result<Option<Decision>> {
        Ok(self.about(model)?.into_iter().rfind(|own| !own.dry_run))
    }
}
