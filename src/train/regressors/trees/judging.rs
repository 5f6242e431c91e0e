//! What sub-models, each of which has left out one inner part, say of it.

use rayon::prelude::*;

use super::{super::inner_parts::InnerParts, Table};
use crate::model::{Regressor, TreeEnsemble};

impl InnerParts {
    /// The prediction of each row by the sub-model that has not seen its part.
    pub(crate) fn predictions(&self, table: &Table, models: &[TreeEnsemble]) -> Vec<Option<f64>> {
        let mut inner = vec![None; table.rows()];
        for (held, model) in self.held.iter().zip(models) {
            let predicted: Vec<f64> =
                held.par_iter().map(|row| model.predict(table.features(*row))).collect();
            for (row, value) in held.iter().zip(predicted) {
                inner[*row as usize] = Some(value);
            }
        }
        inner
    }
}
