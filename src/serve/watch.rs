//! The log of what is served, and who looks at it.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::{
    sync::{Mutex as AsyncMutex, Semaphore},
    task::{block_in_place, spawn_blocking},
    time::timeout,
};

use crate::{
    model::Prediction,
    monitor::{
        Alarm, AlarmKind, LogConfig, LogError, LogQuery, LogStore, LogWriter, LoggedModel,
        LoggedRow, LoggedTruth, ModelMonitor, MonitorConfig, MonitorReport, QuietLog, Shadow,
        WatchedModel, Webhook,
    },
    report::Milestone,
};

use super::{ServedModel, rows::RawRows};

/// Rows that are read from the log at once: few, so that a look that is given up ends soon.
const PART: i64 = 500;

/// Keeps what is served in the log, and looks at the log from time to time.
#[derive(Debug)]
pub struct Watch {
    /// The log for who waits for an answer.
    store: LogStore,
    /// The same for what nobody waits for.
    quiet: Arc<QuietLog>,
    writer: LogWriter,
    pub(super) config: MonitorConfig,
    shadow: Option<Shadow>,
    webhook: Option<Webhook>,
    milestones: Option<Milestones>,
    monitor: AsyncMutex<Option<ModelMonitor>>,
    report: ArcSwapOption<MonitorReport>,
    /// Alarms that were logged.
    logged: Mutex<HashSet<String>>,
    /// Alarms that were told.
    told: Arc<Mutex<HashSet<String>>>,
    /// Held by who tells the webhook.
    telling: Arc<Semaphore>,
}

/// Knows what was decided about the model of this name.
struct Milestones(Box<KnownDecisions>);

type KnownDecisions = dyn Fn(&str) -> Vec<Milestone> + Send + Sync;

impl std::fmt::Debug for Milestones {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Milestones")
    }
}

impl Watch {
    /// Opens the log and starts to write into it.
    ///
    /// # Errors
    /// When the log does not open.
    pub async fn open(log: &LogConfig, config: MonitorConfig) -> Result<Self, LogError> {
        let store = LogStore::open(&log.url).await?;
        let quiet = Arc::new(QuietLog::open(&log.url).await?);
        Ok(Self {
            writer: LogWriter::start(store.clone(), Some(Arc::clone(&quiet)), log),
            store,
            quiet,
            shadow: None,
            webhook: Webhook::new(&config.webhook),
            milestones: None,
            config,
            monitor: AsyncMutex::default(),
            report: ArcSwapOption::empty(),
            logged: Mutex::default(),
            told: Arc::default(),
            telling: Arc::new(Semaphore::new(1)),
        })
    }

    /// The same with a model that is asked what is served, and answers nobody.
    #[must_use]
    pub fn with_shadow(mut self, shadow: Option<Shadow>) -> Self {
        self.shadow = shadow;
        self
    }

    /// The same with what is known of decisions about a model, by its name.
    #[must_use]
    pub fn with_milestones(
        mut self,
        known: impl Fn(&str) -> Vec<Milestone> + Send + Sync + 'static,
    ) -> Self {
        self.milestones = Some(Milestones(Box::new(known)));
        self
    }

    /// From now on this model answers.
    pub(super) fn serves(&self, model: &ServedModel) {
        self.writer.add_model(LoggedModel {
            version: model.version.clone(),
            name: model.identity.model.clone(),
            checksum: model.identity.checksum.clone(),
            target: model.schema.target.clone(),
            unit: model.schema.unit.clone(),
            level: model.level,
            columns: model.columns().to_vec(),
        });
    }

    /// Keeps the rows of a request.
    pub(super) fn served(
        &self,
        model: &ServedModel,
        request: &str,
        rows: RawRows,
        predictions: &[Prediction],
    ) {
        let time = jiff::Timestamp::now().as_millisecond();
        let mut containers = rows.containers.into_iter();
        let inputs = rows.values.chunks_exact(model.columns().len().max(1));
        let logged = inputs.zip(predictions).enumerate().map(|(position, (inputs, own))| {
            let at_fault = own.columns_at_fault.iter().map(|own| model.columns()[*own].as_str());
            LoggedRow {
                id: 0,
                time,
                request_id: request.to_owned(),
                position: position as i64,
                model: model.version.clone(),
                container: containers.next().flatten(),
                inputs: inputs.to_vec(),
                prediction: own.value,
                lower: own.lower,
                upper: own.upper,
                out_of_domain: own.is_out_of_domain(),
                columns_at_fault: at_fault.collect::<Vec<_>>().join(" "),
                truth: None,
                truth_time: None,
                corrected: None,
            }
        });
        self.writer.add_rows(logged.collect());
    }

