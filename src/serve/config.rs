//! How the service listens and what it refuses.

use serde::{Deserialize, Serialize};

use super::Proxy;

/// How the service listens and what it refuses; none of it changes an answer.
///
/// | name | default | effect |
/// |---|---|---|
/// | `address` | `127.0.0.1:8000` | address and port; `0.0.0.0:8000` lets other machines in |
/// | `max_body` | 8388608 | largest body of a request, bytes |
/// | `max_rows` | 20000 | most rows of a request |
/// | `max_requests` | 256 | most requests at once; more are asked to come again |
/// | `max_connections` | 2048 | most open connections; more wait |
/// | `timeout` | 30 | longest time for a request and its answer, seconds |
/// | `keep_alive` | 75 | seconds for which a connection without a request stays open, and longest time for the head of one |
/// | `rate` | 0 | requests per second and client; 0: no limit |
/// | `burst` | 50 | requests that a client may be ahead of its rate |
/// | `trusted_proxies` | none | addresses or networks of proxies whose `X-Forwarded-For` names the client |
/// | `reload` | 5 | seconds between looks for a new champion; 0: only `POST /admin/reload` |
/// | `notice` | 0 | seconds after the signal to stop in which requests are still taken and `/ready` says no |
/// | `drain` | 30 | longest time that requests may take after that, seconds |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServeConfig {
    /// Address and port.
    pub address: String,
    /// Largest body, bytes.
    pub max_body: usize,
    /// Most rows of a request.
    pub max_rows: usize,
    /// Most requests at once.
    pub max_requests: usize,
    /// Most open connections.
    pub max_connections: usize,
    /// Longest time for a request, seconds.
    pub timeout: f64,
    /// Seconds for which a connection without a request stays open.
    pub keep_alive: f64,
    /// Requests per second and client; 0: no limit.
    pub rate: u32,
    /// Requests that a client may be ahead of its rate.
    pub burst: u32,
    /// Proxies that name the client.
    pub trusted_proxies: Vec<Proxy>,
    /// Seconds between looks for a new model; 0: none.
    pub reload: f64,
    /// Seconds in which requests are still taken after the signal to stop.
    pub notice: f64,
    /// Longest time for what is under way when the service stops, seconds.
    pub drain: f64,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:8000".to_owned(),
            max_body: 8 << 20,
            max_rows: 20_000,
            max_requests: 256,
            max_connections: 2048,
            timeout: 30.0,
            keep_alive: 75.0,
            rate: 0,
            burst: 50,
            trusted_proxies: Vec::new(),
            reload: 5.0,
            notice: 0.0,
            drain: 30.0,
        }
    }
}
