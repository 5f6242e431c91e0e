//! Served rows whose true values are known, as little of each as judging needs.

use std::collections::BTreeMap;

use crate::{data::Name, evaluate::ScoredRow};

use super::LoggedRow;

/// A row beside its true value.
#[derive(Clone, Debug)]
pub(super) struct JudgedRow {
    /// When the true value came first, milliseconds since 1970 (UTC).
    pub(super) time: i64,
    pub(super) scored: ScoredRow,
}

/// Such rows by their number in the log. A true value that is corrected takes the place of the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct JudgedRows(BTreeMap<i64, JudgedRow>);

impl JudgedRows {
    /// Adds rows; those without a true value are left aside.
    pub(super) fn add(&mut self, rows: &[LoggedRow]) {
        let known = || rows.iter().filter(|row| row.truth.is_some());
        let groups = Name::all_of(known().map(|row| row.container.as_deref()));
        let judged = |(row, group): (&LoggedRow, Option<Name>)| Some((row.id, judged(row, group)?));
        self.0.extend(known().zip(groups).filter_map(judged));
    }

    /// Forgets rows that are no longer in the log, whose first row is `first`.
    pub(super) fn forget_before(&mut self, first: i64) {
        self.0 = self.0.split_off(&first);
    }

    /// Rows with their numbers, in the order in which their true values came: what was seen before must not change by
    /// what comes later.
    pub(super) fn in_order(&self) -> Vec<(i64, &JudgedRow)> {
        let mut rows: Vec<(i64, &JudgedRow)> = self.0.iter().map(|(id, row)| (*id, row)).collect();
        rows.sort_by_key(|(id, row)| (row.time, *id));
        rows
    }
}

fn judged(row: &LoggedRow, group: Option<Name>) -> Option<JudgedRow> {
    let scored = ScoredRow {
        row: 0,
        group,
        repeat: 0,
        fold: 0,
        target: row.truth?,
        prediction: row.prediction,
        lower: row.lower,
        upper: row.upper,
        out_of_domain: row.out_of_domain,
        weight: 1.0,
    };
    Some(JudgedRow { time: row.truth_time.unwrap_or(row.time), scored })
}
