//! `massay export`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::{
    export::{INPUT, ONNX_OUTPUTS},
    pipeline::export,
};

use super::emit;

/// Write a model as an ONNX file, which any ONNX runtime predicts with.
///
/// The file takes raw rows and gives predictions with intervals; everything between is inside.
#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// Folder of the model, e.g. `checkpoints/NAME`
    #[arg(long, value_name = "FOLDER")]
    checkpoint: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE", default_value = "model.onnx")]
    out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
}

impl ExportArguments {
    pub(super) fn run(self) -> Result<()> {
        let exported = export(&self.checkpoint, &self.out, self.force)?;
        let (columns, outputs) = (&exported.columns, ONNX_OUTPUTS.join("`, `"));
        emit(&format!(
            "{} ({:.1} MB)\n`{INPUT}` takes [rows, {}] in double precision: {}\ngives `{outputs}`, \
             [rows, 1] each\n",
            exported.file.display(),
            exported.size as f64 / 1e6,
            columns.len(),
            columns.join(", "),
        ))
    }
}
