//! Which rows each network learns from and which it is stopped by.

use rayon::prelude::*;

use crate::{
    data::{FoldPlan, Generator, Split, balanced_parts},
    features::{FeatureMatrix, Scaler},
    model::MemberScaling,
};

use super::TrainConfig;

/// Fewer inner validation rows, or fewer training groups, do not choose an epoch.
const FEWEST_INNER_ROWS: usize = 10;
const FEWEST_GROUPS: usize = 3;

const INNER_STREAM: u64 = 2;

/// What is learned from.
#[derive(Clone, Copy, Debug)]
pub struct TrainingTable<'a> {
    /// Features of all rows.
    pub features: &'a FeatureMatrix,
    /// Transformed target of all rows.
    pub targets: &'a [f64],
    /// Group of all rows.
    pub groups: &'a [u32],
}

/// One network: its rows and its scaling.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberTask {
    /// Repeat of the cross-validation.
    pub repeat: usize,
    /// Fold.
    pub fold: usize,
    /// Member within the fold.
    pub member: usize,
    /// Rows whose gradients it follows.
    pub train: Vec<u32>,
    /// Rows of the same fold's training part that judge its epochs; empty where there are too few.
    pub inner: Vec<u32>,
    /// Its scaling, fitted on `train`.
    pub scaling: MemberScaling,
}

/// The networks of one fold, stopped together.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldTask {
    /// Repeat of the cross-validation.
    pub repeat: usize,
    /// Fold.
    pub fold: usize,
    /// Its networks.
    pub members: Vec<MemberTask>,
}

/// Every network of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingPlan {
    /// The folds of all repeats.
    pub folds: Vec<FoldTask>,
    /// Rows that every step has room for. Part of the plan, not of a stack: where sums are cut
    /// must not depend on which networks happen to be computed together.
    pub batch_rows: usize,
    /// Inner validation rows that every network has room for.
    pub inner_rows: usize,
}

impl TrainingPlan {
    /// Plans `members` networks for each fold of `folds`.
    #[must_use]
    pub fn new(
        table: TrainingTable<'_>,
        folds: &FoldPlan,
        members: usize,
        config: &TrainConfig,
    ) -> Self {
        let plan = |split: &Split| FoldTask::new(table, split, members, config);
        let folds: Vec<FoldTask> = folds.splits.par_iter().map(plan).collect();
        let tasks = || folds.iter().flat_map(|fold| &fold.members);
        let batch = |task: &MemberTask| task.train.len().div_ceil(task.steps(config.batch_size));
        let batch_rows = tasks().map(batch).max().unwrap_or(1);
        let inner_rows = tasks().map(|task| task.inner.len()).max().unwrap_or(0);
        Self { folds, batch_rows, inner_rows }
    }
}

impl FoldTask {
    fn new(table: TrainingTable<'_>, split: &Split, members: usize, config: &TrainConfig) -> Self {
        let parts = inner_parts(table, split, config);
        let member =
            |member: usize| MemberTask::new(table, split, member, parts.as_deref(), config);
        Self {
            repeat: split.repeat,
            fold: split.fold,
            members: (0..members).into_par_iter().map(member).collect(),
        }
    }
}

impl MemberTask {
    fn new(
        table: TrainingTable<'_>,
        split: &Split,
        member: usize,
        parts: Option<&[u32]>,
        config: &TrainConfig,
    ) -> Self {
        let own = (member % config.inner_parts) as u32;
        let (inner, train): (Vec<u32>, Vec<u32>) = match parts {
            None => (Vec::new(), split.train.clone()),
            Some(parts) => {
                let rows = split.train.iter().zip(parts);
                let inner = rows.clone().filter(|(_, part)| **part == own);
                let train = rows.filter(|(_, part)| **part != own);
                (inner.map(|(row, _)| *row).collect(), train.map(|(row, _)| *row).collect())
            }
        };
        let scaling = fit_scaling(table, &train);
        Self { repeat: split.repeat, fold: split.fold, member, train, inner, scaling }
    }

    /// Steps of an epoch.
    #[must_use]
    pub fn steps(&self, batch_size: usize) -> usize {
        self.train.len().div_ceil(batch_size)
    }

    /// The part of the random number stream that belongs to this network.
    pub(super) fn stream(&self) -> [u64; 3] {
        [self.repeat as u64, self.fold as u64, self.member as u64]
    }
}

/// The inner part of each training row of a fold; `None` where there is too little to cut.
fn inner_parts(table: TrainingTable<'_>, split: &Split, config: &TrainConfig) -> Option<Vec<u32>> {
    let mut groups: Vec<u32> = split.train.iter().map(|row| table.groups[*row as usize]).collect();
    groups.sort_unstable();
    groups.dedup();
    let enough = groups.len() >= FEWEST_GROUPS.max(config.inner_parts)
        && split.train.len() / config.inner_parts >= FEWEST_INNER_ROWS;
    if !enough {
        return None;
    }
    let stream = [INNER_STREAM, split.repeat as u64, split.fold as u64];
    let mut generator = Generator::new(config.seed, &stream);
    let count = config.inner_parts;
    let parts = balanced_parts(&split.train, table.groups, table.targets, count, &mut generator);
    let mut sizes = vec![0; count];
    for part in &parts {
        sizes[*part as usize] += 1;
    }
    // One huge group can leave the other parts next to nothing.
    sizes.iter().all(|size| *size >= FEWEST_INNER_ROWS).then_some(parts)
}

fn fit_scaling(table: TrainingTable<'_>, rows: &[u32]) -> MemberScaling {
    let scaler = Scaler::fit(table.features, rows);
    let count = rows.len().max(1) as f64;
    let targets = || rows.iter().map(|row| table.targets[*row as usize]);
    let target_mean = targets().sum::<f64>() / count;
    let variance = targets().map(|target| (target - target_mean).powi(2)).sum::<f64>() / count;
    MemberScaling {
        mean: scaler.mean.into_iter().map(|mean| mean as f32).collect(),
        inverse_deviation: scaler.inverse_deviation.into_iter().map(|i| i as f32).collect(),
        target_mean,
        target_deviation: if variance > 0.0 { variance.sqrt() } else { 1.0 },
    }
}
