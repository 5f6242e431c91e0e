//! What is wrong with a request, in the words and the shape of each protocol.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// What is wrong with a request, or why there is no answer now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Fault {
    /// Status of the answer.
    #[serde(skip)]
    #[schema(ignore)]
    pub status: u16,
    /// What kind of fault it is, for programs, e.g. `missing_column`.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The row at fault, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<usize>,
    /// The column at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// A fault as the service's own answers show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FaultAnswer {
    /// The fault.
    pub error: Fault,
    /// Identifies the request in the log of the service.
    pub request_id: String,
}

/// Who is spoken to, which decides the shape of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// The service's own.
    Massay,
    /// `MLflow`'s scoring server.
    Mlflow,
    /// The Open Inference Protocol, version 2.
    OpenInference,
}

impl Protocol {
    /// The protocol of a path.
    pub(super) fn of(path: &str) -> Self {
        match path {
            "/invocations" | "/ping" | "/health" | "/version" => Self::Mlflow,
            _ if path == "/v2" || path.starts_with("/v2/") => Self::OpenInference,
            _ => Self::Massay,
        }
    }
}

impl Fault {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let (status, message) = (status.as_u16(), message.into());
        Self { status, code, message, hint: None, row: None, column: None }
    }

    /// A body that does not say what it should.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", message)
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(super) fn at(self, row: usize, column: &str) -> Self {
        Self { row: Some(row), column: Some(column.to_owned()), ..self }
    }

    pub(super) fn at_row(self, row: usize) -> Self {
        Self { row: Some(row), ..self }
    }

    pub(super) fn of_column(self, column: &str) -> Self {
        Self { column: Some(column.to_owned()), ..self }
    }

    /// The answer in the shape of a protocol.
    pub(super) fn answer(self, protocol: Protocol, request_id: &str) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (comes_again, needs_key) = ([429, 503].contains(&self.status), self.status == 401);
        let mut answer = match protocol {
            Protocol::Massay => {
                let request_id = request_id.to_owned();
                (status, Json(FaultAnswer { error: self, request_id })).into_response()
            }
            Protocol::Mlflow => {
                let code = self.mlflow_code();
                let body = json!({"error_code": code, "message": self.sentence()});
                (status, Json(body)).into_response()
            }
            Protocol::OpenInference => {
                (status, Json(json!({"error": self.sentence()}))).into_response()
            }
        };
        if needs_key {
            answer
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if comes_again {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        answer
    }

    fn mlflow_code(&self) -> &'static str {
        match (self.status, self.code) {
            (_, "missing_column") => "INVALID_PARAMETER_VALUE",
            (401 | 403, _) => "PERMISSION_DENIED",
            (404 | 405, _) => "ENDPOINT_NOT_FOUND",
            (429, _) => "REQUEST_LIMIT_EXCEEDED",
            (500, _) => "INTERNAL_ERROR",
            (503, _) => "TEMPORARILY_UNAVAILABLE",
            _ => "BAD_REQUEST",
        }
    }

    /// Message and hint in one.
    fn sentence(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{} (hint: {hint})", self.message),
            None => self.message.clone(),
        }
    }
}

/// The shape of the answer is known further out, where the path is.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
