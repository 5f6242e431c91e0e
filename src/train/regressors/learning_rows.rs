//! The rows that a regressor may use, and how they are parted.

use crate::{features::FeatureMatrix, model::InputMap};

/// The training rows of one fold.
#[derive(Clone, Copy, Debug)]
pub struct LearningRows<'a> {
    /// Features, one row per row of the table.
    pub matrix: &'a FeatureMatrix,
    /// One target per matrix row.
    pub targets: &'a [f64],
    /// One weight (zero or more) per matrix row.
    pub weights: &'a [f64],
    /// The matrix rows that train.
    pub rows: &'a [u32],
    /// The inner part `0..J` of each entry of `rows`; groups are never cut.
    pub parts: &'a [u32],
    /// Only the first `judged` parts are left out in turn, `2..=J`: fewer for large tables.
    pub judged: usize,
}

impl LearningRows<'_> {
    /// The values of the training rows, of values of all rows.
    pub(super) fn own(&self, values: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|row| values[*row as usize]).collect()
    }

    /// The mapped features of the training rows at `places`, row-major.
    pub(super) fn mapped(&self, inputs: &InputMap, places: &[u32]) -> Vec<f32> {
        let mut values = Vec::with_capacity(places.len() * self.matrix.columns());
        for place in places {
            let row = self.rows[*place as usize];
            inputs.scale(self.matrix.row(row as usize), &mut values);
        }
        values
    }
}
