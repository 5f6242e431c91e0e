//! What is computed from a training's inputs.

use std::path::Path;

use anyhow::Result;

use crate::{
    evaluate::{
        Candidate, Judged, Leaderboard, OutOfFoldInputs, ScoredRow, Scores, TrainedModels,
        TrainedNetworks, judge, judge_baseline,
    },
    features::TargetTransform,
    model::{ModelKind, RegressorKind},
    report::{Baseline, Leakage},
    train::{
        Cut, Divergence, EpochEvent, Hooks, InnerJudged, RegressorHooks, TrainError, Trained,
        Training, TrainingPlan, TrainingTable, fit, fit_regressors,
    },
};

use super::{
    TrainObserver, interrupted, leakage, prepared::Prepared, run_folder::RunFolder,
    training_inputs::Inputs,
};

/// Inner parts unless somebody asks for others.
const USUAL_PARTS: usize = 5;

/// Everything that was trained on some folds.
pub(super) struct Fitted {
    pub(super) plan: TrainingPlan,
    /// No members where no networks were trained.
    pub(super) networks: Trained,
    pub(super) regressors: Vec<Vec<InnerJudged>>,
}

impl Inputs {
    /// Trains the models that predict, and those that are compared with them.
    pub(super) fn fit(&self, run: &RunFolder, observer: &dyn TrainObserver) -> Result<Fitted> {
        self.fit_folds(&self.prepared, Some(&run.unfinished), observer, &|event| {
            observer.on_epoch(event);
        })
    }

    /// Trains and scores the other way to split, where there is one to compare with.
    pub(super) fn leakage(
        &self,
        own: &[ScoredRow],
        run: &RunFolder,
        observer: &dyn TrainObserver,
    ) -> Result<Option<Leakage>> {
        let Some(other) = &self.other else { return Ok(None) };
        let first = self.prepared.plan.repeats;
        let on_epoch = |event: &EpochEvent| {
            observer.on_epoch(&EpochEvent { repeat: first + event.repeat, ..event.clone() });
        };
        let fitted = match self.fit_folds(other, Some(&run.other_split()?), observer, &on_epoch) {
            Ok(fitted) => fitted,
            // The run itself is whole; only the comparison is not.
            Err(error) if matches!(error.downcast_ref(), Some(TrainError::Diverged { .. })) => {
                tracing::warn!("the other way to split could not be scored: {error}");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let rows = self.judge_folds(other, &fitted).rows;
        Ok(Some(leakage::compared(&self.dataset, &self.start.params, (own, &rows))))
    }

    /// Trains on the folds of `prepared`; the state that an interrupted training goes on from is kept in
    /// `state_folder`, where there is one.
    pub(super) fn fit_folds(
        &self,
        prepared: &Prepared,
        state_folder: Option<&Path>,
        observer: &dyn TrainObserver,
        on_epoch: &(dyn Fn(&EpochEvent) + Sync),
    ) -> Result<Fitted> {
        let params = &self.start.params;
        let (groups, weights) = (self.dataset.group_ids(), self.row_weights());
        let table = prepared.table(&self.transformed, &weights, &groups);
        let plan = TrainingPlan::new(table, &prepared.plan, &params.model, &params.train);
        let hooks = RegressorHooks {
            on_fitted: &|done, all| observer.on_regressor(done, all),
            interrupted: &interrupted,
            state_folder,
        };
        let kinds: Vec<RegressorKind> =
            self.kinds().into_iter().filter_map(ModelKind::regressor).collect();
        let judged = judged_parts(params.model.members, params.train.inner_parts);
        let regressors =
            fit_regressors(table, &plan.folds, (&kinds, judged), params.train.seed, &hooks)
                .map_err(|error| self.start.told(error))?;
        let hooks = Hooks { on_epoch, interrupted: &interrupted, state_folder };
        let networks = if self.kinds().contains(&ModelKind::Mlp) {
            self.fit_networks(table, &plan, &hooks)?
        } else {
            Trained::none(plan.folds.len())
        };
        Ok(Fitted { plan, networks, regressors })
    }

    fn fit_networks(
        &self,
        table: TrainingTable<'_>,
        plan: &TrainingPlan,
        hooks: &Hooks<'_>,
    ) -> Result<Trained> {
        let training = Training {
            table,
            plan,
            model: &self.start.params.model,
            config: &self.start.params.train,
            backend: &self.backend,
            cut: Cut::for_backend(&self.backend),
            divergence: Divergence::Fails,
        };
        fit(training, hooks).map_err(|error| self.start.told(error))
    }

    /// The kinds of models that are trained.
    pub(super) fn kinds(&self) -> Vec<ModelKind> {
        if self.start.compare {
            return ModelKind::single();
        }
        self.start.params.model.kind.parts()
    }

    fn out_of_fold<'a>(
        &'a self,
        prepared: &'a Prepared,
        weights: &'a [f64],
    ) -> OutOfFoldInputs<'a> {
        OutOfFoldInputs {
            dataset: &self.dataset,
            matrices: &prepared.matrices,
            transformed: &self.transformed,
            weights,
            plan: &prepared.plan,
            target: &self.start.params.target,
            level: self.start.params.interval.level,
        }
    }

