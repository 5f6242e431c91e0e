//! `massay train`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::pipeline::{TrainOptions, train};

use super::{
    backends::BackendArgument, emit, progress::TrainProgress, report::open_page, stop_on_interrupt,
    summary, table_arguments::TableArguments, track,
};

/// Train with cross-validation, save a checkpoint and write a report.
///
/// Writes `checkpoints/NAME/` and `reports/NAME/`, and prints the scores.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(super) struct TrainArguments {
    #[command(flatten)]
    table: TableArguments,
    /// Given folds: a CSV with a column `fold`, one line per data row (`cv.fold_file`)
    #[arg(long, value_name = "FILE")]
    fold_file: Option<PathBuf>,
    #[command(flatten)]
    backend: BackendArgument,
    /// MLflow server to tell of the run (`track.mlflow`) [default: `MLFLOW_TRACKING_URI`, if set]
    #[arg(long, value_name = "URI")]
    mlflow: Option<String>,
    /// Name of the run [default: UTC time and a short hash]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Go on with an unfinished run under its own parameters, the newest where no name is given;
    /// of --params and --set only `paths` is read, to find it
    #[arg(long, conflicts_with_all = ["data", "target", "group", "features", "exclude", "fold_file"])]
    resume: bool,
    /// Replace a run of the same name
    #[arg(long, conflicts_with = "resume")]
    force: bool,
    /// Print metrics.json instead of tables
    #[arg(long)]
    json: bool,
    /// Print no progress and no tables
    #[arg(long, short)]
    quiet: bool,
    /// Open the report
    #[arg(long)]
    open: bool,
}

impl TrainArguments {
    pub(super) fn run(self) -> Result<()> {
        self.run_job(false)
    }

    /// Trains what predicts, or with `compare` every kind of model.
    pub(super) fn run_job(self, compare: bool) -> Result<()> {
        let options = TrainOptions {
            params: self.table.load_job(self.resume, self.fold_file.as_deref())?,
            backend: self.backend.backend,
            name: self.name,
            resume: self.resume,
            force: self.force,
            compare,
            mlflow: self.mlflow,
            only_first: None,
        };
        let progress = TrainProgress::new(self.quiet);
        stop_on_interrupt();
        let outcome = train(options, &progress);
        progress.finish();
        let mut finished = outcome?;
        let tracked = finished.tracked.take();
        let emitted = match (self.json, self.quiet) {
            (true, _) => emit(&finished.metrics),
            (false, false) => emit(&summary::of_training(&finished)),
            (false, true) => Ok(()),
        };
        // Also where nobody reads the output any more.
        if let Some(tracked) = tracked {
            track::deliver(tracked, &finished.report.name, self.quiet);
        }
        emitted?;
        if self.open {
            open_page(&finished.report_folder.join("report.html"));
        }
        Ok(())
    }
}
