//! What every trained model says of the rows it has not seen: held-out rows, and inner parts.

use crate::{
    data::Split,
    features::{FeatureMatrix, PerFold},
    model::{
        Backend, Blend, FoldTarget, MemberScaling, MemberWeights, ModelKind, Spread,
        StackPredictor, StackShape, predict_on_threads,
    },
    train::{FoldTask, InnerJudged},
};

use super::{
    OutOfFoldInputs,
    residual_model::{InnerResiduals, fit_spread},
    weights::{InnerPredictions, ensemble_weights},
};

/// Rows that are gathered at once to be predicted: a fold of a large table is no small part of it.
const GATHERED: usize = 1 << 16;

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

/// Everything that was trained.
#[derive(Clone, Copy, Debug)]
pub struct TrainedModels<'a> {
    /// The networks; `None` where none were trained.
    pub networks: Option<TrainedNetworks<'a>>,
    /// The regressors of each fold.
    pub regressors: &'a [Vec<InnerJudged>],
    /// The training rows of each fold and how they are parted.
    pub tasks: &'a [FoldTask],
    /// The kinds whose weighted mean predicts.
    pub parts: &'a [ModelKind],
    /// Seed of what is fitted to their residuals.
    pub seed: u64,
}

/// One kind of model on one fold; values on the target's own scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The kind.
    pub kind: ModelKind,
    /// Predictions for the held-out rows.
    pub held_out: Vec<f64>,
    /// Predictions for the training rows by models that have not seen them; `None` where there are
    /// none.
    pub inner: Vec<Option<f64>>,
    /// Its weight in what predicts.
    pub weight: f64,
}

impl TrainedModels<'_> {
    /// The candidates of each fold, weighed.
    pub(super) fn candidates(&self, inputs: OutOfFoldInputs<'_>) -> Vec<Vec<Candidate>> {
        let folds = inputs.fold_targets();
        let of_fold = |(index, fold): (usize, &FoldTarget)| {
            let mut all: Vec<Candidate> = self
                .networks
                .map(|own| self.network(own, inputs, (index, fold)))
                .into_iter()
                .collect();
            all.extend(
                self.regressors[index].iter().map(|own| regressor(own, inputs, (index, fold))),
            );
            self.weigh(&mut all, inputs, (index, fold));
            all
        };
        // Networks spread their rows over threads themselves.
        folds.iter().enumerate().map(of_fold).collect()
    }

    /// How each fold weighs what it has, for prediction.
    pub(super) fn blends(
        &self,
        inputs: OutOfFoldInputs<'_>,
        candidates: &[Vec<Candidate>],
    ) -> Vec<Blend> {
        let spreads = self.spreads(inputs, candidates).into_iter();
        let blend = |((index, candidates), spread): ((usize, &Vec<Candidate>), Spread)| {
            let weight = |kind: ModelKind| {
                candidates.iter().find(|own| own.kind == kind).map_or(0.0, |own| own.weight)
            };
            let pairs = self.regressors[index]
                .iter()
                .map(|own| (weight(ModelKind::Regressor(own.model.kind)), own.model.clone()));
            let regressors = pairs.filter(|(weight, _)| *weight > 0.0).collect();
            let networks = weight(ModelKind::Mlp);
            Blend { networks, regressors, spread }
        };
        candidates.iter().enumerate().zip(spreads).map(blend).collect()
    }

    /// How far off each blend expects to be. Residuals of all folds are compared in units of it: where one fold cannot
    /// tell, it is the same for every row of every fold.
    fn spreads(&self, inputs: OutOfFoldInputs<'_>, candidates: &[Vec<Candidate>]) -> Vec<Spread> {
        let known: Option<Vec<Spread>> = (0..candidates.len())
            .map(|index| self.spread(inputs, &candidates[index], index))
            .collect();
        known.unwrap_or_else(|| vec![Spread::default(); candidates.len()])
    }

    /// How far off the blend of fold `index` expects to be; `None` where its models judged no rows but their
    /// own, or made no error there.
    fn spread(
        &self,
        inputs: OutOfFoldInputs<'_>,
        candidates: &[Candidate],
        index: usize,
    ) -> Option<Spread> {
        let task = &self.tasks[index];
        let asked = || candidates.iter().filter(|own| own.weight > 0.0);
        let residual = |place: usize| -> Option<f64> {
            let value: Option<f64> =
                asked().map(|own| Some(own.weight * own.inner.get(place).copied()??)).sum();
            let row = task.rows[place] as usize;
            Some(inputs.transformed[row] - inputs.target.transform.apply(value?))
        };
        let residuals: Vec<Option<f64>> = (0..task.rows.len()).map(residual).collect();
        let matrix = inputs.matrices.get(index);
        let inner = InnerResiduals { matrix, task, residuals: &residuals, weights: inputs.weights };
        fit_spread(inner, inputs.level, self.seed)
    }

    fn network(
        &self,
        networks: TrainedNetworks<'_>,
        inputs: OutOfFoldInputs<'_>,
        (index, fold): (usize, &FoldTarget),
    ) -> Candidate {
        let task = &self.tasks[index];
        let matrix = inputs.matrices.get(index);
        let own = networks.of_fold(index, self.tasks.len());
        let held_out = own.predict(matrix, &inputs.plan.splits[index].held_out, fold);
        let mut sums = vec![(0.0, 0_usize); task.rows.len()];
        for (member, task_member) in task.members.iter().enumerate() {
            if task_member.inner.is_empty() {
                continue;
            }
            let values = own.member(member).predict(matrix, &task_member.inner, fold);
            for (row, value) in task_member.inner.iter().zip(values) {
                let place = task.rows.partition_point(|known| known < row);
                sums[place] = (sums[place].0 + value, sums[place].1 + 1);
            }
        }
        let mean = |(sum, count): (f64, usize)| (count > 0).then(|| sum / count as f64);
        let inner = sums.into_iter().map(mean).collect();
        Candidate { kind: ModelKind::Mlp, held_out, inner, weight: 0.0 }
    }

    /// Weighs those candidates that predict.
    fn weigh(
        &self,
        candidates: &mut [Candidate],
        inputs: OutOfFoldInputs<'_>,
        (index, fold): (usize, &FoldTarget),
    ) {
        let parts: Vec<usize> =
            (0..candidates.len()).filter(|c| self.parts.contains(&candidates[*c].kind)).collect();
        if let [only] = parts[..] {
            candidates[only].weight = 1.0;
            return;
        }
        let rows = &self.tasks[index].rows;
        // Who judged no inner row (networks on very few rows) gets no weight, and keeps nobody else from theirs.
        let judged = |c: &usize| candidates[*c].inner.iter().any(Option::is_some);
        let known: Vec<usize> = parts.iter().copied().filter(judged).collect();
        let parts = if known.is_empty() { parts } else { known };
        let is_known = |place: &usize| parts.iter().all(|c| candidates[*c].inner[*place].is_some());
        let places: Vec<usize> = (0..rows.len()).filter(is_known).collect();
        let known = |c: &usize| -> Vec<f64> {
            places.iter().filter_map(|place| candidates[*c].inner[*place]).collect()
        };
        let predictions: Vec<Vec<f64>> = parts.iter().map(known).collect();
        let pick = |values: &[f64]| -> Vec<f64> {
            places.iter().map(|place| values[rows[*place] as usize]).collect()
        };
        let (targets, weights) = (pick(inputs.transformed), pick(inputs.weights));
        let inner = InnerPredictions {
            predictions: &predictions,
            targets: &targets,
            weights: &weights,
            fold,
        };
        for (candidate, weight) in parts.iter().zip(ensemble_weights(inner)) {
            candidates[*candidate].weight = weight;
        }
    }
}

