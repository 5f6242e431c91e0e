//! What the service is and how it does: probes, metrics, the model.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::{FaultAnswer, ModelIdentity, ServedModel, Service};

/// The model that answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct ModelCard {
    /// Which model it is.
    #[serde(flatten)]
    pub identity: ModelIdentity,
    /// What answers name it by.
    pub version: String,
    /// Name of the target.
    pub target: String,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// Share of true values that intervals should contain.
    pub level: f64,
    /// The columns that rows need, each with the training's values.
    pub columns: Vec<ColumnCard>,
    /// Scores on held-out rows, as in the model's report.
    #[schema(value_type = Object)]
    pub scores: serde_json::Value,
    /// Targets of (a sample of) the training rows, sorted.
    pub training_targets: Vec<f64>,
}

/// A column that rows need.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct ColumnCard {
    /// Its name.
    pub name: String,
    /// Smallest value in (a sample of) the training rows.
    pub minimum: Option<f64>,
    /// Median there.
    pub median: Option<f64>,
    /// Largest value there.
    pub maximum: Option<f64>,
}

/// The model that answers.
#[utoipa::path(get, path = "/model", tag = "massay", responses(
    (status = 200, body = ModelCard), (status = "4XX", body = FaultAnswer),
), security((), ("key" = [])))]
pub(in crate::serve) async fn model(State(service): State<Arc<Service>>) -> Json<ModelCard> {
    Json(card(&service.slot.current()))
}

fn card(model: &ServedModel) -> ModelCard {
    let column = |(place, name): (usize, &String)| {
        let values = sorted(model.reference.column(place).filter(|value| !value.is_nan()));
        ColumnCard {
            name: name.clone(),
            minimum: values.first().copied(),
            median: values.get(values.len() / 2).copied(),
            maximum: values.last().copied(),
        }
    };
    ModelCard {
        identity: model.identity.clone(),
        version: model.version.clone(),
        target: model.schema.target.clone(),
        unit: model.schema.unit.clone(),
        level: model.level,
        columns: model.columns().iter().enumerate().map(column).collect(),
        scores: model.scores.clone(),
        training_targets: sorted(model.reference.targets.iter().copied()),
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Metrics for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text"),
    (status = "4XX", body = FaultAnswer),
), security((), ("key" = [])))]
pub(in crate::serve) async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], service.metrics_text()).into_response()
}

/// Whether the process runs.
#[utoipa::path(get, path = "/live", tag = "operation", responses((status = 200, body = String)))]
pub(in crate::serve) async fn live() -> &'static str {
    "live\n"
}

/// Whether requests should come: a model has predicted, and the service is not stopping.
#[utoipa::path(get, path = "/ready", tag = "operation", responses(
    (status = 200, body = String), (status = 503, body = String),
))]
pub(in crate::serve) async fn ready(
    State(service): State<Arc<Service>>,
) -> (StatusCode, &'static str) {
    if service.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    }
}

/// As MLflow's scoring server answers while it is well.
#[utoipa::path(get, path = "/ping", tag = "MLflow", responses((status = 200, body = String)))]
pub(in crate::serve) async fn ping() -> &'static str {
    "\n"
}

/// As MLflow's scoring server answers while it is well.
#[utoipa::path(get, path = "/health", tag = "MLflow", responses((status = 200, body = String)))]
pub(in crate::serve) async fn health() -> &'static str {
    "\n"
}

/// The version of massay.
#[utoipa::path(get, path = "/version", tag = "MLflow", responses((status = 200, body = String)))]
pub(in crate::serve) async fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