    /// Keeps the true value of a row; `false` where the log has no room for it.
    pub(super) fn learnt(&self, request: &str, position: usize, truth: f64) -> bool {
        let time = jiff::Timestamp::now().as_millisecond();
        let (request_id, position) = (request.to_owned(), position as i64);
        self.writer.add_truth(LoggedTruth { time, request_id, position, truth })
    }

    /// The rows that a request had at a position, in the log.
    pub(super) async fn of_request(
        &self,
        id: &str,
        position: usize,
    ) -> Result<Vec<LoggedRow>, LogError> {
        self.store.of_request(id, position as i64).await
    }

    /// Looks at what the log has of `model` since the last look: somebody waits for it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) async fn look(&self, model: &ServedModel) -> Result<(), LogError> {
        self.look_into(&self.store, model).await
    }

    /// The same while answers do not need the processor. On a machine that is never idle it gives way for so long and
    /// no longer.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) async fn look_quietly(
        self: &Arc<Self>,
        model: &Arc<ServedModel>,
        patience: Duration,
    ) -> Result<(), LogError> {
        let (own, served) = (Arc::clone(self), Arc::clone(model));
        let look = async move { own.look_into(own.quiet.store(), &served).await };
        let mut look = self.quiet.spawn(look);
        if let Ok(looked) = timeout(patience, &mut look).await {
            return looked.map_err(|error| LogError::Thread(error.into()))?;
        }
        look.abort();
        self.look(model).await
    }

    async fn look_into(&self, store: &LogStore, model: &ServedModel) -> Result<(), LogError> {
        let mut place = self.monitor.lock().await;
        // It stays in its place: where this look fails or is given up, the next one goes on from there.
        let anew = || monitor_of(model, &self.config, self.shadow.as_ref());
        let monitor = kept(&mut place, model, anew);
        let mut report = follow(store, monitor).await?;
        if let Some(Milestones(known)) = &self.milestones {
            report.milestones = block_in_place(|| known(&model.identity.model));
        }
        self.tell(&report);
        self.report.store(Some(Arc::new(report)));
        Ok(())
    }

    /// What the log has of `model`, from its first row on; where `seen` has looked at it before, it goes on from there.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn report_of(
        store: &LogStore,
        model: &ServedModel,
        (config, shadow): (&MonitorConfig, Option<&Shadow>),
        seen: &mut Option<ModelMonitor>,
    ) -> Result<MonitorReport, LogError> {
        follow(store, kept(seen, model, || monitor_of(model, config, shadow))).await
    }

    /// Logs alarms that were not logged before, and tells the webhook of them.
    fn tell(&self, report: &MonitorReport) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        for alarm in &report.alarms {
            let name = format!("{} {:?} {}", report.model.version, alarm.kind, own_name(alarm));
            if logged.insert(name.clone()) {
                tracing::warn!(
                    model = report.model.version,
                    window = alarm.window,
                    "{}",
                    alarm.message
                );
            }
            if told.insert(name.clone()) {
                self.call(name, alarm.clone(), report.model.clone());
            }
        }
    }

    /// Tells the webhook of an alarm, unless another server has; where it cannot be reached, the next look tries again.
    fn call(&self, name: String, alarm: Alarm, model: WatchedModel) {
        let Some(webhook) = self.webhook.clone() else { return };
        let (store, told) = (self.quiet.store().clone(), Arc::clone(&self.told));
        let telling = Arc::clone(&self.telling);
        // A connection that is opened there gives way for good: it must not be one of those that answers wait for.
        self.quiet.spawn(async move {
            let forget = || told.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
            // One after the other: a hook that hangs keeps one thread, whatever the number of alarms.
            let Ok(_place) = telling.acquire().await else { return };
            let now = jiff::Timestamp::now().as_millisecond();
            let failed = match store.claim(&name, now).await {
                Ok(None) => return,
                Ok(Some(false)) => {
                    forget();
                    return;
                }
                Ok(Some(true)) => spawn_blocking(move || webhook.tell(&alarm, &model))
                    .await
                    .map_or_else(|error| Some(error.to_string()), Result::err),
                Err(error) => Some(error.to_string()),
            };
            match failed {
                None => drop(store.settle(&name).await),
                Some(failed) => {
                    tracing::warn!(
                        "the webhook (`monitor.webhook`) is not told of an alarm: {failed}"
                    );
                    forget();
                }
            }
        });
    }

    /// What the last look has found; `None` before the first.
    pub(super) fn report(&self) -> Option<Arc<MonitorReport>> {
        self.report.load_full()
    }

    /// Rows that wait to be written, were written, and were dropped.
    pub(super) fn counts(&self) -> (usize, u64, u64) {
        (self.writer.waiting(), self.writer.written(), self.writer.dropped())
    }

    /// Writes what waits; returns how many rows are lost.
    pub(super) async fn close(&self, patience: Duration) -> usize {
        let lost = self.writer.close(patience).await;
        self.quiet.store().close().await;
        self.store.close().await;
        lost
    }
}

