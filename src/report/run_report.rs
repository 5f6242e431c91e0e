//! Everything a report says about one run, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Leakage, number_format::plural};
use crate::{
    evaluate::{Evaluation, Insights, Leaderboard, Retraining, Scores, Trust},
    features::TargetTransform,
    train::EpochRecord,
};

/// One run, ready to be drawn and printed: a training, or an evaluation on rows that the model has
/// never seen. The latter has no folds, no history and no baseline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunReport {
    /// Name of the run, as in `checkpoints/NAME`.
    pub name: String,
    /// The data the run saw.
    pub data: DataSummary,
    /// Out-of-fold evaluation of the deployed stack.
    pub evaluation: Evaluation,
    /// The linear baseline on the same folds; `None` where none was fitted.
    pub baseline: Option<Baseline>,
    /// What the networks saw; empty for an evaluation.
    pub features: FeatureSummary,
    /// What cleaning did; nothing for an evaluation.
    pub cleaning: CleaningSummary,
    /// Every model on the same folds, beside the mean of the training targets; `None` for an evaluation.
    pub leaderboard: Option<Leaderboard>,
    /// The two ways to split side by side; `None` where rows share no groups or it was not asked for.
    pub leakage: Option<Leakage>,
    /// Losses by epoch and network; empty where nothing was trained. Kept in `history.csv`.
    #[serde(skip)]
    pub history: Vec<EpochRecord>,
    /// Space in which the target was learned and intervals are formed.
    pub transform: TargetTransform,
    /// How far the scores can be trusted.
    pub trust: Trust,
    /// What the model does with its columns; `None` where nobody asked it.
    pub insights: Option<Insights>,
    /// What training again tells; `None` until somebody has it done.
    pub retraining: Option<Retraining>,
    /// Runs that predict the same target, and what was decided about them, the oldest first; of the moment at which
    /// the report is written.
    #[serde(skip)]
    pub milestones: Milestones,
    /// What the loss is, e.g. `mean squared error of the standardised ln(mass)`.
    pub loss_name: String,
    /// Things the reader must know before trusting the numbers, worst first.
    pub warnings: Vec<String>,
    /// The resolved parameters, as TOML.
    pub params: String,
    /// Where the numbers come from.
    pub provenance: Provenance,
}

impl RunReport {
    /// Whether the rows were judged out of fold, rather than by a model that has never seen their file.
    #[must_use]
    pub fn is_cross_validated(&self) -> bool {
        !self.evaluation.folds.is_empty()
    }
}

/// The table that was trained on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DataSummary {
    /// Path as given.
    pub path: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// MD5 under which DVC keeps the file; `None` where it does not.
    pub dvc: Option<String>,
    /// Rows.
    pub rows: usize,
    /// Distinct groups, where there is a group column.
    pub groups: Option<usize>,
    /// Target column.
    pub target: String,
    /// Unit of the target, where it is known.
    pub unit: Option<String>,
    /// Group column, where there is one.
    pub group: Option<String>,
    /// Feature columns.
    pub features: Vec<String>,
    /// The units of those that are stated to have one, by their names.
    #[serde(default)]
    pub feature_units: BTreeMap<String, String>,
    /// Columns left out because they hold text.
    pub skipped: Vec<String>,
}

/// What warnings say of rows of one thing that are torn apart.
pub(crate) const BOTH_SIDES: &str = "both sides of a split";

impl DataSummary {
    /// The target as an axis or a column names it, e.g. `mass (g)`.
    #[must_use]
    pub fn target_label(&self) -> String {
        in_unit(&self.target, self.unit.as_deref().unwrap_or_default())
    }

    /// A feature as an axis names it, e.g. `det1 (1/s)`; nothing where there is none of this number.
    #[must_use]
    pub fn feature_label(&self, column: usize) -> String {
        let Some(name) = self.features.get(column) else { return String::new() };
        in_unit(name, self.feature_units.get(name).map_or("", String::as_str))
    }

    /// The unit behind the name of a measure, e.g. ` (g)`; empty where it is not known.
    #[must_use]
    pub fn unit_in_brackets(&self) -> String {
        in_unit("", self.unit.as_deref().unwrap_or_default())
    }

    /// What is independent of the others: a group by the name of its column where that is a word, e.g. `container`,
    /// or a row.
    #[must_use]
    pub fn one_unit(&self) -> &str {
        let is_word =
            |name: &&str| name.len() > 2 && name.chars().all(|letter| letter.is_ascii_lowercase());
        match self.group.as_deref() {
            None => "row",
            Some(name) => Some(name).filter(is_word).unwrap_or("group"),
        }
    }

    /// Several of them, e.g. `containers`.
    #[must_use]
    pub fn units(&self) -> String {
        plural(self.one_unit())
    }

