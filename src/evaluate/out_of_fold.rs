//! Every row judged by the networks of the fold that did not see it.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::{
    data::{Dataset, FoldPlan, Split},
    features::{FeatureMatrix, PerFold, TargetConfig, TargetTransform},
    model::{Blend, Calibration, DomainGuard, FoldResiduals, FoldTarget, Regressor, Strangeness},
    train::{FoldTask, LearningRows, fit_linear},
};

use super::{Candidate, ScoredRow, TrainedModels, config::unit_weights};

/// Share of rows like the training data that may be flagged as unlike it.
const FLAGGED: f64 = 0.01;

/// Folds that guards of a table in time are asked by.
const FEWEST_FOLDS: usize = 5;

/// Rows that a distance is fitted on at most, evenly spaced.
const MOST_DOMAIN_ROWS: usize = 100_000;

/// What out-of-fold predictions are made from.
#[derive(Clone, Copy, Debug)]
pub struct OutOfFoldInputs<'a> {
    /// The data.
    pub dataset: &'a Dataset,
    /// Its features, as each fold sees them.
    pub matrices: &'a PerFold<FeatureMatrix>,
    /// Its targets in the space of learning.
    pub transformed: &'a [f64],
    /// How much each row counts in the space of learning, while models learn and where they are judged.
    pub weights: &'a [f64],
    /// The folds.
    pub plan: &'a FoldPlan,
    /// How the target is treated.
    pub target: &'a TargetConfig,
    /// Nominal coverage.
    pub level: f64,
}

/// Out-of-fold predictions and what a predictor learns from them.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Every held-out row of every repeat, in the order of the splits.
    pub rows: Vec<ScoredRow>,
    /// From members to a prediction, fold by fold.
    pub folds: Vec<FoldTarget>,
    /// How each fold weighs what it has.
    pub blends: Vec<Blend>,
    /// Every model by itself, fold by fold.
    pub candidates: Vec<Vec<Candidate>>,
    /// Out-of-fold residuals.
    pub calibration: Calibration,
    /// The distance to all rows, its threshold from rows that their guard had not seen.
    pub domain: DomainGuard,
}

/// Judges what was trained; `plain` holds the features that the distance to known rows is measured
/// in.
#[must_use]
pub fn judge(
    inputs: OutOfFoldInputs<'_>,
    models: TrainedModels<'_>,
    plain: &FeatureMatrix,
) -> Judged {
    let folds = inputs.fold_targets();
    let candidates = models.candidates(inputs);
    let predictions: Vec<Vec<f64>> = candidates.iter().map(|own| blended(own)).collect();
    let (domain, outside) = inputs.domain(plain);
    let blends = models.blends(inputs, &candidates);
    let spreads = inputs.spreads(&blends);
    let calibration = inputs.calibration(&folds, &predictions, &spreads);
    let rows = inputs.rows(&folds, &calibration, (&predictions, &spreads), Some(&outside));
    Judged { rows, folds, blends, candidates, calibration, domain }
}

/// The weighted mean of a fold's candidates for each of its held-out rows.
pub(super) fn blended(candidates: &[Candidate]) -> Vec<f64> {
    let rows = candidates.first().map_or(0, |own| own.held_out.len());
    let value =
        |row: usize| candidates.iter().map(|own| own.weight * own.held_out[row]).sum::<f64>();
    (0..rows).map(value).collect()
}

/// Judges ridge regression of the target under `transform`, on the same folds and features.
#[must_use]
pub fn judge_baseline(
    inputs: OutOfFoldInputs<'_>,
    tasks: &[FoldTask],
    transform: TargetTransform,
) -> Vec<ScoredRow> {
    let transformed: Vec<f64> =
        inputs.dataset.target.iter().map(|target| transform.apply(*target)).collect();
    let target = TargetConfig { transform, ..inputs.target.clone() };
    let inputs = OutOfFoldInputs { transformed: &transformed, target: &target, ..inputs };
    let folds = inputs.fold_targets();
    let predict = |(index, (split, fold)): (usize, (&Split, &FoldTarget))| -> Vec<f64> {
        let matrix = inputs.matrices.get(index);
        let parts = &tasks[index].parts;
        let data = LearningRows {
            matrix,
            targets: inputs.transformed,
            weights: inputs.weights,
            rows: &split.train,
            parts,
            judged: parts.iter().max().map_or(0, |part| *part as usize + 1),
        };
        let ridge = fit_linear(&data);
        let value = |row: &u32| ridge.predict(matrix.row(*row as usize));
        split.held_out.iter().map(|row| fold.combine(std::iter::once(value(row)))).collect()
    };
    let pairs = inputs.plan.splits.par_iter().zip(&folds).enumerate();
    let predictions: Vec<Vec<f64>> = pairs.map(predict).collect();
    let spreads: Vec<Vec<f64>> = predictions.iter().map(|own| vec![1.0; own.len()]).collect();
    let calibration = inputs.calibration(&folds, &predictions, &spreads);
    inputs.rows(&folds, &calibration, (&predictions, &spreads), None)
}

