//! How well a feature set does within the training rows of one fold.

use crate::{
    data::{FoldPlan, Generator, Split, balanced_parts},
    evaluate::{OutOfFoldInputs, TrainedNetworks, held_out_predictions},
    model::{Backend, ModelConfig},
    train::{Cut, Hooks, TrainError, Trained, Training, TrainingPlan, fit},
};

use super::{
    Params, interrupted,
    prepared::{Prepared, RawTable},
};

/// Parts that the training rows of a fold are cut into to judge a set.
const PARTS: usize = 4;

/// Networks that judge a set on each part.
const MEMBERS: usize = 2;

/// Training rows of a fold that sets are judged on at most, groups kept whole.
const MOST_ROWS: usize = 5_000;

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
    (!splits.is_empty()).then_some(FoldPlan { splits, repeats: 1, leaks_groups: false })
}

/// The mean squared error of each group, in the order of the groups and in the space of learning: on
/// the target's own scale a few large targets would decide.
pub(super) fn inner_errors(
    raw: RawTable<'_>,
    prepared: &Prepared,
    params: &Params,
    backend: &Backend,
) -> Result<Vec<f64>, TrainError> {
    let groups = raw.dataset.group_ids();
    let table = prepared.table(raw.transformed, &groups);
    let model = ModelConfig { members: MEMBERS, ..params.model.clone() };
    let plan = TrainingPlan::new(table, &prepared.plan, &model, &params.train);
    let hooks = Hooks { on_epoch: &|_| {}, interrupted: &interrupted, state_folder: None };
    let cut = Cut::for_backend(backend);
    let (config, model) = (&params.train, &model);
    let trained = fit(Training { table, plan: &plan, model, config, backend, cut }, &hooks)?;
    let inputs = OutOfFoldInputs {
        dataset: raw.dataset,
        matrices: &prepared.matrices,
        transformed: raw.transformed,
        plan: &prepared.plan,
        target: &params.target,
        level: params.interval.level,
    };
    let shape = model.shape(prepared.width());
    let Trained { members, scaling, .. } = &trained;
    let networks = TrainedNetworks { shape: &shape, members, scaling, backend };
    let predictions = held_out_predictions(inputs, networks);
    let held_out = prepared.plan.splits.iter().flat_map(|split| &split.held_out);
    let errors = held_out.zip(predictions.concat()).map(|(row, prediction)| {
        let prediction = params.target.transform.apply(prediction);
        let square = (raw.transformed[*row as usize] - prediction).powi(2);
        (groups[*row as usize], square)
    });
    Ok(means_by_group(errors.collect()))
}

/// The mean of the values of each group, in the order of the groups.
fn means_by_group(mut values: Vec<(u32, f64)>) -> Vec<f64> {
    values.sort_by_key(|(group, _)| *group);
    let mean =
        |rows: &[(u32, f64)]| rows.iter().map(|(_, value)| value).sum::<f64>() / rows.len() as f64;
    values.chunk_by(|a, b| a.0 == b.0).map(mean).collect()
}
