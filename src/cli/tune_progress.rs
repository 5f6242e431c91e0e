//! The progress bar of a search.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

use indicatif::ProgressBar;

use crate::{
    pipeline::{Rung, TuneObserver, TuneStart},
    train::EpochEvent,
};

use super::{
    progress::{announce_data, bar},
    say,
};

/// One bar over the epochs of all trials of a rung, on standard error.
pub(super) struct TuneProgress {
    quiet: bool,
    choosing: Mutex<Option<ProgressBar>>,
    running: Mutex<Running>,
}

/// The rung that is trained.
#[derive(Default)]
struct Running {
    bar: Option<ProgressBar>,
    rungs: usize,
    epochs: usize,
    /// Epochs that are done by (repeat, fold, trial).
    done: HashMap<(usize, usize, usize), usize>,
    finished: usize,
    trainings: usize,
    /// Smallest RMSE so far, and that of the parameters as they stand.
    best: [Option<f64>; 2],
}

impl TuneProgress {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet, choosing: Mutex::default(), running: Mutex::default() }
    }

    /// Takes the bar off the screen.
    pub(super) fn finish(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = running.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl TuneObserver for TuneProgress {
    fn on_choice(&self, done: usize, all: usize) {
        if self.quiet {
            return;
        }
        let mut choosing = self.choosing.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = choosing
            .get_or_insert_with(|| bar(all, "{bar:20} comparing feature sets, {pos}/{len} done"));
        bar.set_position(done as u64);
        if done == all {
            bar.finish_and_clear();
        }
    }

    fn on_start(&self, start: &TuneStart<'_>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        (running.rungs, running.epochs) = (start.rungs.len(), start.params.train.epochs);
        if self.quiet {
            return;
        }
        announce_data(start.name, start.dataset, start.backend);
        let folds = start.splits - 1;
        say(&format!(
            "searching {} trials within each of {folds} folds and within all rows",
            start.trials
        ));
        say(&format!("parameters {}", start.searched.join(", ")));
        for warning in start.warnings {
            say(&format!("warning: {warning}"));
        }
    }

    fn on_rung(&self, rung: usize, about: Rung, trainings: usize) {
        self.finish();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let (rungs, epochs) = (running.rungs, running.epochs);
        let networks = if about.members == 1 { "network" } else { "networks" };
        let name = format!("rung {} of {rungs}, {} {networks} each", rung + 1, about.members);
        let template = format!("{{bar:20}} {name}, {{percent}} %, {{eta}} left, {{wide_msg}}");
        let bar = (!self.quiet).then(|| bar(trainings * epochs, &template));
        *running = Running { bar, rungs, epochs, trainings, ..Running::default() };
    }

    fn on_judged(&self, best: Option<f64>, untouched: Option<f64>) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).best = [best, untouched];
    }

    fn on_epoch(&self, event: &EpochEvent) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.on_epoch(event);
    }
}

impl Running {
    fn on_epoch(&mut self, event: &EpochEvent) {
        // The epochs that a trial leaves out are done as well.
        let done = if event.stopped { self.epochs } else { event.epoch.min(self.epochs) };
        let before = self.done.insert((event.repeat, event.fold, event.trial), done).unwrap_or(0);
        self.finished += usize::from(event.stopped);
        if let Some(bar) = &self.bar {
            bar.inc(done.saturating_sub(before) as u64);
            bar.set_message(self.message());
        }
    }

    /// How many are done, and the best so far, in standard deviations of the (transformed) target.
    fn message(&self) -> String {
        let mut text = format!("{}/{} trainings", self.finished, self.trainings);
        if let Some(best) = self.best[0] {
            let _ = write!(text, ", best RMSE {best:.3} sd");
        }
        if let Some(untuned) = self.best[1] {
            let _ = write!(text, " (untuned {untuned:.3})");
        }
        text
    }
}
