//! What a model does with its columns: which it needs, what it makes of them, why it was wrong.
//!
//! Everything is asked of the models of the fold that held a row out, but the effects, which describe the model that
//! is deployed.
//!
//! Invariant: nothing here trains; what needs training is in [`Retraining`], which is only scored here.

mod effect;
mod explained;
mod importance;
mod judged_rows;
mod retraining;
mod screening;

use serde::{Deserialize, Serialize};

pub use effect::Effect;
pub use explained::Explained;
pub use importance::{ColumnSet, Importance};
pub use judged_rows::JudgedRows;
pub use retraining::{CurvePoint, DroppedColumn, Retraining};

/// Columns whose effects are described.
const EFFECTS: usize = 6;

/// Predictions that are explained.
const EXPLAINED: usize = 10;

/// Columns whose importance is asked for at most: those that move predictions most.
const COLUMNS: usize = 128;

/// Predictions of the models of a fold for raw rows, row-major.
type OfFold<'a> = &'a (dyn Fn(usize, &[f64]) -> Vec<f64> + Sync);

/// What a model does with its columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Insights {
    /// Judged rows that were looked at, a sample of whole groups where there are more.
    pub rows: usize,
    /// The most important first: each column, or of many those that move the predictions of a few rows most.
    pub columns: Vec<Importance>,
    /// Columns that there are; 0 where an earlier version wrote this, which looked at all.
    #[serde(default)]
    pub all_columns: usize,
    /// Sets of columns, the most important first.
    pub sets: Vec<Importance>,
    /// What the model makes of the most important columns.
    pub effects: Vec<Effect>,
    /// The worst predictions, the worst first.
    pub worst: Vec<Explained>,
}

/// The models that insights are asked of.
#[derive(Clone, Copy)]
pub struct AskedModels<'a> {
    /// Predictions of the models of a fold of the first repeat for raw rows, row-major.
    pub of_fold: OfFold<'a>,
    /// Whether the models of a fold were trained on a row of the table.
    pub trained: &'a (dyn Fn(usize, usize) -> bool + Sync),
    /// Predictions of the deployed model for raw rows.
    pub deployed: &'a (dyn Fn(&[f64]) -> Vec<f64> + Sync),
}

impl Insights {
    /// Of judged rows; `sets` are the columns that belong together. `badness` says how wrong a prediction is.
    #[must_use]
    pub fn of(
        rows: &JudgedRows,
        sets: &[ColumnSet],
        models: AskedModels<'_>,
        badness: impl Fn(&super::ScoredRow) -> f64,
    ) -> Self {
        let looked_at = screening::most_moving(rows, COLUMNS, models.of_fold);
        let single = looked_at.into_iter().map(|own| ColumnSet::single((own, &rows.names[own])));
        let single: Vec<ColumnSet> = single.collect();
        let columns = importance::of_sets(rows, &single, models.of_fold);
        let top = columns.iter().take(EFFECTS).filter_map(|own| own.set.columns.first().copied());
        let effects = top.filter_map(|column| Effect::of(rows, column, models.deployed)).collect();
        Self {
            rows: rows.len(),
            sets: importance::of_sets(rows, sets, models.of_fold),
            effects,
            worst: explained::worst(rows, EXPLAINED, badness, models),
            columns,
            all_columns: rows.names.len(),
        }
    }

    /// Columns whose importance was not asked for, since others move predictions more.
    #[must_use]
    pub fn passed_over(&self) -> usize {
        self.all_columns.saturating_sub(self.columns.len())
    }
}
