//! Whole jobs, told in calls to the layers above.
//!
//! Invariant: a job that fails leaves nothing half-written behind.

mod error;
mod evaluate_job;
mod interrupt;
mod overrides;
mod params;
mod predict_job;
mod provenance;
mod run_folder;
mod train_job;
mod training_inputs;
mod training_outcome;
mod validate;

pub use error::JobError;
pub use evaluate_job::{EvaluateOptions, evaluate};
pub use interrupt::{interrupt, interrupted};
pub use params::{Params, ParamsError, PathsConfig};
pub use predict_job::predict;
pub use train_job::{Finished, Start, TrainObserver, TrainOptions, train};