impl OutOfFoldInputs<'_> {
    pub(super) fn fold_targets(&self) -> Vec<FoldTarget> {
        let fit = |split: &Split| {
            let training: Vec<f64> =
                split.train.iter().map(|row| self.transformed[*row as usize]).collect();
            FoldTarget::fit(self.target.transform, self.target.minimum, &training)
        };
        self.plan.splits.iter().map(fit).collect()
    }

    /// How far off each fold expects to be in each row that it held out.
    fn spreads(&self, blends: &[Blend]) -> Vec<Vec<f64>> {
        let spread = |(index, (split, blend)): (usize, (&Split, &Blend))| -> Vec<f64> {
            let matrix = self.matrices.get(index);
            let rows: Vec<&[f32]> =
                split.held_out.iter().map(|row| matrix.row(*row as usize)).collect();
            blend.spread.of_rows(&rows)
        };
        self.plan.splits.iter().zip(blends).enumerate().map(spread).collect()
    }

    /// Residuals of every fold in units of their spread; the rows of a group share the weight of one.
    fn calibration(
        &self,
        folds: &[FoldTarget],
        predictions: &[Vec<f64>],
        spreads: &[Vec<f64>],
    ) -> Calibration {
        let weights = unit_weights(self.plan, &self.dataset.group_ids(), self.weights);
        let residuals = |index: usize| {
            let (split, fold) = (&self.plan.splits[index], &folds[index]);
            let pairs = split.held_out.iter().zip(&predictions[index]).zip(&spreads[index]);
            FoldResiduals::new(pairs.map(|((&row, prediction), spread)| {
                let residual = fold.residual(self.dataset.target[row as usize], *prediction);
                (residual / spread, weights[row as usize])
            }))
        };
        Calibration {
            level: self.level,
            repeats: self.plan.repeats,
            folds: (0..folds.len()).map(residuals).collect(),
        }
    }

    /// The guard for all rows, and for each split which held-out rows are unlike the rows of a guard that had not seen
    /// them.
    fn domain(&self, plain: &FeatureMatrix) -> (DomainGuard, Vec<Vec<bool>>) {
        let asked = guard_plan(self.dataset, self.plan);
        let of_split = |split: &Split| -> Vec<Strangeness> {
            let guard = domain_guard(plain, &split.train);
            split.held_out.iter().map(|row| guard.strangeness(plain.row(*row as usize))).collect()
        };
        let strange: Vec<Vec<Strangeness>> = asked.splits.par_iter().map(of_split).collect();
        let all: Vec<u32> = (0..self.dataset.rows() as u32).collect();
        let mut guard = domain_guard(plain, &all);
        guard.settle(strange.iter().flatten(), FLAGGED);
        let outside =
            |own: &Vec<Strangeness>| own.iter().map(|own| guard.is_strange(own)).collect();
        let mut outside: Vec<Vec<bool>> = strange.iter().map(outside).collect();
        if self.plan.in_time {
            let mut of_row = vec![false; all.len()];
            for (split, outside) in asked.splits.iter().zip(&outside) {
                let rows = split.held_out.iter().zip(outside);
                rows.for_each(|(row, outside)| of_row[*row as usize] = *outside);
            }
            let of_split =
                |split: &Split| split.held_out.iter().map(|row| of_row[*row as usize]).collect();
            outside = self.plan.splits.iter().map(of_split).collect();
        }
        (guard, outside)
    }

    fn rows(
        &self,
        folds: &[FoldTarget],
        calibration: &Calibration,
        given: (&[Vec<f64>], &[Vec<f64>]),
        outside: Option<&[Vec<bool>]>,
    ) -> Vec<ScoredRow> {
        let known = (self.dataset, self.plan, self.weights);
        scored_rows(known, (folds, calibration), given, outside)
    }
}

/// The folds by which guards are asked of rows that they have not seen: those of `plan`, or drawn ones where these are
/// in time. There early folds know few rows, from which all others are far, while later rows will be measured by a guard
/// of all.
#[must_use]
pub fn guard_plan<'a>(dataset: &Dataset, plan: &'a FoldPlan) -> Cow<'a, FoldPlan> {
    let parts =
        if plan.in_time { FoldPlan::drawn(dataset, plan.folds().max(FEWEST_FOLDS)) } else { None };
    parts.map_or(Cow::Borrowed(plan), Cow::Owned)
}

/// The guard of some rows of the plain features; of many, evenly spaced ones.
#[must_use]
pub fn domain_guard(plain: &FeatureMatrix, rows: &[u32]) -> DomainGuard {
    let step = rows.len().div_ceil(MOST_DOMAIN_ROWS).max(1);
    let sampled: Vec<u32> = rows.iter().step_by(step).copied().collect();
    DomainGuard::fit(plain, &sampled)
}

/// What each fold says of the rows that it held out, beside the truth; `predictions` and `spreads` by fold,
/// in the order of its held-out rows.
pub(super) fn scored_rows(
    (dataset, plan, weights): (&Dataset, &FoldPlan, &[f64]),
    (folds, calibration): (&[FoldTarget], &Calibration),
    (predictions, spreads): (&[Vec<f64>], &[Vec<f64>]),
    outside: Option<&[Vec<bool>]>,
) -> Vec<ScoredRow> {
    let per_repeat = plan.folds();
    let scored = |(index, split): (usize, &Split)| -> Vec<ScoredRow> {
        let fold = &folds[index];
        let first = index - index % per_repeat;
        let multiple = calibration.cross_fitted(index, first..first + per_repeat);
        let row = |(position, &row): (usize, &u32)| {
            let (row, prediction) = (row as usize, predictions[index][position]);
            let centre = fold.transform.apply(prediction);
            let radius = multiple * spreads[index][position];
            let (lower, upper) = fold.interval(prediction, (centre - radius, centre + radius));
            ScoredRow {
                row,
                group: dataset.group_name(row),
                repeat: split.repeat,
                fold: split.fold,
                target: dataset.target[row],
                prediction,
                lower,
                upper,
                out_of_domain: outside.is_some_and(|outside| outside[index][position]),
                weight: weights[row],
            }
        };
        split.held_out.iter().enumerate().map(row).collect()
    };
    plan.splits.iter().enumerate().flat_map(scored).collect()
}
