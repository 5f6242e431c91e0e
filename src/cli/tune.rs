//! `massay tune`

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Result;
use clap::Args;

use crate::{
    pipeline::{Params, TuneOptions, Tuned, tune},
    report::Tuning,
};

use super::{
    backends::BackendArgument, emit, stop_on_interrupt, summary, table_arguments::TableArguments,
    tune_progress::TuneProgress,
};

/// Search for parameters of the networks, and judge the search.
///
/// Tries `tune.trials` sets of parameters from `tune.space` within the training rows of each fold and
/// within all rows. Writes `reports/NAME/` with what each trial gave, the score of the search on rows
/// that it has not seen, and `params.toml`, the winner's parameters, for `massay train --params`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(super) struct TuneArguments {
    #[command(flatten)]
    table: TableArguments,
    /// Given folds: a CSV with a column `fold`, one line per data row (`cv.fold_file`)
    #[arg(long, value_name = "FILE")]
    fold_file: Option<PathBuf>,
    /// Sets of parameters to try (`tune.trials`)
    #[arg(long, value_name = "NUMBER")]
    trials: Option<usize>,
    #[command(flatten)]
    backend: BackendArgument,
    /// Name of the report [default: `tune-`, UTC time and a short hash]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Go on with an unfinished search under its own parameters, the newest where no name is given;
    /// of --params and --set only `paths` is read, to find it
    #[arg(long, conflicts_with_all = ["data", "target", "group", "features", "exclude", "fold_file", "trials"])]
    resume: bool,
    /// Replace a report of the same name
    #[arg(long, conflicts_with = "resume")]
    force: bool,
    /// Print tuning.json instead of tables
    #[arg(long)]
    json: bool,
    /// Print no progress and no tables
    #[arg(long, short)]
    quiet: bool,
}

impl TuneArguments {
    pub(super) fn run(self) -> Result<()> {
        let options = TuneOptions {
            params: self.load()?,
            backend: self.backend.backend,
            name: self.name,
            resume: self.resume,
            force: self.force,
        };
        let progress = TuneProgress::new(self.quiet);
        stop_on_interrupt();
        let outcome = tune(options, &progress);
        progress.finish();
        let tuned = outcome?;
        if self.json {
            emit(&(serde_json::to_string_pretty(&tuned.report)? + "\n"))?;
        } else if !self.quiet {
            emit(&summary_of(&tuned))?;
        }
        Ok(())
    }

    fn load(&self) -> Result<Params> {
        let mut params = self.table.load_job(self.resume, self.fold_file.as_deref())?;
        if let Some(trials) = self.trials {
            params.tune.trials = trials;
            params.check()?;
        }
        Ok(params)
    }
}

/// The score of the search and its winner.
fn summary_of(tuned: &Tuned) -> String {
    let report = &tuned.report;
    let mut text = summary::board(&report.board, false);
    let _ = writeln!(text, "{}", report.sentence());
    let _ = writeln!(text, "\nwinner     {}", winner(report));
    let _ = writeln!(text, "parameters {}", tuned.params_file.display());
    let _ = writeln!(text, "report     {}", tuned.folder.join("report.html").display());
    let file = tuned.params_file.display();
    let _ = writeln!(text, "\ntrain with them: massay train --params {file}");
    text
}

/// The trial and what it differs in.
fn winner(report: &Tuning) -> String {
    let trial = &report.trials[report.winner];
    let pairs = report.searched.iter().zip(&trial.values);
    let values: Vec<String> =
        pairs.map(|(searched, value)| format!("{}={value}", searched.name)).collect();
    let name = match trial.number {
        0 => "the parameters as they stand".to_owned(),
        number => format!("trial {number}"),
    };
    let folds = report.folds.len();
    format!("{name}, which won in {} of {folds} folds: {}", trial.wins, values.join(" "))
}
