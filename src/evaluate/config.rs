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
     {needed} for `interval.level` = {level}\n\nhint: {hint}"
)]
pub struct CalibrationError {
    level: f64,
    units: usize,
    unit: &'static str,
    needed: usize,
    hint: &'static str,
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
    let weight = |split: &Split| split.held_out.iter().map(|row| weights[*row as usize]).sum();
    let fewest_of = |splits: &[Split]| {
        let units: Vec<f64> = splits.iter().map(weight).collect();
        let all: f64 = units.iter().sum();
        units.iter().map(|own| all - own).fold(f64::INFINITY, f64::min)
    };
    let repeats = plan.splits.chunks(plan.folds());
    let fewest = repeats.map(fewest_of).fold(f64::INFINITY, f64::min);
    if Calibration::required_weight(level, fewest).is_some() {
        return Ok(());
    }
    let needed = (level / (1.0 - level) - 1e-6).ceil() as usize;
    let mut distinct: Vec<u32> = groups.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let has_groups = distinct.len() < groups.len();
    let is_weighed = own.iter().any(|weight| (weight - 1.0).abs() > 1e-9);
    let unit = match (has_groups, is_weighed) {
        (true, false) => "groups",
        (true, true) => "groups, by their weights,",
        (false, false) => "rows",
        (false, true) => "rows, by their weights,",
    };
    let units = fewest.floor() as usize;
    let hint = match units {
        0 if has_groups => {
            "add data, or name another group column or none: one group holds all rows, or all their weight"
        }
        0 => "add data, or check `data.weight`: nearly all weight stands in one fold",
        _ => "add data, or lower `interval.level`",
    };
    Err(CalibrationError { level, units, unit, needed, hint })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_repeat_is_asked_whether_it_can_calibrate() {
        let split = |repeat: usize, fold: usize, held_out: Vec<u32>| {
            let train = (0..40).filter(|row| !held_out.contains(row)).collect();
            Split { repeat, fold, train, held_out }
        };
        let halves = |repeat: usize, is_first: fn(&u32) -> bool| {
            let (first, second) = (0..40).partition(is_first);
            [split(repeat, 0, first), split(repeat, 1, second)]
        };
        let plan = |repeats: Vec<[Split; 2]>| FoldPlan {
            repeats: repeats.len(),
            splits: repeats.concat(),
            leaks_groups: false,
            in_time: false,
        };
        // Half of the rows have nearly all the weight.
        let groups: Vec<u32> = (0..40).collect();
        let weights: Vec<f64> =
            groups.iter().map(|row| if row % 4 < 2 { 1.0 } else { 0.01 }).collect();
        let even = || halves(0, |row| row % 2 == 0);
        let apart = halves(1, |row| row % 4 < 2);
        let check = |repeats| refuse_small_calibration(&plan(repeats), (&groups, &weights), 0.8);
        assert!(check(vec![even()]).is_ok());
        let error = check(vec![even(), apart]).unwrap_err().to_string();
        assert!(
            error.contains("0 independent rows") && error.contains("check `data.weight`"),
            "{error}"
        );
    }
}
