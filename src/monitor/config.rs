//! How served rows are compared with those of the training.

use serde::{Deserialize, Serialize};

/// How served rows are compared with those of the training.
///
/// | name | default | effect |
/// |---|---|---|
/// | `window` | 200 | rows that are compared at a time; each container counts once in it |
/// | `false_alarms` | 0.05 | probability that a model without drift ever raises an alarm of drift, in all its service |
/// | `distance` | 0.1 | with large samples, the Wasserstein distance in standard deviations from which a change is one |
/// | `coverage_band` | 0.05 | how far the coverage of intervals may be from their level |
/// | `coverage_false_alarms` | 0.01 | probability that coverage within its band ever raises an alarm |
/// | `every` | 30 | seconds between two looks of a running service; 0: none |
/// | `webhook` | empty | address that a running service tells of alarms; `MASSAY_WEBHOOK_URL` goes before it |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MonitorConfig {
    /// Rows of a window.
    pub window: usize,
    /// Probability of any false alarm of drift.
    pub false_alarms: f64,
    /// Distance of large samples from which a change is one, in standard deviations.
    pub distance: f64,
    /// How far coverage may be from its level.
    pub coverage_band: f64,
    /// Probability of any false alarm of coverage.
    pub coverage_false_alarms: f64,
    /// Seconds between two looks.
    pub every: f64,
    /// Address that is told of alarms; empty: none. Shown nowhere: who knows it may write there.
    #[serde(skip_serializing)]
    pub webhook: String,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self {
            window: 200,
            false_alarms: 0.05,
            distance: 0.1,
            coverage_band: 0.05,
            coverage_false_alarms: 0.01,
            every: 30.0,
            webhook: String::new(),
        }
    }
}

impl MonitorConfig {
    /// The same with the address in `MASSAY_WEBHOOK_URL`, where that is set: who knows the address may write there.
    #[must_use]
    pub fn with_environment(mut self, environment: impl Fn(&str) -> Option<String>) -> Self {
        if let Some(url) = environment("MASSAY_WEBHOOK_URL").filter(|url| !url.is_empty()) {
            self.webhook = url;
        }
        self
    }
}
