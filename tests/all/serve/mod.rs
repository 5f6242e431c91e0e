//! The prediction service: what it answers, how it is operated, and what others' programs make of it.

mod counter;
mod operation;
mod outside;
mod program;
mod protocols;
mod refusals;
mod socket;
