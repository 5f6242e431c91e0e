//! What has become of the model since it serves: drift, live performance, alarms.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use crate::{
    monitor::{MonitorReport, render},
    serve::{Fault, FaultAnswer, Service},
};

/// The page brings its style; nothing else is loaded, and nothing runs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// What is known of the model that answers, as a page.
#[utoipa::path(get, path = "/monitor", tag = "operation", responses(
    (status = 200, body = String, content_type = "text/html"), (status = "4XX", body = FaultAnswer),
    (status = 503, body = FaultAnswer),
), security((), ("key" = [])))]
pub(in crate::serve) async fn page(
    State(service): State<Arc<Service>>,
) -> Result<impl IntoResponse, Fault> {
    let report = known(&service).await?;
    Ok(([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(render(&report))))
}

/// What is known of the model that answers.
#[utoipa::path(get, path = "/monitor.json", tag = "operation", responses(
    (status = 200, body = Object), (status = "4XX", body = FaultAnswer),
    (status = 503, body = FaultAnswer),
), security((), ("key" = [])))]
pub(in crate::serve) async fn report(
    State(service): State<Arc<Service>>,
) -> Result<Response, Fault> {
    Ok(Json(known(&service).await?.as_ref()).into_response())
}

/// What the last look has found; the first one is made now.
async fn known(service: &Service) -> Result<Arc<MonitorReport>, Fault> {
    let Some(watch) = &service.watch else {
        let fault = Fault::new(StatusCode::NOT_FOUND, "no_log", "this service keeps no log");
        return Err(fault.hint("start it without `log.url=none`"));
    };
    let model = service.slot.current();
    let newest = watch.report().filter(|own| own.model.version == model.version);
    if let Some(report) = newest {
        return Ok(report);
    }
    let unreadable = |error: String| Fault::new(StatusCode::SERVICE_UNAVAILABLE, "no_log", error);
    watch.look(&model).await.map_err(|error| unreadable(error.to_string()))?;
    watch.report().ok_or_else(|| unreadable("the log has not been looked at yet".to_owned()))
}
