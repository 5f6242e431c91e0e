//! What each path takes and gives.
//!
//! Invariant: a handler reads a request, asks the service and writes the answer; what a prediction is, it
//! does not know.

pub(super) mod administration;
pub(super) mod explain;
pub(super) mod feedback;
mod input_tensors;
pub(super) mod invocations;
pub(super) mod monitoring;
pub(super) mod open_inference;
pub(super) mod predict;
pub(super) mod state;
