//! A run that is told of while it trains.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    pipeline::{
        Finished, TrainObserver, interrupted, run_folder::RunFolder, training_inputs::Inputs,
        training_outcome::parameters_of,
    },
    track::{
        Address, Delivery, FoldName, Journal, LiveLayout, LiveTracker, MeanCurve, Moment, Receipt,
        Status, TrackConfig, TrackError, TrackedResults,
    },
};

use super::{environment, facts::RunFacts, results};

/// Those who are told of a training while it runs. Nothing here can fail it.
pub(in crate::pipeline) struct Tracking {
    pub(super) folds: Vec<FoldName>,
    pub(super) curve: Mutex<MeanCurve>,
    pub(super) layout: Mutex<Option<LiveLayout>>,
    sink: Sink,
}

/// Where the journal is.
enum Sink {
    /// It cannot be written.
    Nowhere,
    /// Nobody reads it now.
    File(Mutex<Journal>),
    /// MLflow is told of it.
    Live(LiveTracker),
}

/// What is left to tell MLflow of a finished run.
pub struct Tracked {
    sender: Sender,
    checkpoint: PathBuf,
    report: PathBuf,
}

/// Who sends it.
enum Sender {
    /// The thread that did so while the run trained.
    Live(LiveTracker),
    /// A delivery, with what it has not sent of the journal.
    Anew(Box<Delivery>, Vec<Moment>),
}

/// Pauses between the attempts at the end of a run.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

impl Tracking {
    /// Begins to tell of a run that is about to start, MLflow at a URI or where the parameters say;
    /// `observer` hears what is wrong with that.
    pub(in crate::pipeline) fn begin(
        inputs: &Inputs,
        (run, mlflow): (&RunFolder, Option<String>),
        observer: &dyn TrainObserver,
    ) -> Self {
        let splits = &inputs.prepared.plan.splits;
        let folds: Vec<FoldName> = splits
            .iter()
            .map(|split| FoldName { repeat: split.repeat, fold: split.fold })
            .collect();
        let live = &inputs.start.params.track.live;
        let layout = (!live.as_os_str().is_empty()).then(|| LiveLayout::new(live.clone()));
        let layout = layout.and_then(|layout| {
            let wrong = |error| observer.on_notice(&format!("{}: {error}", live.display()));
            layout.map_err(wrong).ok()
        });
        let curve = Mutex::new(MeanCurve::new(folds.len()));
        let (sink, known) = Sink::open(inputs, (run, mlflow), &folds, observer);
        let tracking = Self { curve, layout: Mutex::new(layout), sink, folds };
        tracking.replay(&known);
        tracking
    }

    pub(super) fn add(&self, moment: Moment) {
        match &self.sink {
            Sink::Nowhere => {}
            Sink::File(journal) => {
                journal.lock().unwrap_or_else(PoisonError::into_inner).add(moment);
            }
            Sink::Live(tracker) => tracker.add(moment),
        }
    }

    /// What is wrong with the server, once for each row of failures.
    pub(super) fn notice(&self) -> Option<String> {
        let Sink::Live(tracker) = &self.sink else { return None };
        tracker.take_notice()
    }

    /// Ends the telling of a run that has no result, as far as the server can be reached.
    pub(in crate::pipeline) fn abort(self, status: Status) {
        if let Sink::Live(tracker) = self.sink
            && let Some((delivery, None, _)) = tracker.stop()
            && let Err(error) = delivery.close(status, now())
        {
            tracing::warn!("{error}");
        }
    }

    /// The training is done; [`Tracked::deliver`] ends the telling, which the caller must call.
    pub(in crate::pipeline) fn finish(self, finished: &Finished) -> Option<Tracked> {
        let Sink::Live(tracker) = self.sink else { return None };
        let (checkpoint, report) = (finished.checkpoint.clone(), finished.report_folder.clone());
        Some(Tracked { sender: Sender::Live(tracker), checkpoint, report })
    }
}

/// What is said of a server that does not take the run.
pub(super) fn without_mlflow(error: &str) -> String {
    format!("{error}\n\nthe training goes on; `massay track push` sends the run later")
}

