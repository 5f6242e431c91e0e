//! How far the scores of one table can be trusted: their bounds, their folds, their intervals.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::{
    features::{TargetConfig, TargetTransform},
    model::Calibration,
};

use super::{
    Bounds, DetectionLimit, GroupEffect, ScoreBounds, ScoredRow, metrics::coverage_of, units::Units,
};

/// Nominal coverages at which intervals are checked.
const LEVELS: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/// Folds this unlikely among equal ones, all folds together, are called odd.
const SIGNIFICANCE: f64 = 0.01;

/// Folds whose errors differ by less than this factor are not worth a word.
const NOTICEABLE: f64 = 1.2;

/// Fewer units on either side have no spread to compare.
const FEWEST_UNITS: f64 = 5.0;

/// What a table tells of how far its scores can be trusted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trust {
    /// Bounds of the pooled scores; `None` for too few groups.
    pub bounds: Option<ScoreBounds>,
    /// The smallest amounts that can be told from nothing; `None` where 0 is not the least that there can be.
    pub detection: Option<DetectionLimit>,
    /// Whether rows of one group err alike; `None` where groups have one row.
    pub group_effect: Option<GroupEffect>,
    /// Nominal and found coverage of intervals of other levels; empty for rows of no fold.
    pub calibration: Vec<Covered>,
    /// Bounds of the RMSE of each fold that has enough groups.
    pub fold_bounds: Vec<FoldBounds>,
    /// Folds whose errors are unlike those of the others.
    pub odd_folds: Vec<OddFold>,
}

/// How far the RMSE of one fold may be off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldBounds {
    /// Repeat, from 0.
    pub repeat: usize,
    /// Fold, from 0.
    pub fold: usize,
    /// Bounds of its RMSE, as those of the pooled one.
    pub rmse: Bounds,
}

/// Intervals of one level, judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Covered {
    /// Share of targets that they should contain.
    pub level: f64,
    /// Share that they contain, each group counting once.
    pub coverage: f64,
}

/// A fold whose errors are unlike those of the others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OddFold {
    /// Repeat, from 0.
    pub repeat: usize,
    /// Fold, from 0.
    pub fold: usize,
    /// Its errors over those of the other folds: ratio of geometric means of the groups' RMSE, in the space of
    /// learning.
    pub ratio: f64,
    /// Two-sided p value of Welch's t test (1947) of the logarithms of the groups' mean squared errors.
    pub p_value: f64,
}

impl Trust {
    /// Of judged rows, whose target is treated as `target` says: it leads to the space in which intervals are formed,
    /// and a limit of 0 makes it an amount. `calibration` is what their
    /// intervals come from, where each fold's come from the other folds; `None` for rows of no fold.
    #[must_use]
    pub fn of(
        rows: &[ScoredRow],
        target: &TargetConfig,
        calibration: Option<&Calibration>,
    ) -> Self {
        let (transform, is_amount) = (target.transform, target.minimum == Some(0.0));
        let residual =
            |row: &ScoredRow| transform.apply(row.target) - transform.apply(row.prediction);
        let grouped = rows.iter().filter(|row| row.repeat == 0);
        let named = grouped.filter_map(|row| Some((row.group.as_deref()?, residual(row))));
        let judged = (rows, &Units::of(rows));
        Self {
            bounds: ScoreBounds::of(rows),
            detection: is_amount.then(|| DetectionLimit::of(rows)).flatten(),
            group_effect: GroupEffect::of(named),
            calibration: calibration.map_or_else(Vec::new, |own| covered(judged, transform, own)),
            fold_bounds: if calibration.is_some() { fold_bounds(rows) } else { Vec::new() },
            odd_folds: odd_folds(judged, &residual),
        }
    }
}

/// The coverage of intervals of every level, each fold's from the residuals of the other folds.
fn covered(
    (rows, units): (&[ScoredRow], &Units),
    transform: TargetTransform,
    calibration: &Calibration,
) -> Vec<Covered> {
    let per_repeat = calibration.folds.len() / calibration.repeats.max(1);
    let mut own = calibration.clone();
    let mut multiples = |level: f64| -> Vec<f64> {
        own.level = level;
        let of = |fold: usize| {
            let first = fold - fold % per_repeat;
            own.cross_fitted(fold, first..first + per_repeat)
        };
        (0..calibration.folds.len()).map(of).collect()
    };
    // The half-width at the promised level tells the spread of each row.
    let promised = multiples(calibration.level);
    let covered = |level: f64| {
        let own = multiples(level);
        let is_covered = |row: &ScoredRow| {
            let fold = row.repeat * per_repeat + row.fold;
            let centre = transform.apply(row.prediction);
            let half_width = transform.apply(row.upper) - centre;
            let bound = half_width * own[fold] / promised[fold];
            (transform.apply(row.target) - centre).abs() <= bound
        };
        let is_finite = own.iter().chain(&promised).all(|multiple| multiple.is_finite());
        is_finite.then(|| Covered { level, coverage: coverage_of(rows, units, is_covered) })
    };
    LEVELS.into_iter().filter_map(covered).collect()
}

