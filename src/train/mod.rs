//! Training: which rows each network sees, the loop, the optimiser, stopping, and checkpoints.
//!
//! Invariant: a network's weights depend on its own fold's training rows, its place in the plan
//! and the seed; never on held-out rows, on other networks, or on how the stack was cut.

mod adam;
mod batches;
mod checkpoint;
mod checkpoint_error;
mod cohort;
mod config;
mod device_trainer;
mod error;
mod fit;
mod folder;
mod history;
mod host_trainer;
mod initial;
mod inputs;
mod loss;
mod manifest;
mod member_settings;
mod rates;
mod regressors;
mod stack_trainer;
mod state;
mod stopping;
mod task;
mod tensor_trainer;

pub use checkpoint::Checkpoint;
pub use checkpoint_error::CheckpointError;
pub use config::{Loss, Recipe, Regularisation, Schedule, TrainConfig};
pub use error::TrainError;
pub use fit::{Cut, Divergence, EpochEvent, Hooks, Trained, Training, fit};
pub use folder::{REMOVED, hide_folder, remove_folder, replace_folder, write_atomically};
pub use history::EpochRecord;
pub use manifest::{BlendEntry, FORMAT_VERSION, Manifest, Schema};
pub use member_settings::MemberSettings;
pub use regressors::{
    InnerJudged, LearningRows, RegressorHooks, fit_few_trees, fit_linear, fit_quick_kernel,
    fit_regressor, fit_regressors,
};
pub use task::{FoldTask, MemberTask, TrainingPlan, TrainingTable, Variant};