    /// The unit after a number, e.g. ` g` with a space that does not break; empty where it is not known.
    #[must_use]
    pub fn unit_suffix(&self) -> String {
        self.unit.as_deref().map(unit_suffix).unwrap_or_default()
    }
}

/// A unit after a number, e.g. ` g` with a space that does not break; nothing for the empty unit.
#[must_use]
pub fn unit_suffix(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!("\u{a0}{unit}") }
}

/// A name with the unit of its numbers, e.g. `RMSE (g)`; the name alone where the unit is empty.
pub(super) fn in_unit(name: &str, unit: &str) -> String {
    if unit.is_empty() { name.to_owned() } else { format!("{name} ({unit})") }
}

/// A simple model judged on the same folds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Baseline {
    /// Its name, e.g. `ridge regression`.
    pub name: String,
    /// Its pooled out-of-fold scores.
    pub scores: Scores,
}

impl Baseline {
    /// Errors whose ratio is this close to 1 are the same: the model may be that very baseline.
    const SAME: f64 = 1e-3;

    /// RMSE of a model over the baseline's, 1 where they are the same; `None` where the baseline makes no error.
    #[must_use]
    pub fn error_ratio(&self, model: &Scores) -> Option<f64> {
        let ratio = model.rmse / self.scores.rmse;
        let is_same = (ratio - 1.0).abs() < Self::SAME;
        ratio.is_finite().then_some(if is_same { 1.0 } else { ratio })
    }
}

/// What produced the run; differs from run to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Provenance {
    /// Identifies the run wherever it is spoken of: 32 hexadecimal digits.
    pub run_id: String,
    /// Version of massay.
    pub version: String,
    /// UTC start time, RFC 3339.
    pub started: String,
    /// Seconds from the start of the training until the report was drawn; of the last session where the run was
    /// resumed.
    pub seconds: f64,
    /// Seed of every random number.
    pub seed: u64,
    /// Compute backend.
    pub backend: String,
    /// Processor or graphics card.
    pub hardware: String,
    /// Version of the working folder; `None` outside a repository.
    pub git: Option<GitState>,
}

/// A version of a working folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitState {
    /// Commit, 40 hexadecimal digits.
    pub commit: String,
    /// Branch; empty where none is checked out.
    pub branch: String,
    /// Whether tracked files differed from the commit.
    pub dirty: bool,
}

/// What cleaning did to the table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CleaningSummary {
    /// Columns with missing values, and in how many rows the median stood in.
    pub missing: Vec<(String, usize)>,
    /// Rows that equal an earlier one and did not train.
    pub duplicates: usize,
    /// Columns that were dropped as dead, and in how many folds.
    pub dead: Vec<(String, usize)>,
    /// Bound of the features in robust deviations; 0 for none.
    pub clip: f64,
    /// Share of the feature values that lay beyond the bound; `None` without one.
    pub clipped: Option<f64>,
}

/// What the networks saw.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FeatureSummary {
    /// Names of the features; of the first fold, where folds differ.
    pub names: Vec<String>,
    /// What was chosen and by how much, in one sentence; empty where nothing was to be chosen.
    pub choice: String,
    /// The sets that were compared.
    pub candidates: Vec<FeatureCandidate>,
    /// Motions of the detector array that made further training rows.
    pub motions: usize,
}

/// A feature set that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureCandidate {
    /// Its blocks.
    pub set: String,
    /// Geometric mean over the folds of its inner RMSE over the better of those of `raw` and
    /// `log1p(raw)`.
    pub relative_rmse: f64,
    /// Folds that took it.
    pub folds: usize,
}

/// The runs around a run, and what was decided about them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Milestones {
    /// Runs that predict the same target, the oldest first.
    pub runs: Vec<PastRun>,
    /// Decisions and moves of the champion, the oldest first.
    pub decisions: Vec<Milestone>,
}

/// A run among others.
#[derive(Clone, Debug, PartialEq)]
pub struct PastRun {
    /// Its name.
    pub name: String,
    /// UTC start time, RFC 3339.
    pub started: String,
    /// SHA-256 of its table.
    pub data_sha256: String,
    /// Its kind of model.
    pub model: String,
    /// Pooled out-of-fold RMSE, in the target's unit.
    pub rmse: f64,
    /// Pooled out-of-fold R².
    pub r2: Option<f64>,
    /// Whether it predicts.
    pub champion: bool,
}

/// Something that was decided about a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Milestone {
    /// UTC time, RFC 3339.
    pub time: String,
    /// What was decided, for people.
    pub what: String,
}

#[cfg(test)]
mod tests {
    use crate::report::sample_report::full_report;

    #[test]
    fn a_feature_carries_its_unit_where_it_is_stated() {
        let data = full_report(80, 4).data;
        let labels = [0, 1, 2].map(|column| data.feature_label(column));
        assert_eq!(labels, ["detector_1 (1/s)", "detector_2", ""]);
    }
}
