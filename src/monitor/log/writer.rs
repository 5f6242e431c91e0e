//! Rows on their way into the log.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    LogConfig, LogError, LogStore, LoggedModel, LoggedRow, LoggedTruth, QuietLog, batch::Batch,
    wall_clock::WallClock,
};

/// Rows after which a write does not wait for its time. So many take a few milliseconds.
const BATCH: usize = 1_000;

/// Waiting rows above which the log no longer gives way.
const URGENT: usize = 2 * BATCH;

/// A write on the threads that give way that takes longer lacks a processor: the next ones do not give way, so long.
const STARVED: Duration = Duration::from_millis(200);
const PREFERRED: Duration = Duration::from_secs(5);

/// Shortest time between two complaints of dropped rows, and of a database that takes none.
const COMPLAINT: Duration = Duration::from_secs(10);
const OUTAGE: Duration = Duration::from_mins(1);

/// First and longest pause after a write that failed.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(10)];

/// Time between two looks for rows that are too old.
const TIDY: Duration = Duration::from_hours(1);

/// Hands rows to a task that writes them in batches. What does not fit into its queue is dropped and counted:
/// an answer never waits for the log.
#[derive(Debug)]
pub struct LogWriter {
    sender: UnboundedSender<Item>,
    state: Arc<State>,
    task: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct State {
    /// Rows that wait.
    waiting: AtomicUsize,
    /// Rows that may wait.
    most: usize,
    dropped: AtomicU64,
    /// When it was last said that rows are dropped.
    complained: Mutex<Option<Instant>>,
    written: AtomicU64,
    /// Ends the time between two writes.
    wake: Notify,
}

#[derive(Debug)]
enum Item {
    Model(LoggedModel),
    Rows(Vec<LoggedRow>),
    Truth(LoggedTruth),
    End,
}

impl LogWriter {
    /// Starts the task that writes: into `quiet`, and where that falls behind because the machine has other work,
    /// into `store`, the same database.
    #[must_use]
    pub fn start(store: LogStore, quiet: Option<Arc<QuietLog>>, config: &LogConfig) -> Self {
        let (sender, receiver) = unbounded_channel();
        let state = Arc::new(State {
            waiting: AtomicUsize::new(0),
            most: config.queue,
            dropped: AtomicU64::new(0),
            complained: Mutex::new(None),
            written: AtomicU64::new(0),
            wake: Notify::new(),
        });
        let flush = Duration::from_secs_f64(config.flush.max(0.001));
        let keep = (config.keep_days > 0).then(|| Duration::from_hours(24) * config.keep_days);
        let (state_of_clerk, preferred) = (Arc::clone(&state), None);
        let clerk = Clerk { store, quiet, preferred, receiver, state: state_of_clerk, flush, keep };
        let task = Mutex::new(Some(tokio::spawn(clerk.work())));
        Self { sender, state, task }
    }

    /// Adds the model whose rows follow.
    pub fn add_model(&self, model: LoggedModel) {
        // Always: without it nobody knows what its rows mean.
        self.state.waiting.fetch_add(1, Ordering::Relaxed);
        let _ = self.sender.send(Item::Model(model));
    }

    /// Adds the rows of a request.
    pub fn add_rows(&self, rows: Vec<LoggedRow>) {
        self.add(rows.len(), Item::Rows(rows));
    }

    /// Adds the true value of a row; `false` where it does not fit into the queue and is dropped.
    #[must_use]
    pub fn add_truth(&self, truth: LoggedTruth) -> bool {
        self.add(1, Item::Truth(truth))
    }

    fn add(&self, count: usize, item: Item) -> bool {
        let before = self.state.waiting.fetch_add(count, Ordering::Relaxed);
        if before + count > self.state.most || self.sender.send(item).is_err() {
            self.state.waiting.fetch_sub(count, Ordering::Relaxed);
            self.state.dropped.fetch_add(count as u64, Ordering::Relaxed);
            self.state.complain();
            return false;
        }
        if before < BATCH && before + count >= BATCH {
            self.state.wake.notify_one();
        }
        true
    }

    /// Rows that wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.waiting.load(Ordering::Relaxed)
    }

    /// Rows and true values that were dropped because too many waited or the database refused them.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.state.dropped.load(Ordering::Relaxed)
    }

    /// Rows that were written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.state.written.load(Ordering::Relaxed)
    }

    /// Writes what waits and ends, within `patience`; returns how many rows are lost.
    pub async fn close(&self, patience: Duration) -> usize {
        let _ = self.sender.send(Item::End);
        self.state.wake.notify_one();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = tokio::time::timeout(patience, task).await;
        }
        self.waiting()
    }
}

impl State {
    /// Counts what was written, or dropped because the database refused it.
    fn count(&self, batch: &Batch, refused: Option<&LogError>) {
        self.waiting.fetch_sub(batch.len(), Ordering::Relaxed);
        let Some(refused) = refused else {
            self.written.fetch_add(batch.rows.len() as u64, Ordering::Relaxed);
            return;
        };
        let dropped = self.dropped.fetch_add(batch.len() as u64, Ordering::Relaxed) + 1;
        if self.may_complain() {
            tracing::warn!("what the database refuses is dropped, {dropped} by now: {refused}");
        }
    }

