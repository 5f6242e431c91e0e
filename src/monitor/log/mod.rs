//! The log of predictions: every served row with its truth, in SQLite or PostgreSQL.
//!
//! Invariant: whoever predicts never waits for it; what it cannot take is dropped and counted.

mod batch;
mod config;
mod connection;
mod entry;
mod error;
mod place;
mod quiet;
mod record;
mod store;
mod tables;
mod wall_clock;
mod writer;

pub use config::LogConfig;
pub use entry::{LoggedModel, LoggedRow, LoggedTruth};
pub use error::LogError;
pub use quiet::QuietLog;
pub use store::{KnownTruths, LogQuery, LogStore};
pub use writer::LogWriter;
