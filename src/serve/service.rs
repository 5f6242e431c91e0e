//! Everything that requests share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::Prediction;

use super::{
    Access, Fault, ModelSlot, ReloadError, ServeConfig, ServedModel, client_rate::ClientRate,
    metrics::Metrics, queue::PredictionQueue, recent::RecentPredictions, request_id::RequestIds,
    rows::RawRows, served_model::is_sound, watch::Watch,
};

/// The service without its socket: a model, and everything that requests share.
pub struct Service {
    /// The model that answers.
    pub slot: ModelSlot,
    /// How it listens and what it refuses.
    pub config: ServeConfig,
    pub(super) access: Access,
    pub(super) metrics: Metrics,
    pub(super) recent: RecentPredictions,
    pub(super) ids: RequestIds,
    pub(super) places: Arc<Semaphore>,
    /// Places of bodies that may become large, while they come in.
    pub(super) uploads: Arc<Semaphore>,
    /// Places of large bodies.
    pub(super) large: Arc<Semaphore>,
    pub(super) rate: ClientRate,
    /// The log of predictions and who looks at it; `None` where nothing is kept.
    pub(super) watch: Option<Arc<Watch>>,
    queue: PredictionQueue,
    is_leaving: AtomicBool,
}

impl Service {
    /// A service that is ready: the model in `slot` has predicted already.
    #[must_use]
    pub fn new(slot: ModelSlot, config: ServeConfig, access: Access) -> Self {
        Self {
            watch: None,
            metrics: Metrics::new(&slot.current()),
            recent: RecentPredictions::default(),
            ids: RequestIds::new(),
            places: Arc::new(Semaphore::new(config.max_requests)),
            uploads: Arc::new(Semaphore::new(config.max_requests)),
            large: Arc::new(Semaphore::new(rayon::current_num_threads().max(2))),
            rate: ClientRate::new(config.rate, config.burst),
            queue: PredictionQueue::new(rayon::current_num_threads()),
            is_leaving: AtomicBool::new(false),
            slot,
            config,
            access,
        }
    }

    /// Keeps what is served, and looks at it.
    #[must_use]
    pub fn with_watch(mut self, watch: Watch) -> Self {
        watch.serves(&self.slot.current());
        self.watch = Some(Arc::new(watch));
        self
    }

    /// Writes what waits to be written; returns how many rows are lost.
    pub async fn close_log(&self, patience: Duration) -> usize {
        match &self.watch {
            Some(watch) => watch.close(patience).await,
            None => 0,
        }
    }

    /// One of `places`.
    ///
    /// # Errors
    /// Where all are taken.
    pub(super) fn place(&self, places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Fault> {
        Arc::clone(places).try_acquire_owned().map_err(|_| {
            let most = self.config.max_requests;
            let message = format!("{most} requests are under way, no more at once");
            let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message);
            fault.hint("come again in a second")
        })
    }

    /// Predicts raw rows in the order of the columns of `model`, and keeps and counts what it said.
    pub(super) async fn predict(
        &self,
        (model, request): (&Arc<ServedModel>, &str),
        rows: RawRows,
    ) -> Result<Vec<Prediction>, Fault> {
        let predictions = self.look(model, &rows).await?;
        self.metrics.predicted(model, &rows.values, &predictions);
        self.recent.add(request, &predictions);
        if let Some(watch) = &self.watch {
            watch.served(model, request, rows, &predictions);
        }
        Ok(predictions)
    }

    /// What `model` says to raw rows; nothing is kept of it.
    pub(super) async fn look(
        &self,
        model: &Arc<ServedModel>,
        rows: &RawRows,
    ) -> Result<Vec<Prediction>, Fault> {
        let predictions = self.queue.predict(Arc::clone(model), rows.values.clone()).await;
        let predictions = predictions.ok_or_else(|| {
            let message = "the prediction broke off; the service goes on";
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
        })?;
        if let Some(row) = predictions.iter().position(|own| !is_sound(own)) {
            let message =
                format!("row {row} is so far from anything known that it has no prediction");
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Fault::new(status, "no_prediction", message).at_row(row));
        }
        Ok(predictions)
    }

    /// Looks for another model; see [`ModelSlot::reload`].
    ///
    /// # Errors
    /// When it cannot be read or is refused.
    pub fn reload(&self, anew: bool) -> Result<bool, ReloadError> {
        let outcome = self.slot.reload(anew);
        match &outcome {
            Ok(true) => self.changed("reloaded"),
            Ok(false) => {}
            Err(error) => self.failed(error),
        }
        outcome
    }

    /// Goes back to the model before; see [`ModelSlot::roll_back`].
    ///
    /// # Errors
    /// When there is none or it cannot be read.
    pub fn roll_back(&self) -> Result<(), ReloadError> {
        let outcome = self.slot.roll_back();
        match &outcome {
            Ok(()) => self.changed("rolled_back"),
            Err(error) => self.failed(error),
        }
        outcome
    }

    fn changed(&self, outcome: &'static str) {
        self.metrics.reloaded(outcome);
        if let Some(watch) = &self.watch {
            watch.serves(&self.slot.current());
        }
        tracing::info!(model = %self.slot.current().version, "{outcome}");
    }

    fn failed(&self, error: &ReloadError) {
        let is_unreadable = matches!(error, ReloadError::Source(_));
        self.metrics.reloaded(if is_unreadable { "unreadable" } else { "refused" });
        tracing::warn!("{error}");
    }

    /// The metrics as text.
    pub(super) fn metrics_text(&self) -> String {
        self.metrics.text(&self.slot.current(), self.queue.waiting(), self.watch.as_deref())
    }

    /// From now on it is not ready: what is under way ends, nothing new should come.
    pub fn leave(&self) {
        self.is_leaving.store(true, Ordering::SeqCst);
    }

    /// Whether new requests should come.
    pub(super) fn is_ready(&self) -> bool {
        !self.is_leaving.load(Ordering::SeqCst)
    }
}
