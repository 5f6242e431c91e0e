//! Changes of the model, for whoever has the token.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::{Fault, FaultAnswer, ReloadError, Service};

/// The model that answers after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::serve) struct Change {
    /// Whether another model answers than before.
    pub changed: bool,
    /// The model that answers now.
    pub model_version: String,
}

/// Look for a new model now.
///
/// It predicts known rows before it answers; where it cannot, or asks for other columns, the present one goes
/// on.
#[utoipa::path(post, path = "/admin/reload", tag = "operation", responses(
    (status = 200, body = Change), (status = "4XX", body = FaultAnswer),
    (status = 503, body = FaultAnswer),
), security(("admin" = [])))]
pub(in crate::serve) async fn reload(
    State(service): State<Arc<Service>>,
) -> Result<Json<Change>, Fault> {
    let own = Arc::clone(&service);
    changed(&service, move || own.reload(true)).await
}

/// Let the model before this one answer again.
///
/// Where a registry says which model answers, its champion moves back too.
#[utoipa::path(post, path = "/admin/rollback", tag = "operation", responses(
    (status = 200, body = Change), (status = "4XX", body = FaultAnswer),
    (status = 503, body = FaultAnswer),
), security(("admin" = [])))]
pub(in crate::serve) async fn rollback(
    State(service): State<Arc<Service>>,
) -> Result<Json<Change>, Fault> {
    let own = Arc::clone(&service);
    changed(&service, move || own.roll_back().map(|()| true)).await
}

async fn changed(
    service: &Service,
    change: impl FnOnce() -> Result<bool, ReloadError> + Send + 'static,
) -> Result<Json<Change>, Fault> {
    let outcome = tokio::task::spawn_blocking(change).await.map_err(|_| {
        let message = "the change broke off; the present model goes on";
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    })?;
    let changed = outcome.map_err(|error| {
        let (status, code) = match &error {
            ReloadError::Source(_) => (StatusCode::SERVICE_UNAVAILABLE, "no_model"),
            ReloadError::Refused { .. } => (StatusCode::CONFLICT, "model_refused"),
            ReloadError::NoFormer(_) => (StatusCode::CONFLICT, "no_former_model"),
        };
        Fault::new(status, code, error.to_string())
    })?;
    let model_version = service.slot.current().version.clone();
    Ok(Json(Change { changed, model_version }))
}
