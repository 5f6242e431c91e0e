//! The progress bar of a training.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    data::Dataset,
    model::{Backend, ModelKind},
    pipeline::{Start, TrainObserver},
    train::EpochEvent,
};

use super::say;

/// One bar over the epochs of all folds, on standard error.
pub(super) struct TrainProgress {
    quiet: bool,
    choosing: OnceLock<ProgressBar>,
    /// The fitting of other models that is under way, before there are epochs to count.
    fitting: Mutex<Option<ProgressBar>>,
    running: OnceLock<Running>,
    stage: Mutex<Option<ProgressBar>>,
}

struct Running {
    bar: ProgressBar,
    epochs: usize,
    folds: usize,
    /// Repeats of the run itself; later ones are folds to compare with.
    repeats: usize,
    began: Instant,
    tally: Mutex<Tally>,
}

/// What the folds have said so far.
#[derive(Default)]
struct Tally {
    rows: usize,
    /// Current and best inner validation loss by (repeat, fold).
    losses: HashMap<(usize, usize), (f64, f64)>,
    /// Epochs that are done by (repeat, fold).
    done: HashMap<(usize, usize), usize>,
    stopped: usize,
}

impl TrainProgress {
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            quiet,
            choosing: OnceLock::new(),
            fitting: Mutex::new(None),
            running: OnceLock::new(),
            stage: Mutex::new(None),
        }
    }

    /// Takes what is left of bars off the screen.
    pub(super) fn finish(&self) {
        self.replace_stage(None);
        if let Some(running) = self.running.get() {
            running.bar.finish_and_clear();
        }
    }

    fn replace_stage(&self, next: Option<ProgressBar>) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = std::mem::replace(&mut *stage, next) {
            before.finish_and_clear();
        }
    }
}

impl Drop for TrainProgress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl TrainObserver for TrainProgress {
    fn on_choice(&self, done: usize, all: usize) {
        if self.quiet {
            return;
        }
        let bar = self.choosing.get_or_init(|| {
            let bar = bar(all, "{bar:20} comparing feature sets, {pos}/{len} done");
            bar.tick();
            bar
        });
        bar.set_position(done as u64);
        if done == all {
            bar.finish_and_clear();
        }
    }

    fn on_regressor(&self, done: usize, all: usize) {
        if self.quiet || all == 0 {
            return;
        }
        if let Some(running) = self.running.get() {
            running.bar.set_message(format!("{done}/{all} other models fitted"));
            return;
        }
        let mut fitting = self.fitting.lock().unwrap_or_else(PoisonError::into_inner);
        if done == 0 {
            let template = "{bar:20} models other than networks, {pos}/{len} fitted, {elapsed}";
            let bar = fitting.insert(bar(all, template));
            // One of them can take a while.
            bar.enable_steady_tick(Duration::from_millis(500));
        }
        if let Some(bar) = &*fitting {
            bar.set_position(bar.position().max(done as u64));
        }
        if done == all
            && let Some(bar) = fitting.take()
        {
            bar.finish_and_clear();
        }
    }

    fn on_start(&self, start: &Start<'_>) {
        if self.quiet {
            return;
        }
        announce(start);
        let epochs = start.params.train.epochs;
        if !start.kinds.contains(&ModelKind::Mlp) {
            return;
        }
        let folds = start.folds + start.compared_folds;
        let template = "{bar:20} {percent:>3} % of epochs, {eta} left, {wide_msg}";
        let bar = bar(epochs * folds, template);
        // What is done between two trainings has no epochs.
        bar.enable_steady_tick(Duration::from_millis(500));
        let (repeats, began, tally) = (start.repeats, Instant::now(), Mutex::default());
        let _ = self.running.set(Running { bar, epochs, folds, repeats, began, tally });
    }

    fn on_epoch(&self, event: &EpochEvent) {
        if let Some(running) = self.running.get() {
            running.on_epoch(event);
        }
    }

