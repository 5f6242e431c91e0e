//! Predictions against truth: metrics, out-of-fold evaluation, ensemble weights, the leaderboard,
//! conformal calibration, baseline.
//!
//! Invariant: nothing here trains a network, and no row is judged by anything that saw its target.

mod attribution;
mod candidates;
mod config;
mod evaluation;
mod fresh;
mod leaderboard;
mod metrics;
mod out_of_fold;
mod reproduced;
mod residual_model;
mod weights;

pub use attribution::{Attribution, attribute};
pub use candidates::{Candidate, TrainedModels, TrainedNetworks};
pub use config::{CalibrationError, IntervalConfig, refuse_small_calibration};
pub use evaluation::{Evaluation, FoldScores, RangeScores, ScoredRow};
pub use fresh::evaluate_fresh;
pub use leaderboard::{Contender, Difference, Leaderboard, LeaderboardEntry};
pub use metrics::Scores;
use out_of_fold::blended;
pub use out_of_fold::{Judged, OutOfFoldInputs, domain_guard, judge, judge_baseline};
pub use reproduced::reproduce;
