//! `massay explore`

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    data::{TableSchema, explore::Severity},
    pipeline::{ExploreOptions, Explored, explore},
};

use super::{
    data_summary, emit, explore_progress::ExploreProgress, table_arguments::TableArguments,
};

/// Describe a table and look for what is wrong with it, before training on it.
///
/// Prints statistics of every column and what was found, the worst first, and writes both as a
/// report. Units and ranges stated in `schema.toml` beside the table are checked.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(super) struct ExploreArguments {
    #[command(flatten)]
    table: TableArguments,
    /// Folder for the report [default: explore in the folder of reports]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Write the columns with guessed ranges to schema.toml beside the table, to be edited
    #[arg(long)]
    write_schema: bool,
    /// Replace an existing schema.toml
    #[arg(long, requires = "write_schema")]
    force: bool,
    /// Fail (exit status 1) when there is an error among the findings
    #[arg(long)]
    strict: bool,
    /// Print profile and findings as JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Print no progress and no tables
    #[arg(long, short)]
    quiet: bool,
}

impl ExploreArguments {
    pub(super) fn run(self) -> Result<()> {
        let options = self.options()?;
        let progress = ExploreProgress::new(self.quiet);
        let outcome = explore(&options, &|step| progress.on_step(step));
        progress.finish();
        let explored = outcome?;
        if self.json {
            emit(&explored.to_json()?)?;
        } else if !self.quiet {
            emit(&data_summary::of(&explored))?;
        }
        if self.strict { refuse_errors(&explored) } else { Ok(()) }
    }

    fn options(&self) -> Result<ExploreOptions> {
        let params = self.table.load()?;
        let beside = params.data.path.with_file_name("schema.toml");
        // A schema that is about to be replaced need not be right.
        let stated = params.data.schema_file().filter(|file| {
            let is_replaced = self.write_schema && self.force && *file == beside;
            !is_replaced
        });
        let schema = stated.map(|file| TableSchema::read(&file)).transpose()?;
        Ok(ExploreOptions {
            out: self.out.clone().unwrap_or_else(|| params.paths.reports.join("explore")),
            params,
            schema,
            write_schema: self.write_schema.then_some(beside),
            force: self.force,
        })
    }
}

fn refuse_errors(explored: &Explored) -> Result<()> {
    let findings = &explored.findings;
    match findings.iter().filter(|finding| finding.severity == Severity::Error).count() {
        0 => Ok(()),
        1 => bail!("there is 1 error among the findings"),
        errors => bail!("there are {errors} errors among the findings"),
    }
}
