//! What cleaning did, counted.

use crate::{data::Dataset, features::CleanConfig, report::CleaningSummary};

use super::prepared::Prepared;

/// Counts what cleaning did to `dataset`, whose features are still there; `duplicates` rows were not
/// trained on.
pub(super) fn of(
    dataset: &Dataset,
    clean: &CleanConfig,
    prepared: &Prepared,
    duplicates: usize,
) -> CleaningSummary {
    let columns = dataset.feature_names.iter().zip(&dataset.features);
    let missing = columns
        .map(|(name, values)| (name.clone(), values.iter().filter(|value| value.is_nan()).count()));
    CleaningSummary {
        missing: missing.filter(|(_, count)| *count > 0).collect(),
        duplicates,
        dead: dead(prepared),
        clip: clean.clip,
        clipped: clipped(prepared, dataset.rows(), clean.clip),
    }
}

/// The dropped columns, and in how many folds.
fn dead(prepared: &Prepared) -> Vec<(String, usize)> {
    let mut dead: Vec<(String, usize)> = Vec::new();
    for fold in 0..prepared.plan.splits.len() {
        for name in prepared.preprocessors.get(fold).dead() {
            match dead.iter_mut().find(|(known, _)| known == name) {
                Some((_, folds)) => *folds += 1,
                None => dead.push((name.to_owned(), 1)),
            }
        }
    }
    dead
}

/// Share of feature values that lay beyond the bound before they were clipped.
fn clipped(prepared: &Prepared, rows: usize, bound: f64) -> Option<f64> {
    if bound == 0.0 {
        return None;
    }
    let pairs = prepared.preprocessors.distinct().iter().zip(prepared.matrices.distinct());
    let counts = pairs.map(|(preprocessor, matrix)| preprocessor.clipped(matrix, rows));
    let (beyond, all) = counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Some(beyond as f64 / all.max(1) as f64)
}
