//! Every finished run, and how the error on each table went from run to run.

use anyhow::Result;
use serde::Serialize;

use super::{ListedRun, Params, list_runs};

/// All finished runs and what became of their errors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunHistory {
    /// The runs, the newest first.
    pub runs: Vec<ListedRun>,
    /// Tables with two runs and more, that of the newest run first.
    pub trends: Vec<Trend>,
}

/// The error of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunError {
    /// Its name.
    pub run: String,
    /// Pooled out-of-fold RMSE, in the target's unit.
    pub rmse: f64,
}

/// How the errors of all runs went that predict one target and were trained on one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// Target column.
    pub target: String,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// The table, as the newest run named it.
    pub data: String,
    /// SHA-256 of the table.
    pub data_sha256: String,
    /// Runs with a score.
    pub runs: usize,
    /// The newest run.
    pub newest: RunError,
    /// The one with the smallest RMSE before it; of equals the newest.
    pub best_before: RunError,
    /// The oldest run.
    pub first: RunError,
    /// RMSE of the newest run less that of the best one before it; negative: it became smaller.
    pub change: f64,
}

impl Trend {
    /// Of runs with a score, the newest first; `None` for fewer than two.
    fn of(series: &[&ListedRun]) -> Option<Self> {
        let errors: Vec<RunError> = series.iter().filter_map(|run| RunError::of(run)).collect();
        let (newest, before) = errors.split_first()?;
        let best = before.iter().min_by(|a, b| a.rmse.total_cmp(&b.rmse))?;
        let run = series.first()?;
        Some(Self {
            target: run.target.clone(),
            unit: run.unit.clone(),
            data: run.data.clone(),
            data_sha256: run.data_sha256.clone(),
            runs: errors.len(),
            change: newest.rmse - best.rmse,
            newest: newest.clone(),
            best_before: best.clone(),
            first: before.last()?.clone(),
        })
    }
}

impl RunError {
    fn of(run: &ListedRun) -> Option<Self> {
        run.rmse.map(|rmse| Self { run: run.run.clone(), rmse })
    }
}

/// Every finished run and how errors went; none where there is no folder of checkpoints yet.
///
/// # Errors
/// When the folder of the checkpoints or the pointers cannot be read.
pub fn run_history(params: &Params) -> Result<RunHistory> {
    let runs = if params.paths.checkpoints.exists() { list_runs(params)? } else { Vec::new() };
    Ok(RunHistory { trends: trends(&runs), runs })
}

/// The trends of `runs`, which stand the newest first.
fn trends(runs: &[ListedRun]) -> Vec<Trend> {
    let mut series: Vec<Vec<&ListedRun>> = Vec::new();
    for run in runs.iter().filter(|run| run.rmse.is_some()) {
        match series.iter_mut().find(|own| run.shares_task_with(own[0])) {
            Some(own) => own.push(run),
            None => series.push(vec![run]),
        }
    }
    series.iter().filter_map(|own| Trend::of(own)).collect()
}

impl ListedRun {
    /// Whether both predict the same target from the same table, so that their errors are comparable.
    pub(super) fn shares_task_with(&self, other: &Self) -> bool {
        self.target == other.target && self.data_sha256 == other.data_sha256
    }
}

/// A run on a table for tests of this folder.
#[cfg(test)]
pub(super) fn sample_run(run: &str, day: usize, data: &str, rmse: Option<f64>) -> ListedRun {
    ListedRun {
        run: run.to_owned(),
        model: "massay-mass".to_owned(),
        started: format!("2026-01-{day:02}T08:00:00Z"),
        target: "mass".to_owned(),
        unit: "g".to_owned(),
        kind: "ensemble".to_owned(),
        data: format!("data/{data}.csv"),
        data_sha256: data.repeat(8),
        rows: Some(104),
        rmse,
        r2: Some(0.9),
        version: None,
        champion: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_compares_the_newest_run_with_the_best_before_it() {
        let runs = [
            sample_run("e", 5, "a", Some(10.7)),
            sample_run("d", 4, "b", Some(3.0)),
            sample_run("c", 3, "a", Some(10.4)),
            sample_run("b", 2, "a", None),
            sample_run("a", 1, "a", Some(12.1)),
        ];
        let found = trends(&runs);
        // One run alone, as on the other table, is no trend; nor does a run without a score count.
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].runs, found[0].data.as_str()), (3, "data/a.csv"));
        assert_eq!(found[0].best_before, RunError { run: "c".to_owned(), rmse: 10.4 });
        assert_eq!(found[0].first.run, "a");
        assert!((found[0].change - 0.3).abs() < 1e-12);
    }

    #[test]
    fn other_targets_of_a_table_are_another_trend() {
        let mut runs = vec![sample_run("b", 2, "a", Some(1.0)), sample_run("a", 1, "a", Some(2.0))];
        runs[0].target = "fill_height".to_owned();
        assert_eq!(trends(&runs), []);
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_runs() {
        let mut params = Params::default();
        params.paths.checkpoints = "no/such/folder".into();
        assert_eq!(run_history(&params).unwrap().runs, []);
    }
}
