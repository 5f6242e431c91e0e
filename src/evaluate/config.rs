//! The promise of the intervals, and whether the data can keep it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{data::FoldPlan, model::Calibration};

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
    let distinct = |fold: Option<usize>| {
        let folds = plan.splits[..plan.folds()].iter().filter(|split| Some(split.fold) != fold);
        let mut ids: Vec<u32> = folds
            .flat_map(|split| split.held_out.iter().map(|row| groups[*row as usize]))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids.len()
    };
    let units = (0..plan.folds()).map(|fold| distinct(Some(fold))).min().unwrap_or(0);
    if Calibration::required_weight(level, units as f64).is_some() {
        return Ok(());
    }
    let needed = (level / (1.0 - level) - 1e-6).ceil() as usize;
    let grouped = distinct(None) < groups.len();
    let unit = if grouped { "groups" } else { "rows" };
    Err(CalibrationError { level, units, unit, needed })
}
