//! Which runs stay, and why.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    path::Path,
};

use anyhow::Result;
use serde::Serialize;

use crate::registry::Pointers;

use super::{Decisions, ListedRun};

/// Why a run, or another folder beside it, stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It predicts.
    Champion,
    /// It was a champion, or a move of the registry names it.
    Moved,
    /// It is among the newest of its target.
    Newest,
    /// No other run of its target and table has a smaller RMSE.
    Best,
    /// The last decision of a retraining names it.
    Decision,
    /// It is trained again under its name.
    TrainedAgain,
    /// It is a link.
    Link,
    /// A link leads to it.
    LinkTarget,
    /// It can go on.
    Unfinished,
    /// It holds a run of another version, or a damaged one.
    Unreadable,
    /// It holds no run.
    NoRun,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Champion => "champion",
            Self::Moved => "named by a move of the registry",
            Self::Newest => "among the newest",
            Self::Best => "smallest RMSE on its table",
            Self::Decision => "named by the last decision of a retraining",
            Self::TrainedAgain => "is being trained again",
            Self::Link => "a link",
            Self::LinkTarget => "a link leads to it",
            Self::Unfinished => "not finished",
            Self::Unreadable => "cannot be read as a run",
            Self::NoRun => "not a run",
        })
    }
}

/// Which runs stay.
#[derive(Debug, Default)]
pub(super) struct PruneRule {
    /// How many of the newest runs of each target stay.
    newest: usize,
    /// Runs that the registry knows of.
    moved: HashSet<String>,
    /// Runs that the last decisions name.
    decided: HashSet<String>,
}

impl PruneRule {
    /// For the checkpoints in `folder`, which are `runs`.
    pub(super) fn new(
        folder: &Path,
        pointers: &Pointers,
        runs: &[ListedRun],
        newest: usize,
    ) -> Result<Self> {
        let named = pointers.names().map(str::to_owned);
        let models: HashSet<String> =
            named.chain(runs.iter().map(|run| run.model.clone())).collect();
        let mut rule = Self { newest, ..Self::default() };
        for model in models {
            rule.moved.extend(runs_of_moves(pointers, &model));
            rule.decided.extend(runs_of_decisions(folder, &model)?);
        }
        Ok(rule)
    }

    /// Why each of `runs` stays, which stand the newest first; no reason for those that go.
    pub(super) fn reasons(&self, runs: &[ListedRun]) -> Vec<Vec<Reason>> {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut reasons = Vec::new();
        for run in runs {
            let place = seen.entry(&run.target).or_default();
            *place += 1;
            let holds = [
                (Reason::Champion, run.champion),
                (Reason::Moved, !run.champion && self.moved.contains(&run.run)),
                (Reason::Newest, *place <= self.newest),
                (Reason::Best, is_best(run, runs)),
                (Reason::Decision, self.decided.contains(&run.run)),
            ];
            reasons.push(holds.iter().filter(|own| own.1).map(|own| own.0).collect());
        }
        reasons
    }
}

/// Whether `run` is the one with the smallest RMSE of its target and table; of equals the newest is.
fn is_best(run: &ListedRun, runs: &[ListedRun]) -> bool {
    let rivals = runs.iter().filter(|own| own.rmse.is_some() && own.shares_task_with(run));
    let best =
        rivals.min_by(|a, b| a.rmse.partial_cmp(&b.rmse).unwrap_or(std::cmp::Ordering::Equal));
    best.is_some_and(|best| best.run == run.run)
}

fn runs_of_moves(pointers: &Pointers, model: &str) -> Vec<String> {
    let own = pointers.model(model);
    let pointed = own.champion.into_iter().chain(own.former).map(|pointer| pointer.run);
    let moved = own.moves.into_iter().flat_map(|own| own.from.into_iter().chain([own.to]));
    pointed.chain(moved).collect()
}

/// Champion and challenger of the last decision about a model, and of the last one that was no dry run.
fn runs_of_decisions(folder: &Path, model: &str) -> Result<Vec<String>> {
    let decisions = Decisions::of(folder).about(model)?;
    let meant = decisions.iter().rfind(|own| !own.dry_run);
    let last = decisions.last().into_iter().chain(meant);
    Ok(last.flat_map(|own| [own.champion.clone(), own.challenger.clone()]).collect())
}

#[cfg(test)]
mod tests {
    use super::super::runs_job::sample_run;
    use super::*;

    fn names<'a>(runs: &'a [ListedRun], reasons: &[Vec<Reason>]) -> Vec<&'a str> {
        let kept = runs.iter().zip(reasons).filter(|(_, own)| !own.is_empty());
        kept.map(|(run, _)| run.run.as_str()).collect()
    }

    #[test]
    fn champions_newest_and_best_runs_stay() {
        let mut runs = vec![
            sample_run("f", 6, "a", Some(3.0)),
            sample_run("e", 5, "a", Some(2.0)),
            sample_run("d", 4, "a", Some(1.0)),
            sample_run("c", 3, "a", Some(1.0)),
            sample_run("b", 2, "b", Some(9.0)),
            sample_run("a", 1, "a", Some(5.0)),
        ];
        runs[5].champion = true;
        let rule = PruneRule { newest: 1, ..PruneRule::default() };
        // `d` and `c` are equally good: the newer one stays. `b` is alone on its table.
        assert_eq!(names(&runs, &rule.reasons(&runs)), ["f", "d", "b", "a"]);
        let none = PruneRule::default();
        assert_eq!(names(&runs, &none.reasons(&runs)), ["d", "b", "a"]);
        assert_eq!(none.reasons(&runs)[5], [Reason::Champion]);
    }

    #[test]
    fn the_newest_are_counted_by_target() {
        let mut runs: Vec<ListedRun> =
            (1..=4).rev().map(|day| sample_run(&day.to_string(), day, "a", None)).collect();
        runs[2].target = "height".to_owned();
        runs[3].target = "height".to_owned();
        let rule = PruneRule { newest: 1, ..PruneRule::default() };
        assert_eq!(names(&runs, &rule.reasons(&runs)), ["4", "2"]);
    }

    #[test]
    fn runs_that_the_registry_or_a_decision_names_stay() {
        let runs = [
            sample_run("c", 3, "a", Some(1.0)),
            sample_run("b", 2, "a", Some(2.0)),
            sample_run("a", 1, "a", Some(3.0)),
        ];
        let rule = PruneRule {
            newest: 0,
            moved: HashSet::from(["a".to_owned()]),
            decided: HashSet::from(["b".to_owned()]),
        };
        let reasons = rule.reasons(&runs);
        assert_eq!(reasons, [[Reason::Best], [Reason::Decision], [Reason::Moved]]);
    }

    #[test]
    fn a_run_without_a_score_is_not_the_best() {
        let runs = [sample_run("b", 2, "a", None), sample_run("a", 1, "a", Some(3.0))];
        assert_eq!(names(&runs, &PruneRule::default().reasons(&runs)), ["a"]);
    }
}
