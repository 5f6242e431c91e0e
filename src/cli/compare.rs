//! `massay compare`

use anyhow::Result;
use clap::Args;

use super::train::TrainArguments;

/// Train every kind of model on the same folds and say which is best, and how surely.
///
/// Does what `train` does, and trains besides every kind of model that `model.kind` does not need.
/// The checkpoint holds the model of `model.kind`; the report and metrics.json hold the leaderboard.
#[derive(Debug, Args)]
pub(super) struct CompareArguments {
    #[command(flatten)]
    train: TrainArguments,
}

impl CompareArguments {
    pub(super) fn run(self) -> Result<()> {
        self.train.run_job(true)
    }
}
