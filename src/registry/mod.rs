//! Which run predicts: pointers to checkpoints, and how they moved.
//!
//! Invariant: all pointers move, here and on an MLflow server that knows the run, or none; a move that a crash cuts
//! short is taken back by whoever opens the pointers next.

mod error;
mod move_log;
mod moving;
mod pointers;

pub use error::RegistryError;
pub use move_log::{Action, Move};
pub use pointers::{ModelPointers, Pointer, Pointers};
