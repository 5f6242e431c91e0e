//! Tells a server of a run while it trains, from a thread of its own.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use super::super::{Journal, Moment, SystemLoad};
use super::{Delivery, TrackError};

/// How often new points are sent.
const INTERVAL: Duration = Duration::from_secs(1);

/// Most moments that are sent before the receipt says so: small networks make thousands in a second.
const SENT_AT_ONCE: usize = 2000;

/// How often the machine's load is measured, as by MLflow's own clients.
const LOAD_INTERVAL: Duration = Duration::from_secs(10);

/// The longest pause after failures, which doubles from [`INTERVAL`].
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Sends what a journal gains. Whoever writes into the journal never waits for the server.
pub struct LiveTracker {
    shared: Arc<Shared>,
    thread: JoinHandle<(Delivery, Option<TrackError>)>,
}

struct Shared {
    journal: Mutex<Journal>,
    notice: Mutex<Option<String>>,
    stopping: Mutex<bool>,
    changed: Condvar,
}

impl LiveTracker {
    /// Starts to send.
    #[must_use]
    pub fn start(delivery: Delivery, journal: Journal) -> Self {
        let shared = Arc::new(Shared {
            journal: Mutex::new(journal),
            notice: Mutex::new(None),
            stopping: Mutex::new(false),
            changed: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        let thread = std::thread::spawn(move || own.run(delivery));
        Self { shared, thread }
    }

    /// Adds a moment to the journal.
    pub fn add(&self, moment: Moment) {
        held(&self.shared.journal).add(moment);
    }

    /// What the server does not take, once for each row of failures.
    #[must_use]
    pub fn take_notice(&self) -> Option<String> {
        held(&self.shared.notice).take()
    }

    /// Ends the thread and returns its delivery, the failure that it has not got over, and the moments that
    /// are left to send. Waits for the request that is on its way, at most.
    #[must_use]
    pub fn stop(self) -> Option<(Delivery, Option<TrackError>, Vec<Moment>)> {
        *held(&self.shared.stopping) = true;
        self.shared.changed.notify_all();
        let (delivery, failure) = self.thread.join().ok()?;
        let unsent = self.shared.after(delivery.sent(), usize::MAX);
        Some((delivery, failure, unsent))
    }
}

impl Shared {
    fn run(&self, mut delivery: Delivery) -> (Delivery, Option<TrackError>) {
        let mut load = SystemLoad::new();
        let (mut pause, mut failure) = (INTERVAL, None);
        let mut measured: Option<Instant> = None;
        loop {
            let stopping = self.wait(pause);
            if stopping || measured.is_none_or(|at| at.elapsed() > LOAD_INTERVAL) {
                self.measure(&mut load);
                measured = Some(Instant::now());
            }
            if stopping {
                return (delivery, failure);
            }
            let sent = delivery.open().and_then(|()| {
                let some = self.after(delivery.sent(), SENT_AT_ONCE);
                delivery.send(&some).map(|()| some.len() < SENT_AT_ONCE)
            });
            match sent {
                Ok(is_all) => {
                    (pause, failure) = (if is_all { INTERVAL } else { Duration::ZERO }, None);
                }
                Err(error) => {
                    if failure.is_none() {
                        *held(&self.notice) = Some(error.to_string());
                    }
                    pause = LONGEST_PAUSE.min(2 * pause.max(INTERVAL));
                    failure = Some(error);
                }
            }
        }
    }

    /// Waits until it is time to send, or to stop.
    fn wait(&self, pause: Duration) -> bool {
        let guard = held(&self.stopping);
        let waited = self.changed.wait_timeout_while(guard, pause, |stopping| !*stopping);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// The moments after the first `sent`, at most so many.
    fn after(&self, sent: usize, most: usize) -> Vec<Moment> {
        let journal = held(&self.journal);
        let new = journal.moments().get(sent..).unwrap_or_default();
        new[..new.len().min(most)].to_vec()
    }

    fn measure(&self, load: &mut SystemLoad) {
        let step = held(&self.journal).last_step("system/cpu_utilization_percentage") + 1;
        let moment = load.measure(step);
        held(&self.journal).add(moment);
    }
}

/// What a lock holds; a thread that panicked leaves nothing half-done in it.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
