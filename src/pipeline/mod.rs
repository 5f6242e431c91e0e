//! Whole jobs, told in calls to the layers above.
//!
//! Invariant: a job that fails leaves nothing half-written behind.

mod cleaning_summary;
mod data_warnings;
mod duplicates;
mod error;
mod evaluate_job;
mod explore_job;
mod export_job;
mod feature_choice;
mod inner_errors;
mod interrupt;
mod leakage;
mod log_export;
mod milestones;
mod model_sources;
mod monitor_job;
mod overrides;
mod params;
mod predict_job;
mod prepared;
mod provenance;
mod recipe;
mod reference_rows;
mod registry_job;
mod retrain;
mod run_folder;
mod run_record;
mod serve_job;
mod tracking;
mod train_job;
mod training_fit;
mod training_inputs;
mod training_outcome;
mod training_start;
mod tune;
mod validate;
mod verify_job;

pub use error::JobError;
pub use evaluate_job::{EvaluateOptions, evaluate};
pub use explore_job::{ExploreOptions, ExploreStep, Explored, explore};
pub use export_job::{Exported, export};
pub use interrupt::{interrupt, interrupted};
pub use log_export::{LogFormat, export_log};
pub use monitor_job::{Observed, observe};
pub use params::{Params, ParamsError, PathsConfig};
pub use predict_job::predict;
pub use registry_job::{ListedRun, list_runs, promote, rollback};
pub use retrain::{
    BothErrors, Challenge, Condition, Decision, Decisions, RetrainConfig, RetrainObserver,
    RetrainOptions, Retrained, RowCounts, Verdict, WatchOptions, retrain, watch,
};
pub use serve_job::{ModelChoice, ServeOptions, Serving, serve};
pub use tracking::{PushOptions, Tracked, push};
pub use train_job::{Finished, Start, TrainObserver, TrainOptions, train};
pub use tune::{Rung, TuneConfig, TuneObserver, TuneOptions, TuneStart, Tuned, tune};
pub use verify_job::{Verified, verify};
