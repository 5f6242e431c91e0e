//! `massay train`

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::pipeline::{Params, TrainOptions, train};

use super::{backends::BackendArgument, emit, progress::TrainProgress, stop_on_interrupt, summary};

/// Train with cross-validation, save a checkpoint and write a report.
///
/// Writes `checkpoints/NAME/` and `reports/NAME/`, and prints the scores.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(super) struct TrainArguments {
    /// Parameters [default: params.toml where there is one]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Table to train on (`data.path`)
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    data: Option<PathBuf>,
    /// Column to predict (`data.target`)
    #[arg(long, value_name = "COLUMN", conflicts_with = "resume")]
    target: Option<String>,
    /// Column that names the group of a row, e.g. its container (`data.group`)
    #[arg(long, value_name = "COLUMN", conflicts_with = "resume")]
    group: Option<String>,
    /// Columns to predict from, separated by commas (`data.features`)
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', conflicts_with = "resume")]
    features: Vec<String>,
    /// Given folds: a CSV with a column `fold`, one line per data row (`cv.fold_file`)
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    fold_file: Option<PathBuf>,
    /// Any other parameter; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    #[command(flatten)]
    backend: BackendArgument,
    /// Name of the run [default: UTC time and a short hash]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Go on with an unfinished run under its own parameters, the newest where no name is given;
    /// of --params and --set only `paths` is read, to find it
    #[arg(long)]
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
}

impl TrainArguments {
    pub(super) fn run(self) -> Result<()> {
        let options = TrainOptions {
            params: self.load()?,
            backend: self.backend.backend,
            name: self.name,
            resume: self.resume,
            force: self.force,
        };
        let progress = TrainProgress::new(self.quiet);
        stop_on_interrupt();
        let outcome = train(options, &progress);
        progress.finish();
        let finished = outcome?;
        if self.json {
            emit(&finished.metrics)?;
        } else if !self.quiet {
            emit(&summary::of_training(&finished))?;
        }
        Ok(())
    }

    /// Parameters with every flag in its place. A resumed run brings its own; only where runs are
    /// kept is read.
    fn load(&self) -> Result<Params> {
        let foreign = self.sets.iter().find(|set| self.resume && !set.starts_with("paths."));
        if let Some(set) = foreign {
            bail!(
                "--set {set}: a resumed run keeps its parameters, expected only `paths` with --resume"
            );
        }
        let mut params = Params::load(self.params.as_deref(), &self.sets)?;
        let replace = |place: &mut PathBuf, flag: &Option<PathBuf>| {
            if let Some(path) = flag {
                place.clone_from(path);
            }
        };
        replace(&mut params.data.path, &self.data);
        replace(&mut params.cv.fold_file, &self.fold_file);
        if let Some(target) = self.target.as_ref().filter(|target| **target != params.data.target) {
            params.data.target.clone_from(target);
            // The unit in the file is that of the other target.
            params.data.unit.clear();
        }
        if let Some(group) = &self.group {
            params.data.group.clone_from(group);
            params.data.group_required = true;
        }
        if !self.features.is_empty() {
            params.data.features.clone_from(&self.features);
        }
        params.check()?;
        Ok(params)
    }
}
