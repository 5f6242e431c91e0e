//! Retraining by itself: on a schedule, and when an alarm asks for it.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Result;
use jiff::Timestamp;

use super::{
    super::{
        ModelChoice, ServeOptions, interrupted, monitor_job::report_of,
        registry_job::the_only_model,
    },
    decision::{Decision, Decisions},
    job::{RetrainObserver, RetrainOptions, Retrained, retrain},
    readiness::cooling,
};
use crate::{monitor::ModelMonitor, registry::Pointers};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// The retraining.
    pub retrain: RetrainOptions,
    /// Seconds between two looks.
    pub pause: f64,
    /// Whether to look once and return.
    pub once: bool,
}

/// Looks at the champion again and again, and retrains it when an alarm is newer than the last decision or the
/// schedule asks for it. `on_outcome` hears what came of it, `NotYet` only where the reason is another than before.
///
/// # Errors
/// As [`retrain`]; a look that fails is told and does not end the watch.
pub fn watch(
    options: &WatchOptions,
    observer: &dyn RetrainObserver,
    on_outcome: &dyn Fn(Result<&Retrained, &anyhow::Error>),
) -> Result<()> {
    let (mut told, mut rests_until, mut seen) = (String::new(), None, None);
    loop {
        if rests_until.is_some_and(|until| Instant::now() < until) {
            if pause(options.pause) {
                continue;
            }
            return Ok(());
        }
        match look(options, observer, &mut seen) {
            Ok(outcome) => {
                let reason = match &outcome {
                    Retrained::NotYet(reason) => reason.clone(),
                    Retrained::Decided { .. } => String::new(),
                };
                if reason.is_empty() || reason != told || options.once {
                    on_outcome(Ok(&outcome));
                }
                told = reason;
            }
            Err(error) if options.once || interrupted() => return Err(error),
            Err(error) => {
                if told != error.to_string() {
                    on_outcome(Err(&error));
                }
                told = error.to_string();
                // What failed once would fail again, and may have trained for hours.
                let hours = options.retrain.params.retrain.cooldown_hours.clamp(0.1, 24.0);
                rests_until = Instant::now().checked_add(Duration::from_secs_f64(3600.0 * hours));
            }
        }
        if options.once || !pause(options.pause) {
            return Ok(());
        }
    }
}

/// Waits; returns whether to go on.
fn pause(seconds: f64) -> bool {
    const STEP: f64 = 0.2;
    let mut left = seconds;
    while left > 0.0 && !interrupted() {
        sleep(Duration::from_secs_f64(STEP.min(left)));
        left -= STEP;
    }
    !interrupted()
}

/// `seen` is what earlier looks know of the champion's log.
fn look(
    options: &WatchOptions,
    observer: &dyn RetrainObserver,
    seen: &mut Option<ModelMonitor>,
) -> Result<Retrained> {
    let RetrainOptions { params, model, .. } = &options.retrain;
    let pointers = Pointers::read(&params.paths.checkpoints)?;
    let name = the_only_model(&pointers, model.as_deref())?;
    let last = Decisions::of(&params.paths.checkpoints).last(&name)?;
    // Before the log is read, which may take long.
    if let Some(reason) = cooling(last.as_ref(), &params.retrain) {
        return Ok(Retrained::NotYet(reason));
    }
    match reason(options, last.as_ref(), seen)? {
        Some(reason) => {
            observer.on_step(&reason);
            retrain(&options.retrain, observer)
        }
        None => Ok(Retrained::NotYet("no alarm, and the schedule asks for nothing".to_owned())),
    }
}

/// Why to retrain now, `last` being the last decision.
fn reason(
    options: &WatchOptions,
    last: Option<&Decision>,
    seen: &mut Option<ModelMonitor>,
) -> Result<Option<String>> {
    let RetrainOptions { params, model, .. } = &options.retrain;
    let choice = ServeOptions {
        params: params.clone(),
        model: ModelChoice::Champion(model.clone()),
        mlflow: None,
        backend: crate::model::BackendKind::Cpu,
        access: crate::serve::Access::default(),
        shadow: None,
    };
    let report = report_of(choice, seen)?;
    let since = last.and_then(|own| own.time.parse().ok()).map_or(0, Timestamp::as_millisecond);
    // Not since the decision was made, but since the rows that it knew of.
    let known = last.map_or(0, |own| own.until);
    if let Some(alarm) = report.alarms.iter().rev().find(|alarm| alarm.time > known) {
        return Ok(Some(format!("alarm: {}", alarm.message)));
    }
    let now = Timestamp::now().as_millisecond();
    let hours = (now - since.max(report.first.unwrap_or(now))) as f64 / 3.6e6;
    let every = params.retrain.every_hours;
    Ok((hours >= every).then(|| format!("the schedule: {every} hours have passed")))
}
