//! What every request passes on its way in and its answer on the way out.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use super::{
    Fault, Service,
    fault::Protocol,
    request_id::{HEADER, RequestId},
};

/// The address at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Headers of every answer.
const SAFETY: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Names the request, lets it in or not, ends it in time, gives faults the shape of their protocol, counts
/// and logs.
pub(super) async fn gate(
    State(service): State<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = service.ids.of(request.headers());
    let path = request.uri().path().to_owned();
    if Protocol::of(&path) == Protocol::OpenInference {
        // Triton's client does not say what it sends.
        let kind = request.headers_mut().entry(header::CONTENT_TYPE);
        kind.or_insert(HeaderValue::from_static("application/json"));
    }
    let route = request.extensions().get::<MatchedPath>().map(|own| own.as_str().to_owned());
    let client = client_of(&service, &request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let under_way = UnderWay::of(&service);
    let mut response = match admit(&service, &path, client, &request) {
        Ok(_place) => answered(&service, request, next).await,
        Err(fault) => fault.into_response(),
    };
    drop(under_way);
    let fault = response.extensions_mut().remove::<Fault>().or_else(|| foreign(&response));
    let (status, took) = (response.status().as_u16(), began.elapsed());
    log(&id, &path, client, (status, took), fault.as_ref());
    service.metrics.answered(route.as_deref().unwrap_or("unknown"), status, took);
    if let Some(fault) = fault {
        response = fault.answer(Protocol::of(&path), &id);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HEADER, id);
    }
    headers.extend(SAFETY);
    response
}

/// The fault behind a refusal that is not of this service's words, such as a path that is not UTF-8.
fn foreign(response: &Response) -> Option<Fault> {
    let status = response.status();
    let what = if status == StatusCode::NOT_FOUND {
        "there is nothing at this path"
    } else {
        "the request cannot be read"
    };
    status.is_client_error().then(|| Fault::new(status, "malformed", what))
}

async fn answered(service: &Service, request: Request, next: Next) -> Response {
    let limit = service.config.timeout;
    timeout(Duration::from_secs_f64(limit), next.run(request)).await.unwrap_or_else(|_| {
        let message = format!("the request took longer than {limit} s, its upload included");
        let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, "timed_out", message);
        fault.hint("send fewer rows at once, or over a faster connection").into_response()
    })
}

/// Lets a request in: its client has a key, does not ask too often, and there is a place.
fn admit(
    service: &Service,
    path: &str,
    client: IpAddr,
    request: &Request,
) -> Result<Option<OwnedSemaphorePermit>, Fault> {
    let headers = request.headers();
    if is_open(path) {
        return Ok(None);
    }
    // Who watches the service must see it when it is full, too.
    if path == "/metrics" {
        service.access.check_client(headers)?;
        return Ok(None);
    }
    service.rate.check(client)?;
    if path.starts_with("/admin/") {
        service.access.check_admin(headers)?;
        return Ok(None);
    }
    service.access.check_client(headers)?;
    // One with a body has its place once that is there.
    let has_body = request.method() == Method::POST;
    if has_body { Ok(None) } else { service.place(&service.places).map(Some) }
}

/// Whether a path needs no key: probes, the page and the description.
fn is_open(path: &str) -> bool {
    matches!(path, "/" | "/ping" | "/health" | "/version" | "/live" | "/ready" | "/openapi.json")
        || ["/assets/", "/docs", "/v2/health/"].iter().any(|prefix| path.starts_with(prefix))
}

/// The address of the client: the one that a trusted proxy names, else the one at the other end.
fn client_of(service: &Service, request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    let mut client =
        peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip().to_canonical());
    let proxies = &service.config.trusted_proxies;
    // Each proxy appends who asked it: from the end, the first that is no proxy of ours is the client.
    let forwarded = request.headers().get_all("x-forwarded-for").iter();
    let named: Vec<&str> =
        forwarded.filter_map(|value| value.to_str().ok()).flat_map(|own| own.split(',')).collect();
    for name in named.iter().rev() {
        match address(name.trim()) {
            Some(next) if proxies.iter().any(|proxy| proxy.has(client)) => {
                client = next.to_canonical();
            }
            _ => break,
        }
    }
    client
}

/// An address as proxies write it: some with a port, and those of version 6 in brackets then.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().map(|own| own.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse().or_else(|_| with_port()).ok().or_else(in_brackets)
}

fn log(
    id: &str,
    path: &str,
    client: IpAddr,
    (status, took): (u16, Duration),
    fault: Option<&Fault>,
) {
    let ms = took.as_secs_f64() * 1e3;
    match fault {
        Some(fault) if status >= 500 => {
            tracing::error!(request_id = id, %client, path, status, ms, fault = fault.message);
        }
        Some(fault) => {
            tracing::info!(request_id = id, %client, path, status, ms, fault = fault.message);
        }
        None => tracing::debug!(request_id = id, %client, path, status, ms),
    }
}

/// Counts a request as under way until it is dropped, also where the client goes away.
struct UnderWay<'a>(&'a Service);

impl<'a> UnderWay<'a> {
    fn of(service: &'a Service) -> Self {
        service.metrics.began();
        Self(service)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.metrics.ended();
    }
}
