//! The command line: what was typed, and what is printed.
//!
//! Invariant: nothing outside this folder prints or ends the program.
mod backends;
mod columns;
mod compare;
mod comparison;
mod completions;
mod data_summary;
mod evaluate;
mod explore;
mod explore_progress;
mod export;
mod log;
mod monitor;
mod predict;
mod progress;
mod prune;
mod registry;
mod report;
mod retrain;
mod runs;
mod serve;
mod simulate;
mod summary;
mod table_arguments;
mod track;
mod train;
mod tune;
mod tune_progress;
mod verify;
mod watch;

use std::{io::Write, process::ExitCode};

use clap::{Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::pipeline::{JobError, interrupt};

/// Predicts the mass of an element in a container from its detector signals, or any other numeric
/// column of a table, with calibrated intervals.
#[derive(Debug, Parser)]
#[command(name = "massay", version, propagate_version = true, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Describe a table and look for what is wrong with it
    Explore(explore::ExploreArguments),
    /// Train with cross-validation, save a checkpoint and write a report
    Train(train::TrainArguments),
    /// Train every kind of model on the same folds and say which is best, and how surely
    Compare(compare::CompareArguments),
    /// Search for parameters of the networks, and judge the search
    Tune(tune::TuneArguments),
    /// Score a labelled table that the model has not seen
    Evaluate(evaluate::EvaluateArguments),
    /// Write the report of a finished run anew, or add what training again tells
    Report(report::ReportArguments),
    /// Predict every row of a table, with intervals, as CSV on standard output
    Predict(predict::PredictArguments),
    /// Write a model as an ONNX file, which any ONNX runtime predicts with
    Export(export::ExportArguments),
    /// Check that a checkpoint is what it says: its files, its data, its scores
    Verify(verify::VerifyArguments),
    /// Tell MLflow of runs that are done
    Track(track::TrackArguments),
    /// See all finished runs and how their errors went, and remove those that nobody needs
    Runs(runs::RunsArguments),
    /// See which run predicts, and change it
    Registry(registry::RegistryArguments),
    /// Serve predictions over HTTP, with a page
    Serve(serve::ServeArguments),
    /// Tell what has become of a served model: drift, live performance, alarms
    Monitor(monitor::MonitorArguments),
    /// Read the log of predictions that the service writes
    Log(log::LogArguments),
    /// Train the champion's successor from rows whose true values have come, and promote it if it is better
    Retrain(retrain::RetrainArguments),
    /// Retrain when an alarm or the schedule asks for it, until stopped
    Watch(watch::WatchArguments),
    /// Make the champion before the present one the champion again
    Rollback(registry::RollbackArguments),
    /// Generate a synthetic drum-assay data set
    Simulate(simulate::SimulateArguments),
    /// List the compute backends of this machine
    Backends(backends::BackendsArguments),
    /// Print shell completions
    Completions(completions::CompletionsArguments),
}

/// Exit status after Ctrl-C, as shells expect it.
const INTERRUPTED: u8 = 130;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let command = CommandLine::parse().command;
    start_logging();
    let outcome = match command {
        Command::Explore(arguments) => arguments.run(),
        Command::Train(arguments) => arguments.run(),
        Command::Compare(arguments) => arguments.run(),
        Command::Tune(arguments) => arguments.run(),
        Command::Evaluate(arguments) => arguments.run(),
        Command::Report(arguments) => arguments.run(),
        Command::Predict(arguments) => arguments.run(),
        Command::Export(arguments) => arguments.run(),
        Command::Verify(arguments) => arguments.run(),
        Command::Track(arguments) => arguments.run(),
        Command::Runs(arguments) => arguments.run(),
        Command::Registry(arguments) => arguments.run(),
        Command::Serve(arguments) => arguments.run(),
        Command::Monitor(arguments) => arguments.run(),
        Command::Log(arguments) => arguments.run(),
        Command::Retrain(arguments) => arguments.run(),
        Command::Watch(arguments) => arguments.run(),
        Command::Rollback(arguments) => arguments.run(),
        Command::Simulate(arguments) => arguments.run(),
        Command::Backends(arguments) => arguments.run(),
        Command::Completions(arguments) => arguments.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report_error(&error),
    }
}

fn report_error(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    say(&format!("error: {error:#}"));
    match error.downcast_ref::<JobError>() {
        Some(JobError::Interrupted { .. } | JobError::Stopped { .. }) => {
            ExitCode::from(INTERRUPTED)
        }
        _ => ExitCode::FAILURE,
    }
}

/// Whether the reader of our output went away (`massay predict ... | head`), which is no error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        let from_csv = cause.downcast_ref::<csv::Error>().is_some_and(
            |error| matches!(error.kind(), csv::ErrorKind::Io(source) if broken(source)),
        );
        from_csv || cause.downcast_ref().is_some_and(broken)
    })
}

/// Writes results to standard output.
fn emit(text: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}

/// Writes a line to standard error, where somebody still reads it.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Makes Ctrl-C ask the training to save and stop; a second one ends the program at once.
fn stop_on_interrupt() {
    let handler = || {
        if interrupt() {
            std::process::exit(i32::from(INTERRUPTED));
        }
        say(
            "stopping where nothing is lost; a report that is being written is finished (press Ctrl-C again to stop at once)",
        );
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        tracing::warn!("Ctrl-C cannot be caught: {error}");
    }
}

/// Log lines go to standard error, at the level in `MASSAY_LOG` (default: warnings), as text or, with
/// `MASSAY_LOG_FORMAT=json`, each as an object.
fn start_logging() {
    let asked = std::env::var("MASSAY_LOG").unwrap_or_default();
    // What is empty would parse as `error`.
    let level: Option<LevelFilter> = asked.parse().ok().filter(|_| !asked.is_empty());
    let lines = tracing_subscriber::fmt()
        .with_max_level(level.unwrap_or(LevelFilter::WARN))
        .with_writer(std::io::stderr)
        .with_ansi(use_colour());
    match std::env::var("MASSAY_LOG_FORMAT") {
        Ok(format) if format == "json" => lines.json().flatten_event(true).init(),
        _ => lines.init(),
    }
    if level.is_none() && !asked.is_empty() {
        tracing::warn!("MASSAY_LOG is `{asked}`, expected off, error, warn, info, debug or trace");
    }
}

/// Whether standard error is a terminal that wants colour.
fn use_colour() -> bool {
    use std::io::IsTerminal;
    std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal()
}
