//! Rows that a checkpoint keeps, set aside before the raw columns give way to the matrices.

use std::collections::HashMap;

use crate::{
    data::{Dataset, FoldPlan, Generator},
    evaluate::ScoredRow,
    model::Reference,
};

/// A random sample of the rows that the first repeat holds out.
pub(super) struct ReferenceRows {
    rows: Vec<u32>,
    /// Raw rows, row-major.
    inputs: Vec<f64>,
}

impl ReferenceRows {
    pub(super) fn sample(dataset: &Dataset, plan: &FoldPlan) -> Self {
        let first = plan.splits.iter().filter(|split| split.repeat == 0);
        let mut rows: Vec<u32> = first.flat_map(|split| split.held_out.iter().copied()).collect();
        if rows.len() > Reference::ROWS {
            // Always the same rows: what later rows are compared with does not depend on the training's seed.
            rows.sort_unstable();
            Generator::new(0, &[]).shuffle(&mut rows);
            rows.truncate(Reference::ROWS);
        }
        rows.sort_unstable();
        let row = |own: u32| dataset.features.iter().map(move |column| column[own as usize]);
        let inputs = rows.iter().flat_map(|own| row(*own)).collect();
        Self { rows, inputs }
    }

    /// The rows with what the first repeat says of them.
    pub(super) fn with(&self, scored: &[ScoredRow]) -> Reference {
        let first = scored.iter().filter(|own| own.repeat == 0);
        let by_row: HashMap<usize, &ScoredRow> = first.map(|own| (own.row, own)).collect();
        let own = |row: &u32| by_row.get(&(*row as usize)).copied();
        let scored: Vec<&ScoredRow> = self.rows.iter().filter_map(own).collect();
        Reference {
            columns: self.inputs.len() / self.rows.len().max(1),
            inputs: self.inputs.clone(),
            predictions: scored.iter().map(|own| own.prediction).collect(),
            targets: scored.iter().map(|own| own.target).collect(),
        }
    }
}
