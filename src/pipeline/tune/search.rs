//! Successive halving within every split at once.

use std::{collections::BTreeMap, fs, io::Write, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::{
    evaluate::TrainedNetworks,
    model::FoldTarget,
    train::{
        Cut, Divergence, EpochEvent, Hooks, Trained, Training, TrainingPlan, TrainingTable,
        Variant, fit, write_atomically,
    },
};

use super::{
    super::{interrupted, run_folder::RunFolder, training_inputs::Inputs},
    job::TuneObserver,
    trial::Trial,
};

/// One rung of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Networks of each trial, each judged by an inner part of its own.
    pub members: usize,
    /// Trials that reach it, at most.
    pub trials: usize,
}

/// The rungs of `trials` trials of which one in `keep` goes on, up to `members` networks each: the last
/// rung has no more than `keep` trials and all networks, each one before it `keep` times as many trials
/// with as much fewer networks. Rungs of as many networks as the one before are left out: they would
/// tell nothing new.
pub(super) fn rungs(trials: usize, keep: usize, members: usize) -> Vec<Rung> {
    let mut sizes = vec![trials];
    while sizes[sizes.len() - 1] > keep {
        sizes.push(sizes[sizes.len() - 1].div_ceil(keep));
    }
    let mut rungs: Vec<Rung> = Vec::new();
    for (index, trials) in sizes.iter().enumerate() {
        let divisor = keep.pow((sizes.len() - 1 - index) as u32);
        let members = members.div_ceil(divisor);
        match rungs.last() {
            Some(last) if last.members == members => {}
            _ => rungs.push(Rung { members, trials: *trials }),
        }
    }
    rungs
}

/// One trial as it was judged within one split on one rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Judgement {
    /// Position of the split; one after the last of the plan for all rows.
    pub(super) split: usize,
    /// Number of the trial.
    pub(super) trial: usize,
    /// Rung, from 0.
    pub(super) rung: usize,
    /// Mean squared error of its networks on their inner validation rows in the best epoch, in variances
    /// of the split's targets in the space of learning; `None` where it diverged before there was one.
    pub(super) loss: Option<f64>,
    /// Predictions for the held-out rows on the target's own scale; only on the last rung.
    pub(super) held_out: Vec<f64>,
}

impl Judgement {
    /// The loss, infinite where there is none.
    pub(super) fn worth(&self) -> f64 {
        self.loss.unwrap_or(f64::INFINITY)
    }

    /// The root of the loss: standard deviations.
    pub(super) fn rmse(&self) -> Option<f64> {
        self.loss.map(f64::sqrt)
    }
}

/// A search within every split of the prepared folds.
pub(super) struct Search<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) trials: &'a [Trial],
    pub(super) rungs: &'a [Rung],
    pub(super) run: &'a RunFolder,
    pub(super) observer: &'a dyn TuneObserver,
}

