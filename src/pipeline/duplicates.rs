//! Rows that are equal in every column, and what trains of them.

use crate::{
    data::{DataError, Dataset, FoldPlan, explore::equal_rows_of},
    features::{CleanConfig, DuplicateRule},
};

/// Where cleaning asks for it, lets each fold train on one of several equal rows, and on none that
/// equals a row it is judged on. Returns how many rows of the table equal an earlier one.
///
/// # Errors
/// When a fold has nothing left to train on.
pub(super) fn drop(
    dataset: &Dataset,
    clean: &CleanConfig,
    plan: &mut FoldPlan,
) -> Result<usize, DataError> {
    if clean.duplicates == DuplicateRule::Keep {
        return Ok(0);
    }
    let sets = equal_rows_of(dataset);
    let mut first: Vec<usize> = (0..dataset.rows()).collect();
    for set in &sets {
        for row in set {
            first[*row] = set[0];
        }
    }
    for split in &mut plan.splits {
        let mut taken = vec![false; first.len()];
        split.held_out.iter().for_each(|row| taken[first[*row as usize]] = true);
        split.train.retain(|row| !std::mem::replace(&mut taken[first[*row as usize]], true));
    }
    if plan.splits.iter().any(|split| split.train.is_empty()) {
        let found = "every row of a fold's training part equals one that it is judged on";
        let hint = "lower `cv.folds`, or set `clean.duplicates=keep`";
        return Err(DataError::malformed(&dataset.path, found, "other rows to train on", hint));
    }
    Ok(sets.iter().map(|set| set.len() - 1).sum())
}
