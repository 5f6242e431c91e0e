//! What Prometheus is told.

use std::{
    sync::{Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::model::Prediction;

use super::{InputWindow, ServedModel, Watch, recent::Remembered, watch_metrics::WatchMetrics};

pub(super) type Labels = Vec<(&'static str, String)>;
pub(super) type FloatGauge = Gauge<f64, AtomicU64>;

/// Upper bounds of request durations, seconds.
const DURATIONS: [f64; 12] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Errors beyond it are no measurements.
const LARGEST_ERROR: f64 = 1e100;

/// Parts that the training's predictions are cut into for the histogram of predictions.
const PREDICTION_BINS: usize = 10;

/// Counts and sizes of everything that the service does.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    durations: Family<Labels, Histogram>,
    rows: Counter,
    predictions: Histogram,
    out_of_domain: Counter,
    at_fault: Family<Labels, Counter>,
    feedback: Counter,
    corrections: Counter,
    covered: Counter,
    absolute_error: FloatSum,
    reloads: Family<Labels, Counter>,
    model: Family<Labels, Gauge>,
    in_flight: Gauge,
    waiting: Gauge,
    input_mean: Family<Labels, FloatGauge>,
    input_shift: Family<Labels, FloatGauge>,
    prediction_shift: FloatGauge,
    watched: WatchMetrics,
    window: Mutex<(String, InputWindow)>,
}

/// A sum of numbers.
type FloatSum = Counter<f64, AtomicU64>;

fn duration_histogram() -> Histogram {
    Histogram::new(DURATIONS)
}

impl Metrics {
    /// Nothing counted yet; the bins of predictions follow the training of `model`.
    pub(super) fn new(model: &ServedModel) -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("massay"),
            requests: Family::default(),
            durations: Family::new_with_constructor(duration_histogram),
            rows: Counter::default(),
            predictions: Histogram::new(prediction_bins(&model.reference.predictions)),
            out_of_domain: Counter::default(),
            at_fault: Family::default(),
            feedback: Counter::default(),
            corrections: Counter::default(),
            covered: Counter::default(),
            absolute_error: FloatSum::default(),
            reloads: Family::default(),
            model: Family::default(),
            in_flight: Gauge::default(),
            waiting: Gauge::default(),
            input_mean: Family::default(),
            input_shift: Family::default(),
            prediction_shift: FloatGauge::default(),
            watched: WatchMetrics::default(),
            window: Mutex::new((model.version.clone(), InputWindow::new(&model.reference))),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let own = &mut self.registry;
        own.register("requests", "Requests by route and status", self.requests.clone());
        own.register_with_unit(
            "request_duration",
            "Time from the head of a request to its answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        own.register("rows", "Rows that were predicted", self.rows.clone());
        own.register(
            "predictions",
            "Predictions in the target's unit; bounds are deciles of the training's out-of-fold predictions",
            self.predictions.clone(),
        );
        own.register(
            "out_of_domain_rows",
            "Rows unlike the training data",
            self.out_of_domain.clone(),
        );
        own.register(
            "columns_at_fault",
            "Rows unlike the training data, by column at fault",
            self.at_fault.clone(),
        );
        own.register("feedback_rows", "Rows whose true value came back", self.feedback.clone());
        own.register(
            "feedback_corrections",
            "True values that came for a row which had one",
            self.corrections.clone(),
        );
        own.register(
            "feedback_covered_rows",
            "Of those, true values within their interval",
            self.covered.clone(),
        );
        own.register(
            "feedback_absolute_error",
            "Sum of their absolute errors, in the target's unit",
            self.absolute_error.clone(),
        );
        own.register("reloads", "Changes of the model by outcome", self.reloads.clone());
        own.register("model_info", "1 for the model that answers", self.model.clone());
        own.register("requests_in_flight", "Requests under way", self.in_flight.clone());
        own.register("requests_waiting", "Requests that wait for a thread", self.waiting.clone());
        own.register("input_mean", "Mean of the newest rows, by column", self.input_mean.clone());
        own.register(
            "input_shift",
            "Mean of the newest rows minus that of the training, in standard deviations of the training, by column",
            self.input_shift.clone(),
        );
        own.register(
            "prediction_shift",
            "Mean of the newest predictions minus that of the training's, in its standard deviations",
            self.prediction_shift.clone(),
        );
        self.watched.register(own);
        self
    }

    /// A request was answered.
    pub(super) fn answered(&self, route: &str, status: u16, duration: Duration) {
        let route = ("route", route.to_owned());
        let labels = vec![route.clone(), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&vec![route]).observe(duration.as_secs_f64());
    }

    /// Rows were predicted.
    pub(super) fn predicted(&self, model: &ServedModel, rows: &[f64], predictions: &[Prediction]) {
        self.rows.inc_by(predictions.len() as u64);
        for prediction in predictions {
            self.predictions.observe(prediction.value);
            if prediction.is_out_of_domain() {
                self.out_of_domain.inc();
            }
            for column in &prediction.columns_at_fault {
                let labels = vec![("column", model.columns()[*column].clone())];
                self.at_fault.get_or_create(&labels).inc();
            }
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.0 != model.version {
            *window = (model.version.clone(), InputWindow::new(&model.reference));
        }
        let rows = rows.chunks_exact(model.columns().len());
        for (row, prediction) in rows.zip(predictions) {
            window.1.add(row, prediction.value);
        }
    }

    /// The true value of a predicted row came back; where it corrects an earlier one, the row keeps counting by that.
    pub(super) fn learnt(&self, predicted: &Remembered, truth: f64) {
        if predicted.has_truth {
            self.corrections.inc();
            return;
        }
        self.feedback.inc();
        if predicted.lower <= truth && truth <= predicted.upper {
            self.covered.inc();
        }
        let error = (truth - predicted.value).abs();
        // A sum that has run over would stay so.
        if error < LARGEST_ERROR {
            self.absolute_error.inc_by(error);
        }
    }

    /// A change of the model was tried.
    pub(super) fn reloaded(&self, outcome: &'static str) {
        self.reloads.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    }

    pub(super) fn began(&self) {
        self.in_flight.inc();
    }

    pub(super) fn ended(&self) {
        self.in_flight.dec();
    }

    /// Everything in the text format of `OpenMetrics`.
    pub(super) fn text(
        &self,
        model: &ServedModel,
        waiting: usize,
        watch: Option<&Watch>,
    ) -> String {
        let own = &model.identity;
        let labels = [
            ("model", &own.model),
            ("run", &own.run),
            ("run_id", &own.run_id),
            ("checksum", &own.checksum),
        ];
        self.model.clear();
        let labels = labels.map(|(name, value)| (name, value.clone())).to_vec();
        self.model.get_or_create(&labels).set(1);
        self.waiting.set(waiting as i64);
        self.set_inputs(model);
        if let Some(watch) = watch {
            self.watched.set(watch);
        }
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    fn set_inputs(&self, model: &ServedModel) {
        let window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.0 != model.version || window.1.is_empty() {
            return;
        }
        for (place, column) in model.columns().iter().enumerate() {
            let labels = vec![("column", column.clone())];
            self.input_mean.get_or_create(&labels).set(window.1.mean(place));
            self.input_shift.get_or_create(&labels).set(window.1.shift(place));
        }
        self.prediction_shift.set(window.1.prediction_shift());
    }
}

/// Bounds between the deciles of the training's predictions, without those that coincide.
fn prediction_bins(predictions: &[f64]) -> Vec<f64> {
    let mut sorted = predictions.to_vec();
    sorted.sort_by(f64::total_cmp);
    let decile = |bin: usize| sorted.get(bin * sorted.len().saturating_sub(1) / PREDICTION_BINS);
    let mut bins: Vec<f64> = (0..=PREDICTION_BINS).filter_map(decile).copied().collect();
    bins.dedup();
    bins
}
