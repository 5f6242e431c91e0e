//! `massay train`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::pipeline::{Params, TrainOptions, train};

use super::{backends::BackendArgument, progress::TrainProgress, summary};

/// Train with cross-validation, save a checkpoint and write a report.
///
/// Writes `checkpoints/NAME/` and `reports/NAME/`, and prints the scores.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(super) struct TrainArguments {
    /// Parameters [default: params.toml where there is one]
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
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
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with = "resume")]
    sets: Vec<String>,
    #[command(flatten)]
    backend: BackendArgument,
    /// Name of the run [default: UTC time and a short hash]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Go on with an unfinished run, the newest where no name is given
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
        let outcome = train(options, &progress);
        progress.finish();
        let finished = outcome?;
        if self.json {
            print!("{}", finished.metrics);
        } else if !self.quiet {
            print!("{}", summary::of_training(&finished));
        }
        Ok(())
    }

    /// Parameters with every flag in its place. A resumed run brings its own; only where runs are
    /// kept is read.
    fn load(&self) -> Result<Params> {
        let mut params = Params::load(self.params.as_deref(), &self.sets)?;
        let replace = |place: &mut PathBuf, flag: &Option<PathBuf>| {
            if let Some(path) = flag {
                place.clone_from(path);
            }
        };
        replace(&mut params.data.path, &self.data);
        replace(&mut params.cv.fold_file, &self.fold_file);
        if let Some(target) = &self.target {
            params.data.target.clone_from(target);
        }
        if let Some(group) = &self.group {
            params.data.group.clone_from(group);
        }
        if !self.features.is_empty() {
            params.data.features.clone_from(&self.features);
        }
        Ok(params)
    }
}
