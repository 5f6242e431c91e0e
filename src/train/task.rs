//! Which rows each network learns from and which it is stopped by.

use rayon::prelude::*;

use crate::{
    data::{FoldPlan, Generator, Split, balanced_parts, explore::quantile},
    features::{FeatureMatrix, PerFold, Scaler},
    model::{InputScaling, MemberScaling, ModelConfig, Ridge},
};

use super::TrainConfig;

/// Fewer inner validation rows, or fewer training groups, do not choose an epoch.
const FEWEST_INNER_ROWS: usize = 10;
const FEWEST_GROUPS: usize = 3;

const INNER_STREAM: u64 = 2;

/// What is learned from.
#[derive(Clone, Copy, Debug)]
pub struct TrainingTable<'a> {
    /// Features of all rows as each fold sees them; below them, where there is more than one copy of
    /// the table, the rows as they would look under each symmetry.
    pub features: &'a PerFold<FeatureMatrix>,
    /// Transformed target of the rows, one copy.
    pub targets: &'a [f64],
    /// Group of the rows, one copy.
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
    /// Position of its features among the different ones.
    pub matrix: usize,
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
    /// Plans the networks of each fold of `folds`.
    #[must_use]
    pub fn new(
        table: TrainingTable<'_>,
        folds: &FoldPlan,
        model: &ModelConfig,
        config: &TrainConfig,
    ) -> Self {
        let plan = |(index, split): (usize, &Split)| {
            let table = FoldTable { table, matrix: table.features.of_fold()[index] };
            FoldTask::new(table, split, model, config)
        };
        let folds: Vec<FoldTask> = folds.splits.par_iter().enumerate().map(plan).collect();
        let tasks = || folds.iter().flat_map(|fold| &fold.members);
        let batch = |task: &MemberTask| task.train.len().div_ceil(task.steps(config.batch_size));
        let batch_rows = tasks().map(batch).max().unwrap_or(1);
        let inner_rows = tasks().map(|task| task.inner.len()).max().unwrap_or(0);
        Self { folds, batch_rows, inner_rows }
    }
}

impl TrainingTable<'_> {
    /// Transformed target of a row of any copy.
    #[must_use]
    pub fn target(&self, row: u32) -> f64 {
        self.targets[row as usize % self.targets.len()]
    }
}

/// The table as one fold sees it.
#[derive(Clone, Copy)]
struct FoldTable<'a> {
    table: TrainingTable<'a>,
    matrix: usize,
}

impl FoldTable<'_> {
    fn matrix(&self) -> &FeatureMatrix {
        &self.table.features.distinct()[self.matrix]
    }

    /// The same rows in every copy of the table.
    fn in_all_copies(&self, rows: Vec<u32>) -> Vec<u32> {
        let count = self.table.targets.len();
        let copies = self.matrix().rows() / count;
        let others = (1..copies).flat_map(|copy| rows.iter().map(move |row| (copy, *row)));
        let others: Vec<u32> = others.map(|(copy, row)| (copy * count) as u32 + row).collect();
        [rows, others].concat()
    }
}

impl FoldTask {
    fn new(table: FoldTable<'_>, split: &Split, model: &ModelConfig, config: &TrainConfig) -> Self {
        let parts = inner_parts(table.table, split, config);
        let member = |member: usize| {
            let (inner, train) = member_rows(split, member, parts.as_deref(), config);
            MemberTask::new(table, split, (member, inner, train), model)
        };
        Self {
            repeat: split.repeat,
            fold: split.fold,
            members: (0..model.members).into_par_iter().map(member).collect(),
        }
    }
}