/// Folds of all repeats, in their order.
fn folds_of(rows: &[ScoredRow]) -> Vec<(usize, usize)> {
    let folds: BTreeSet<(usize, usize)> = rows.iter().map(|row| (row.repeat, row.fold)).collect();
    folds.into_iter().collect()
}

fn fold_bounds(rows: &[ScoredRow]) -> Vec<FoldBounds> {
    let bounds = |(repeat, fold): (usize, usize)| {
        let own = rows.iter().filter(|row| (row.repeat, row.fold) == (repeat, fold));
        let own: Vec<&ScoredRow> = own.collect();
        Some(FoldBounds { repeat, fold, rmse: ScoreBounds::of(own.iter().copied())?.rmse })
    };
    folds_of(rows).into_iter().filter_map(bounds).collect()
}

/// The folds whose groups err clearly more or less than those of the other folds of the same repeat. The oddest one is
/// taken out before the rest are compared again, so that it does not make the others look odd; more than half cannot be.
fn odd_folds(
    (rows, units): (&[ScoredRow], &Units),
    residual: &dyn Fn(&ScoredRow) -> f64,
) -> Vec<OddFold> {
    let folds = folds_of(rows);
    let errors = Errors { rows, units, residual };
    let mut odd = Vec::new();
    for repeated in folds.chunk_by(|a, b| a.0 == b.0) {
        let mut alike = repeated.to_vec();
        while 2 * (repeated.len() - alike.len() + 1) <= repeated.len() {
            let judged = alike.iter().filter_map(|fold| errors.beside(*fold, &alike));
            let oddest = judged.min_by(|a, b| a.p_value.total_cmp(&b.p_value));
            let is_odd = |own: &OddFold| own.p_value < SIGNIFICANCE / folds.len() as f64;
            let Some(own) = oddest.filter(is_odd) else { break };
            alike.retain(|fold| *fold != (own.repeat, own.fold));
            odd.push(own);
        }
    }
    odd.sort_by_key(|own| (own.repeat, own.fold));
    odd
}

/// The errors of judged rows.
struct Errors<'a> {
    rows: &'a [ScoredRow],
    units: &'a Units,
    residual: &'a dyn Fn(&ScoredRow) -> f64,
}

impl Errors<'_> {
    /// How the errors of a fold compare with those of the others of `folds`; `None` where either are too few, or where
    /// they do not differ in both of two ways: logarithms see the smallest errors as well as the largest.
    fn beside(&self, own: (usize, usize), folds: &[(usize, usize)]) -> Option<OddFold> {
        let place = |row: &ScoredRow| (row.repeat, row.fold);
        let is_own = |row: &ScoredRow| place(row) == own;
        let is_other = |row: &ScoredRow| place(row) != own && folds.contains(&place(row));
        let (difference, p_value) = welch(&self.logs(&is_own), &self.logs(&is_other))?;
        let ratio = (difference / 2.0).exp();
        let large = self.rmse(&is_own) / self.rmse(&is_other);
        let is_told = ratio.min(large) > NOTICEABLE || ratio.max(large) < 1.0 / NOTICEABLE;
        is_told.then_some(OddFold { repeat: own.0, fold: own.1, ratio, p_value })
    }

    /// The logarithm of each group's mean square over the rows that are chosen.
    fn logs(&self, is_chosen: &dyn Fn(&ScoredRow) -> bool) -> Vec<f64> {
        let add = |sum: &mut (f64, f64), row: &ScoredRow| {
            if is_chosen(row) {
                *sum = (sum.0 + (self.residual)(row).powi(2), sum.1 + 1.0);
            }
        };
        let sums = self.units.sums(self.rows, add).into_iter();
        sums.filter(|(square, _)| *square > 0.0).map(|(sum, count)| (sum / count).ln()).collect()
    }

    /// The root of the mean square over the rows that are chosen.
    fn rmse(&self, is_chosen: &dyn Fn(&ScoredRow) -> bool) -> f64 {
        let chosen = self.rows.iter().filter(|row| is_chosen(row));
        let squares: Vec<f64> = chosen.map(|row| (self.residual)(row).powi(2)).collect();
        (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
    }
}

