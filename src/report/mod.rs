//! A finished run on paper: figures, tables and one page to read.
//!
//! | file | what it is |
//! |---|---|
//! | `report.html` | the page: text, tables and every figure in one file without scripts |
//! | `figures/NAME.svg`, `figures/NAME.png` | each figure by itself |
//! | `metrics.json` | the scores: pooled, by fold, by range of the target, of the baseline |
//! | `predictions.csv` | every judged row with its interval |
//! | `history.csv` | losses by epoch and network; only where something was trained |
//!
//! Invariant: a report shows what it is given and computes no score; the same [`RunReport`] gives the
//! same bytes.

mod error;
mod number_format;
mod page;
mod plots;
mod report_folder;
mod run_report;
#[cfg(test)]
mod sample_report;
mod tables;

pub use error::ReportError;
pub use report_folder::write_report;
pub use run_report::{Baseline, DataSummary, Provenance, RunReport};
