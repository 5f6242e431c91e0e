//! What a score would be worth if rows of one group stood on both sides of the splits.

use crate::{
    data::{CrossValidationConfig, Dataset, FoldPlan, Groups, SplitBy},
    evaluate::{ScoredRow, Scores},
    report::Leakage,
};

use super::{Params, duplicates};

/// Rows up to which the other way to split is scored as well: it doubles the training.
const MOST_ROWS: usize = 20_000;

/// The folds of the other way to split, where rows share groups and the comparison is asked for; equal
/// rows are treated as in the run itself.
pub(super) fn other_plan(dataset: &Dataset, params: &Params) -> Option<FoldPlan> {
    let config = &params.cv;
    let repeats = dataset.groups.as_ref().is_some_and(Groups::repeat);
    if !(config.leakage_check && config.is_drawn() && repeats && dataset.rows() <= MOST_ROWS) {
        return None;
    }
    let split_by = match config.split_by {
        SplitBy::Group => SplitBy::Row,
        SplitBy::Row => SplitBy::Group,
    };
    let config = CrossValidationConfig { split_by, ..config.clone() };
    // Too few groups to split by are no error here: there is nothing to compare with.
    let mut plan = FoldPlan::new(&config, dataset, params.train.seed).ok()?;
    duplicates::drop(dataset, &params.clean, &mut plan).ok()?;
    Some(plan)
}

/// The two scores side by side, from the judged rows of both; `dataset` has groups.
pub(super) fn compared(
    dataset: &Dataset,
    params: &Params,
    (own, other): (&[ScoredRow], &[ScoredRow]),
) -> Leakage {
    let is_forced = params.cv.split_by == SplitBy::Row;
    let (by_group, by_row) = if is_forced { (other, own) } else { (own, other) };
    let shares = shares_group(dataset);
    let transform = params.target.transform;
    let ratio = |is_shared: bool| {
        let rmse = |rows: &[ScoredRow]| {
            let squares: Vec<f64> = rows
                .iter()
                .filter(|row| shares[row.row] == is_shared)
                .map(|row| (transform.apply(row.prediction) - transform.apply(row.target)).powi(2))
                .collect();
            (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
        };
        Some(rmse(by_row) / rmse(by_group)).filter(|ratio| ratio.is_finite())
    };
    let level = params.interval.level;
    let scores = |rows: &[ScoredRow]| Scores::of(&rows.iter().collect::<Vec<_>>(), level);
    Leakage {
        by_group: scores(by_group),
        by_row: scores(by_row),
        shared_ratio: ratio(true),
        alone_ratio: ratio(false),
        is_forced,
    }
}

/// Whether each row shares its group with another.
fn shares_group(dataset: &Dataset) -> Vec<bool> {
    let ids = dataset.group_ids();
    let mut rows = vec![0_usize; ids.len()];
    for id in &ids {
        rows[*id as usize] += 1;
    }
    ids.iter().map(|id| rows[*id as usize] > 1).collect()
}
