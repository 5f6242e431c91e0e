//! Every row judged by the networks of the fold that did not see it.

use rayon::prelude::*;

use crate::{
    data::{Dataset, FoldPlan, Split},
    features::{FeatureMatrix, PerFold, TargetConfig, TargetTransform},
    model::{
        Backend, Calibration, DomainGuard, FoldResiduals, FoldTarget, MemberScaling, MemberWeights,
        Ridge, StackPredictor, StackShape,
    },
};

use super::{ScoredRow, config::row_weights};

/// Share of rows like the training data that may be flagged as unlike it.
const FLAGGED: f64 = 0.01;

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
    /// The folds.
    pub plan: &'a FoldPlan,
    /// How the target is treated.
    pub target: &'a TargetConfig,
    /// Nominal coverage.
    pub level: f64,
}

/// Trained networks, fold by fold.
#[derive(Clone, Copy, Debug)]
pub struct TrainedNetworks<'a> {
    /// Their shape.
    pub shape: &'a StackShape,
    /// Their weights.
    pub members: &'a [MemberWeights],
    /// Their scaling.
    pub scaling: &'a [MemberScaling],
    /// Where they are computed.
    pub backend: &'a Backend,
}

/// Out-of-fold predictions and what a predictor learns from them.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Every held-out row of every repeat, in the order of the splits.
    pub rows: Vec<ScoredRow>,
    /// From members to a prediction, fold by fold.
    pub folds: Vec<FoldTarget>,
    /// Out-of-fold residuals.
    pub calibration: Calibration,
    /// The distance to all rows, its threshold from rows that their guard had not seen.
    pub domain: DomainGuard,
}

/// Judges trained networks; `plain` holds the features that the distance to known rows is measured in.
#[must_use]
pub fn judge_stack(
    inputs: OutOfFoldInputs<'_>,
    networks: TrainedNetworks<'_>,
    plain: &FeatureMatrix,
) -> Judged {
    let folds = inputs.fold_targets();
    let predictions = held_out_predictions(inputs, networks);
    let (domain, outside) = inputs.domain(plain);
    let calibration = inputs.calibration(&folds, &predictions);
    let rows = inputs.rows(&folds, &calibration, &predictions, Some(&outside));
    Judged { rows, folds, calibration, domain }
}

/// The predictions of each fold's networks for the rows that it held out, on the target's own scale.
#[must_use]
pub fn held_out_predictions(
    inputs: OutOfFoldInputs<'_>,
    networks: TrainedNetworks<'_>,
) -> Vec<Vec<f64>> {
    let TrainedNetworks { shape, members, scaling, backend } = networks;
    let folds = inputs.fold_targets();
    let per_fold = members.len() / folds.len();
    let parts = members.chunks_exact(per_fold).zip(scaling.chunks_exact(per_fold));
    let splits = inputs.plan.splits.iter().zip(&folds).enumerate();
    let predict =
        |((members, scaling), (index, (split, fold))): (_, (usize, (&Split, &FoldTarget)))| {
            let (members, scaling): (&[MemberWeights], &[MemberScaling]) = (members, scaling);
            let members: Vec<&MemberWeights> = members.iter().collect();
            let networks = StackPredictor::new(shape, &members, scaling, backend);
            let rows = PerFold::shared(inputs.matrices.get(index).gather(&split.held_out), 1);
            networks.map_rows(&rows, |_, targets| fold.combine(targets.iter().copied()))
        };
    parts.zip(splits).map(predict).collect()
}

/// Judges ridge regression of the target under `transform`, on the same folds and features.
#[must_use]
pub fn judge_baseline(inputs: OutOfFoldInputs<'_>, transform: TargetTransform) -> Vec<ScoredRow> {
    let transformed: Vec<f64> =
        inputs.dataset.target.iter().map(|target| transform.apply(*target)).collect();
    let target = TargetConfig { transform, ..inputs.target.clone() };
    let inputs = OutOfFoldInputs { transformed: &transformed, target: &target, ..inputs };
    let folds = inputs.fold_targets();
    let predict = |(index, (split, fold)): (usize, (&Split, &FoldTarget))| -> Vec<f64> {
        let matrix = inputs.matrices.get(index);
        let ridge = Ridge::fit(matrix, inputs.transformed, &split.train);
        let value = |row: &u32| ridge.predict(matrix.row(*row as usize));
        split.held_out.iter().map(|row| fold.combine(std::iter::once(value(row)))).collect()
    };
    let pairs = inputs.plan.splits.par_iter().zip(&folds).enumerate();
    let predictions: Vec<Vec<f64>> = pairs.map(predict).collect();
    let calibration = inputs.calibration(&folds, &predictions);
    inputs.rows(&folds, &calibration, &predictions, None)
}

