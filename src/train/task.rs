//! Which rows each network learns from and which it is stopped by.

use rayon::prelude::*;

use crate::{
    data::{FoldPlan, Generator, Split, balanced_parts},
    features::{FeatureMatrix, PerFold},
    model::{Linear, MemberScaling, ModelConfig, Regressor},
};

use super::{
    LearningRows, MemberSettings, TrainConfig, fit_linear, inputs::fit_inputs, regressors::count_of,
};

/// Fewer inner validation rows, or fewer training groups, do not choose an epoch.
const FEWEST_INNER_ROWS: usize = 5;
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
    /// How much each row counts, one copy.
    pub weights: &'a [f64],
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
    /// Its own part of the recipe.
    pub settings: MemberSettings,
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
    /// Which of several variants of the networks, from 0.
    pub trial: usize,
    /// Its training rows, one copy.
    pub rows: Vec<u32>,
    /// The inner part of each of them, `0..inner_parts`; of fewer groups `0..groups`.
    pub parts: Vec<u32>,
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
        let variant = |split: usize| Variant { trial: 0, split, model, config };
        let variants: Vec<Variant<'_>> = (0..folds.splits.len()).map(variant).collect();
        Self::of_variants(table, folds, &variants)
    }

    /// Plans variants of the networks, all of one shape and batch size, for some splits of `folds`.
    ///
    /// Variants of one split share their rows, their order and where they can their first weights,
    /// so that differences between them come from what they differ in.
    #[must_use]
    pub fn of_variants(
        table: TrainingTable<'_>,
        folds: &FoldPlan,
        variants: &[Variant<'_>],
    ) -> Self {
        let batch_size = variants.first().map_or(1, |variant| variant.config.batch_size);
        let plan = |variant: &Variant<'_>| {
            let table = FoldTable { table, matrix: table.features.of_fold()[variant.split] };
            FoldTask::new(table, &folds.splits[variant.split], variant)
        };
        let folds: Vec<FoldTask> = variants.par_iter().map(plan).collect();
        let tasks = || folds.iter().flat_map(|fold| &fold.members);
        let batch = |task: &MemberTask| task.train.len().div_ceil(task.steps(batch_size));
        let batch_rows = tasks().map(batch).max().unwrap_or(1);
        let inner_rows = tasks().map(|task| task.inner.len()).max().unwrap_or(0);
        Self { folds, batch_rows, inner_rows }
    }
}

/// One variant of the networks on one split.
#[derive(Clone, Copy, Debug)]
pub struct Variant<'a> {
    /// Its number; 0 where there is but one.
    pub trial: usize,
    /// Position of its split in the plan.
    pub split: usize,
    /// Shape of the networks.
    pub model: &'a ModelConfig,
    /// Their recipe.
    pub config: &'a TrainConfig,
}

impl TrainingTable<'_> {
    /// `rows` of every copy of the table in `matrix`.
    #[must_use]
    pub fn in_all_copies(&self, matrix: &FeatureMatrix, rows: &[u32]) -> Vec<u32> {
        let count = self.targets.len();
        let copies = (0..matrix.rows() / count).map(|copy| (copy * count) as u32);
        copies.flat_map(|first| rows.iter().map(move |row| first + row)).collect()
    }

    /// How much a row of any copy counts.
    #[must_use]
    pub fn weight(&self, row: u32) -> f64 {
        self.weights[row as usize % self.weights.len()]
    }

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
}

impl FoldTask {
    fn new(table: FoldTable<'_>, split: &Split, variant: &Variant<'_>) -> Self {
        let (model, config) = (variant.model, variant.config);
        let parts = inner_parts(table.table, split, config);
        let judging = judges_epochs(table.table, &split.train, &parts).then_some(&parts[..]);
        let member = |member: usize| {
            let own = member_rows(split, member, judging);
            let linear = model.linear_skip.then(|| own.linear(table, split, &parts));
            MemberTask::new(table, split, (member, own), linear, variant)
        };
        Self {
            repeat: split.repeat,
            fold: split.fold,
            trial: variant.trial,
            rows: split.train.clone(),
            members: (0..model.members).into_par_iter().map(member).collect(),
            parts,
        }
    }

    /// Name of the file that an unfinished training is kept in.
    pub(super) fn state_file(&self) -> String {
        format!("state-{}-{}-{}.safetensors", self.repeat, self.fold, self.trial)
    }
}

impl MemberTask {
    fn new(
        table: FoldTable<'_>,
        split: &Split,
        (member, MemberRows { inner, train }): (usize, MemberRows),
        linear: Option<Linear>,
        variant: &Variant<'_>,
    ) -> Self {
        let train = table.table.in_all_copies(table.matrix(), &train);
        let scaling = fit_scaling(table, &train, linear, variant.model);
        let settings = MemberSettings::of(variant.model, variant.config);
        let (repeat, fold, matrix) = (split.repeat, split.fold, table.matrix);
        Self { repeat, fold, member, settings, matrix, train, inner, scaling }
    }

    /// Steps of an epoch.
    #[must_use]
    pub fn steps(&self, batch_size: usize) -> usize {
        self.train.len().div_ceil(batch_size)
    }

