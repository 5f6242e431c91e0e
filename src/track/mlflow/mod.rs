//! MLflow, over its REST protocol (2.x and 3.x servers that keep models as `LoggedModel`).
//!
//! Invariant: every step can be repeated without doing anything twice.

mod address;
mod client;
mod delivery;
mod error;
mod live_tracker;
mod model_files;
mod receipt;
mod registry;
mod server;

pub use address::Address;
pub use delivery::{Delivery, Status};
pub use error::TrackError;
pub use live_tracker::LiveTracker;
pub use model_files::model_files;
pub use receipt::{Receipt, RegisteredVersion};
pub use registry::{Alias, ModelUri, Registry};
