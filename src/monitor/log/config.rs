//! Where served predictions are kept.

use serde::{Deserialize, Serialize};

/// Where served predictions are kept, and for how long.
///
/// | name | default | effect |
/// |---|---|---|
/// | `url` | `sqlite://data/predictions.sqlite` | a SQLite file, `postgres://USER@HOST/DATABASE`, or `none`; `MASSAY_LOG_URL` goes before it |
/// | `flush` | 0.05 | seconds between writes |
/// | `queue` | 200000 | rows that wait for a slow database at most; more are dropped and counted |
/// | `keep_days` | 730 | days after which rows are deleted; 0: never |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// The database.
    pub url: String,
    /// Seconds between writes.
    pub flush: f64,
    /// Rows that wait at most.
    pub queue: usize,
    /// Days that rows are kept; 0: for ever.
    pub keep_days: u32,
}

impl LogConfig {
    /// What switches the log off.
    pub const NONE: &str = "none";

    /// The same with the database in `MASSAY_LOG_URL`, where that is set: addresses with passwords stand in no
    /// file.
    #[must_use]
    pub fn with_environment(mut self, environment: impl Fn(&str) -> Option<String>) -> Self {
        if let Some(url) = environment("MASSAY_LOG_URL").filter(|url| !url.is_empty()) {
            self.url = url;
        }
        self
    }

    /// Whether anything is kept.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.url.is_empty() && self.url != Self::NONE
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            url: "sqlite://data/predictions.sqlite".to_owned(),
            flush: 0.05,
            queue: 200_000,
            keep_days: 730,
        }
    }
}
