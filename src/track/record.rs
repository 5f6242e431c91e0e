//! What a tracker is told of a run, as plain data.

use std::path::PathBuf;

/// A run as it is known from its start.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackedRun {
    /// Its name, as in `checkpoints/NAME`.
    pub name: String,
    /// Identifies it wherever it is spoken of.
    pub id: String,
    /// Start, in milliseconds since 1970 (UTC).
    pub started: i64,
    /// Experiment that it belongs to.
    pub experiment: String,
    /// Name of the registered model that it is a version of.
    pub model: String,
    /// Names and values of all parameters.
    pub params: Vec<(String, String)>,
    /// What else is known: seed, backend, version of the working folder.
    pub tags: Vec<(String, String)>,
    /// Path of the table.
    pub data_path: String,
    /// SHA-256 of the table, hexadecimal.
    pub data_sha256: String,
    /// Rows of the table.
    pub rows: usize,
    /// Feature columns.
    pub columns: Vec<String>,
    /// Target column.
    pub target: String,
    /// Its folds.
    pub folds: Vec<FoldName>,
}

/// A fold of a repeat of the cross-validation, both from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoldName {
    /// Repeat.
    pub repeat: usize,
    /// Fold.
    pub fold: usize,
}

impl TrackedRun {
    /// What a fold is called, e.g. `drums fold 2`.
    #[must_use]
    pub fn fold_title(&self, index: usize) -> String {
        let FoldName { repeat, fold } = self.folds[index];
        if self.folds.iter().any(|fold| fold.repeat > 0) {
            format!("{} repeat {repeat} fold {fold}", self.name)
        } else {
            format!("{} fold {fold}", self.name)
        }
    }
}

/// What a finished run gave.
#[derive(Clone, Debug)]
pub struct TrackedResults {
    /// Scores of the run; only finite ones.
    pub scores: Vec<(String, f64)>,
    /// Scores of each fold, in the order of the run's folds.
    pub fold_scores: Vec<Vec<(String, f64)>>,
    /// End, in milliseconds since 1970 (UTC).
    pub ended: i64,
    /// The result in words, as Markdown.
    pub note: String,
    /// Files, by the name that they are kept under.
    pub files: Vec<(String, PathBuf)>,
    /// The files of the model in MLflow's layout, by name.
    pub model_files: Vec<(String, Vec<u8>)>,
}
