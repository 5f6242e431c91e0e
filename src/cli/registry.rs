//! `massay registry`

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::pipeline::{ListedRun, Params, list_runs, promote, rollback};

use super::{emit, summary::short};

/// See which run predicts, and change it.
#[derive(Debug, Args)]
pub(super) struct RegistryArguments {
    #[command(subcommand)]
    command: RegistryCommand,
    /// Parameters, which say where checkpoints are [default: params.toml where there is one]
    #[arg(long, value_name = "FILE", global = true)]
    params: Option<PathBuf>,
    /// Any other parameter, e.g. `paths.checkpoints`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    sets: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum RegistryCommand {
    /// List the runs, the newest first, with the champion marked
    List {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Make a run the champion, here and on the MLflow server that knows it
    Promote {
        /// Name of the run
        name: String,
    },
    /// Make the champion before the present one the champion again
    Rollback {
        /// Model whose champion it is, where there are several
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
    },
}

impl RegistryArguments {
    pub(super) fn run(self) -> Result<()> {
        let params = Params::load(self.params.as_deref(), &self.sets)?;
        match self.command {
            RegistryCommand::List { json } => {
                let runs = list_runs(&params)?;
                if json {
                    return emit(&(serde_json::to_string_pretty(&runs)? + "\n"));
                }
                emit(&table(&runs))
            }
            RegistryCommand::Promote { name } => {
                let model = promote(&params, &name)?;
                emit(&format!("{name} is the champion of {model}\n"))
            }
            RegistryCommand::Rollback { model } => roll_back(&params, model.as_deref()),
        }
    }
}

/// Make the champion before the present one the champion again, here and on the MLflow server that knows it.
///
/// A running service follows. The same as `massay registry rollback`.
#[derive(Debug, Args)]
pub(super) struct RollbackArguments {
    /// Model whose champion it is, where there are several
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Parameters, which say where checkpoints are [default: params.toml where there is one]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Any other parameter, e.g. `paths.checkpoints`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

impl RollbackArguments {
    pub(super) fn run(self) -> Result<()> {
        roll_back(&Params::load(self.params.as_deref(), &self.sets)?, self.model.as_deref())
    }
}

fn roll_back(params: &Params, model: Option<&str>) -> Result<()> {
    let (model, run) = rollback(params, model)?;
    emit(&format!("{run} is the champion of {model} again\n"))
}

fn table(runs: &[ListedRun]) -> String {
    if runs.is_empty() {
        return "no runs yet; `massay train` makes one\n".to_owned();
    }
    let longest = |text: fn(&ListedRun) -> &str, least: usize| {
        runs.iter().map(|run| text(run).chars().count()).max().unwrap_or(0).max(least)
    };
    let (name, model) = (longest(|run| &run.run, 3), longest(|run| &run.model, 5));
    let mut text = format!(
        "{:<name$}  {:<20}  {:<model$}  {:>9}  {:>7}  {:>7}\n",
        "run", "started", "model", "RMSE", "R2", "MLflow"
    );
    for run in runs {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), short);
        let r2 = run.r2.map_or_else(|| "-".to_owned(), |r2| format!("{r2:.4}"));
        let version = run.version.as_ref().map_or_else(|| "-".to_owned(), |own| format!("v{own}"));
        let mark = if run.champion { "  champion" } else { "" };
        let _ = writeln!(
            text,
            "{:<name$}  {:<20}  {:<model$}  {:>9}  {r2:>7}  {version:>7}{mark}",
            run.run,
            run.started,
            run.model,
            number(run.rmse)
        );
    }
    text
}
