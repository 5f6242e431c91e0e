//! How a run's networks are cut into stacks and trained.

use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use crate::model::{Backend, MemberScaling, MemberWeights, ModelConfig};

use super::{
    EpochRecord, TrainConfig, TrainError, TrainingPlan, TrainingTable,
    cohort::{Cohort, CohortResult},
    stack_trainer::TrainingContext,
};

/// What a training tells, and is told, while it runs. Called from several threads.
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
    /// Epoch, from 1.
    pub epoch: usize,
    /// Rows that the fold's networks were shown in this epoch.
    pub rows: usize,
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
    /// Losses of every network in every epoch it was trained.
    pub history: Vec<EpochRecord>,
}

/// Trains every network of `plan`.
///
/// A GPU takes all of them as one stack, because launches are what costs there. On the CPU every
/// network is a stack of its own and folds are spread over the threads, because caches are what
/// counts there. The weights are the same either way.
///
/// # Errors
/// When a network diverges, the state cannot be written, or somebody asks to stop.
pub fn fit(
    table: TrainingTable<'_>,
    plan: &TrainingPlan,
    (model, config): (&ModelConfig, &TrainConfig),
    backend: &Backend,
    hooks: &Hooks<'_>,
) -> Result<Trained, TrainError> {
    let shape = model.shape(table.features.columns());
    let size = [table.features.rows(), table.features.columns()];
    let data = TensorData::new(table.features.values().to_vec(), size);
    let context = TrainingContext {
        config,
        shape: &shape,
        dropout: model.dropout,
        plan,
        backend,
        targets: table.targets,
        features: Tensor::from_data(data, &backend.device),
    };
    let members = plan.folds.iter().map(|fold| fold.members.len()).sum();
    let (folds_per_cohort, members_per_stack) =
        if backend.is_cpu() { (1, 1) } else { (plan.folds.len(), members) };
    let train = |folds| Cohort::new(&context, folds, members_per_stack, hooks)?.train(hooks);
    let cohorts: Vec<Result<CohortResult, TrainError>> =
        plan.folds.par_chunks(folds_per_cohort).map(train).collect();
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
        history: Vec::new(),
    };
    for cohort in cohorts {
        let cohort = cohort?;
        trained.members.extend(cohort.weights);
        trained.chosen_epochs.extend(cohort.chosen);
        trained.history.extend(cohort.history);
    }
    trained.history.sort_by_key(|record| {
        (record.repeat, record.fold, record.member, record.epoch)
    });
    Ok(trained)
}
