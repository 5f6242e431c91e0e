//! A run and those who are told of it: its journal, MLflow, DVC.

mod facts;
mod live;
mod push;
mod results;
mod watch;

pub use live::Tracked;
pub use push::{PushOptions, push};

pub(super) use live::{Tracking, hand_over};
pub(super) use watch::Watch;

/// A variable of the environment.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