impl Search<'_> {
    /// Runs every rung; each split halves its trials by its own inner rows alone. The parameters as
    /// they stand stay to the end, to compare with.
    pub(super) fn run(&self) -> Result<Vec<Judgement>> {
        let splits = self.inputs.prepared.plan.splits.len();
        let mut alive: Vec<Vec<usize>> = vec![(0..self.trials.len()).collect(); splits];
        let mut all = Vec::new();
        for rung in 0..self.rungs.len() {
            let judged = self.rung(rung, &alive)?;
            if let Some(next) = self.rungs.get(rung + 1) {
                for (split, alive) in alive.iter_mut().enumerate() {
                    *alive = best(&judged, split, next.trials);
                }
            }
            all.extend(judged);
        }
        Ok(all)
    }

    /// Judges the trials that are alive; what an interrupted search had judged is read.
    fn rung(&self, rung: usize, alive: &[Vec<usize>]) -> Result<Vec<Judgement>> {
        let file = self.run.unfinished.join(format!("rung-{rung}.json"));
        let trainings = alive.iter().map(Vec::len).sum();
        self.observer.on_rung(rung, self.rungs[rung], trainings);
        if file.exists() {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            return serde_json::from_str(&text)
                .with_context(|| format!("cannot read {}", file.display()));
        }
        let folder = self.run.unfinished.join(format!("rung-{rung}"));
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let mut judged = Vec::new();
        for stack in self.stacks(alive) {
            judged.extend(self.stack(rung, &stack, &folder)?);
            self.observer
                .on_judged(mean_best(&judged, |_| true), mean_best(&judged, |trial| trial == 0));
        }
        judged.sort_by_key(|one| (one.split, one.trial));
        let text = serde_json::to_string(&judged)?;
        write_atomically(&file, |file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", file.display()))?;
        let _ = fs::remove_dir_all(&folder);
        Ok(judged)
    }

    /// Pairs of split and trial whose networks can be trained as one stack.
    fn stacks(&self, alive: &[Vec<usize>]) -> Vec<Vec<(usize, usize)>> {
        let mut stacks: Vec<Vec<(usize, usize)>> = Vec::new();
        for trial in self.trials {
            let own = (0..alive.len()).filter(|split| alive[*split].contains(&trial.number));
            let own = own.map(|split| (split, trial.number));
            let fits = |stack: &&mut Vec<(usize, usize)>| {
                stack.first().is_some_and(|one| self.trials[one.1].stack() == trial.stack())
            };
            match stacks.iter_mut().find(fits) {
                Some(stack) => stack.extend(own),
                None => stacks.push(own.collect()),
            }
        }
        stacks.retain(|stack| !stack.is_empty());
        stacks
    }

    /// Trains and judges one stack.
    fn stack(
        &self,
        rung: usize,
        pairs: &[(usize, usize)],
        folder: &Path,
    ) -> Result<Vec<Judgement>> {
        let inputs = self.inputs;
        let members = self.rungs[rung].members;
        let own = |(split, trial): &(usize, usize)| {
            let params = &self.trials[*trial].params;
            let model = crate::model::ModelConfig { members, ..params.model.clone() };
            (*split, *trial, model, params.train.clone())
        };
        let own: Vec<_> = pairs.iter().map(own).collect();
        let variants: Vec<Variant<'_>> = own
            .iter()
            .map(|(split, trial, model, config)| Variant {
                split: *split,
                trial: *trial,
                model,
                config,
            })
            .collect();
        let weights = inputs.row_weights();
        let groups = inputs.dataset.group_ids();
        let table = inputs.prepared.table(&inputs.transformed, &weights, &groups);
        let plan = TrainingPlan::of_variants(table, &inputs.prepared.plan, &variants);
        let on_epoch = |event: &EpochEvent| self.observer.on_epoch(event);
        let hooks =
            Hooks { on_epoch: &on_epoch, interrupted: &interrupted, state_folder: Some(folder) };
        let trained = self.fit(table, &plan, &variants[0], &hooks)?;
        let is_last = rung + 1 == self.rungs.len();
        let judge = |(place, (split, trial)): (usize, &(usize, usize))| Judgement {
            split: *split,
            trial: *trial,
            rung,
            loss: self.loss(&trained, (place, members), *split),
            held_out: if is_last {
                self.predict(&trained, (place, pairs.len()), *split, variants[0])
            } else {
                Vec::new()
            },
        };
        Ok(pairs.iter().enumerate().map(judge).collect())
    }

    fn fit(
        &self,
        table: TrainingTable<'_>,
        plan: &TrainingPlan,
        shared: &Variant<'_>,
        hooks: &Hooks<'_>,
    ) -> Result<Trained> {
        let backend = &self.inputs.backend;
        let training = Training {
            table,
            plan,
            model: shared.model,
            config: shared.config,
            backend,
            cut: Cut::for_backend(backend),
            divergence: Divergence::Stops,
        };
        fit(training, hooks).map_err(|error| self.inputs.start.told(error))
    }

    /// The loss of the networks at one place of a stack. Each of them standardises what it learns by
    /// itself, and what a linear part explains is not in it: losses are comparable only once that is
    /// undone.
    fn loss(
        &self,
        trained: &Trained,
        (place, members): (usize, usize),
        split: usize,
    ) -> Option<f64> {
        let losses = &trained.inner_losses[place];
        let scaling = &trained.scaling[place * members..(place + 1) * members];
        let squares: Option<f64> = losses
            .iter()
            .zip(scaling)
            .map(|(loss, scaling)| Some((*loss)? * scaling.target_deviation.powi(2)))
            .sum();
        let mean = squares.filter(|_| !losses.is_empty())? / members as f64;
        Some(mean / self.variance(split)).filter(|loss| loss.is_finite())
    }

    /// The variance of the targets that train within a split.
    fn variance(&self, split: usize) -> f64 {
        let rows = &self.inputs.prepared.plan.splits[split].train;
        let targets = || rows.iter().map(|row| self.inputs.transformed[*row as usize]);
        let count = rows.len() as f64;
        let mean = targets().sum::<f64>() / count;
        targets().map(|target| (target - mean).powi(2)).sum::<f64>() / count
    }

    /// What the networks at one place of a stack say of the rows that their split holds out.
    fn predict(
        &self,
        trained: &Trained,
        (place, places): (usize, usize),
        split: usize,
        shared: Variant<'_>,
    ) -> Vec<f64> {
        let inputs = self.inputs;
        let plan = &inputs.prepared.plan.splits[split];
        if plan.held_out.is_empty() {
            return Vec::new();
        }
        let shape = shared.model.shape(inputs.prepared.width());
        let networks = TrainedNetworks {
            shape: &shape,
            members: &trained.members,
            scaling: &trained.scaling,
            backend: &inputs.backend,
        };
        let training: Vec<f64> =
            plan.train.iter().map(|row| inputs.transformed[*row as usize]).collect();
        let target = &inputs.start.params.target;
        let fold = FoldTarget::fit(target.transform, target.minimum, &training);
        let matrix = inputs.prepared.matrices.get(split);
        networks.of_fold(place, places).predict(matrix, &plan.held_out, &fold)
    }
}

