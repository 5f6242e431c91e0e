//! What is told of a run to MLflow and to DVC.
//!
//! A training writes a [`Journal`] into its own folder, whoever listens. What MLflow has been told stands
//! in a receipt beside it, so that a delivery goes on where it stopped: while training, at its end, or
//! with `massay track push` days later.
//!
//! Invariant: a tracker that is slow, down or wrong never slows or fails a training.

mod config;
mod journal;
mod live_layout;
mod mean_curve;
mod mlflow;
mod record;
mod system_load;

pub use config::TrackConfig;
pub use journal::{Journal, Moment};
pub use live_layout::LiveLayout;
pub use mean_curve::{Losses, MeanCurve};
pub use mlflow::{
    Address, Alias, Delivery, LiveTracker, ModelUri, Receipt, RegisteredVersion, Registry, Status,
    TrackError, model_files,
};
pub use record::{FoldName, TrackedResults, TrackedRun};
pub use system_load::SystemLoad;
