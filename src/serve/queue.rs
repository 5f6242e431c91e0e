//! Rows of requests on their way to the predictor, several requests at once.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::model::Prediction;

use super::ServedModel;

/// Rows that are predicted at once, of as many requests as that takes. More gain little and make the first
/// wait for the last.
const BATCH: usize = 64;

/// Time after which requests that have met are forgotten.
const CALM: Duration = Duration::from_millis(20);

/// Predicts rows on the threads of the predictor. What waits when a thread becomes free is predicted
/// together: a batch costs less than its rows one by one, and nobody waits for it to fill.
pub(super) struct PredictionQueue {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    threads: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Threads that work or are about to.
    busy: usize,
    /// When a request last found another one.
    crowded: Option<Instant>,
}

struct Job {
    model: Arc<ServedModel>,
    rows: Vec<f64>,
    answer: oneshot::Sender<Vec<Prediction>>,
}

impl Job {
    fn count(&self) -> usize {
        self.rows.len() / self.model.columns().len().max(1)
    }
}

impl PredictionQueue {
    /// A queue that keeps at most `threads` threads busy.
    pub(super) fn new(threads: usize) -> Self {
        Self { shared: Arc::new(Shared { state: Mutex::default(), threads: threads.max(1) }) }
    }

    /// The predictions of `model` for raw rows; `None` where it panicked.
    pub(super) async fn predict(
        &self,
        model: Arc<ServedModel>,
        rows: Vec<f64>,
    ) -> Option<Vec<Prediction>> {
        if rows.len() == model.columns().len() && self.shared.begin_alone() {
            let predictions = catch_unwind(AssertUnwindSafe(|| model.predictor.predict(&rows)));
            self.shared.end();
            return predictions.ok();
        }
        let (sender, answer) = oneshot::channel();
        self.shared.add(Job { model, rows, answer: sender });
        answer.await.ok()
    }

    /// Requests that wait for a thread.
    pub(super) fn waiting(&self) -> usize {
        self.shared.state().waiting.len()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(self: &Arc<Self>, job: Job) {
        let mut state = self.state();
        if state.busy > 0 {
            state.crowded = Some(Instant::now());
        }
        state.waiting.push_back(job);
        if state.busy < self.threads {
            state.busy += 1;
            self.start();
        }
    }

    /// Hands one batch to a thread. Each batch is a task of its own: a thread that helps another with a
    /// large table can take one on, but is never caught in a row of them.
    fn start(self: &Arc<Self>) {
        let own = Arc::clone(self);
        rayon::spawn_fifo(move || own.work());
    }

    fn work(self: &Arc<Self>) {
        let batch = take_batch(&mut self.state().waiting);
        if !batch.is_empty() {
            // A panic is one of this batch: its requests get no answer, everything else goes on.
            let _ = catch_unwind(AssertUnwindSafe(|| answer(batch)));
        }
        self.end();
    }

    /// Whether nobody else asks: one row takes the thread that brings it less time than waking another one. Where many
    /// ask, batches on threads of their own take less.
    fn begin_alone(&self) -> bool {
        let mut state = self.state();
        let is_calm = state.crowded.is_none_or(|last| last.elapsed() > CALM);
        let is_alone = state.busy == 0 && is_calm;
        state.busy += usize::from(is_alone);
        is_alone
    }

    /// A thread has become free: what waits is next.
    fn end(self: &Arc<Self>) {
        let mut state = self.state();
        if state.waiting.is_empty() {
            state.busy -= 1;
        } else {
            drop(state);
            self.start();
        }
    }
}

/// The requests at the front that one model can answer together.
fn take_batch(waiting: &mut VecDeque<Job>) -> Vec<Job> {
    let mut batch: Vec<Job> = Vec::new();
    let mut rows = 0;
    while let Some(next) = waiting.front() {
        let fits = batch.first().is_none_or(|first| {
            Arc::ptr_eq(&first.model, &next.model) && rows + next.count() <= BATCH
        });
        if !fits {
            break;
        }
        rows += next.count();
        batch.extend(waiting.pop_front());
    }
    batch
}

fn answer(mut batch: Vec<Job>) {
    // Nobody waits for those any more.
    batch.retain(|job| !job.answer.is_closed());
    let Some(model) = batch.first().map(|job| Arc::clone(&job.model)) else { return };
    let rows: Vec<f64> = if let [only] = batch.as_mut_slice() {
        std::mem::take(&mut only.rows)
    } else {
        batch.iter().flat_map(|job| job.rows.iter().copied()).collect()
    };
    let counts: Vec<usize> = match batch.as_slice() {
        [_] => vec![rows.len() / model.columns().len().max(1)],
        several => several.iter().map(Job::count).collect(),
    };
    let mut predictions = model.predictor.predict(&rows).into_iter();
    for (job, count) in batch.into_iter().zip(counts) {
        let own = predictions.by_ref().take(count).collect();
        // A client that went away does not wait.
        let _ = job.answer.send(own);
    }
}
