//! Rows in: tables and their schemas, the data set built from them, what it looks like, the drum
//! simulator and the folds.
//!
//! Invariant: nothing here is fitted to values that a model uses; a row is never changed, dropped or
//! reordered.

mod columns;
mod dataset;
mod dataset_reader;
mod error;
pub mod explore;
mod folds;
mod generator;
mod hashing;
mod names;
mod schema;
mod schema_check;
pub mod simulate;
mod symmetries;
mod table;

pub use columns::{DataConfig, in_backticks, nearest};
pub use dataset::{Dataset, Groups, MissingCells};
pub use error::DataError;
pub use folds::{CrossValidationConfig, FoldPlan, Split, SplitBy, balanced_parts};
pub use generator::Generator;
pub(crate) use hashing::hexadecimal;
pub use hashing::{HashingReader, sha256, sha256_file};
pub(crate) use names::NameSet;
pub use names::{Name, Names};
pub use schema::{ColumnSchema, DetectorArray, TableSchema};
pub(crate) use table::detect_delimiter;
pub use table::{Block, Cell, Row, Table, is_missing, parse_number};
