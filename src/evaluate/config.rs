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
    (groups, own): (&[u32], &[f64]),
    level: f64,
) -> Result<(), CalibrationError> {
    let weights = unit_weights(plan, groups, own);
    let splits = &plan.splits[..plan.folds()];
    let weight = |split: &Split| split.held_out.iter().map(|row| weights[*row as usize]).sum();
    let units: Vec<f64> = splits.iter().map(weight).collect();
    let all: f64 = units.iter().sum();
    let fewest = units.iter().map(|own| all - own).fold(f64::INFINITY, f64::min);
    if Calibration::required_weight(level, fewest).is_some() {
        return Ok(());
    }
    let needed = (level / (1.0 - level) - 1e-6).ceil() as usize;
    let mut distinct: Vec<u32> = groups.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let is_weighed = own.iter().any(|weight| (weight - 1.0).abs() > 1e-9);
    let unit = match (distinct.len() < groups.len(), is_weighed) {
        (true, false) => "groups",
        (true, true) => "groups, by their weights,",
        (false, false) => "rows",
        (false, true) => "rows, by their weights,",
    };
    Err(CalibrationError { level, units: fewest.floor() as usize, unit, needed })
}

/// What each judged row counts for in a calibration: the rows of a group share the weight of one, times their `own`.
/// All together they weigh as many units as equal ones would say as much, `(sum w)² / sum w²` over the groups (Kish,
/// 1965): rows of weight 0 are no witnesses, and few heavy ones are few.
pub(super) fn unit_weights(plan: &FoldPlan, groups: &[u32], own: &[f64]) -> Vec<f64> {
    let mut judged = vec![0.0_f64; groups.len()];
    let rows = || plan.splits[..plan.folds()].iter().flat_map(|split| &split.held_out);
    rows().for_each(|row| judged[groups[*row as usize] as usize] += 1.0);
    let shares = groups.iter().zip(own);
    let mut weights: Vec<f64> =
        shares.map(|(group, own)| own / judged[*group as usize].max(1.0)).collect();
    let mut of_group = vec![0.0_f64; groups.len()];
    rows().for_each(|row| of_group[groups[*row as usize] as usize] += weights[*row as usize]);
    let sum: f64 = of_group.iter().sum();
    let squares: f64 = of_group.iter().map(|weight| weight * weight).sum();
    if squares > 0.0 {
        for weight in &mut weights {
            *weight *= sum / squares;
        }
    }
    weights
}
