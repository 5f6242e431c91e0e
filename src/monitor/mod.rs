//! What a served model meets: the log of its predictions, drift of what it is asked, and how right it still is.
//!
//! Invariant: it looks and tells; it changes neither a model nor an answer.

mod alarm;
mod config;
mod coverage_watch;
mod distances;
mod drift;
mod judged_rows;
mod live_performance;
mod log;
mod model_monitor;
mod page;
mod shadow;
mod two_sample;
#[cfg(test)]
mod vectors;
mod webhook;

pub use alarm::{Alarm, AlarmKind};
pub use config::MonitorConfig;
pub use coverage_watch::{CoverageAlarm, CoverageWatch};
pub use distances::{Histograms, wasserstein};
pub use drift::{Comparison, DriftReference, ServedRow, Watched, WindowDrift};
pub use live_performance::{ExpectedError, LivePerformance, ScoredWindow};
pub use log::{
    KnownTruths, LogConfig, LogError, LogQuery, LogStore, LogWriter, LoggedModel, LoggedRow,
    LoggedTruth, QuietLog,
};
pub use model_monitor::{ModelMonitor, MonitorReport, WatchedModel};
pub use page::render;
pub use shadow::{Shadow, ShadowReport};
pub use two_sample::TwoSampleTest;
pub use webhook::Webhook;