    /// Whether it is time to say again that something is dropped.
    fn may_complain(&self) -> bool {
        let mut complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        let may = complained.is_none_or(|last| last.elapsed() > COMPLAINT);
        if may {
            *complained = Some(Instant::now());
        }
        may
    }

    /// Says from time to time that rows are dropped.
    fn complain(&self) {
        if self.may_complain() {
            let (dropped, most) = (self.dropped.load(Ordering::Relaxed), self.most);
            tracing::warn!(
                "rows are dropped instead of logged, {dropped} by now: more than {most} would wait (`log.queue`)"
            );
        }
    }
}

/// The task that writes.
struct Clerk {
    store: LogStore,
    quiet: Option<Arc<QuietLog>>,
    /// Until when writes do not give way.
    preferred: Option<Instant>,
    receiver: UnboundedReceiver<Item>,
    state: Arc<State>,
    flush: Duration,
    keep: Option<Duration>,
}

/// Adds an item to a batch; `false` for the end.
fn take(batch: &mut Batch, item: Item) -> bool {
    match item {
        Item::Model(own) => batch.models.push(own),
        Item::Rows(own) => batch.rows.extend(own),
        Item::Truth(own) => batch.truths.push(own),
        Item::End => return false,
    }
    true
}

impl Clerk {
    async fn work(mut self) {
        let clock = self.clock().await;
        let mut tidied = None;
        loop {
            let (batch, goes_on) = self.collect().await;
            self.write(batch).await;
            if !goes_on {
                return;
            }
            if tidied.is_none_or(|tidied: Instant| tidied.elapsed() > TIDY) {
                self.tidy(clock.as_ref()).await;
                tidied = Some(Instant::now());
            }
        }
    }

    /// What comes within the time between two writes, the first row included, and whether more may come. Rows do not
    /// wake it one by one: that would cost who answers more than the log itself.
    async fn collect(&mut self) -> (Batch, bool) {
        let mut batch = Batch::default();
        let Some(first) = self.receiver.recv().await else { return (batch, false) };
        let mut goes_on = take(&mut batch, first);
        if goes_on && self.state.waiting.load(Ordering::Relaxed) < BATCH {
            let _ = timeout(self.flush, self.state.wake.notified()).await;
        }
        while goes_on && batch.len() < BATCH {
            let Ok(item) = self.receiver.try_recv() else { break };
            goes_on = take(&mut batch, item);
        }
        (batch, goes_on)
    }

    /// Writes a batch; a part of it that the database will never take keeps the rest waiting no longer.
    async fn write(&mut self, batch: Batch) {
        let batch = Arc::new(batch);
        let Err(refused) = self.insist(&batch).await else {
            return self.state.count(&batch, None);
        };
        if batch.len() == 1 {
            return self.state.count(&batch, Some(&refused));
        }
        for own in batch.singly().map(Arc::new) {
            let refused = self.insist(&own).await.err();
            self.state.count(&own, refused.as_ref());
        }
    }

    /// Writes a batch, again and again until the database takes it; meanwhile rows wait in the queue.
    ///
    /// # Errors
    /// Where the database will never take it.
    async fn insist(&mut self, batch: &Arc<Batch>) -> Result<(), LogError> {
        let (mut pause, mut told) = (PAUSES[0], None);
        loop {
            match self.append(batch).await {
                Err(error) if !error.is_of_the_rows() => {
                    if told.is_none_or(|told: Instant| told.elapsed() > OUTAGE) {
                        let waiting = self.state.waiting.load(Ordering::Relaxed);
                        tracing::warn!("{waiting} rows wait to be written: {error}");
                        told = Some(Instant::now());
                    }
                }
                other => return other,
            }
            sleep(pause).await;
            pause = (2 * pause).min(PAUSES[1]);
        }
    }

    async fn append(&mut self, batch: &Arc<Batch>) -> Result<(), LogError> {
        let began = Instant::now();
        let is_urgent = self.state.waiting.load(Ordering::Relaxed) > URGENT
            || self.preferred.is_some_and(|until| began < until);
        match &self.quiet {
            Some(quiet) if !is_urgent => {
                let (store, own) = (quiet.store().clone(), Arc::clone(batch));
                let written = quiet.spawn(async move { own.write_into(&store).await });
                let written = written.await.map_err(|error| LogError::Thread(error.into()))?;
                self.preferred = (began.elapsed() > STARVED).then(|| Instant::now() + PREFERRED);
                written
            }
            _ => batch.write_into(&self.store).await,
        }
    }

    /// What rows that are too old are told by; `None` where they are kept for ever, or where nobody knows what was there
    /// at the start.
    async fn clock(&self) -> Option<WallClock> {
        let (now, began, keep) =
            (jiff::Timestamp::now().as_millisecond(), Instant::now(), self.keep?);
        Some(WallClock::new((now, began), self.store.newest().await.ok()?, keep))
    }

    async fn tidy(&self, clock: Option<&WallClock>) {
        let now = jiff::Timestamp::now().as_millisecond();
        if let Err(error) = self.store.forget_batches(now).await {
            tracing::warn!("{error}");
        }
        let Some(clock) = clock else { return };
        let Some(oldest) = clock.oldest(now) else {
            tracing::warn!("no old row is deleted from the log: the clock has jumped");
            return;
        };
        if let Err(error) = self.store.forget_before(oldest).await {
            tracing::warn!("{error}");
        }
    }
}