    /// What the network is to answer for a row of its matrix, standardised, and how much that counts among `count` rows.
    pub(super) fn wanted(&self, table: &TrainingTable<'_>, row: u32, count: usize) -> (f32, f32) {
        let features = table.features.distinct()[self.matrix].row(row as usize);
        let target = self.scaling.standardise(table.target(row), features);
        (target, table.weight(row) as f32 / count as f32)
    }

    /// The part of the random number stream that belongs to this network.
    pub(super) fn stream(&self) -> [u64; 3] {
        [self.repeat as u64, self.fold as u64, self.member as u64]
    }
}

/// The rows that judge the epochs of a network, and those that train it; one copy.
struct MemberRows {
    inner: Vec<u32>,
    train: Vec<u32>,
}

impl MemberRows {
    /// A ridge regression on the rows that train, its penalty chosen by their inner parts.
    fn linear(&self, table: FoldTable<'_>, split: &Split, parts: &[u32]) -> Linear {
        let part = |row: &u32| parts[split.train.partition_point(|known| known < row)];
        let own: Vec<u32> = self.train.iter().map(part).collect();
        let mut known = own.clone();
        known.sort_unstable();
        known.dedup();
        let place = |part: &u32| known.partition_point(|known| known < part) as u32;
        let data = LearningRows {
            matrix: table.matrix(),
            targets: table.table.targets,
            weights: table.table.weights,
            rows: &self.train,
            parts: &own.iter().map(place).collect::<Vec<_>>(),
            judged: known.len(),
        };
        fit_linear(&data)
    }
}

fn member_rows(split: &Split, member: usize, parts: Option<&[u32]>) -> MemberRows {
    let Some(parts) = parts else {
        return MemberRows { inner: Vec::new(), train: split.train.clone() };
    };
    let own = (member % count_of(parts)) as u32;
    let of = |inner: bool| {
        let rows = split.train.iter().zip(parts);
        rows.filter(|(_, part)| (**part == own) == inner).map(|(row, _)| *row).collect()
    };
    MemberRows { inner: of(true), train: of(false) }
}

/// The inner part of each training row of a fold. Groups are kept whole wherever there are two.
fn inner_parts(table: TrainingTable<'_>, split: &Split, config: &TrainConfig) -> Vec<u32> {
    let stream = [INNER_STREAM, split.repeat as u64, split.fold as u64];
    let mut generator = Generator::new(config.seed, &stream);
    let alone: Vec<u32> = (0..table.groups.len() as u32).collect();
    let is_one = split
        .train
        .iter()
        .all(|row| table.groups[*row as usize] == table.groups[split.train[0] as usize]);
    let groups = if is_one { &alone } else { table.groups };
    balanced_parts(&split.train, groups, table.targets, config.inner_parts, &mut generator)
}

/// Whether every part is large enough to judge the epochs of a network. Parts that no network holds
/// out are needed as well: the error of a fold is the mean over its networks.
fn judges_epochs(table: TrainingTable<'_>, rows: &[u32], parts: &[u32]) -> bool {
    let count = count_of(parts);
    let mut groups: Vec<u32> = rows.iter().map(|row| table.groups[*row as usize]).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut sizes = vec![0; count];
    for part in parts {
        sizes[*part as usize] += 1;
    }
    // One huge group can leave the other parts next to nothing.
    groups.len() >= FEWEST_GROUPS.max(count) && sizes.iter().all(|size| *size >= FEWEST_INNER_ROWS)
}

fn fit_scaling(
    table: FoldTable<'_>,
    rows: &[u32],
    linear: Option<Linear>,
    model: &ModelConfig,
) -> MemberScaling {
    let matrix = table.matrix();
    let left = |row: &u32| {
        let explained = linear.as_ref().map_or(0.0, |l| l.predict(matrix.row(*row as usize)));
        table.table.target(*row) - explained
    };
    let mean = |value: &dyn Fn(&u32) -> f64| {
        let weighted = |sum: (f64, f64), row: &u32| {
            let weight = table.table.weight(*row);
            (sum.0 + weight * value(row), sum.1 + weight)
        };
        let (sum, total) = rows.iter().fold((0.0, 0.0), weighted);
        sum / total.max(f64::MIN_POSITIVE)
    };
    let target_mean = mean(&left);
    let variance = mean(&|row| (left(row) - target_mean).powi(2));
    MemberScaling {
        inputs: fit_inputs(model.input_scaling, matrix, rows),
        linear,
        target_mean,
        target_deviation: if variance > 0.0 { variance.sqrt() } else { 1.0 },
    }
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
        let weights = vec![1.0; 60];
        let table = TrainingTable {
            features: &features,
            targets: &targets,
            weights: &weights,
            groups: &groups,
        };
        let (judged, train): (Vec<u32>, Vec<u32>) = (0..60).partition(|row| row / 2 % 3 == 0);
        let split = Split { repeat: 0, fold: 0, train: train.clone(), held_out: judged };
        let plan =
            FoldPlan { splits: vec![split], repeats: 1, leaks_groups: false, in_time: false };
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
