//! Checks that look for what is wrong or odd about a table.
//!
//! Invariant: every threshold is a named constant with its reason; a clean table has no error.

mod close_pairs;
mod columns_alike;
mod constant;
mod detectors;
mod distribution;
mod duplicate_rows;
mod identifiers;
mod missing;
mod near_duplicates;
mod row_keys;
mod scale;
mod similar_targets;
mod stated_range;
mod table;
mod text;
mod unit_slip;
mod unnamed_group;

use rayon::prelude::*;

use super::{Finding, Profile};
use crate::data::{Dataset, TableSchema};

pub use duplicate_rows::equal_rows_of;
pub use near_duplicates::near_duplicates;

use table::Table;

/// One family of checks.
type Check = fn(&Table<'_>) -> Vec<Finding>;

/// All families but the search for near duplicates, which compares rows rather than columns.
const FAMILIES: [Check; 11] = [
    unit_slip::check,
    duplicate_rows::check,
    constant::check,
    columns_alike::check,
    detectors::check,
    distribution::check,
    stated_range::check,
    identifiers::check,
    unnamed_group::check,
    missing::check,
    text::check,
];

/// Number of times that [`find`] reports progress.
pub const CHECKS: usize = FAMILIES.len() + 2;

/// Looks for everything in [`FindingKind`](super::FindingKind); the worst come first, then by kind
/// and column. `on_check` is called, from several threads, [`CHECKS`] times.
#[must_use]
pub fn find(
    dataset: &Dataset,
    profile: &Profile,
    schema: Option<&TableSchema>,
    on_check: &(dyn Fn() + Sync),
) -> Vec<Finding> {
    let table = Table::new(dataset, profile, schema);
    on_check();
    let families: Vec<Check> =
        std::iter::once(near_duplicates::check as Check).chain(FAMILIES).collect();
    run(&table, &families, on_check)
}

/// As [`find`], but without near duplicates, for who looks for these with [`near_duplicates`].
#[must_use]
pub fn find_without_near_duplicates(
    dataset: &Dataset,
    profile: &Profile,
    schema: Option<&TableSchema>,
) -> Vec<Finding> {
    run(&Table::new(dataset, profile, schema), &FAMILIES, &|| {})
}

fn run(table: &Table<'_>, families: &[Check], on_check: &(dyn Fn() + Sync)) -> Vec<Finding> {
    let run = |check: &Check| {
        let found = check(table);
        on_check();
        found
    };
    let mut findings: Vec<Finding> =
        families.par_iter().map(run).collect::<Vec<_>>().into_iter().flatten().collect();
    // Stable: within a kind, columns keep the order of the table.
    findings.sort_by_key(|finding| (finding.severity, finding.kind));
    findings
}
