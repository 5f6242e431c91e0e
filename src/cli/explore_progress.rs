//! The progress bar of an exploration.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::pipeline::ExploreStep;

/// A spinner while the table is read, then one bar over columns and checks, on standard error.
pub(super) struct ExploreProgress {
    bar: ProgressBar,
}

impl ExploreProgress {
    pub(super) fn new(quiet: bool) -> Self {
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(8)
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}, {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message("reading the table");
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    pub(super) fn on_step(&self, step: ExploreStep) {
        match step {
            ExploreStep::Read(steps) => self.count(steps),
            ExploreStep::Column => self.bar.inc(1),
            ExploreStep::Check => {
                self.bar.set_message("checking");
                self.bar.inc(1);
            }
        }
    }

    fn count(&self, steps: usize) {
        self.bar.set_length(steps as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {percent:>3} %, {msg}") {
            self.bar.set_style(style.progress_chars("━╸─"));
        }
        self.bar.set_message("describing columns");
    }

    /// Takes the bar off the screen.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