impl OutOfFoldInputs<'_> {
    fn fold_targets(&self) -> Vec<FoldTarget> {
        let fit = |split: &Split| {
            let training: Vec<f64> =
                split.train.iter().map(|row| self.transformed[*row as usize]).collect();
            FoldTarget::fit(self.target.transform, self.target.minimum, &training)
        };
        self.plan.splits.iter().map(fit).collect()
    }

    /// Residuals of every fold; the rows of a group share the weight of one.
    fn calibration(&self, folds: &[FoldTarget], predictions: &[Vec<f64>]) -> Calibration {
        let weights = row_weights(self.plan, &self.dataset.group_ids());
        let residuals = |((split, fold), predictions): ((&Split, &FoldTarget), &Vec<f64>)| {
            let pairs = split.held_out.iter().zip(predictions);
            FoldResiduals::new(pairs.map(|(&row, prediction)| {
                let residual = fold.residual(self.dataset.target[row as usize], *prediction);
                (residual, weights[row as usize])
            }))
        };
        let splits = self.plan.splits.iter().zip(folds).zip(predictions);
        Calibration {
            level: self.level,
            repeats: self.plan.repeats,
            folds: splits.map(residuals).collect(),
        }
    }

    /// The guard for all rows, and for each split which held-out rows lie outside of the guard of
    /// that split's training rows.
    fn domain(&self, plain: &FeatureMatrix) -> (DomainGuard, Vec<Vec<bool>>) {
        let fit = |rows: &[u32]| {
            let step = rows.len().div_ceil(MOST_DOMAIN_ROWS).max(1);
            let sampled: Vec<u32> = rows.iter().step_by(step).copied().collect();
            DomainGuard::fit(plain, &sampled)
        };
        let distances = |split: &Split| -> Vec<f64> {
            let guard = fit(&split.train);
            let distance = |row: &u32| guard.distance(plain.row(*row as usize));
            split.held_out.iter().map(distance).collect()
        };
        let distances: Vec<Vec<f64>> = self.plan.splits.par_iter().map(distances).collect();
        let all: Vec<u32> = (0..self.dataset.rows() as u32).collect();
        let mut guard = fit(&all);
        guard.set_threshold(distances.concat(), FLAGGED);
        let outside = |distances: &Vec<f64>| {
            distances.iter().map(|distance| *distance > guard.threshold).collect()
        };
        let outside = distances.iter().map(outside).collect();
        (guard, outside)
    }

    fn rows(
        &self,
        folds: &[FoldTarget],
        calibration: &Calibration,
        predictions: &[Vec<f64>],
        outside: Option<&[Vec<bool>]>,
    ) -> Vec<ScoredRow> {
        let per_repeat = self.plan.folds();
        let scored = |(index, split): (usize, &Split)| -> Vec<ScoredRow> {
            let fold = &folds[index];
            let first = index - index % per_repeat;
            let radius = calibration.cross_fitted(index, first..first + per_repeat);
            let row = |(position, &row): (usize, &u32)| {
                let (row, prediction) = (row as usize, predictions[index][position]);
                let centre = fold.transform.apply(prediction);
                let (lower, upper) = fold.interval(prediction, (centre - radius, centre + radius));
                ScoredRow {
                    row,
                    group: self.dataset.group_name(row),
                    repeat: split.repeat,
                    fold: split.fold,
                    target: self.dataset.target[row],
                    prediction,
                    lower,
                    upper,
                    out_of_domain: outside.is_some_and(|outside| outside[index][position]),
                }
            };
            split.held_out.iter().enumerate().map(row).collect()
        };
        self.plan.splits.iter().enumerate().flat_map(scored).collect()
    }
}
