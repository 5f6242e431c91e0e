//! Predictions against truth: metrics, out-of-fold evaluation, conformal calibration, baseline.
//!
//! Invariant: nothing here trains a network, and no row is judged by anything that saw its target.

mod config;
mod evaluation;
mod fresh;
mod metrics;
mod out_of_fold;

pub use config::{CalibrationError, IntervalConfig, refuse_small_calibration};
pub use evaluation::{Evaluation, FoldScores, RangeScores, ScoredRow};
pub use fresh::evaluate_fresh;
pub use metrics::Scores;
pub use out_of_fold::{
    Judged, OutOfFoldInputs, TrainedNetworks, held_out_predictions, judge_baseline, judge_stack,
};
