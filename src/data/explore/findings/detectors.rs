//! Detectors that are dead, stuck, frozen for a while, or saturated.

use crate::data::explore::{
    Finding, FindingKind, Severity,
    wording::{counted, names, number, rows},
};

use super::table::{Column, Table};

/// Rows with one value from which it is suspicious in a continuous column, where no other value
/// is repeated: three equal values happen by chance in counted signals.
const STUCK_ROWS: usize = 4;
/// The same for zeros: a detector in a background never counts nothing.
const ZERO_ROWS: usize = 3;
/// How many times as often as the fourth commonest value a value must occur: steps of a counter
/// are shared by many rows of a large table, but then by about equally many.
const STUCK_RATIO: usize = 3;
/// Rows at the largest value from which a column is saturated; ties in the thin upper tail of a
/// continuous distribution are rare.
const SATURATED_ROWS: usize = 3;
/// Different values just below the largest one that must be much rarer than it.
const NEIGHBOURS: usize = 20;
/// Rows in a row with one value from which a signal is frozen.
const FROZEN_ROWS: usize = 5;
/// How many times as long as the fourth longest run a frozen run must be: slow signals that are
/// rounded, and sorted tables, have many runs.
const FROZEN_RATIO: usize = 4;

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    table.features().iter().filter_map(|column| of_column(table, column)).collect()
}

/// The clearest fault of one detector.
fn of_column(table: &Table<'_>, column: &Column<'_>) -> Option<Finding> {
    let limit = table.schema.and_then(|schema| schema.column(column.name)?.maximum);
    let at_limit = limit.map_or_else(Vec::new, |limit| column.rows_where(|value| value == limit));
    if !column.is_continuous() {
        return (!at_limit.is_empty() && column.varies())
            .then(|| saturated(column, &at_limit, true));
    }
    let (value, count) = column.repeats.top;
    if is_stuck(column) && (2 * count >= table.rows() || value != *column.sorted.last()?) {
        return Some(stuck(table, column));
    }
    if !at_limit.is_empty() {
        return Some(saturated(column, &at_limit, true));
    }
    if is_saturated(column) {
        let largest = *column.sorted.last()?;
        return Some(saturated(column, &column.rows_where(|value| value == largest), false));
    }
    frozen(column)
}

fn is_stuck(column: &Column<'_>) -> bool {
    let (value, count) = column.repeats.top;
    let fewest = if value == 0.0 { ZERO_ROWS } else { STUCK_ROWS };
    count >= fewest && count >= STUCK_RATIO * column.repeats.usual
}

fn stuck(table: &Table<'_>, column: &Column<'_>) -> Finding {
    let (value, count) = column.repeats.top;
    let places = column.rows_where(|other| other == value);
    let what = format!(
        "{} is exactly {} in {count} of {} rows ({}), while its other values nearly all differ",
        names(&[column.name]),
        number(value),
        table.rows(),
        rows(&places)
    );
    let why = if value == 0.0 {
        "a detector that reads zero is dead or was not read out: its zeros are no signals"
    } else {
        "a detector that keeps one value is stuck: it says nothing about these rows"
    };
    // Where nobody says that it is a detector, so many zeros may be what the column is about.
    let array = table.schema.and_then(|schema| schema.array.as_ref());
    let detectors = array.into_iter().flat_map(|own| own.rings.iter().flatten());
    let is_fault = value != 0.0 || detectors.into_iter().any(|own| own == column.name);
    let is_much = 2 * count >= table.rows();
    let severity = if is_much && is_fault { Severity::Error } else { Severity::Warning };
    let sentences = [what, why.to_owned(), USED.to_owned()];
    Finding::new(FindingKind::DeadDetector, severity, sentences)
        .about(&[column.name])
        .in_rows(&places)
}

/// Whether the largest value occurs far more often than the values just below it.
fn is_saturated(column: &Column<'_>) -> bool {
    let mut counts = column.sorted.chunk_by(|a, b| a == b).rev().map(<[f64]>::len);
    let largest = counts.next().unwrap_or(0);
    let neighbours = counts.take(NEIGHBOURS).max().unwrap_or(0);
    largest >= SATURATED_ROWS && largest >= STUCK_RATIO * neighbours
}

fn saturated(column: &Column<'_>, places: &[usize], stated: bool) -> Finding {
    let largest = number(column.values[places[0]]);
    let limit = if stated { "its stated maximum" } else { "its largest value" };
    let what = format!(
        "{} reads {limit}, {largest}, in {} ({})",
        names(&[column.name]),
        counted(places.len(), "row"),
        rows(places)
    );
    let why = "a saturated detector hides how large the signal was: masses come out too small";
    let sentences = [what, why.to_owned(), USED.to_owned()];
    Finding::new(FindingKind::SaturatedDetector, Severity::Warning, sentences)
        .about(&[column.name])
        .in_rows(places)
}

/// A value that stays the same over many consecutive rows, where others change from row to row.
fn frozen(column: &Column<'_>) -> Option<Finding> {
    let mut longest = [(0_usize, 0_usize); 4];
    let mut start = 0;
    for run in column.values.chunk_by(|a, b| a == b) {
        if run.len() > longest[3].0 {
            longest[3] = (run.len(), start);
            longest.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
        }
        start += run.len();
    }
    let (length, start) = longest[0];
    if length < FROZEN_ROWS || length < FROZEN_RATIO * longest[3].0 {
        return None;
    }
    let value = number(column.values[start]);
    let what = format!(
        "{} stays at {value} over {length} consecutive rows, {} to {}",
        names(&[column.name]),
        start + 1,
        start + length
    );
    let why = "a detector that does not change while others do was frozen or not read out";
    let sentences = [what, why.to_owned(), USED.to_owned()];
    let finding = Finding::new(FindingKind::DeadDetector, Severity::Warning, sentences);
    let places: Vec<usize> = (start..start + length).collect();
    Some(finding.about(&[column.name]).in_rows(&places))
}

const USED: &str = "nothing: the values are used as they are; leave the column out with `data.exclude`, or \
     remove the rows";
