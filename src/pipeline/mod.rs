//! Whole jobs, told in calls to the layers above.
//!
//! Invariant: a job that fails leaves nothing half-written behind.

mod cleaning_summary;
mod compare_job;
mod compared_run;
mod data_warnings;
mod duplicates;
mod error;
mod evaluate_job;
mod explore_job;
mod export_job;
mod feature_choice;
mod inner_errors;
mod insights;
mod interrupt;
mod leakage;
mod log_export;
mod milestones;
mod model_sources;
mod monitor_job;
mod overrides;
mod paired_rows;
mod params;
mod predict_job;
mod prepared;
mod provenance;
mod prune_job;
mod prune_rule;
mod recipe;
mod reference_rows;
mod registry_job;
mod report_job;
mod report_warnings;
mod retrain;
mod retraining;
mod run_folder;
mod run_record;
mod runs_job;
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
mod what_if;

pub use compare_job::{Compared, compare};
pub use error::JobError;
pub use evaluate_job::{EvaluateOptions, evaluate};
pub use explore_job::{ExploreOptions, ExploreStep, Explored, explore};
pub use export_job::{Exported, export};
pub use interrupt::{interrupt, interrupted};
pub use log_export::{LogFormat, export_log};
pub use monitor_job::{Observed, observe};
pub use params::{Params, ParamsError, PathsConfig};
pub use predict_job::predict;
pub use prune_job::{KeptFolder, Leftover, PrunePlan, RemovedRun, plan_prune, prune};
pub use prune_rule::Reason;
pub use registry_job::{ListedRun, list_runs, promote, rollback};
pub use report_job::{ReportOptions, Reported, report};
pub use retrain::{
    BothErrors, Challenge, Condition, Decision, Decisions, RetrainConfig, RetrainObserver,
    RetrainOptions, Retrained, RowCounts, Verdict, WatchOptions, retrain, watch,
};
pub use runs_job::{RunError, RunHistory, Trend, run_history};
pub use serve_job::{ModelChoice, ServeOptions, Serving, serve};
pub use tracking::{PushOptions, Tracked, push};
pub use train_job::{Finished, Start, TrainObserver, TrainOptions, train};
pub use tune::{Rung, TuneConfig, TuneObserver, TuneOptions, TuneStart, Tuned, tune};
pub use verify_job::{Verified, verify};
