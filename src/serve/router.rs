//! Which path leads where.

use std::{any::Any, sync::Arc};

use axum::{
    Router,
    http::StatusCode,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{
    Description, Fault, Service,
    gate::gate,
    page,
    protocols::{
        administration, explain, feedback, invocations, monitoring, open_inference, predict, state,
    },
};

/// Every path of the service, with the gate before it.
pub fn router(service: Arc<Service>) -> Router {
    let description = Description::of(&service);
    // Its usual layout shows a badge that asks a validator elsewhere.
    let plain = Config::default().use_base_layout().validator_url("none");
    let documents = SwaggerUi::new("/docs").url("/openapi.json", description).config(plain);
    Router::new()
        .route("/predict", post(predict::predict))
        .route("/explain", post(explain::explain))
        .route("/feedback", post(feedback::feedback))
        .route("/model", get(state::model))
        .route("/live", get(state::live))
        .route("/ready", get(state::ready))
        .route("/metrics", get(state::metrics))
        .route("/monitor", get(monitoring::page))
        .route("/monitor.json", get(monitoring::report))
        .route("/admin/reload", post(administration::reload))
        .route("/admin/rollback", post(administration::rollback))
        .merge(mlflow())
        .nest("/v2", open_inference())
        .route("/v2/", get(open_inference::server))
        .merge(page::routes())
        .merge(documents)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(&service), gate))
        .with_state(service)
}

fn mlflow() -> Router<Arc<Service>> {
    Router::new()
        .route("/invocations", post(invocations::invocations))
        .route("/ping", get(state::ping))
        .route("/health", get(state::health))
        .route("/version", get(state::version))
}

fn open_inference() -> Router<Arc<Service>> {
    Router::new()
        .route("/", get(open_inference::server))
        .route("/health/live", get(open_inference::live))
        .route("/health/ready", get(open_inference::ready))
        .route("/models/{model}", get(open_inference::model))
        .route("/models/{model}/ready", get(open_inference::model_ready))
        .route("/models/{model}/infer", post(open_inference::infer))
        .route("/models/{model}/versions/{version}", get(open_inference::version))
        .route("/models/{model}/versions/{version}/ready", get(open_inference::version_ready))
        .route("/models/{model}/versions/{version}/infer", post(open_inference::infer_version))
}

async fn unknown_path() -> Fault {
    Fault::new(StatusCode::NOT_FOUND, "unknown_path", "there is nothing at this path")
        .hint("GET /docs shows every path")
}

async fn wrong_method() -> Fault {
    let message = "this path does not take this method";
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message)
        .hint("GET /docs shows every path with its methods")
}

/// The answer where a handler panicked: one request fails, the service goes on.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    let message = "the service has a fault of its own here; it goes on";
    Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message).into_response()
}
