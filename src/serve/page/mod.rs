//! The page at `/`: enter signals, see the mass. Its script asks the service as any client does.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderName, header},
    response::{Html, IntoResponse},
    routing::get,
};

use super::Service;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The parts of the script.
const SCRIPTS: [(&str, &str); 6] = [
    ("/assets/page.js", include_str!("page.js")),
    ("/assets/service.js", include_str!("service.js")),
    ("/assets/table_text.js", include_str!("table_text.js")),
    ("/assets/charts.js", include_str!("charts.js")),
    ("/assets/result.js", include_str!("result.js")),
    ("/assets/table.js", include_str!("table.js")),
];

/// Nothing from elsewhere is loaded, and nothing in the page runs but its script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and what it loads.
pub(super) fn routes() -> Router<Arc<Service>> {
    let plain = Router::new()
        .route("/", get(page))
        .route("/assets/page.css", get(|| async { asset("text/css; charset=utf-8", STYLE) }));
    SCRIPTS.into_iter().fold(plain, |routes, (path, text)| {
        let script = move || async move { asset("text/javascript; charset=utf-8", text) };
        routes.route(path, get(script))
    })
}

async fn page() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE))
}

fn asset(
    kind: &'static str,
    text: &'static str,
) -> ([(HeaderName, &'static str); 2], &'static str) {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text)
}
