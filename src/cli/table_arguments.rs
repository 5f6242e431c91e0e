//! The options that say which table is meant and what its columns are.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use crate::pipeline::Params;

use super::say;

/// Options shared by the commands that read a labelled table.
#[derive(Debug, Args)]
pub(super) struct TableArguments {
    /// Parameters [default: params.toml where there is one, unless it is for another table than --data]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Table to read (`data.path`)
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Column to predict (`data.target`)
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Column that names the group of a row, e.g. its container (`data.group`)
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Columns to predict from, separated by commas (`data.features`)
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    features: Vec<String>,
    /// Columns to leave out of all others, separated by commas (`data.exclude`)
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', conflicts_with = "features")]
    exclude: Vec<String>,
    /// Any other parameter; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

/// Whether two paths lead to the same file.
fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().ok();
    one == other || (whole(one).is_some() && whole(one) == whole(other))
}

impl TableArguments {
    /// Parameters of a job that may go on with an earlier one, which brings its own: then only where runs
    /// are kept is read.
    pub(super) fn load_job(&self, resume: bool, fold_file: Option<&Path>) -> Result<Params> {
        let foreign = self.sets.iter().find(|set| resume && !set.starts_with("paths."));
        if let Some(set) = foreign {
            bail!(
                "--set {set}: a resumed run keeps its parameters, expected only `paths` with --resume"
            );
        }
        let mut params = self.load()?;
        if let Some(file) = fold_file {
            file.clone_into(&mut params.cv.fold_file);
            params.check()?;
        }
        Ok(params)
    }

    /// Parameters with every flag in its place.
    pub(super) fn load(&self) -> Result<Params> {
        let mut params = Params::load(self.params.as_deref(), &self.sets)?;
        if let Some(path) = &self.data {
            if self.params.is_none() && params.is_from_file && !is_same(path, &params.data.path) {
                // What suits the one table may ruin the other: logarithms, limits, units.
                let (file, other) = (Params::FILE, params.data.path.display());
                say(&format!(
                    "{file} is for {other} and is not used; `--params {file}` uses it all the same"
                ));
                params = Params::without_file(&self.sets)?;
            }
            params.data.path.clone_from(path);
        }
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
        if !self.exclude.is_empty() {
            params.data.exclude.clone_from(&self.exclude);
        }
        params.check()?;
        Ok(params)
    }
}
