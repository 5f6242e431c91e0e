//! How a run's networks are cut into stacks and trained.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use crate::features::FeatureMatrix;
use crate::model::{Backend, MemberScaling, MemberWeights, ModelConfig};

use super::{
    EpochRecord, TrainConfig, TrainError, TrainingPlan, TrainingTable,
    cohort::{Cohort, CohortResult},
    rates::rules,
    stack_trainer::TrainingContext,
};

/// What a training tells, and is told, while it runs. Called from several threads.
#[derive(Clone, Copy)]
pub struct Hooks<'a> {
    /// Called after each epoch of each fold.
    pub on_epoch: &'a (dyn Fn(&EpochEvent) + Sync),
    /// Asked between steps whether to save and stop.
    pub interrupted: &'a (dyn Fn() -> bool + Sync),
    /// Folder for the state from which a killed training goes on; `None` keeps none.
    pub state_folder: Option<&'a Path>,
}

/// One epoch of one fold.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEvent {
    /// Repeat of the cross-validation, from 0.
    pub repeat: usize,
    /// Fold, from 0.
    pub fold: usize,
    /// Which of several variants of the networks, from 0.
    pub trial: usize,
    /// Epoch, from 1.
    pub epoch: usize,
    /// Rows that the fold's networks were shown in this epoch.
    pub rows: usize,
    /// Mean training loss of the fold's networks.
    pub train_loss: f64,
    /// Mean learning rate of the fold's networks at the end of the epoch.
    pub learning_rate: f64,
    /// Mean inner validation loss of the fold's networks.
    pub validation_loss: Option<f64>,
    /// The smallest so far.
    pub best_loss: Option<f64>,
    /// Whether this was the fold's last epoch.
    pub stopped: bool,
}

/// Trained networks, fold by fold of all repeats.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Best weights of every network.
    pub members: Vec<MemberWeights>,
    /// Scaling of every network.
    pub scaling: Vec<MemberScaling>,
    /// The epoch that each fold kept.
    pub chosen_epochs: Vec<usize>,
    /// Inner validation loss of every network in that epoch, its own target standardised; empty for a
    /// fold that diverged at once.
    pub inner_losses: Vec<Vec<Option<f64>>>,
    /// Losses of every network in every epoch it was trained.
    pub history: Vec<EpochRecord>,
}

impl Trained {
    /// No networks at all, for `folds` folds.
    #[must_use]
    pub fn none(folds: usize) -> Self {
        let (members, scaling, history) = (Vec::new(), Vec::new(), Vec::new());
        let (chosen_epochs, inner_losses) = (vec![0; folds], vec![Vec::new(); folds]);
        Self { members, scaling, chosen_epochs, inner_losses, history }
    }
}

/// A training, ready to start.
#[derive(Clone, Copy, Debug)]
pub struct Training<'a> {
    /// What is learned from.
    pub table: TrainingTable<'a>,
    /// The networks and their rows.
    pub plan: &'a TrainingPlan,
    /// Shape of the networks.
    pub model: &'a ModelConfig,
    /// The recipe.
    pub config: &'a TrainConfig,
    /// Where it is computed.
    pub backend: &'a Backend,
    /// How it is cut.
    pub cut: Cut,
    /// What becomes of a fold that diverges.
    pub divergence: Divergence,
}

/// What becomes of a fold whose loss leaves all bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// The training fails: there is no result without it.
    Fails,
    /// The fold stops and keeps the best epoch it had, if any: one of several trials.
    Stops,
}

/// How the networks of a run are cut into pieces. The weights are the same for every cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Folds that go through their epochs together.
    pub folds_per_cohort: usize,
    /// Networks that are computed as one.
    pub members_per_stack: usize,
}

impl Cut {
    /// The cut that suits `backend`. A GPU takes all networks as one stack, because launches are
    /// what costs there. On the CPU every network is a stack of its own and folds are spread over
    /// the threads, because caches are what counts there.
    #[must_use]
    pub fn for_backend(backend: &Backend) -> Self {
        let size = if backend.is_cpu() { 1 } else { usize::MAX };
        Self { folds_per_cohort: size, members_per_stack: size }
    }
}

/// Trains every network of a plan.
///
/// # Errors
/// When a network diverges, the state cannot be written, or somebody asks to stop.
pub fn fit(training: Training<'_>, hooks: &Hooks<'_>) -> Result<Trained, TrainError> {
    let Training { table, plan, model, config, backend, cut, divergence } = training;
    let first = table.features.get(0);
    let shape = model.shape(first.columns());
    // On the CPU rows are gathered from the matrices themselves, which needs no copy of them.
    let on_device = (!backend.is_cpu()).then(|| {
        let matrices = table.features.distinct();
        let values: Vec<f32> = matrices.iter().flat_map(FeatureMatrix::values).copied().collect();
        let size = [matrices.len() * first.rows(), first.columns()];
        Tensor::from_data(TensorData::new(values, size), &backend.device)
    });
    let context = TrainingContext {
        config,
        shape: &shape,
        parametrisation: model.parametrisation,
        rules: &rules(&shape, model.parametrisation),
        plan,
        backend,
        table,
        on_device,
        divergence,
    };
    // One failure stops the others: there is no result without all folds.
    let failed = AtomicBool::new(false);
    let interrupted = || failed.load(Ordering::Relaxed) || (hooks.interrupted)();
    let hooks = &Hooks { interrupted: &interrupted, ..*hooks };
    let train = |folds| {
        let cohort = Cohort::new(&context, folds, cut.members_per_stack, hooks);
        let result = cohort.and_then(|cohort| cohort.train(hooks));
        failed.fetch_or(result.is_err(), Ordering::Relaxed);
        result
    };
    let mut cohorts: Vec<Result<CohortResult, TrainError>> =
        plan.folds.par_chunks(cut.folds_per_cohort).map(train).collect();
    // The failure itself, before the interruptions that it caused.
    cohorts.sort_by_key(|cohort| !matches!(cohort, Err(error) if !error.is_interruption()));
    collect(plan, cohorts)
}

fn collect(
    plan: &TrainingPlan,
    cohorts: Vec<Result<CohortResult, TrainError>>,
) -> Result<Trained, TrainError> {
    let tasks = plan.folds.iter().flat_map(|fold| &fold.members);
    let mut trained = Trained {
        members: Vec::new(),
        scaling: tasks.map(|task| task.scaling.clone()).collect(),
        chosen_epochs: Vec::new(),
        inner_losses: Vec::new(),
        history: Vec::new(),
    };
    for cohort in cohorts {
        let cohort = cohort?;
        trained.members.extend(cohort.weights);
        trained.chosen_epochs.extend(cohort.folds.iter().map(|fold| fold.best_epoch));
        trained.inner_losses.extend(cohort.folds.into_iter().map(|fold| fold.member_losses));
        trained.history.extend(cohort.history);
    }
    trained.history.sort_by_key(|record| (record.repeat, record.fold, record.member, record.epoch));
    Ok(trained)
}
