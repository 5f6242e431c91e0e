//! Every model side by side on the same folds, with the uncertainty of their differences.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::{
    data::{FoldPlan, Split},
    model::ModelKind,
};

use super::{
    Candidate,
    metrics::{Point, PointErrors},
};

/// What stands for no model at all.
const MEAN: &str = "mean";

/// Differences this unlikely among equals are called differences.
const SIGNIFICANCE: f64 = 0.05;

/// One model on the folds of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaderboardEntry {
    /// Its kind, as typed.
    pub model: String,
    /// Pooled out-of-fold root mean squared error, in the target's unit.
    pub rmse: f64,
    /// Pooled out-of-fold mean absolute error, in the target's unit.
    pub mae: f64,
    /// Pooled out-of-fold coefficient of determination; `None` where the target does not vary.
    pub r2: Option<f64>,
    /// Root mean squared error of each split, in their order.
    pub fold_rmse: Vec<f64>,
    /// Mean weight in the model that predicts; 0 where it has no part.
    pub weight: f64,
    /// Mean over the folds of its RMSE less that of the model that predicts; `None` for itself, and of folds in time.
    pub difference: Option<Difference>,
}

/// A difference of the errors of two models over the folds of a cross-validation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Its mean over the folds.
    pub mean: f64,
    /// Its standard error, corrected for training rows that folds share (Nadeau and Bengio, 2003):
    /// `sqrt((1 / folds + judged rows / training rows) variance)`.
    pub standard_error: f64,
    /// Two-sided p value of the corrected t test with `folds - 1` degrees of freedom.
    pub p_value: f64,
}

/// All models of a run, best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Leaderboard {
    /// The models, smallest pooled RMSE first.
    pub entries: Vec<LeaderboardEntry>,
    /// The model that predicts, as typed.
    pub deployed: String,
}

impl Difference {
    /// Of the differences of all splits of `plan`.
    #[must_use]
    pub fn of(differences: &[f64], plan: &FoldPlan) -> Self {
        let count = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / count;
        let squares = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>();
        let variance = squares / (count - 1.0).max(1.0);
        let shares = plan.splits.iter().map(|s| s.held_out.len() as f64 / s.train.len() as f64);
        let share = shares.sum::<f64>() / plan.splits.len() as f64;
        let standard_error = ((1.0 / count + share) * variance).sqrt();
        let test = StudentsT::new(0.0, 1.0, (count - 1.0).max(1.0));
        let p_value = match test {
            Ok(test) if standard_error > 0.0 => 2.0 * test.cdf(-(mean / standard_error).abs()),
            // Also where there is no error to compare.
            _ if mean == 0.0 || !mean.is_finite() => 1.0,
            _ => 0.0,
        };
        Self { mean, standard_error, p_value }
    }

    /// Whether equal models would hardly differ so much.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.p_value < SIGNIFICANCE
    }

    /// The same for the most striking of several differences (Bonferroni).
    #[must_use]
    pub fn is_clear_among(&self, differences: usize) -> bool {
        self.p_value * (differences as f64) < SIGNIFICANCE
    }

    /// What to make of the model whose errors less those of another it is.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match (self.is_clear(), self.mean < 0.0) {
            (false, _) => "no clear difference",
            (true, true) => "clearly better",
            (true, false) => "clearly worse",
        }
    }
}

/// What one model says of the rows that it has not seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Contender {
    /// Its name.
    pub name: String,
    /// Mean weight in the model that predicts.
    pub weight: f64,
    /// Its predictions for the held-out rows, split by split.
    pub held_out: Vec<Vec<f64>>,
}

impl Contender {
    /// Each kind of model by itself; `candidates` are the same kinds in every split.
    fn of(candidates: &[Vec<Candidate>]) -> Vec<Self> {
        let kinds = candidates.first().into_iter().flatten().enumerate();
        let contender = |(index, candidate): (usize, &Candidate)| Self {
            name: candidate.kind.name().to_owned(),
            weight: candidates.iter().map(|fold| fold[index].weight).sum::<f64>()
                / candidates.len() as f64,
            held_out: candidates.iter().map(|fold| fold[index].held_out.clone()).collect(),
        };
        kinds.map(contender).collect()
    }
}

