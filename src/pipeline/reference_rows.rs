//! Rows that a checkpoint keeps, set aside before the raw columns give way to the matrices.

use std::collections::{HashMap, HashSet};

use crate::{
    data::{Dataset, FoldPlan, Generator, Split},
    evaluate::{ScoredRow, domain_guard, guard_plan},
    features::FeatureMatrix,
    model::{Oddness, Reference},
};

/// A random sample of the rows that the first repeat holds out, one of each group: what repeats a row is no second
/// witness of how rows are distributed.
pub(super) struct ReferenceRows {
    rows: Vec<u32>,
    /// Raw rows, row-major.
    inputs: Vec<f64>,
}

impl ReferenceRows {
    pub(super) fn sample(dataset: &Dataset, plan: &FoldPlan) -> Self {
        let first = plan.splits.iter().filter(|split| split.repeat == 0);
        let mut rows: Vec<u32> = first.flat_map(|split| split.held_out.iter().copied()).collect();
        // Always the same rows: what later rows are compared with does not depend on the training's seed.
        rows.sort_unstable();
        Generator::new(0, &[]).shuffle(&mut rows);
        let (groups, mut seen) = (dataset.group_ids(), HashSet::new());
        rows.retain(|row| seen.insert(groups[*row as usize]));
        rows.truncate(Reference::ROWS);
        rows.sort_unstable();
        Self { inputs: dataset.raw_rows(&rows), rows }
    }

    /// The rows with what the folds of the first repeat say of them, `features` being those that distances are
    /// measured in.
    pub(super) fn with(
        &self,
        scored: &[ScoredRow],
        (dataset, plan): (&Dataset, &FoldPlan),
        features: &FeatureMatrix,
    ) -> Reference {
        let is_kept = |own: &&ScoredRow| {
            own.repeat == 0 && self.rows.binary_search(&(own.row as u32)).is_ok()
        };
        let first = scored.iter().filter(is_kept);
        let by_row: HashMap<u32, &ScoredRow> = first.map(|own| (own.row as u32, own)).collect();
        let scored: Vec<&ScoredRow> = self.rows.iter().map(|row| by_row[row]).collect();
        let oddness = self.oddness(&guard_plan(dataset, plan), features);
        let of = |value: fn(&ScoredRow) -> f64| scored.iter().map(|own| value(own)).collect();
        Reference {
            columns: self.inputs.len() / self.rows.len().max(1),
            inputs: self.inputs.clone(),
            predictions: of(|own| own.prediction),
            lower: of(|own| own.lower),
            upper: of(|own| own.upper),
            targets: of(|own| own.target),
            distances: oddness.iter().map(|own| own.distance).collect(),
            residuals: oddness.into_iter().flat_map(|own| own.residuals).collect(),
        }
    }

    /// How unlike the rows that it does not know each row is to a guard.
    fn oddness(&self, plan: &FoldPlan, features: &FeatureMatrix) -> Vec<Oddness> {
        let first = plan.splits.iter().filter(|split| split.repeat == 0);
        let of = |split: &Split| -> Vec<(u32, Oddness)> {
            let guard = domain_guard(features, &split.train);
            let own = split.held_out.iter().filter(|row| self.rows.binary_search(row).is_ok());
            own.map(|row| (*row, guard.oddness(features.row(*row as usize)))).collect()
        };
        let mut all: Vec<(u32, Oddness)> = first.flat_map(of).collect();
        all.sort_unstable_by_key(|(row, _)| *row);
        all.into_iter().map(|(_, oddness)| oddness).collect()
    }
}
