//! A table or a finished run on paper: figures, tables and one page to read.
//!
//! A run is written by [`write_report`]:
//!
//! | file | what it is |
//! |---|---|
//! | `report.html` | the page: text, tables and every figure in one file that fetches nothing |
//! | `report.md` | the same in short, for repositories and pull requests |
//! | `report.json`, `insights.json` | everything that the page says, for programs |
//! | `figures/NAME.svg`, `figures/NAME.png` | each figure by itself |
//! | `metrics.json` | the scores: pooled, by fold, by range of the target, of the baseline |
//! | `predictions.csv` | every judged row with its interval |
//! | `history.csv` | losses by epoch and network; only where something was trained |
//!
//! A table, before anything is trained on it, is written by [`write_exploration`]: `report.html` and
//! `figures/NAME.{svg,png}`. A search for parameters is written by [`write_tuning`],
//! finished runs side by side by [`write_comparison`].
//!
//! Invariant: a report shows what it is given and computes no score; the same [`RunReport`],
//! [`Exploration`], [`Tuning`] or [`Comparison`] gives the same bytes.

mod comparison;
mod conclusions;
mod error;
mod exploration;
mod leakage;
mod markdown;
mod names;
mod number_format;
mod page;
mod plots;
mod report_folder;
mod run_report;
#[cfg(test)]
mod sample_report;
mod tables;
mod tuning;
mod weak_spot;
mod what_if;
mod worth;

pub(crate) use number_format::{counted, percent, significant};
pub(crate) use page::document;
pub(crate) use run_report::BOTH_SIDES;
pub(crate) use tables::read_csv;

pub use comparison::{
    ChangedParameter, ComparedRun, Comparison, PairedDifference, Surety, TextTable,
    write_comparison,
};
pub use error::ReportError;
pub use exploration::{Exploration, write_exploration};
pub use leakage::Leakage;
pub use names::{abbreviated, told_apart};
pub use page::verdict;
pub use report_folder::{read_report, write_report};
pub use run_report::{
    Baseline, CleaningSummary, DataSummary, FeatureCandidate, FeatureSummary, GitState, Milestone,
    Milestones, PastRun, Provenance, RunReport, unit_suffix,
};
pub use tables::metrics_json;
pub use tuning::{Searched, Setting, Tuning, TuningFold, TuningTrial, write_tuning};
pub use what_if::{WhatIf, WhatIfColumn, WhatIfRow};
