//! What is computed from a training's inputs.

use std::path::Path;

use anyhow::Result;

use crate::{
    evaluate::{
        Judged, OutOfFoldInputs, ScoredRow, Scores, TrainedNetworks, judge_baseline, judge_stack,
    },
    features::TargetTransform,
    report::{Baseline, Leakage},
    train::{Cut, EpochEvent, Hooks, TrainError, Trained, Training, TrainingPlan, fit},
};

use super::{
    TrainObserver, interrupted, leakage, prepared::Prepared, run_folder::RunFolder,
    training_inputs::Inputs,
};

impl Inputs {
    /// Trains the networks that become the model.
    pub(super) fn fit(&self, run: &RunFolder, observer: &dyn TrainObserver) -> Result<Trained> {
        self.fit_folds(&self.prepared, &run.unfinished, &|event| observer.on_epoch(event))
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
        let trained = match self.fit_folds(other, &run.other_split()?, &on_epoch) {
            Ok(trained) => trained,
            // The run itself is whole; only the comparison is not.
            Err(error) if matches!(error.downcast_ref(), Some(TrainError::Diverged { .. })) => {
                tracing::warn!("the other way to split could not be scored: {error}");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let rows = self.judge_folds(other, &trained).rows;
        Ok(Some(leakage::compared(&self.dataset, &self.start.params, (own, &rows))))
    }

    fn fit_folds(
        &self,
        prepared: &Prepared,
        state_folder: &Path,
        on_epoch: &(dyn Fn(&EpochEvent) + Sync),
    ) -> Result<Trained> {
        let params = &self.start.params;
        let groups = self.dataset.group_ids();
        let table = prepared.table(&self.transformed, &groups);
        let plan = TrainingPlan::new(table, &prepared.plan, &params.model, &params.train);
        let hooks = Hooks { on_epoch, interrupted: &interrupted, state_folder: Some(state_folder) };
        let training = Training {
            table,
            plan: &plan,
            model: &params.model,
            config: &params.train,
            backend: &self.backend,
            cut: Cut::for_backend(&self.backend),
        };
        fit(training, &hooks).map_err(|error| self.start.told(error))
    }

    fn out_of_fold<'a>(&'a self, prepared: &'a Prepared) -> OutOfFoldInputs<'a> {
        OutOfFoldInputs {
            dataset: &self.dataset,
            matrices: &prepared.matrices,
            transformed: &self.transformed,
            plan: &prepared.plan,
            target: &self.start.params.target,
            level: self.start.params.interval.level,
        }
    }

    pub(super) fn judge(&self, trained: &Trained) -> Judged {
        self.judge_folds(&self.prepared, trained)
    }

    fn judge_folds(&self, prepared: &Prepared, trained: &Trained) -> Judged {
        let shape = self.start.params.model.shape(prepared.width());
        let inputs = self.out_of_fold(prepared);
        let Trained { members, scaling, .. } = trained;
        let networks = TrainedNetworks { shape: &shape, members, scaling, backend: &self.backend };
        judge_stack(inputs, networks, &self.plain.1)
    }

    /// Ridge regression of the target or of its transform, whichever does better on these folds:
    /// choosing after the fact favours the baseline.
    pub(super) fn baseline(&self) -> Option<Baseline> {
        let (target, transform) = (&self.dataset.target_name, self.start.params.target.transform);
        let plain = (format!("ridge of {target}"), TargetTransform::None);
        let mut candidates = vec![plain];
        if transform == TargetTransform::Log {
            candidates.push((format!("ridge of ln {target}"), transform));
        }
        let judge = |(name, transform): (String, TargetTransform)| {
            let rows = judge_baseline(self.out_of_fold(&self.prepared), transform);
            Baseline { name, scores: Scores::of(&rows.iter().collect::<Vec<_>>()) }
        };
        let judged = candidates.into_iter().map(judge);
        judged.min_by(|a, b| a.scores.rmse.total_cmp(&b.scores.rmse))
    }
}