/// Moves the journal to the finished checkpoint in `draft`.
pub(in crate::pipeline) fn hand_over(run: &RunFolder, draft: &Path) {
    let from = run.unfinished.join(results::JOURNAL_FILE);
    if let Err(error) = fs::rename(&from, draft.join(results::JOURNAL_FILE)) {
        tracing::warn!("{}: cannot be kept: {error}", from.display());
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

impl Sink {
    fn open(
        inputs: &Inputs,
        (run, mlflow): (&RunFolder, Option<String>),
        folds: &[FoldName],
        observer: &dyn TrainObserver,
    ) -> (Self, Vec<Moment>) {
        let path = run.unfinished.join(results::JOURNAL_FILE);
        let journal = match Journal::open(&path) {
            Ok(journal) => journal,
            Err(error) => {
                observer.on_notice(&format!("{}: {error}", path.display()));
                return (Self::Nowhere, Vec::new());
            }
        };
        let known = journal.moments().to_vec();
        let sink = match delivery(inputs, (run, mlflow), folds) {
            None => Self::File(Mutex::new(journal)),
            Some(Ok(delivery)) => Self::Live(LiveTracker::start(delivery, journal)),
            Some(Err(error)) => {
                observer.on_notice(&without_mlflow(&error.to_string()));
                Self::File(Mutex::new(journal))
            }
        };
        (sink, known)
    }
}

/// How MLflow is told of the run; `None` where no server is named.
fn delivery(
    inputs: &Inputs,
    (run, mlflow): (&RunFolder, Option<String>),
    folds: &[FoldName],
) -> Option<Result<Delivery, TrackError>> {
    if inputs.start.only_first.is_some() {
        return None;
    }
    let track = inputs.start.params.track.with_environment(environment);
    let uri = match server_of(mlflow, &track, &run.unfinished) {
        Ok(uri) => uri?,
        Err(error) => return Some(Err(error)),
    };
    let facts = RunFacts {
        name: &inputs.start.name,
        provenance: &inputs.provenance(0.0),
        parameters: &parameters_of(&inputs.start.params).unwrap_or_default(),
        data_sha256: &inputs.dataset.sha256,
        rows: inputs.dataset.rows(),
        columns: &inputs.dataset.feature_names,
        target: &inputs.dataset.target_name,
        folds: folds.to_vec(),
    };
    let address = Address::parse(&uri, environment);
    Some(address.and_then(|address| Delivery::new(address, facts.tracked(&track), &run.unfinished)))
}

/// The URI of the server that is told: what was asked for, else what the parameters say, else the one that
/// was told before by the receipt in `folder`.
pub(super) fn server_of(
    asked: Option<String>,
    track: &TrackConfig,
    folder: &Path,
) -> Result<Option<String>, TrackError> {
    let named = asked.unwrap_or_else(|| track.mlflow.clone());
    if !named.is_empty() {
        return Ok(Some(named));
    }
    Ok(Receipt::read(folder)?.map(|receipt| receipt.server))
}

impl Tracked {
    /// A finished run in the folders of its checkpoint and its report, and what is not sent of its journal.
    pub(super) fn of_finished(
        (delivery, unsent): (Delivery, Vec<Moment>),
        (checkpoint, report): (PathBuf, PathBuf),
    ) -> Self {
        Self { sender: Sender::Anew(Box::new(delivery), unsent), checkpoint, report }
    }

    /// Sends what is left; `on_file` hears how many of all files are there. Tries again where that may
    /// help, unless the server has not answered before.
    ///
    /// # Errors
    /// When the run's files cannot be read, or the server cannot be reached or refuses.
    pub fn deliver(self, on_file: &dyn Fn(usize, usize)) -> Result<Receipt> {
        let (delivery, failure, unsent) = match self.sender {
            Sender::Anew(delivery, unsent) => (*delivery, None, unsent),
            Sender::Live(tracker) => {
                let stopped = tracker.stop().context("the telling of the run broke off")?;
                let (mut delivery, failure, unsent) = stopped;
                delivery.move_to(&self.checkpoint)?;
                (delivery, failure, unsent)
            }
        };
        let results = results::results_of(&self.checkpoint, &self.report)?;
        let pauses = if failure.is_some() { &[][..] } else { &PAUSES };
        Ok(Sending { delivery, unsent, results }.send(pauses, on_file)?)
    }
}

/// The rest of a run on its way.
struct Sending {
    delivery: Delivery,
    unsent: Vec<Moment>,
    results: TrackedResults,
}

impl Sending {
    /// Sends it, with `pauses` between attempts.
    fn send(
        mut self,
        pauses: &[Duration],
        on_file: &dyn Fn(usize, usize),
    ) -> Result<Receipt, TrackError> {
        let mut pauses = pauses.iter();
        loop {
            match self.attempt(on_file) {
                Ok(()) => return Ok(self.delivery.receipt().clone()),
                Err(error) => match pauses.next() {
                    Some(pause) if error.is_passing() && !interrupted() => {
                        std::thread::sleep(*pause);
                    }
                    _ => return Err(error),
                },
            }
        }
    }

    fn attempt(&mut self, on_file: &dyn Fn(usize, usize)) -> Result<(), TrackError> {
        self.delivery.open()?;
        self.delivery.send(&self.unsent)?;
        self.unsent.clear();
        self.delivery.complete(&self.results, on_file)
    }
}