/// The smallest RMSE of each split among some trials, averaged over the splits.
fn mean_best(judged: &[Judgement], is_asked: fn(usize) -> bool) -> Option<f64> {
    let mut best: BTreeMap<usize, f64> = BTreeMap::new();
    for one in judged.iter().filter(|one| is_asked(one.trial)) {
        let Some(rmse) = one.rmse() else { continue };
        let own = best.entry(one.split).or_insert(rmse);
        *own = own.min(rmse);
    }
    (!best.is_empty()).then(|| best.values().sum::<f64>() / best.len() as f64)
}

/// The `count` best trials of a split, and the parameters as they stand.
fn best(judged: &[Judgement], split: usize, count: usize) -> Vec<usize> {
    let mut own: Vec<&Judgement> = judged.iter().filter(|one| one.split == split).collect();
    own.sort_by(|a, b| a.worth().total_cmp(&b.worth()));
    let mut chosen: Vec<usize> = own.iter().take(count).map(|one| one.trial).collect();
    if !chosen.contains(&0) {
        chosen.push(0);
    }
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_trade_trials_for_networks() {
        let pairs = |trials, keep, members| -> Vec<(usize, usize)> {
            rungs(trials, keep, members).iter().map(|rung| (rung.trials, rung.members)).collect()
        };
        assert_eq!(pairs(24, 3, 5), [(24, 1), (8, 2), (3, 5)]);
        assert_eq!(pairs(24, 3, 2), [(24, 1), (3, 2)]);
        assert_eq!(pairs(24, 3, 1), [(24, 1)]);
        assert_eq!(pairs(3, 3, 5), [(3, 5)]);
        assert_eq!(pairs(100, 2, 5), [(100, 1), (7, 2), (4, 3), (2, 5)]);
    }

    #[test]
    fn the_best_go_on_and_the_parameters_as_they_stand_with_them() {
        let one = |trial, loss| Judgement { split: 1, trial, rung: 0, loss, held_out: vec![] };
        let other = Judgement { split: 0, ..one(4, Some(0.0)) };
        let judged = [
            one(0, Some(3.0)),
            one(1, None),
            one(2, Some(1.0)),
            one(3, None),
            one(5, Some(2.0)),
            other,
        ];
        assert_eq!(best(&judged, 1, 2), [0, 2, 5]);
        assert_eq!(best(&judged, 1, 4), [0, 1, 2, 5]);
    }
}
