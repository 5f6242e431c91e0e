//! `massay runs`

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::{
    pipeline::{ListedRun, Params, RunHistory, Trend, run_history},
    report::significant,
};

use super::{columns::in_columns, emit, prune::PruneArguments, summary::short};

/// Characters of a SHA-256 that are shown.
const SHOWN_HASH: usize = 8;

/// See all finished runs and how their errors went, and remove those that nobody needs.
///
/// Runs of one target that were trained on the same table can be compared; below the list is a line for each
/// such table with two runs and more.
#[derive(Debug, Args)]
pub(super) struct RunsArguments {
    #[command(subcommand)]
    command: Option<RunsCommand>,
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    json: bool,
    /// Parameters, which say where checkpoints are [default: params.toml where there is one]
    #[arg(long, value_name = "FILE", global = true)]
    params: Option<PathBuf>,
    /// Any other parameter, e.g. `paths.checkpoints`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    sets: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// Remove runs that nobody needs, and free their disk space
    Prune(PruneArguments),
}

impl RunsArguments {
    pub(super) fn run(self) -> Result<()> {
        let params = Params::load(self.params.as_deref(), &self.sets)?;
        match self.command {
            Some(RunsCommand::Prune(arguments)) => arguments.run(&params, self.json),
            None => list(&params, self.json),
        }
    }
}

fn list(params: &Params, json: bool) -> Result<()> {
    let history = run_history(params)?;
    if json {
        return emit(&(serde_json::to_string_pretty(&history)? + "\n"));
    }
    if history.runs.is_empty() {
        return emit(&no_runs(params));
    }
    emit(&text(&history))
}

/// What is said where there is nothing.
pub(super) fn no_runs(params: &Params) -> String {
    format!(
        "no finished runs in {}\n\nhint: `massay train` makes one; where runs are kept elsewhere, \
         `--set paths.checkpoints=FOLDER`\n",
        params.paths.checkpoints.display()
    )
}

fn text(history: &RunHistory) -> String {
    let header = ["run", "started (UTC)", "data", "target", "model", "rows", "R2", "RMSE", ""];
    let mut lines = vec![header.map(str::to_owned).to_vec()];
    lines.extend(history.runs.iter().map(line));
    let trends: String = history.trends.iter().map(trend_line).collect();
    let gap = if trends.is_empty() { "" } else { "\n" };
    in_columns(&lines, &[5, 6, 7]) + gap + &trends
}

fn line(run: &ListedRun) -> Vec<String> {
    let known = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    vec![
        run.run.clone(),
        minutes(&run.started),
        format!("{} {}", file_name(&run.data), short_hash(&run.data_sha256)),
        run.target.clone(),
        run.kind.clone(),
        known(run.rows.map(|rows| rows.to_string())),
        known(run.r2.map(|r2| format!("{r2:.4}"))),
        known(run.rmse.map(|rmse| in_unit(&short(rmse), &run.unit))),
        (if run.champion { "champion" } else { "" }).to_owned(),
    ]
}

/// How the error went from run to run, in a line.
fn trend_line(trend: &Trend) -> String {
    let error = |rmse: f64| in_unit(&significant(rmse, 3), &trend.unit);
    let best = &trend.best_before;
    let beside = if error(best.rmse) == error(trend.newest.rmse) {
        format!("as the best before ({})", best.run)
    } else {
        format!("{}; best before {} ({})", change(trend), error(best.rmse), best.run)
    };
    let first = if best.run == trend.first.run {
        String::new()
    } else {
        format!(", {} at first", error(trend.first.rmse))
    };
    format!(
        "{} on {} ({}): {} runs, RMSE {} now, {beside}{first}\n",
        trend.target,
        file_name(&trend.data),
        short_hash(&trend.data_sha256),
        trend.runs,
        error(trend.newest.rmse),
    )
}

/// What the newest run has more or less than the best before it.
fn change(trend: &Trend) -> String {
    let size = in_unit(&significant(trend.change.abs(), 2), &trend.unit);
    let share = 100.0 * trend.change.abs() / trend.best_before.rmse;
    let share = if share.is_finite() { format!(" ({share:.1} %)") } else { String::new() };
    format!("{size}{share} {}", if trend.change < 0.0 { "less" } else { "more" })
}

/// A time of RFC 3339 to the minute; `-` where there is none.
pub(super) fn minutes(time: &str) -> String {
    time.get(..16).map_or_else(|| "-".to_owned(), |time| time.replace('T', " "))
}

pub(super) fn in_unit(number: &str, unit: &str) -> String {
    if unit.is_empty() { number.to_owned() } else { format!("{number} {unit}") }
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn short_hash(sha256: &str) -> &str {
    sha256.get(..SHOWN_HASH).unwrap_or(sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::RunError;

    fn error(run: &str, rmse: f64) -> RunError {
        RunError { run: run.to_owned(), rmse }
    }

    fn trend() -> Trend {
        Trend {
            target: "mass".to_owned(),
            unit: "g".to_owned(),
            data: "data/simulations.csv".to_owned(),
            data_sha256: "1a2b3c4d5e6f".to_owned(),
            runs: 6,
            newest: error("f", 10.7),
            best_before: error("c", 10.4),
            first: error("a", 12.1),
            change: 0.3,
        }
    }

    #[test]
    fn a_trend_is_told_in_a_line() {
        assert_eq!(
            trend_line(&trend()),
            "mass on simulations.csv (1a2b3c4d): 6 runs, RMSE 10.7 g now, 0.30 g (2.9 %) more; best \
             before 10.4 g (c), 12.1 g at first\n"
        );
    }

    #[test]
    fn a_first_run_that_is_the_best_is_named_once() {
        let mut trend = trend();
        trend.best_before = trend.first.clone();
        trend.change = -1.4;
        let line = trend_line(&trend);
        assert!(line.ends_with("1.4 g (11.6 %) less; best before 12.1 g (a)\n"), "{line}");
        (trend.newest, trend.change) = (error("f", 12.1), 0.0);
        assert!(trend_line(&trend).ends_with("RMSE 12.1 g now, as the best before (a)\n"));
    }

    #[test]
    fn what_is_not_known_shows_as_a_dash() {
        assert_eq!(
            (minutes(""), minutes("2026-01-02T03:04:05Z")),
            ("-".into(), "2026-01-02 03:04".into())
        );
        assert_eq!((in_unit("3", ""), in_unit("3", "g")), ("3".to_owned(), "3 g".to_owned()));
    }
}
