//! Rows in: tables, the data set built from them, the drum simulator and the folds.
//!
//! Invariant: nothing here is fitted to values; a row is never changed, dropped or reordered.

mod columns;
mod dataset;
mod error;
mod folds;
mod generator;
mod hashing;
pub mod simulate;
mod table;

pub use columns::{DataConfig, nearest};
pub use dataset::{Dataset, Groups};
pub use error::DataError;
pub use folds::{CrossValidationConfig, FoldPlan, Split, balanced_parts};
pub use generator::Generator;
pub use hashing::{HashingReader, sha256_file};
pub use table::{TableFile, TableReader, parse_number};
