//! What sub-models, each of which has left out one inner part, say of it.

use super::{super::inner_parts::InnerParts, Table};
use crate::model::{TreeEnsemble, predict_on_threads};

impl InnerParts {
    /// The prediction of each row by the sub-model that has not seen its part.
    pub(crate) fn predictions(&self, table: &Table, models: &[TreeEnsemble]) -> Vec<Option<f64>> {
        let mut inner = vec![None; table.rows()];
        for (held, model) in self.held.iter().zip(models) {
            let rows: Vec<&[f32]> = held.iter().map(|row| table.features(*row)).collect();
            for (row, value) in held.iter().zip(predict_on_threads(model, &rows)) {
                inner[*row as usize] = Some(value);
            }
        }
        inner
    }
}
