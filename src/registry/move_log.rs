//! What was done to a pointer.

use serde::{Deserialize, Serialize};

/// What moved a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// A run became the champion.
    Promote,
    /// The champion before it became the champion again.
    Rollback,
}

/// One move of a champion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// UTC time, RFC 3339.
    pub time: String,
    /// What was done.
    pub action: Action,
    /// Run that was the champion before; `None` for the first.
    pub from: Option<String>,
    /// Run that is the champion since.
    pub to: String,
}
