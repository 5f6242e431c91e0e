//! Somebody who watches a training, and the trackers beside them.

use std::sync::PoisonError;

use crate::{
    pipeline::{Start, TrainObserver},
    track::{FoldName, Losses, Moment},
    train::EpochEvent,
};

use super::{Tracking, live::without_mlflow, results::scores_of};

/// Passes everything on to an observer and tells the trackers of the epochs.
pub(in crate::pipeline) struct Watch<'a> {
    pub(in crate::pipeline) observer: &'a dyn TrainObserver,
    pub(in crate::pipeline) tracking: &'a Tracking,
}

impl TrainObserver for Watch<'_> {
    fn on_choice(&self, done: usize, all: usize) {
        self.observer.on_choice(done, all);
    }

    fn on_regressor(&self, done: usize, all: usize) {
        self.observer.on_regressor(done, all);
    }

    fn on_start(&self, start: &Start<'_>) {
        self.observer.on_start(start);
    }

    fn on_epoch(&self, event: &EpochEvent) {
        self.observer.on_epoch(event);
        self.tracking.on_epoch(event);
        if let Some(notice) = self.tracking.notice() {
            self.observer.on_notice(&without_mlflow(&notice));
        }
    }

    fn on_stage(&self, what: &'static str) {
        self.observer.on_stage(what);
    }

    fn on_notice(&self, notice: &str) {
        self.observer.on_notice(notice);
    }
}

impl Tracking {
    /// Takes down an epoch of a fold, and those of the run that it completes. Folds that are trained only
    /// to compare with are none of the run's own.
    fn on_epoch(&self, event: &EpochEvent) {
        let place = FoldName { repeat: event.repeat, fold: event.fold };
        let Some(fold) = self.folds.iter().position(|own| *own == place) else { return };
        let losses = Losses { train: event.train_loss, validation: event.validation_loss };
        let values = [
            ("loss/train", Some(losses.train)),
            ("loss/validation", losses.validation),
            ("learning_rate", Some(event.learning_rate)),
        ];
        self.add(Moment::now(Some(fold), event.epoch, &values));
        let mut curve = self.curve.lock().unwrap_or_else(PoisonError::into_inner);
        let means = curve.add(fold, (event.epoch, losses), event.stopped);
        drop(curve);
        self.on_means(&means);
    }

    /// Goes through what the journal knows from before the training was interrupted.
    pub(super) fn replay(&self, known: &[Moment]) {
        for moment in known {
            let value = |name: &str| {
                moment.values.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
            };
            if let (Some(fold), Some(train)) = (moment.fold, value("loss/train")) {
                let losses = Losses { train, validation: value("loss/validation") };
                let mut curve = self.curve.lock().unwrap_or_else(PoisonError::into_inner);
                let means = curve.add(fold, (moment.step, losses), false);
                drop(curve);
                self.on_means(&means);
            }
        }
    }

    /// Takes down what is left when all folds have stopped, and the scores in `metrics.json`.
    pub(in crate::pipeline) fn close(&self, metrics: &str) {
        let means = self.curve.lock().unwrap_or_else(PoisonError::into_inner).close();
        self.on_means(&means);
        let mut layout = self.layout.lock().unwrap_or_else(PoisonError::into_inner);
        let metrics = serde_json::from_str(metrics).unwrap_or_default();
        if let Some(Err(error)) = layout.as_mut().map(|layout| layout.close(&scores_of(&metrics))) {
            tracing::warn!("the live metrics are not whole: {error}");
        }
    }

    fn on_means(&self, epochs: &[(usize, Losses)]) {
        for (epoch, losses) in epochs {
            let values =
                [("loss/train", Some(losses.train)), ("loss/validation", losses.validation)];
            self.add(Moment::now(None, *epoch, &values));
            let mut layout = self.layout.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Err(error)) = layout.as_mut().map(|layout| layout.add(*epoch, &values)) {
                tracing::warn!("the live metrics end here: {error}");
                *layout = None;
            }
        }
    }
}