impl TrainedNetworks<'_> {
    /// The networks of fold `index` of `folds`.
    #[must_use]
    pub fn of_fold(self, index: usize, folds: usize) -> Self {
        let count = self.members.len() / folds;
        let own = index * count..(index + 1) * count;
        Self { members: &self.members[own.clone()], scaling: &self.scaling[own], ..self }
    }

    fn member(self, index: usize) -> Self {
        let own = index..=index;
        Self { members: &self.members[own.clone()], scaling: &self.scaling[own], ..self }
    }

    /// Their combined predictions for some rows of `matrix`, on the target's own scale.
    #[must_use]
    pub fn predict(self, matrix: &FeatureMatrix, rows: &[u32], fold: &FoldTarget) -> Vec<f64> {
        let members: Vec<&MemberWeights> = self.members.iter().collect();
        let predictor = StackPredictor::new(self.shape, &members, self.scaling, self.backend);
        let predict = |rows: &[u32]| {
            let gathered = PerFold::shared(matrix.gather(rows), 1);
            predictor.map_rows(&gathered, |_, targets| fold.combine(targets.iter().copied()))
        };
        rows.chunks(GATHERED).flat_map(predict).collect()
    }
}

fn regressor(
    own: &InnerJudged,
    inputs: OutOfFoldInputs<'_>,
    (index, fold): (usize, &FoldTarget),
) -> Candidate {
    let matrix = inputs.matrices.get(index);
    let split: &Split = &inputs.plan.splits[index];
    let value = |target: f64| fold.combine(std::iter::once(target));
    let rows: Vec<&[f32]> = split.held_out.iter().map(|row| matrix.row(*row as usize)).collect();
    let held_out = predict_on_threads(&own.model, &rows).into_iter().map(value).collect();
    let inner = own.inner.iter().map(|target| target.map(value)).collect();
    Candidate { kind: ModelKind::Regressor(own.model.kind), held_out, inner, weight: 0.0 }
}
