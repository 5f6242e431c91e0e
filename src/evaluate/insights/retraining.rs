//! What training again tells: without each column, and on fewer groups.

use serde::{Deserialize, Serialize};

use crate::{
    data::{FoldPlan, explore::quantile},
    evaluate::{Difference, ScoredRow, rmse},
};

use super::ColumnSet;

/// What models that were trained again say, all alike but for what is varied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retraining {
    /// Networks of each fold, perhaps fewer than in the run itself; 0 of models without networks.
    pub members: usize,
    /// RMSE with every column and every group, in the target's unit.
    pub rmse: f64,
    /// Without each set of columns, the worst loss first.
    pub dropped: Vec<DroppedColumn>,
    /// On fewer groups, the fewest first; the last has all.
    pub curve: Vec<CurvePoint>,
    /// What the last fifth of the groups was worth: the RMSE without it less the RMSE with it, over the folds; `None`
    /// where an earlier version wrote this.
    #[serde(default)]
    pub last: Option<Difference>,
}

/// The same model without some columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DroppedColumn {
    /// The columns.
    pub set: ColumnSet,
    /// Its RMSE, in the target's unit.
    pub rmse: f64,
    /// Its RMSE less that of the model with all columns, over the folds.
    pub difference: Difference,
}

/// The same model trained on part of the groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Groups that trained, on average over the folds.
    pub groups: f64,
    /// Median RMSE of the draws, in the target's unit: on few groups a draw can go wild.
    pub rmse: f64,
    /// Smallest and largest RMSE of the draws.
    pub range: (f64, f64),
}

impl DroppedColumn {
    /// From the judged rows of the model without `set` and of the model with all; `plan` has the folds of one
    /// repeat.
    #[must_use]
    pub fn of(set: ColumnSet, own: &[ScoredRow], all: &[ScoredRow], plan: &FoldPlan) -> Self {
        let pairs = fold_rmse(own, plan).into_iter().zip(fold_rmse(all, plan));
        let differences: Vec<f64> = pairs.map(|(own, all)| own - all).collect();
        Self { set, rmse: rmse(own), difference: Difference::of(&differences, plan) }
    }
}

impl CurvePoint {
    /// From the judged rows of each draw.
    #[must_use]
    pub fn of(groups: f64, draws: &[Vec<ScoredRow>]) -> Self {
        let mut errors: Vec<f64> = draws.iter().map(rmse).collect();
        errors.sort_by(f64::total_cmp);
        let at = |share| quantile(&errors, share).unwrap_or_default();
        Self { groups, rmse: at(0.5), range: (at(0.0), at(1.0)) }
    }
}

impl Retraining {
    /// Whether more groups would help, from the last stretch of the curve: by how much the RMSE fell with the last fifth or
    /// so of the groups, relative to it, and whether that is more than chance allows.
    #[must_use]
    pub fn last_gain(&self) -> Option<(f64, bool)> {
        let last = self.last.as_ref()?;
        Some((last.mean / self.rmse, last.is_clear()))
    }

    /// How many networks a fold has, behind a comma; nothing of models without networks.
    #[must_use]
    pub fn networks(&self) -> String {
        match self.members {
            0 => String::new(),
            1 => ", 1 network a fold".to_owned(),
            members => format!(", {members} networks a fold"),
        }
    }

    /// What the last groups were worth, fold by fold: the mean RMSE of `draws` less that of `all`.
    #[must_use]
    pub fn of_last(draws: &[Vec<ScoredRow>], all: &[ScoredRow], plan: &FoldPlan) -> Difference {
        let before: Vec<Vec<f64>> = draws.iter().map(|own| fold_rmse(own, plan)).collect();
        let mean = |fold: usize| {
            before.iter().map(|own| own[fold]).sum::<f64>() / before.len().max(1) as f64
        };
        let all = fold_rmse(all, plan).into_iter().enumerate();
        let differences: Vec<f64> = all.map(|(fold, own)| mean(fold) - own).collect();
        Difference::of(&differences, plan)
    }
}

fn fold_rmse(rows: &[ScoredRow], plan: &FoldPlan) -> Vec<f64> {
    let of = |fold: usize| rmse(rows.iter().filter(|row| row.fold == fold));
    (0..plan.folds()).map(of).collect()
}
