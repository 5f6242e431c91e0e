//! `massay evaluate`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::pipeline::{EvaluateOptions, evaluate};

use super::{backends::PredictingBackend, emit, summary};

/// Score a labelled table that the model has not seen.
///
/// Writes a report with metrics and figures, and prints the scores.
#[derive(Debug, Args)]
pub(super) struct EvaluateArguments {
    /// Folder of the checkpoint, e.g. `checkpoints/NAME`
    #[arg(long, value_name = "FOLDER")]
    checkpoint: PathBuf,
    /// Labelled table
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Folder for the report [default: reports/CHECKPOINT-on-DATA]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    backend: PredictingBackend,
    /// Replace an existing report
    #[arg(long)]
    force: bool,
    /// Print metrics.json instead of tables
    #[arg(long)]
    json: bool,
}

impl EvaluateArguments {
    pub(super) fn run(self) -> Result<()> {
        let out = self.out.clone().unwrap_or_else(|| self.default_out());
        let options = EvaluateOptions {
            checkpoint: self.checkpoint,
            data: self.data,
            out: out.clone(),
            backend: self.backend.backend,
            force: self.force,
        };
        let (report, metrics) = evaluate(&options)?;
        if self.json { emit(&metrics) } else { emit(&summary::of_evaluation(&report, &out)) }
    }

    fn default_out(&self) -> PathBuf {
        let name = |path: &PathBuf| {
            path.file_stem().map_or(String::new(), |stem| stem.to_string_lossy().into_owned())
        };
        PathBuf::from("reports").join(format!("{}-on-{}", name(&self.checkpoint), name(&self.data)))
    }
}