impl Leaderboard {
    /// The candidates of each split of `plan` and their blend, which `deployed` names; `targets` are
    /// those of all rows, with their weights.
    #[must_use]
    pub fn new(
        candidates: &[Vec<Candidate>],
        plan: &FoldPlan,
        targets: (&[f64], &[f64]),
        deployed: ModelKind,
    ) -> Self {
        let held_out = candidates.iter().map(|own| super::blended(own)).collect();
        let blend = Contender { name: deployed.name().to_owned(), weight: 1.0, held_out };
        let mut others = Contender::of(candidates);
        others.retain(|other| other.name != blend.name);
        Self::among(&blend, &others, plan, targets)
    }

    /// `deployed` beside `others` and the mean of the training targets.
    #[must_use]
    pub fn among(
        deployed: &Contender,
        others: &[Contender],
        plan: &FoldPlan,
        (targets, weights): (&[f64], &[f64]),
    ) -> Self {
        let reference = Errors::new(plan, (targets, weights), &deployed.held_out);
        let means = plan.splits.iter().map(|split| training_mean(split, targets, weights));
        let mean = Contender { name: MEAN.to_owned(), weight: 0.0, held_out: means.collect() };
        let entry = |other: &Contender| {
            let judged = Errors::new(plan, (targets, weights), &other.held_out);
            // Folds in time train on longer and longer pasts: no test knows how their errors depend on each other.
            let difference = (!plan.in_time).then(|| judged.difference(&reference, plan));
            LeaderboardEntry { difference, ..judged.entry(other) }
        };
        let mut entries: Vec<LeaderboardEntry> = others.iter().chain([&mean]).map(entry).collect();
        entries.push(reference.entry(deployed));
        entries.sort_by(|a, b| a.rmse.total_cmp(&b.rmse));
        Self { entries, deployed: deployed.name.clone() }
    }

    /// The entry of a model.
    #[must_use]
    pub fn entry(&self, model: &str) -> Option<&LeaderboardEntry> {
        self.entries.iter().find(|entry| entry.model == model)
    }

    /// The mean of the training targets.
    #[must_use]
    pub fn mean(&self) -> Option<&LeaderboardEntry> {
        self.entry(MEAN)
    }

    /// Whether there is nothing beside the model that predicts but the mean.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.entries.iter().all(|entry| entry.model == MEAN || entry.model == self.deployed)
    }

    /// Which model predicts, and whether anything clearly beats it, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let clearly = |entry: &&LeaderboardEntry| {
            entry.difference.is_some_and(|own| own.is_clear() && own.mean < 0.0)
        };
        let better: Vec<&str> =
            self.entries.iter().filter(clearly).map(|entry| entry.model.as_str()).collect();
        let own = &self.deployed;
        let first = self.entries.first().map_or("", |entry| entry.model.as_str());
        match &better[..] {
            [] if first == own && self.is_alone() => {
                format!("The {own} has a smaller error than the mean of the training targets")
            }
            [] if first == own => format!("The {own} has the smallest error, and predicts"),
            [] => {
                let first = if first == MEAN { "the mean" } else { first };
                let is_tested = self.entries.iter().any(|entry| entry.difference.is_some());
                let surely = if is_tested {
                    ", by no more than chance allows"
                } else {
                    "; folds in time tell no more"
                };
                format!("The {own} predicts; {first} has a smaller error here{surely}")
            }
            better => format!(
                "The {own} predicts and loses to {}: clearly smaller errors on the same folds",
                better.join(", ")
            ),
        }
    }
}

/// The errors of one model.
struct Errors {
    pooled: PointErrors,
    fold_rmse: Vec<f64>,
}

impl Errors {
    /// Of predictions for the rows that splits held out, whose targets and weights are given for all rows.
    fn new(plan: &FoldPlan, targets: (&[f64], &[f64]), predictions: &[Vec<f64>]) -> Self {
        let folds = plan.splits.iter().zip(predictions);
        let points = folds.map(|(split, own)| points(split, own, targets));
        Self {
            pooled: PointErrors::of(&points.clone().flatten()),
            fold_rmse: points.map(|own| PointErrors::of(&own).mse.sqrt()).collect(),
        }
    }

