//! The prediction service: what it answers, how it is operated, and what others' programs make of it.

mod counter;
mod operation;
mod outside;
mod program;
mod protocols;
mod refusals;
mod socket;

pub(crate) use counter::records;
pub(crate) use program::Program;
