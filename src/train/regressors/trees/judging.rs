//! What sub-models, each of which has left out one inner part, say of it.

use rayon::prelude::*;

use super::{super::inner_parts::InnerParts, Table};
use crate::model::{Regressor, TreeEnsemble};

/// Rows that are predicted at once.
const BLOCK: usize = 64;

impl InnerParts {
    /// The prediction of each row by the sub-model that has not seen its part.
    pub(crate) fn predictions(&self, table: &Table, models: &[TreeEnsemble]) -> Vec<Option<f64>> {
        let mut inner = vec![None; table.rows()];
        for (held, model) in self.held.iter().zip(models) {
            let of_block = |rows: &[u32]| {
                let rows: Vec<&[f32]> = rows.iter().map(|row| table.features(*row)).collect();
                model.predict_rows(&rows)
            };
            let predicted: Vec<f64> = held.par_chunks(BLOCK).flat_map_iter(of_block).collect();
            for (row, value) in held.iter().zip(predicted) {
                inner[*row as usize] = Some(value);
            }
        }
        inner
    }
}
