//! The progress bar of an exploration.

use indicatif::{ProgressBar, ProgressStyle};

use crate::pipeline::ExploreStep;

use super::progress::spinner;

/// A spinner while the table is read, then one bar over columns and checks, on standard error.
pub(super) struct ExploreProgress {
    bar: ProgressBar,
}

impl ExploreProgress {
    pub(super) fn new(quiet: bool) -> Self {
        let what = "reading the table";
        let bar = if quiet { ProgressBar::hidden() } else { spinner(what) };
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
