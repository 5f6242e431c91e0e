//! Predictions against truth: metrics, out-of-fold evaluation, ensemble weights, the leaderboard,
//! conformal calibration, baseline; how far scores can be trusted, and what a model does with its columns.
//!
//! Invariant: nothing here trains a network, and no row is judged by anything that saw its target.

mod attribution;
mod bootstrap;
mod candidates;
mod config;
mod detection_limit;
mod evaluation;
mod fresh;
mod group_effect;
mod insights;
mod leaderboard;
mod metrics;
mod out_of_fold;
mod reproduced;
mod residual_model;
mod trust;
mod units;
mod weights;

pub use attribution::{Attribution, attribute};
pub use bootstrap::{Bounds, ScoreBounds, rmse_difference};
pub use candidates::{Candidate, TrainedModels, TrainedNetworks};
pub use config::{CalibrationError, IntervalConfig, refuse_small_calibration};
pub use detection_limit::{DetectionLimit, ErrorModel};
pub use evaluation::{Evaluation, FoldScores, RangeScores, ScoredRow};
pub use fresh::evaluate_fresh;
pub use group_effect::GroupEffect;
pub use insights::{
    AskedModels, ColumnSet, CurvePoint, DroppedColumn, Effect, Explained, Importance, Insights,
    JudgedRows, Retraining,
};
pub use leaderboard::{Contender, Difference, Leaderboard, LeaderboardEntry};
pub use metrics::{Scores, rmse};
use out_of_fold::blended;
pub use out_of_fold::{Judged, OutOfFoldInputs, domain_guard, guard_plan, judge, judge_baseline};
pub use reproduced::reproduce;
pub use trust::{Covered, FoldBounds, OddFold, Trust};
