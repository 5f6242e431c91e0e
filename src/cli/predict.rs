//! `massay predict`

use std::{
    io::{self, BufWriter},
    path::PathBuf,
};

use anyhow::Result;
use clap::Args;

use crate::pipeline::predict;

use super::backends::PredictingBackend;

/// Predict every row of a table, with intervals, as CSV on standard output.
///
/// Columns are matched by name, in any order; columns that the model does not know are passed
/// through.
#[derive(Debug, Args)]
pub(super) struct PredictArguments {
    /// Folder of the checkpoint, e.g. `checkpoints/NAME`
    #[arg(long, value_name = "FOLDER")]
    checkpoint: PathBuf,
    /// Table to predict, CSV or Parquet; `-` for a CSV on standard input
    #[arg(value_name = "INPUT")]
    input: PathBuf,
    #[command(flatten)]
    backend: PredictingBackend,
}

impl PredictArguments {
    pub(super) fn run(self) -> Result<()> {
        let mut output = BufWriter::new(io::stdout().lock());
        predict(&self.checkpoint, &self.input, self.backend.backend, &mut output)
    }
}
