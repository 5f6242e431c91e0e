//! `massay watch`

use anyhow::Result;
use clap::Args;

use crate::pipeline::{Retrained, WatchOptions, watch};

use super::{
    emit,
    retrain::{RetrainProgress, RetrainingArguments, told},
    say, stop_on_interrupt,
};

/// Retrain when an alarm or the schedule asks for it, until stopped.
///
/// Looks at the log of the champion; where an alarm is newer than the last decision, or `retrain.every_hours` have
/// passed, does what `massay retrain` does, with its cool-down and its conditions. With `--once` for cron and
/// timers.
#[derive(Debug, Args)]
pub(super) struct WatchArguments {
    #[command(flatten)]
    what: RetrainingArguments,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    pause: f64,
    /// Look once and return
    #[arg(long)]
    once: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|own| (0.1..=86_400.0).contains(own));
    seconds.ok_or_else(|| format!("`{text}`, expected seconds from 0.1 to 86400"))
}

impl WatchArguments {
    pub(super) fn run(self) -> Result<()> {
        let quiet = self.what.quiet;
        let options =
            WatchOptions { retrain: self.what.options()?, pause: self.pause, once: self.once };
        stop_on_interrupt();
        let on_outcome = |outcome: Result<&Retrained, &anyhow::Error>| match outcome {
            Ok(outcome) => {
                let _ = emit(&told(outcome));
            }
            Err(error) => say(&format!("warning: {error:#}")),
        };
        watch(&options, &RetrainProgress { quiet }, &on_outcome)
    }
}
