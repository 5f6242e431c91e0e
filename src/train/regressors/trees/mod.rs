//! Learners of regression trees on binned columns: one tree, forests, boosting.
//!
//! Squared loss, row weights honoured everywhere, the same trees for a seed at any thread count.
//! Targets should be of moderate size (scaled): leaf values are stored in single precision.
//!
//! Invariant: a sub-model never reads the targets of the part that it is judged by; only the few
//! settings compared in `decision_tree`, `forest` and `boosting` see the pooled inner error.

mod bagged;
mod binned_matrix;
mod boosting;
mod boosting_settings;
mod columns;
mod decision_tree;
mod exhaustive_search;
mod forest;
mod forest_settings;
mod grower;
mod histogram_search;
mod judging;
mod limits;
mod random_search;
mod search;
mod sums;
mod table;
#[cfg(test)]
mod tests;
pub(super) use bagged::{TreeKind, fit_bagged};
use binned_matrix::BinnedMatrix;
use boosting_settings::BoostingSettings;
use limits::Limits;
use table::{Stream, Table};