    fn on_stage(&self, what: &'static str) {
        if self.quiet {
            return;
        }
        match self.running.get().map(|running| &running.bar) {
            // More epochs follow, in the same bar.
            Some(bar) if Some(bar.position()) < bar.length() => bar.set_message(what),
            bar => {
                bar.inspect(|bar| bar.finish_and_clear());
                self.replace_stage(Some(spinner(what)));
            }
        }
    }

    fn on_notice(&self, notice: &str) {
        let text = format!("warning: {notice}");
        match self.running.get() {
            Some(running) => running.bar.suspend(|| say(&text)),
            None => say(&text),
        }
    }
}

impl Running {
    fn on_epoch(&self, event: &EpochEvent) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.rows += event.rows;
        let losses = event.validation_loss.zip(event.best_loss);
        if let Some((loss, best)) = losses.filter(|_| event.repeat < self.repeats) {
            tally.losses.insert((event.repeat, event.fold), (loss, best));
        }
        tally.stopped += usize::from(event.stopped);
        // The epochs that a fold leaves out, or had before it was resumed, are done as well.
        let done = if event.stopped { self.epochs } else { event.epoch };
        let before = tally.done.insert((event.repeat, event.fold), done).unwrap_or(0);
        self.bar.inc((done - before) as u64);
        self.bar.set_message(self.message(&tally));
    }

    fn message(&self, tally: &Tally) -> String {
        let rate = tally.rows as f64 / self.began.elapsed().as_secs_f64().max(1e-3);
        let rate = if rate < 1e6 {
            format!("{:.0} k rows/s", rate / 1e3)
        } else {
            format!("{:.1} M rows/s", rate / 1e6)
        };
        let folds = format!("{}/{} folds done, {rate}", tally.stopped, self.folds);
        if tally.losses.is_empty() {
            return folds;
        }
        let count = tally.losses.len() as f64;
        let sum = tally.losses.values().fold((0.0, 0.0), |s, l| (s.0 + l.0, s.1 + l.1));
        let (current, best) = ((sum.0 / count).sqrt(), (sum.1 / count).sqrt());
        // In standard deviations of the (transformed) target: 1 is no better than its mean.
        format!("validation RMSE {current:.3} sd (best {best:.3}), {folds}")
    }
}

/// A bar of `length` steps on standard error.
pub(super) fn bar(length: usize, template: &str) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(8);
    let bar = ProgressBar::with_draw_target(Some(length as u64), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

/// What is being done, without an end in sight, on standard error.
pub(super) fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}, {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Says what is trained on what.
fn announce(start: &Start<'_>) {
    announce_data(start.name, start.dataset, start.backend);
    let members = start.params.model.members;
    let (networks, folds) = (start.folds * members, start.folds);
    let compared = if start.compared_folds > 0 {
        ", and as many by the other way to split (`cv.leakage_check`)".to_owned()
    } else {
        String::new()
    };
    let kinds: Vec<&str> = start.kinds.iter().map(|kind| kind.name()).collect();
    say(&format!("models {}", kinds.join(", ")));
    if start.kinds.contains(&ModelKind::Mlp) {
        say(&format!("training {networks} networks: {folds} folds x {members}{compared}"));
    }
    for warning in start.warnings {
        say(&format!("warning: {warning}"));
    }
}

/// Says which table is worked on, and where.
pub(super) fn announce_data(name: &str, data: &Dataset, backend: &Backend) {
    let groups = data.groups.as_ref().map_or(String::new(), |groups| {
        let count = groups.names.len();
        format!(" in {count} group{} of `{}`", if count == 1 { "" } else { "s" }, groups.column)
    });
    let count = data.feature_names.len();
    let features = if count == 1 { "1 feature".to_owned() } else { format!("{count} features") };
    say(&format!("run {name}"));
    say(&format!("data {}: {} rows{groups}, {features}", data.path, data.rows()));
    say(&format!("backend {} ({}): {}", backend.kind, backend.name, backend.reason));
}
