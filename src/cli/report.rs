//! `massay report`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{ArgGroup, Args};

use crate::pipeline::{Params, ReportOptions, compare, report};

use super::{
    backends::BackendArgument, comparison::of_comparison, emit, progress::TrainProgress, say,
    stop_on_interrupt,
};

/// Write the report of a finished run anew, from what the run left behind, or set runs side by side.
///
/// With `--name` writes `reports/NAME/` again: the page, `report.md`, the figures and the numbers, with the runs that
/// have come since. Nothing is trained, unless `--retrain` asks for it. With `--compare` writes a page that sets the
/// scores of runs side by side, with their differences on the rows that both judged.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("runs").required(true).args(["name", "compare"]))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(super) struct ReportArguments {
    /// Name of the run
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Runs to set side by side; the first is what the others are compared with
    #[arg(long, value_name = "NAME", num_args = 2.., conflicts_with = "retrain")]
    compare: Vec<String>,
    /// Folder for the comparison [default: compare-A-B in the folder of reports]
    #[arg(long, value_name = "FOLDER", conflicts_with = "name")]
    out: Option<PathBuf>,
    /// Print the comparison as JSON
    #[arg(long, conflicts_with = "name")]
    json: bool,
    /// Train again without each column and on fewer groups, and add what that tells
    #[arg(long)]
    retrain: bool,
    /// The table that the run was trained on, for `--retrain` [default: where it was then]
    #[arg(long, value_name = "FILE", requires = "retrain", conflicts_with = "compare")]
    data: Option<PathBuf>,
    #[command(flatten)]
    backend: BackendArgument,
    /// Open the page
    #[arg(long)]
    open: bool,
    /// Print no progress and no path
    #[arg(long, short)]
    quiet: bool,
    /// Parameters, which say where runs are [default: params.toml where there is one]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Any other parameter, e.g. `paths.reports`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

impl ReportArguments {
    pub(super) fn run(self) -> Result<()> {
        let params = Params::load(self.params.as_deref(), &self.sets)?;
        let folder = match &self.name {
            Some(name) => self.write_again(params, name)?,
            None => self.set_side_by_side(&params)?,
        };
        if self.open {
            open_page(&folder.join("report.html"));
        }
        Ok(())
    }

    fn write_again(&self, params: Params, name: &str) -> Result<PathBuf> {
        let options = ReportOptions {
            params,
            name: name.to_owned(),
            retrain: self.retrain,
            data: self.data.clone(),
            backend: self.backend.backend.unwrap_or_default(),
        };
        let progress = TrainProgress::new(self.quiet);
        stop_on_interrupt();
        let outcome = report(&options, &progress);
        progress.finish();
        let folder = outcome?.folder;
        if !self.quiet {
            emit(&format!("report {}\n", folder.join("report.html").display()))?;
        }
        Ok(folder)
    }

    fn set_side_by_side(&self, params: &Params) -> Result<PathBuf> {
        let compared = compare(params, &self.compare, self.out.as_deref())?;
        if self.json {
            emit(&compared.json)?;
        } else if !self.quiet {
            emit(&of_comparison(&compared))?;
        }
        Ok(compared.folder)
    }
}

/// Opens a page with the program that this machine opens pages with; says so where there is none. The page is written,
/// and what was asked for besides is done.
pub(super) fn open_page(page: &Path) {
    if open::that_detached(page).is_err() {
        say(&format!("no program of this machine opens {}", page.display()));
    }
}
