//! `massay track`, and what is said of MLflow at the end of a training.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use indicatif::ProgressBar;

use crate::{
    pipeline::{Params, PushOptions, Tracked, push},
    track::Receipt,
};

use super::{emit, progress::bar, say};

/// Tell MLflow of runs that are done.
#[derive(Debug, Args)]
pub(super) struct TrackArguments {
    #[command(subcommand)]
    command: TrackCommand,
}

#[derive(Debug, Subcommand)]
enum TrackCommand {
    /// Send a finished run, or what a server has not taken of it yet; nothing is sent twice
    Push(PushArguments),
}

#[derive(Debug, Args)]
struct PushArguments {
    /// Name of the run, as in `checkpoints/NAME`
    name: String,
    /// MLflow server (`track.mlflow`) [default: `MLFLOW_TRACKING_URI`]
    #[arg(long, value_name = "URI")]
    mlflow: Option<String>,
    /// Parameters [default: params.toml where there is one]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Any other parameter, e.g. `track.experiment`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

impl TrackArguments {
    pub(super) fn run(self) -> Result<()> {
        let TrackCommand::Push(arguments) = self.command;
        arguments.run()
    }
}

impl PushArguments {
    fn run(self) -> Result<()> {
        let params = Params::load(self.params.as_deref(), &self.sets)?;
        let options = PushOptions { params, name: self.name, mlflow: self.mlflow };
        let bar = bar_of_files(false);
        let outcome = push(&options, &|done, all| show(&bar, done, all));
        bar.finish_and_clear();
        let (receipt, is_new) = outcome?;
        let known = if is_new { "" } else { "MLflow knew everything already\n" };
        emit(&format!("{known}{}\n", told(&receipt)))
    }
}

/// Sends what is left of a training's results. The run is done: whatever goes wrong here is a warning.
pub(super) fn deliver(tracked: Tracked, name: &str, quiet: bool) {
    let bar = bar_of_files(quiet);
    let outcome = tracked.deliver(&|done, all| show(&bar, done, all));
    bar.finish_and_clear();
    match outcome {
        Ok(receipt) if !quiet => say(&told(&receipt)),
        Ok(_) => {}
        Err(error) => say(&format!(
            "warning: {error:#}\n\nthe run is whole here; `massay track push {name}` sends what MLflow has not got"
        )),
    }
}

fn bar_of_files(quiet: bool) -> ProgressBar {
    if quiet { ProgressBar::hidden() } else { bar(0, "{bar:20} telling MLflow, {pos}/{len} files") }
}

fn show(bar: &ProgressBar, done: usize, all: usize) {
    bar.set_length(all as u64);
    bar.set_position(done as u64);
}

/// Where the run is seen and which version it is.
fn told(receipt: &Receipt) -> String {
    let version = receipt
        .version
        .as_ref()
        .map_or_else(String::new, |own| format!("\nversion    {} of {}", own.version, own.model));
    format!("MLflow     {}{version}", receipt.page())
}