/// The difference of the means of two samples and its two-sided p value; `None` where either is too small.
fn welch(own: &[f64], others: &[f64]) -> Option<(f64, f64)> {
    let moments = |values: &[f64]| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        (count >= FEWEST_UNITS).then(|| (count, mean, squares / (count - 1.0) / count))
    };
    let ((n, mean, error), (m, other_mean, other_error)) = (moments(own)?, moments(others)?);
    let variance = error + other_error;
    let freedom = variance.powi(2) / (error.powi(2) / (n - 1.0) + other_error.powi(2) / (m - 1.0));
    let test = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let difference = mean - other_mean;
    Some((difference, 2.0 * test.cdf(-(difference / variance.sqrt()).abs())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::Generator, model::FoldResiduals};

    /// Rows of five folds with normal errors of one size, and their calibration.
    fn calibrated(count: usize) -> (Vec<ScoredRow>, Calibration) {
        let mut generator = Generator::new(2, &[]);
        let errors: Vec<f64> = (0..count).map(|_| generator.normal()).collect();
        let of_fold = |fold: usize| errors.iter().skip(fold).step_by(5).map(|e| (*e, 1.0));
        let folds = (0..5).map(|fold| FoldResiduals::new(of_fold(fold))).collect();
        let calibration = Calibration { level: 0.9, repeats: 1, folds };
        let row = |(index, error): (usize, &f64)| {
            let radius = calibration.cross_fitted(index % 5, 0..5);
            ScoredRow {
                row: index,
                group: None,
                repeat: 0,
                fold: index % 5,
                target: 50.0,
                prediction: 50.0 + error,
                lower: 50.0 + error - radius,
                upper: 50.0 + error + radius,
                out_of_domain: false,
                weight: 1.0,
            }
        };
        (errors.iter().enumerate().map(row).collect(), calibration)
    }

    #[test]
    fn conformal_intervals_of_every_level_cover_their_share() {
        let (rows, calibration) = calibrated(4000);
        let trust = Trust::of(&rows, &TargetConfig::default(), Some(&calibration));
        assert_eq!(trust.calibration.len(), LEVELS.len());
        for own in &trust.calibration {
            assert!((own.coverage - own.level).abs() < 0.025, "{own:?}");
        }
        assert!(trust.odd_folds.is_empty(), "{:?}", trust.odd_folds);
    }

    #[test]
    fn the_promised_level_has_the_coverage_of_the_scores() {
        let (rows, calibration) = calibrated(300);
        let trust = Trust::of(&rows, &TargetConfig::default(), Some(&calibration));
        let own = trust.calibration.iter().find(|own| own.level == 0.9).unwrap();
        let scores = crate::evaluate::Scores::of(&rows.iter().collect::<Vec<_>>(), 0.9);
        assert!((own.coverage - scores.coverage).abs() < 1e-12);
    }

    /// The odd folds among five of `count` rows in all, of which one errs `factor` times as much.
    fn odd_among(count: usize, fold: usize, factor: f64) -> Vec<OddFold> {
        let (mut rows, calibration) = calibrated(count);
        for row in rows.iter_mut().filter(|row| row.fold == fold) {
            row.prediction = 50.0 + factor * (row.prediction - 50.0);
        }
        Trust::of(&rows, &TargetConfig::default(), Some(&calibration)).odd_folds
    }

    #[test]
    fn a_fold_with_errors_of_three_times_the_size_is_odd() {
        let odd = odd_among(200, 3, 3.0);
        assert_eq!(odd.iter().map(|own| own.fold).collect::<Vec<_>>(), [3]);
        assert!((2.0..4.5).contains(&odd[0].ratio), "{odd:?}");
    }

    #[test]
    fn one_odd_fold_does_not_make_the_others_odd() {
        let odd = odd_among(1000, 1, 40.0);
        assert_eq!(odd.iter().map(|own| own.fold).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn welch_s_test_equals_that_of_scipy() {
        // scipy.stats.ttest_ind(a, b, equal_var=False)
        let a = [2.1, 3.4, 1.9, 5.0, 4.2, 3.3];
        let b = [6.0, 7.7, 5.1, 9.4, 8.8, 6.5, 12.0];
        let (difference, p_value) = welch(&a, &b).unwrap();
        assert!((difference + 4.611_904_761_904_762).abs() < 1e-12);
        assert!((p_value - 0.001_343_468).abs() < 1e-8, "{p_value}");
    }
}
