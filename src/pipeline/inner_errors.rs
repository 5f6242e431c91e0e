//! How well a feature set does within the training rows of one fold.

use rayon::prelude::*;

use crate::{
    data::{FoldPlan, Generator, Split, balanced_parts},
    model::Regressor,
    train::{LearningRows, fit_quick_kernel},
};

use super::{
    Params,
    prepared::{Prepared, RawTable},
};

/// Parts that the training rows of a fold are cut into to judge a set.
const PARTS: usize = 4;

/// Training rows of a fold that sets are judged on at most, groups kept whole.
const MOST_ROWS: usize = 2_000;

const CHOICE_STREAM: u64 = 6;

/// The training rows of fold `index` that sets are judged on: all, or those of as many groups, drawn
/// at random, as stay within [`MOST_ROWS`].
pub(super) fn judged_rows(rows: &[u32], groups: &[u32], seed: u64, index: usize) -> Vec<u32> {
    if rows.len() <= MOST_ROWS {
        return rows.to_vec();
    }
    let mut chosen: Vec<u32> = rows.iter().map(|row| groups[*row as usize]).collect();
    chosen.sort_unstable();
    chosen.dedup();
    Generator::new(seed, &[CHOICE_STREAM, index as u64, 1]).shuffle(&mut chosen);
    chosen.truncate((chosen.len() * MOST_ROWS / rows.len()).max(PARTS));
    chosen.sort_unstable();
    let is_chosen = |row: &&u32| chosen.binary_search(&groups[**row as usize]).is_ok();
    rows.iter().filter(is_chosen).copied().collect()
}

/// All rows of a table of one fold's training rows, cut into up to [`PARTS`] that are held out in
/// turn; `None` where there are not two groups to cut between.
pub(super) fn inner_plan(raw: RawTable<'_>, seed: u64, index: usize) -> Option<FoldPlan> {
    let groups = raw.dataset.group_ids();
    let rows: Vec<u32> = (0..raw.dataset.rows() as u32).collect();
    let mut generator = Generator::new(seed, &[CHOICE_STREAM, index as u64]);
    let parts = balanced_parts(&rows, &groups, raw.transformed, PARTS, &mut generator);
    let split = |part: usize| {
        let (held_out, train): (Vec<u32>, Vec<u32>) =
            rows.iter().partition(|row| parts[**row as usize] == part as u32);
        Split { repeat: 0, fold: part, train, held_out }
    };
    let splits: Vec<Split> = (0..PARTS)
        .map(split)
        .filter(|split| !split.train.is_empty() && !split.held_out.is_empty())
        .collect();
    (!splits.is_empty()).then_some(FoldPlan {
        splits,
        repeats: 1,
        leaks_groups: false,
        in_time: false,
    })
}

/// The mean squared error of each group, in the order of the groups and in the space of learning: on
/// the target's own scale a few large targets would decide.
///
/// A kernel regression judges, which is as sensitive to its features as a network and has a closed
/// form; it is fitted anew without each part.
pub(super) fn inner_errors(raw: RawTable<'_>, prepared: &Prepared, params: &Params) -> Vec<f64> {
    let transform = params.target.transform;
    let weights = raw.dataset.row_weights(|y| transform.slope(y));
    let groups = raw.dataset.group_ids();
    let splits = prepared.plan.splits.par_iter().enumerate();
    let errors = splits.flat_map_iter(|(index, split)| {
        let stream = [CHOICE_STREAM, index as u64, 2];
        let mut generator = Generator::new(params.train.seed, &stream);
        let (matrix, targets) = (prepared.matrices.get(index), raw.transformed);
        let parts = balanced_parts(&split.train, &groups, targets, PARTS, &mut generator);
        let (rows, weights) = (&split.train[..], &weights[..]);
        let data = LearningRows { matrix, targets, weights, rows, parts: &parts, judged: PARTS };
        let model = fit_quick_kernel(data, params.train.seed, &stream);
        let error = |row: &u32| {
            let prediction = model.predict(matrix.row(*row as usize));
            let square = (targets[*row as usize] - prediction).powi(2);
            (groups[*row as usize], weights[*row as usize] * square)
        };
        split.held_out.iter().map(error).collect::<Vec<_>>()
    });
    means_by_group(errors.collect())
}

/// The mean of the values of each group, in the order of the groups.
fn means_by_group(mut values: Vec<(u32, f64)>) -> Vec<f64> {
    values.sort_by_key(|(group, _)| *group);
    let mean =
        |rows: &[(u32, f64)]| rows.iter().map(|(_, value)| value).sum::<f64>() / rows.len() as f64;
    values.chunk_by(|a, b| a.0 == b.0).map(mean).collect()
}
