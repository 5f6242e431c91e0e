//! The promise of the intervals, and whether the data can keep it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    data::{FoldPlan, Split},
    model::Calibration,
};

/// The intervals.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `level` | 0.9 | 0.5..=0.999 | share of new targets that intervals must contain |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IntervalConfig {
    /// Share of new targets that intervals must contain.
    pub level: f64,
}

impl Default for IntervalConfig {
    fn default() -> Self {
        Self { level: 0.9 }
    }
}

/// A level that so little data cannot promise.
#[derive(Debug, Error)]
#[error(
    "outside of a fold there are {units} independent {unit} to calibrate on, expected at least \
     {needed} for `interval.level` = {level}\n\nhint: add data, or lower `interval.level`"
)]
pub struct CalibrationError {
    level: f64,
    units: usize,
    unit: &'static str,
    needed: usize,
}

/// Refuses a level that the folds cannot calibrate: every held-out row is calibrated on the other
/// folds of its repeat, and a group counts once.
///
/// # Errors
/// When some row has fewer independent units to calibrate on than the level needs.
pub fn refuse_small_calibration(
    plan: &FoldPlan,
    groups: &[u32],
    level: f64,
) -> Result<(), CalibrationError> {
    let weights = row_weights(plan, groups);
    let splits = &plan.splits[..plan.folds()];
    let weight = |split: &Split| split.held_out.iter().map(|row| weights[*row as usize]).sum();
    let units: Vec<f64> = splits.iter().map(weight).collect();
    let all: f64 = units.iter().sum();
    let fewest = units.iter().map(|own| all - own).fold(f64::INFINITY, f64::min);
    if Calibration::required_weight(level, fewest).is_some() {
        return Ok(());
    }
    let needed = (level / (1.0 - level) - 1e-6).ceil() as usize;
    let rows: usize = splits.iter().map(|split| split.held_out.len()).sum();
    let unit = if all + 0.5 < rows as f64 { "groups" } else { "rows" };
    Err(CalibrationError { level, units: fewest.floor() as usize, unit, needed })
}

/// The weight of each row among those that are judged: the rows of a group share a weight of one.
pub(super) fn row_weights(plan: &FoldPlan, groups: &[u32]) -> Vec<f64> {
    let mut judged = vec![0.0_f64; groups.len()];
    let rows = || plan.splits[..plan.folds()].iter().flat_map(|split| &split.held_out);
    rows().for_each(|row| judged[groups[*row as usize] as usize] += 1.0);
    groups.iter().map(|group| 1.0 / judged[*group as usize].max(1.0)).collect()
}
