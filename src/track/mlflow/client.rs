//! HTTP with an MLflow server, and what its errors mean.

use std::{fs::File, path::Path, time::Duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use ureq::{
    Agent, Body, RequestBuilder,
    http::Response,
    tls::{RootCerts, TlsConfig},
};

use super::{Address, TrackError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(10);

/// The slowest line that a file may take, bytes per second.
const SLOWEST: u64 = 200_000;

/// Longest time for a file from the server, and the largest, bytes.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_mins(10);
const LARGEST_FILE: u64 = 8 << 30;

/// Statuses after which trying again may help, as in MLflow's own clients.
const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];

/// Talks to one server.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    address: Address,
}

/// What a request asks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask<'a> {
    Get(&'a [(&'a str, &'a str)]),
    Post(&'a Value),
    Patch(&'a Value),
    Delete(&'a Value),
}

/// What a file is sent from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'a> {
    Bytes(&'a [u8]),
    File(&'a Path),
}

impl Client {
    pub(super) fn new(address: Address) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .disable_verification(address.insecure)
            .build();
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .user_agent(concat!("massay/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls);
        Self { agent: config.build().into(), address }
    }

    /// The server, as it is shown.
    pub(super) fn server(&self) -> &str {
        &self.address.base
    }

    /// Calls `path` below `/api/2.0/mlflow/`.
    pub(super) fn call(&self, path: &str, ask: Ask<'_>) -> Result<Value, TrackError> {
        let url = format!("{}/api/2.0/mlflow/{path}", self.address.base);
        let answer = match ask {
            Ask::Get(query) => {
                self.signed(self.agent.get(&url)).query_pairs(query.iter().copied()).call()
            }
            Ask::Post(body) => self.signed(self.agent.post(&url)).send_json(body),
            Ask::Patch(body) => self.signed(self.agent.patch(&url)).send_json(body),
            Ask::Delete(body) => {
                self.signed(self.agent.delete(&url)).force_send_body().send_json(body)
            }
        };
        self.json(answer)
    }

    /// The URL of a file below the server's artifacts.
    fn artifact_url(&self, path: &str) -> String {
        let segments: Vec<String> = path.split('/').map(encoded).collect();
        let base = &self.address.base;
        format!("{base}/api/2.0/mlflow-artifacts/artifacts/{}", segments.join("/"))
    }

    /// Gets a file from below the server's artifacts.
    pub(super) fn get(&self, path: &str) -> Result<Vec<u8>, TrackError> {
        let request = self.signed(self.agent.get(self.artifact_url(path)));
        let answer = request.config().timeout_global(Some(DOWNLOAD_TIMEOUT)).build().call();
        let mut answer = answer.map_err(|error| self.unreachable(&error))?;
        if answer.status().as_u16() >= 300 {
            // What is no success is an error there.
            return self.json(Ok(answer)).map(|_| Vec::new());
        }
        let bytes = answer.body_mut().with_config().limit(LARGEST_FILE).read_to_vec();
        bytes.map_err(|error| self.unreachable(&error))
    }

    /// What is said where a version of a model has no checkpoint.
    pub(super) fn no_checkpoint(&self, model: &str, version: &str) -> TrackError {
        TrackError::Refused {
            server: self.address.base.clone(),
            code: "no checkpoint".to_owned(),
            message: format!("version {version} of `{model}` has no checkpoint of massay's"),
            hint: "push its run again: `massay track push NAME`".to_owned(),
            passes: false,
        }
    }

    /// Puts a file below the server's artifacts.
    pub(super) fn put(&self, path: &str, content: Content<'_>) -> Result<(), TrackError> {
        let url = self.artifact_url(path);
        let time = |bytes: u64| Some(TIMEOUT + Duration::from_secs(bytes / SLOWEST));
        let request = self.signed(self.agent.put(&url)).content_type("application/octet-stream");
        let answer = match content {
            Content::Bytes(bytes) => {
                request.config().timeout_global(time(bytes.len() as u64)).build().send(bytes)
            }
            Content::File(path) => {
                let cannot = |source| TrackError::File { path: path.to_owned(), source };
                let file = File::open(path).map_err(cannot)?;
                let length = file.metadata().map_err(cannot)?.len();
                request.config().timeout_global(time(length)).build().send(file)
            }
        };
        self.json(answer).map(drop)
    }

    fn signed<T>(&self, request: RequestBuilder<T>) -> RequestBuilder<T> {
        match self.address.authorization() {
            Some(value) => request.header("Authorization", value),
            None => request,
        }
    }

    fn json(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Value, TrackError> {
        let mut answer = answer.map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().map_err(|error| self.unreachable(&error))?;
        let value: Option<Value> = serde_json::from_str(&text).ok();
        match value {
            Some(value) if status < 300 => Ok(value),
            // A file that was put is answered with nothing.
            None if status < 300 && text.trim().is_empty() => Ok(Value::Null),
            value => Err(self.refused(status, &value.unwrap_or_default(), &text)),
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> TrackError {
        let reason = match error {
            ureq::Error::Timeout(_) => "it does not answer in time".to_owned(),
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            other => format!("it cannot be reached: {other}"),
        };
        let hint = "check that the server runs and that the address is right".to_owned();
        TrackError::Unreachable { server: self.address.base.clone(), reason, hint }
    }

    fn refused(&self, status: u16, value: &Value, text: &str) -> TrackError {
        let said = value["message"].as_str().map_or_else(
            || text.lines().next().unwrap_or_default().to_owned(),
            // The first line says what; below it stand database statements.
            |message| message.lines().next().unwrap_or_default().to_owned(),
        );
        let is_page = text.trim_start().starts_with('<');
        let (message, hint) = match status {
            401 => ("it does not let you in".to_owned(), self.address.credentials_hint()),
            403 if said.contains("Host header") => {
                (said, "start the server with `--allowed-hosts` and the host in this address")
            }
            403 => ("you may not do this".to_owned(), self.address.credentials_hint()),
            _ if is_page => {
                ("it answers with a page, not with JSON".to_owned(), "is this an MLflow server?")
            }
            _ => (said, hint_of(value)),
        };
        TrackError::Refused {
            server: self.address.base.clone(),
            code: value["error_code"].as_str().map_or(format!("HTTP {status}"), str::to_owned),
            message,
            hint: hint.to_owned(),
            passes: PASSING.contains(&status),
        }
    }
}

/// What to do about an error that MLflow names.
fn hint_of(value: &Value) -> &'static str {
    let message = value["message"].as_str().unwrap_or_default();
    match value["error_code"].as_str().unwrap_or_default() {
        "PERMISSION_DENIED" => "ask whoever runs the server for the permission",
        _ if message.contains("artifact") => "start the server with `--artifacts-destination`",
        _ => "see the log of the server",
    }
}

/// What has no meaning in a segment of a path (RFC 3986, unreserved).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(segment: &str) -> String {
    utf8_percent_encode(segment, PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(uri: &str) -> Client {
        Client::new(Address::parse(uri, |_| None).unwrap())
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        let client = client("http://host:5000");
        let text = |status: u16, body: &str| {
            let value = serde_json::from_str(body).unwrap_or_default();
            client.refused(status, &value, body).to_string()
        };
        assert!(text(401, "not authenticated").contains("MLFLOW_TRACKING_TOKEN"));
        let host = "Invalid Host header - possible DNS rebinding attack detected";
        assert!(text(403, host).contains("--allowed-hosts"));
        assert!(text(404, "<!doctype html>").contains("is this an MLflow server?"));
        let named = r#"{"error_code": "RESOURCE_ALREADY_EXISTS", "message": "it is\nSQL"}"#;
        let said = text(400, named);
        assert!(
            said.contains("it is (RESOURCE_ALREADY_EXISTS)") && !said.contains("SQL"),
            "{said}"
        );
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let client = client("http://host:5000");
        for (status, passes) in [(500, true), (503, true), (429, true), (400, false), (401, false)]
        {
            let error = client.refused(status, &Value::Null, "");
            assert_eq!(error.is_passing(), passes, "{status}");
        }
    }

    #[test]
    fn segments_keep_no_sign_with_a_meaning() {
        assert_eq!(encoded("a b?#%é/"), "a%20b%3F%23%25%C3%A9%2F");
    }

    #[test]
    fn nobody_listening_is_said_at_once() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let client = client(&format!("http://{free}"));
        let error = client.call("experiments/search", Ask::Get(&[])).unwrap_err();
        assert!(!error.is_passing() && error.to_string().contains("cannot be reached"), "{error}");
    }
}