/// What tells an alarm from another one of its kind. Not its number, nor the time when coverage was known to be wrong:
/// what is deleted from the log moves those.
fn own_name(alarm: &Alarm) -> String {
    match alarm.kind {
        AlarmKind::Drift => format!("{} {}", alarm.time, alarm.column),
        AlarmKind::Coverage => alarm.message.split(':').next().unwrap_or_default().to_owned(),
    }
}

/// Shows a monitor the rows that it has not seen, and asks what it knows.
async fn follow(store: &LogStore, monitor: &mut ModelMonitor) -> Result<MonitorReport, LogError> {
    let of_model = LogQuery { model: Some(monitor.version().to_owned()), ..LogQuery::default() };
    loop {
        let next = LogQuery { after: monitor.last_id(), most: Some(PART), ..of_model.clone() };
        let rows = store.rows(&next).await?;
        let is_last = (rows.len() as i64) < PART;
        block_in_place(|| monitor.add(rows));
        if is_last {
            break;
        }
    }
    // All of them are judged together: where there is nothing new that need not be done again.
    let truths = store.truths().await?;
    if let Some(since) = monitor.unjudged_since(truths) {
        let mut next = LogQuery {
            labelled: true,
            known_since: Some(since),
            without_inputs: !monitor.asks_for_inputs(),
            most: Some(10 * PART),
            ..of_model.clone()
        };
        loop {
            let rows = store.rows(&next).await?;
            let Some(last) = rows.last() else { break };
            next.after = last.id;
            block_in_place(|| monitor.learn(&rows));
        }
        let oldest =
            store.rows(&LogQuery { most: Some(1), without_inputs: true, ..of_model }).await?;
        let first = oldest.first().map_or(i64::MAX, |own| own.id);
        block_in_place(|| monitor.judge(first, truths, since));
    }
    let time = jiff::Timestamp::now().as_millisecond();
    Ok(block_in_place(|| monitor.report(time)))
}

/// The monitor in its place, or another one where that has looked at another model.
fn kept<'a>(
    place: &'a mut Option<ModelMonitor>,
    model: &ServedModel,
    anew: impl FnOnce() -> ModelMonitor,
) -> &'a mut ModelMonitor {
    if place.as_ref().is_some_and(|own| own.version() != model.version) {
        *place = None;
    }
    place.get_or_insert_with(anew)
}

fn monitor_of(
    model: &ServedModel,
    config: &MonitorConfig,
    shadow: Option<&Shadow>,
) -> ModelMonitor {
    let domain = &model.predictor.domain;
    let watched = WatchedModel {
        version: model.version.clone(),
        target: model.schema.target.clone(),
        unit: model.schema.unit.clone(),
        level: model.level,
        logarithmic: domain.is_logarithmic(),
    };
    let shadow = shadow.map(Shadow::afresh);
    ModelMonitor::new(watched, (&model.reference, model.columns(), domain), config)
        .with_shadow(shadow)
}
