//! What a table looks like before anything is trained on it.
//!
//! Invariant: the table is read, never changed; every number is a plain statistic of it.

mod correlation;
mod finding;
mod findings;
mod one_way;
mod profile;
mod statistics;
mod wording;

pub use finding::{Finding, FindingKind, Severity};
pub use findings::{CHECKS, equal_rows_of, find, find_without_near_duplicates, near_duplicates};
pub use one_way::OneWay;
pub use profile::{ColumnProfile, ColumnRole, GroupProfile, Profile};
pub use statistics::{median, quantile};
