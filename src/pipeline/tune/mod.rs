//! `massay tune`: a search for network parameters within the folds, and an honest score of what it
//! finds.
//!
//! The search is run once within the training rows of each fold, where its winner is judged by the
//! rows that the fold holds out (nested cross-validation), and once within all rows, whose winner is
//! the result. A search is successive halving (Jamieson and Talwalkar, 2016): all trials are judged by
//! few inner parts, the best of them by more, the last by all.
//!
//! Invariant: no search sees a row that judges its winner.

mod job;
mod outcome;
mod parameter;
mod search;
mod space;
mod trial;

pub use job::{TuneObserver, TuneOptions, TuneStart, Tuned, tune};
pub use search::Rung;
pub(super) use space::Space;
pub use space::TuneConfig;