    /// Of its errors to those of another model, fold by fold.
    fn difference(&self, other: &Self, plan: &FoldPlan) -> Difference {
        let pairs = self.fold_rmse.iter().zip(&other.fold_rmse);
        Difference::of(&pairs.map(|(own, other)| own - other).collect::<Vec<_>>(), plan)
    }

    fn entry(&self, model: &Contender) -> LeaderboardEntry {
        LeaderboardEntry {
            model: model.name.clone(),
            rmse: self.pooled.mse.sqrt(),
            mae: self.pooled.mae,
            r2: self.pooled.r2,
            fold_rmse: self.fold_rmse.clone(),
            weight: model.weight,
            difference: None,
        }
    }
}

/// The held-out rows of a split with what is predicted of them.
fn points<'a>(
    split: &'a Split,
    predictions: &'a [f64],
    (targets, weights): (&'a [f64], &'a [f64]),
) -> impl Iterator<Item = Point> + Clone {
    split.held_out.iter().zip(predictions).map(move |(row, &prediction)| {
        let row = *row as usize;
        Point { prediction, target: targets[row], weight: weights[row] }
    })
}

/// The mean target of a split's training rows, for each of its held-out rows.
fn training_mean(split: &Split, targets: &[f64], weights: &[f64]) -> Vec<f64> {
    let rows = split.train.iter().map(|row| *row as usize);
    let weighted =
        |sum: (f64, f64), row: usize| (sum.0 + weights[row] * targets[row], sum.1 + weights[row]);
    let (sum, total) = rows.fold((0.0, 0.0), weighted);
    vec![sum / total; split.held_out.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RegressorKind;
    const RIDGE: ModelKind = ModelKind::Regressor(RegressorKind::Ridge);

    fn plan() -> FoldPlan {
        let split = |fold: usize| {
            let (held_out, train) = (0..10).partition(|row| row % 5 == fold as u32);
            Split { repeat: 0, fold, train, held_out }
        };
        FoldPlan {
            splits: (0..5).map(split).collect(),
            repeats: 1,
            leaks_groups: false,
            in_time: false,
        }
    }

    #[test]
    fn differences_equal_the_corrected_t_test() {
        let difference = Difference::of(&[0.3, 0.1, 0.4, 0.2, 0.25], &plan());
        // numpy: mean 0.25, var(ddof=1) 0.0125; sqrt((1/5 + 2/8) * 0.0125) = 0.075
        assert!((difference.mean - 0.25).abs() < 1e-12);
        assert!((difference.standard_error - 0.075).abs() < 1e-12);
        // scipy: 2 * stats.t.sf(0.25 / 0.075, 4) = 0.0290154
        assert!((difference.p_value - 0.029_015_4).abs() < 1e-5, "{}", difference.p_value);
        assert!(difference.is_clear() && difference.is_clear_among(1));
        assert!(!difference.is_clear_among(2));
    }

    #[test]
    fn a_model_that_loses_is_told() {
        let targets: Vec<f64> = (0..10).map(f64::from).collect();
        let candidate = |kind, error: f64, weight: f64, split: &Split| Candidate {
            kind,
            held_out: split.held_out.iter().map(|row| f64::from(*row) + error).collect(),
            inner: Vec::new(),
            weight,
        };
        let plan = plan();
        let fold = |split: &Split| {
            let worse = 0.5 + 0.01 * split.fold as f64;
            let mlp = candidate(ModelKind::Mlp, worse, 1.0, split);
            vec![mlp, candidate(RIDGE, 0.1, 0.0, split)]
        };
        let candidates: Vec<Vec<Candidate>> = plan.splits.iter().map(fold).collect();
        let weights = [1.0; 10];
        let board = Leaderboard::new(&candidates, &plan, (&targets, &weights), ModelKind::Mlp);
        assert_eq!(board.entries[0].model, "ridge");
        assert!((board.entries[0].rmse - 0.1).abs() < 1e-12);
        assert!(board.sentence().contains("loses to ridge"), "{}", board.sentence());
    }
}
