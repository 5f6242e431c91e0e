//! The prediction service: protocols, the model that answers and its replacement, limits, metrics, the page.
//!
//! Invariant: everything but `server` works without a socket, and every answer comes from the
//! [`Predictor`](crate::model::Predictor) of one model.

mod access;
mod body;
mod client_rate;
mod config;
mod description;
mod examples;
mod fault;
mod gate;
mod input_window;
mod metrics;
mod model_slot;
mod page;
mod patient_stream;
mod protocols;
mod proxy;
mod queue;
mod recent;
mod record_seed;
mod request_id;
mod router;
mod rows;
mod served_model;
mod server;
mod service;
mod unique_json;
mod watch;
mod watch_metrics;

pub use access::Access;
pub use config::ServeConfig;
pub use description::Description;
pub use fault::{Fault, FaultAnswer};
pub use gate::Peer;
pub use model_slot::{ModelSlot, ModelSource, ReloadError, SourceError};
pub use proxy::Proxy;
pub use router::router;
pub use served_model::{ModelIdentity, ServedModel};
pub use server::serve;
pub use service::Service;
pub use watch::Watch;

use input_window::InputWindow;
