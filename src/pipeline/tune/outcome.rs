//! What a search found, and how good a choice it is.

use crate::{
    data::FoldPlan,
    evaluate::{Contender, Leaderboard},
    report::{Searched, Setting, Tuning, TuningFold, TuningTrial},
};

use super::{
    super::{training_inputs::Inputs, training_outcome::data_summary},
    parameter::Range,
    search::{Judgement, Rung},
    space::Space,
    trial::Trial,
};

/// A finished search.
pub(super) struct Outcome<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) space: &'a Space,
    pub(super) trials: &'a [Trial],
    pub(super) rungs: &'a [Rung],
    pub(super) judged: &'a [Judgement],
    pub(super) seconds: f64,
}

impl Outcome<'_> {
    /// The report; the last split stands for all rows.
    pub(super) fn report(&self) -> Tuning {
        let inputs = self.inputs;
        let start = &inputs.start;
        let plan = &inputs.prepared.plan;
        let folds = plan.splits.len() - 1;
        let winner = self.winner(folds);
        Tuning {
            name: start.name.clone(),
            data: data_summary(&inputs.dataset, &start.params.data.unit, &start.schema),
            searched: self.space.0.iter().map(searched).collect(),
            trials: self.trials.iter().map(|trial| self.trial(trial, folds)).collect(),
            rungs: self.rungs.iter().map(|rung| (rung.trials, rung.members)).collect(),
            folds: (0..folds).map(|fold| self.fold(fold)).collect(),
            winner,
            board: self.board(folds),
            parameters: self.trials[winner].to_toml(),
            warnings: inputs.warnings.clone(),
            provenance: inputs.provenance(self.seconds),
        }
    }

    /// The judgements of one split on the last rung.
    fn last(&self, split: usize) -> impl Iterator<Item = &Judgement> {
        let last = self.rungs.len() - 1;
        self.judged.iter().filter(move |one| one.split == split && one.rung == last)
    }

    /// The best trial of a split; of equals the first, which is the parameters as they stand.
    fn winner(&self, split: usize) -> usize {
        self.best(split).map_or(0, |one| one.trial)
    }

    fn best(&self, split: usize) -> Option<&Judgement> {
        self.last(split).min_by(|a, b| a.worth().total_cmp(&b.worth()))
    }

    fn trial(&self, trial: &Trial, folds: usize) -> TuningTrial {
        let own = || self.judged.iter().filter(|one| one.trial == trial.number);
        let first: Option<Vec<f64>> =
            own().filter(|one| one.rung == 0).map(Judgement::rmse).collect();
        let furthest = own().filter(|one| one.split == folds).max_by_key(|one| one.rung);
        TuningTrial {
            number: trial.number,
            values: trial.values.iter().map(|(_, value)| setting(value)).collect(),
            first_rmse: first.map(|all| all.iter().sum::<f64>() / all.len() as f64),
            rung: furthest.map_or(0, |one| one.rung),
            rmse: furthest.and_then(Judgement::rmse),
            wins: (0..folds).filter(|split| self.winner(*split) == trial.number).count(),
        }
    }

    fn fold(&self, split: usize) -> TuningFold {
        let own = &self.inputs.prepared.plan.splits[split];
        let rmse = self.best(split).and_then(Judgement::rmse);
        TuningFold { repeat: own.repeat, fold: own.fold, winner: self.winner(split), rmse }
    }

    /// The winner of each fold, judged by what the fold holds out, beside the parameters as they
    /// stand.
    fn board(&self, folds: usize) -> Leaderboard {
        let dataset = &self.inputs.dataset;
        let splits = self.inputs.prepared.plan.splits[..folds].to_vec();
        let plan = FoldPlan { splits, ..self.inputs.prepared.plan.clone() };
        let of = |split: usize, trial: usize| {
            let own = self.last(split).find(|one| one.trial == trial);
            own.map_or_else(Vec::new, |own| own.held_out.clone())
        };
        let contender = |name: &str, trial: &dyn Fn(usize) -> usize| Contender {
            name: name.to_owned(),
            weight: 0.0,
            held_out: (0..folds).map(|split| of(split, trial(split))).collect(),
        };
        let tuned = contender(Tuning::TUNED, &|split| self.winner(split));
        let untuned = contender(Tuning::UNTUNED, &|_| 0);
        let weights = self.inputs.row_weights();
        Leaderboard::among(&tuned, &[untuned], &plan, (&dataset.target, &weights))
    }
}

fn searched((name, range): &(String, Range)) -> Searched {
    let is_number = matches!(range, Range::Between { .. });
    Searched { name: name.clone(), is_number, is_logarithmic: range.is_logarithmic() }
}

fn setting(value: &toml::Value) -> Setting {
    match value {
        toml::Value::Float(number) => Setting::Number(*number),
        toml::Value::Integer(number) => Setting::Number(*number as f64),
        toml::Value::String(text) => Setting::Text(text.clone()),
        other => Setting::Text(other.to_string()),
    }
}
