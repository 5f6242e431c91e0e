//! The log on threads that give way: whoever predicts finds a processor free.

use std::future::Future;

use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::JoinHandle,
};

use super::{LogError, LogStore};

/// A log whose work is done while no other thread of the machine wants the processor (`SCHED_IDLE`, which Linux has;
/// elsewhere with the usual priority).
///
/// Shorter pieces of work alone do not do: a thread that has just begun to write keeps its processor for a
/// millisecond, whoever wakes up.
#[derive(Debug)]
pub struct QuietLog {
    store: LogStore,
    threads: Handle,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl QuietLog {
    /// Opens the database, and makes its tables where they are missing.
    ///
    /// # Errors
    /// When the address names no database, or it does not open.
    pub async fn open(url: &str) -> Result<Self, LogError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("massay-log")
            .on_thread_start(give_way)
            .enable_all()
            .build()
            .map_err(LogError::Thread)?;
        let url = url.to_owned();
        // There, because the threads that the database starts have the priority of who starts them.
        let opened = runtime.spawn(async move { LogStore::open(&url).await }).await;
        let store = opened.map_err(|error| LogError::Thread(error.into()))??;
        Ok(Self { store, threads: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// The database. What is done with it outside of [`Self::spawn`] has the priority of the caller.
    #[must_use]
    pub fn store(&self) -> &LogStore {
        &self.store
    }

    /// Does `work` on its threads.
    pub fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.threads.spawn(work)
    }
}

impl Drop for QuietLog {
    fn drop(&mut self) {
        // Waiting for its threads is not allowed where it is dropped by one of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Lets every other thread go before this one, and before those that it starts.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::{
            NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
            set_thread_priority_and_policy, thread_native_id,
        };
        let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        if let Err(error) =
            set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy)
        {
            tracing::debug!("the log keeps its usual priority: {error:?}");
        }
    }
}
