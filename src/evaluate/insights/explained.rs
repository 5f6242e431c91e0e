//! The worst predictions, each with what every column had to do with it.

use serde::{Deserialize, Serialize};

use crate::evaluate::{ScoredRow, attribute};

use super::JudgedRows;

/// Rows that a prediction is compared with.
const BACKGROUND: usize = 32;

/// A judged row with the reasons of its prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// The judged row.
    pub row: ScoredRow,
    /// Its raw values; `None` where one is missing.
    pub values: Vec<Option<f64>>,
    /// Mean prediction of the rows that it is compared with, in the target's unit.
    pub base: f64,
    /// What each column adds to that: Shapley values, see [`attribute`].
    pub contributions: Vec<f64>,
}

/// The `count` rows with the greatest `badness`. Each is explained by the models that did
/// not see it, against rows that they saw.
pub(super) fn worst(
    rows: &JudgedRows,
    count: usize,
    badness: impl Fn(&ScoredRow) -> f64,
    models: super::AskedModels<'_>,
) -> Vec<Explained> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| badness(&rows.scored[*b]).total_cmp(&badness(&rows.scored[*a])));
    order.truncate(count);
    order.into_iter().map(|row| explain(rows, row, models)).collect()
}

fn explain(rows: &JudgedRows, row: usize, models: super::AskedModels<'_>) -> Explained {
    let own = &rows.scored[row];
    let is_known = |other: &usize| (models.trained)(own.fold, rows.scored[*other].row);
    let known: Vec<usize> = (0..rows.len()).filter(is_known).collect();
    let step = known.len().div_ceil(BACKGROUND).max(1);
    let background: Vec<&[f64]> = known.iter().step_by(step).map(|row| rows.values(*row)).collect();
    let values = rows.values(row);
    let found = attribute(values, &background, |rows| (models.of_fold)(own.fold, rows));
    Explained {
        row: own.clone(),
        values: values.iter().map(|value| value.is_finite().then_some(*value)).collect(),
        base: found.base,
        contributions: found.contributions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::AskedModels;

    #[test]
    fn the_worst_rows_are_explained_by_models_that_did_not_see_them() {
        let scored =
            |row: usize| ScoredRow { prediction: row as f64, ..ScoredRow::blank(row, row % 4) };
        let rows = JudgedRows {
            names: vec!["a".to_owned(), "b".to_owned()],
            scored: (0..40).map(scored).collect(),
            raw: (0..40).flat_map(|row| [f64::from(row), f64::from(row % 3)]).collect(),
        };
        let asked = std::sync::Mutex::new(Vec::new());
        let predict = |split: usize, rows: &[f64]| {
            asked.lock().unwrap().push(split);
            rows.chunks_exact(2).map(|row| row[0] + 10.0 * row[1]).collect()
        };
        let models = AskedModels {
            of_fold: &predict,
            deployed: &|_| Vec::new(),
            trained: &|fold, row| row % 4 != fold,
        };
        let found = worst(&rows, 3, |row| row.prediction.abs(), models);
        assert_eq!(found.iter().map(|own| own.row.row).collect::<Vec<_>>(), [39, 38, 37]);
        assert_eq!(asked.into_inner().unwrap().iter().max(), Some(&3));
        for own in &found {
            let sum = own.base + own.contributions.iter().sum::<f64>();
            let [a, b] = [own.values[0].unwrap(), own.values[1].unwrap()];
            assert!((sum - (a + 10.0 * b)).abs() < 1e-9);
        }
    }
}
