//! `massay verify`

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Result;
use clap::Args;

use crate::pipeline::{Verified, verify};

use super::{emit, summary::short};

/// Check that a checkpoint is what it says.
///
/// Checks the hashes of its files and, where the table that it was trained on is at hand, computes its
/// out-of-fold scores anew from the stored models.
#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// Folder of the checkpoint, e.g. `checkpoints/NAME`
    checkpoint: PathBuf,
    /// The table that it was trained on [default: where it was then]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl VerifyArguments {
    pub(super) fn run(self) -> Result<()> {
        let verified = verify(&self.checkpoint, self.data.as_deref())?;
        if self.json {
            return emit(&(serde_json::to_string_pretty(&verified)? + "\n"));
        }
        emit(&text(&verified))
    }
}

fn text(verified: &Verified) -> String {
    let mut text = String::new();
    if let Some(id) = &verified.run_id {
        let _ = writeln!(text, "run    {id}");
    }
    let _ = writeln!(text, "files  {} as recorded", verified.files.join(", "));
    let Some(data) = &verified.data else {
        return text
            + "data   not here, so the scores were not computed anew; name it with `--data`\n";
    };
    let _ = writeln!(text, "data   {} as recorded", data.display());
    for (name, recorded, computed) in &verified.scores {
        let (recorded, computed) = (short(*recorded), short(*computed));
        let _ = writeln!(text, "{name:<15} recorded {recorded:>9}  computed {computed:>9}");
    }
    text
}
