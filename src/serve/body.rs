//! The body of a request.

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::LengthLimitError;
use std::{error::Error, sync::Arc};
use tokio::{sync::OwnedSemaphorePermit, task::block_in_place};

use super::{Fault, Service, request_id::RequestId};

/// A whole body, no longer than allowed, with the kind that its sender says it is.
pub(super) struct WholeBody {
    pub(super) bytes: Bytes,
    pub(super) kind: ContentKind,
    pub(super) request_id: String,
    /// The place of the request among those under way, and that of a large body, until it is answered.
    _places: [Option<OwnedSemaphorePermit>; 2],
}

/// Bodies beyond it, in bytes, are large: only so many are held at once, and reading them must not keep other
/// requests waiting.
const LARGE: usize = 256 << 10;

/// How many times the values of the most rows a body may have: room for columns that the model does not know.
const SPARE_VALUES: usize = 4;

/// Lists and objects that a body may have beside those of its rows.
const SPARE_NESTED: usize = 1_000;

/// What a body is, by its `Content-Type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ContentKind {
    Json,
    Csv,
    /// Anything else; empty where nothing is said.
    Other(String),
}

impl ContentKind {
    fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let value = value.unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Self::Json,
            other if other.starts_with("application/") && other.ends_with("+json") => Self::Json,
            "text/csv" => Self::Csv,
            _ => Self::Other(value.to_owned()),
        }
    }

    /// What is said of a kind that a path does not take.
    pub(super) fn refused(&self, expected: &str) -> Fault {
        let found = match self {
            Self::Json => "`application/json`".to_owned(),
            Self::Csv => "`text/csv`".to_owned(),
            Self::Other(kind) if kind.is_empty() => "nothing".to_owned(),
            Self::Other(kind) => format!("`{kind}`"),
        };
        let message = format!("the Content-Type is {found}, expected {expected}");
        Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message)
    }
}

impl WholeBody {
    /// The body, which must be JSON.
    pub(super) fn json(&self) -> Result<serde_json::Value, Fault> {
        match &self.kind {
            ContentKind::Json => super::rows::json(&self.bytes),
            other => Err(other.refused("`application/json`")),
        }
    }

    /// Makes something of the body; of a large one, off the threads that answer other requests.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Self) -> T) -> T {
        if self.bytes.len() > LARGE { block_in_place(|| read(self)) } else { read(self) }
    }
}

impl FromRequest<Arc<Service>> for WholeBody {
    type Rejection = Fault;

    async fn from_request(request: Request, service: &Arc<Service>) -> Result<Self, Fault> {
        let most = service.config.max_body;
        let kind = ContentKind::of(request.headers());
        let id = request.extensions().get::<RequestId>();
        let request_id = id.map_or_else(String::new, |id| id.0.clone());
        refuse_foreign_encoding(request.headers())?;
        let body = request.into_body();
        // Who sends drop by drop keeps no place of those who have said what they want; of bodies that may become large
        // only so many are taken in at once.
        let is_small = body.size_hint().upper().is_some_and(|most| most <= LARGE as u64);
        let uploading = if is_small { None } else { Some(service.place(&service.uploads)?) };
        let bytes = whole(body, most).await?;
        drop(uploading);
        let place = service.place(&service.places)?;
        let columns = service.slot.current().columns().len();
        refuse_many_values(&bytes, &kind, service.config.max_rows, columns)?;
        let large = if bytes.len() > LARGE {
            // The semaphore is never closed.
            Arc::clone(&service.large).acquire_owned().await.ok()
        } else {
            None
        };
        Ok(Self { bytes, kind, request_id, _places: [Some(place), large] })
    }
}

/// Refuses a body of far more values, or of far more lists and objects, than its rows may have: read, each takes many
/// times its text.
fn refuse_many_values(
    bytes: &[u8],
    kind: &ContentKind,
    rows: usize,
    columns: usize,
) -> Result<(), Fault> {
    let (mut values, mut nested) = (0, 0);
    for byte in bytes {
        values += usize::from(matches!(byte, b',' | b'[' | b'{'));
        nested += usize::from(matches!(byte, b'[' | b'{'));
    }
    // A tensor for each column is an object with a few lists.
    let most = [SPARE_VALUES * rows * (columns + 2), 2 * rows + 8 * columns + SPARE_NESTED];
    let is_nested = *kind == ContentKind::Json && nested > most[1];
    let (what, most) = match (values > most[0], is_nested) {
        (true, _) => ("values", most[0]),
        (_, true) => ("lists and objects", most[1]),
        _ => return Ok(()),
    };
    let message = format!("the body has more than {most} {what}");
    let fault = Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message);
    Err(fault.hint("send it in several requests, or raise `serve.max_rows`"))
}

async fn whole(body: Body, most: usize) -> Result<Bytes, Fault> {
    let too_large = || {
        let message = format!("the body is longer than {most} bytes");
        let fault = Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message);
        fault.hint("send it in several requests, or raise `serve.max_body`")
    };
    // Before anything of it is read: who asks first (`Expect: 100-continue`) is not told to go on.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    to_bytes(body, most).await.map_err(|error| {
        if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) {
            return too_large();
        }
        Fault::malformed(format!("the body broke off: {error}"))
    })
}

fn refuse_foreign_encoding(headers: &HeaderMap) -> Result<(), Fault> {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    match encoding {
        None => Ok(()),
        Some(own) if own.eq_ignore_ascii_case("identity") => Ok(()),
        Some(other) => {
            let message = format!("the Content-Encoding is `{other}`, expected none");
            Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_encoding", message))
        }
    }
}
