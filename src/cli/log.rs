//! `massay log`

use std::{
    fs::OpenOptions,
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use tempfile::NamedTempFile;

use crate::pipeline::{LogFormat, Params, export_log};

use super::{
    monitor::{ago, span},
    say,
};

/// Read the log of predictions that the service writes.
#[derive(Debug, Args)]
pub(super) struct LogArguments {
    #[command(subcommand)]
    command: LogCommand,
    /// Parameters, which say where the log is [default: params.toml where there is one]
    #[arg(long, value_name = "FILE", global = true)]
    params: Option<PathBuf>,
    /// Any other parameter, e.g. `log.url`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    sets: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum LogCommand {
    /// Write served rows, with their true values where they came back, as CSV or Parquet
    Export {
        /// File, Parquet where its name ends in `.parquet` [default: CSV on standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Rows of this version of a model only, e.g. `drums@9f2c11aa`
        #[arg(long, value_name = "VERSION")]
        model: Option<String>,
        /// Rows of this time only, e.g. `7d`, `12h`
        #[arg(long, value_name = "TIME", value_parser = span)]
        since: Option<SignedDuration>,
    },
}

impl LogArguments {
    pub(super) fn run(self) -> Result<()> {
        let params = Params::load(self.params.as_deref(), &self.sets)?;
        let LogCommand::Export { out, model, since } = self.command;
        let is_parquet = out
            .as_ref()
            .and_then(|path| path.extension())
            .is_some_and(|own| own.eq_ignore_ascii_case("parquet"));
        let format = if is_parquet { LogFormat::Parquet } else { LogFormat::Csv };
        let which = (model, ago(since)?);
        let Some(path) = out else {
            export_log(&params, which, (&mut io::stdout(), format))?;
            return Ok(());
        };
        let cannot = || format!("cannot write {}", path.display());
        // A link is followed, and a pipe or a device written into: only a file is replaced.
        let path = path.canonicalize().unwrap_or(path.clone());
        if path.metadata().is_ok_and(|own| !own.is_file()) {
            let mut output = OpenOptions::new().write(true).open(&path).with_context(cannot)?;
            let count = export_log(&params, which, (&mut output, format))?;
            say(&format!("{count} rows in {}", path.display()));
            return Ok(());
        }
        // Beside it first: what stands there is replaced by a whole log only.
        let folder = path.parent().filter(|own| !own.as_os_str().is_empty());
        let draft = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).with_context(cannot)?;
        let mut output = BufWriter::new(draft);
        let count = export_log(&params, which, (&mut output, format))?;
        let draft = output.into_inner().map_err(io::IntoInnerError::into_error);
        draft.with_context(cannot)?.persist(&path).with_context(cannot)?;
        say(&format!("{count} rows in {}", path.display()));
        Ok(())
    }
}