impl MemberTask {
    fn new(
        table: FoldTable<'_>,
        split: &Split,
        (member, inner, train): (usize, Vec<u32>, Vec<u32>),
        model: &ModelConfig,
    ) -> Self {
        let train = table.in_all_copies(train);
        let scaling = fit_scaling(table, &train, model);
        let (repeat, fold, matrix) = (split.repeat, split.fold, table.matrix);
        Self { repeat, fold, member, matrix, train, inner, scaling }
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

/// The rows that judge the epochs of a fold's network, and those that train it.
fn member_rows(
    split: &Split,
    member: usize,
    parts: Option<&[u32]>,
    config: &TrainConfig,
) -> (Vec<u32>, Vec<u32>) {
    let Some(parts) = parts else { return (Vec::new(), split.train.clone()) };
    let own = (member % config.inner_parts) as u32;
    let rows = split.train.iter().zip(parts);
    let (inner, train): (Vec<_>, Vec<_>) = rows.partition(|(_, part)| **part == own);
    let rows = |pairs: Vec<(&u32, &u32)>| pairs.into_iter().map(|(row, _)| *row).collect();
    (rows(inner), rows(train))
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

fn fit_scaling(table: FoldTable<'_>, rows: &[u32], model: &ModelConfig) -> MemberScaling {
    let matrix = table.matrix();
    let (centre, inverse_scale) = match model.input_scaling {
        InputScaling::Standard => {
            let scaler = Scaler::fit(matrix, rows);
            (scaler.mean, scaler.inverse_deviation)
        }
        InputScaling::Robust => robust_scales(matrix, rows),
    };
    let linear = model.linear_skip.then(|| {
        let count = table.table.targets.len();
        let targets: Vec<f64> =
            (0..matrix.rows()).map(|row| table.table.targets[row % count]).collect();
        Ridge::fit(matrix, &targets, rows).linear()
    });
    let left = |row: &u32| {
        let explained = linear.as_ref().map_or(0.0, |l| l.predict(matrix.row(*row as usize)));
        table.table.target(*row) - explained
    };
    let count = rows.len().max(1) as f64;
    let target_mean = rows.iter().map(left).sum::<f64>() / count;
    let variance = rows.iter().map(|row| (left(row) - target_mean).powi(2)).sum::<f64>() / count;
    let single = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
    MemberScaling {
        inputs: model.input_scaling,
        centre: single(centre),
        inverse_scale: single(inverse_scale),
        linear,
        target_mean,
        target_deviation: if variance > 0.0 { variance.sqrt() } else { 1.0 },
    }
}

/// The median of each column and one over its interquartile range; over half its range where the
/// quartiles meet, 0 where it does not vary (Holzmüller, Grinsztajn and Steinwart, 2024).
fn robust_scales(matrix: &FeatureMatrix, rows: &[u32]) -> (Vec<f64>, Vec<f64>) {
    let scales = |column: usize| {
        let mut values: Vec<f64> =
            rows.iter().map(|row| f64::from(matrix.row(*row as usize)[column])).collect();
        values.retain(|value| !value.is_nan());
        values.sort_by(f64::total_cmp);
        let at = |level| quantile(&values, level).unwrap_or(0.0);
        let spread = match at(0.75) - at(0.25) {
            spread if spread > 1e-7 => spread,
            _ => 0.5 * (at(1.0) - at(0.0)),
        };
        (at(0.5), if spread > 1e-7 { 1.0 / spread } else { 0.0 })
    };
    (0..matrix.columns()).map(scales).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_the_table_train_and_never_validate() {
        // Sixty rows and the same rows under two motions, below them.
        let values: Vec<f32> = (0..180).map(|row| (row * row % 97) as f32).collect();
        let features = PerFold::shared(FeatureMatrix::new(1, values), 3);
        let targets: Vec<f64> = (0..60).map(f64::from).collect();
        let groups: Vec<u32> = (0..60).map(|row| row / 2).collect();
        let table = TrainingTable { features: &features, targets: &targets, groups: &groups };
        let (judged, train): (Vec<u32>, Vec<u32>) = (0..60).partition(|row| row / 2 % 3 == 0);
        let split = Split { repeat: 0, fold: 0, train: train.clone(), held_out: judged };
        let plan = FoldPlan { splits: vec![split], repeats: 1, leaks_groups: false };
        let config = TrainConfig { inner_parts: 3, ..TrainConfig::default() };
        let model = ModelConfig { members: 2, ..ModelConfig::default() };
        let plan = TrainingPlan::new(table, &plan, &model, &config);
        for member in &plan.folds[0].members {
            assert!(!member.inner.is_empty() && member.inner.iter().all(|row| *row < 60));
            let own: Vec<u32> = member.train.iter().copied().filter(|row| *row < 60).collect();
            assert_eq!(member.train.len(), 3 * own.len());
            let is_own =
                |row: &u32| own.contains(&(row % 60)) && !member.inner.contains(&(row % 60));
            assert!(member.train.iter().all(is_own));
            assert!(own.iter().all(|row| train.contains(row)));
        }
    }
}
