//! Training the champion's successor from what has become known, and deciding between the two.
//!
//! Invariant: until the pointer moves, everything that is new stands beside what is there; rows that feedback cannot
//! change have a say in every decision.

mod anchor;
mod both_errors;
mod challenge;
mod champion;
mod config;
mod decision;
mod extended_table;
mod job;
mod new_rows;
mod readiness;
mod screening;
mod watch;

pub use both_errors::BothErrors;
pub use challenge::{Challenge, Condition};
pub use config::RetrainConfig;
pub use decision::{Decision, Decisions, RowCounts, Verdict};
pub use job::{RetrainObserver, RetrainOptions, Retrained, retrain};
pub use watch::{WatchOptions, watch};

pub(super) use readiness::lock;