    pub(super) fn judge(&self, fitted: &Fitted) -> Judged {
        self.judge_folds(&self.prepared, fitted)
    }

    fn judge_folds(&self, prepared: &Prepared, fitted: &Fitted) -> Judged {
        let shape = self.start.params.model.shape(prepared.width());
        let weights = self.row_weights();
        let Trained { members, scaling, .. } = &fitted.networks;
        let networks = TrainedNetworks { shape: &shape, members, scaling, backend: &self.backend };
        let models = TrainedModels {
            networks: (!members.is_empty()).then_some(networks),
            regressors: &fitted.regressors,
            tasks: &fitted.plan.folds,
            parts: &self.start.params.model.kind.parts(),
            seed: self.start.params.train.seed,
        };
        judge(self.out_of_fold(prepared, &weights), models, &self.plain.1)
    }

    /// Every model side by side, with the mean of the training targets.
    pub(super) fn leaderboard(&self, candidates: &[Vec<Candidate>]) -> Leaderboard {
        let kind = self.start.params.model.kind;
        let (plan, targets) = (&self.prepared.plan, &self.dataset.target);
        let weights = self.row_weights();
        Leaderboard::new(candidates, plan, (targets, &weights), kind)
    }

    /// Ridge regression of the target or of its transform, whichever does better on these folds:
    /// choosing after the fact favours the baseline.
    pub(super) fn baseline(&self, fitted: &Fitted) -> Option<Baseline> {
        let (target, transform) = (&self.dataset.target_name, self.start.params.target.transform);
        let plain = (format!("ridge of {target}"), TargetTransform::None);
        let mut candidates = vec![plain];
        if transform == TargetTransform::Log {
            candidates.push((format!("ridge of ln {target}"), transform));
        }
        let (weights, tasks) = (self.row_weights(), &fitted.plan.folds);
        let judge = |(name, transform): (String, TargetTransform)| {
            let rows = judge_baseline(self.out_of_fold(&self.prepared, &weights), tasks, transform);
            Baseline {
                name,
                scores: Scores::of(
                    &rows.iter().collect::<Vec<_>>(),
                    self.start.params.interval.level,
                ),
            }
        };
        let judged = candidates.into_iter().map(judge);
        judged.min_by(|a, b| a.scores.rmse.total_cmp(&b.scores.rmse))
    }
}

/// How many of the inner parts judge regressors: one for each network, and the same share of the rows where parts are
/// smaller than a fifth of them.
fn judged_parts(members: usize, parts: usize) -> usize {
    let alike = (parts * members.min(USUAL_PARTS)).div_ceil(USUAL_PARTS);
    members.max(alike).clamp(2, parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaller_parts_judge_as_many_rows() {
        assert_eq!([2, 3, 5, 8].map(|members| judged_parts(members, 5)), [2, 3, 5, 5]);
        assert_eq!([1, 2, 5, 8].map(|members| judged_parts(members, 50)), [10, 20, 50, 50]);
        assert_eq!([1, 2, 3].map(|members| judged_parts(members, 3)), [2, 2, 3]);
    }
}
