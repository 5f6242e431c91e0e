//! Where a run is tracked.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where a run is tracked; none of it changes a model.
///
/// | name | default | effect |
/// |---|---|---|
/// | `mlflow` | empty | URI of an MLflow server, without credentials; empty: the environment's `MLFLOW_TRACKING_URI`, or none |
/// | `experiment` | empty | experiment of the runs; empty: `MLFLOW_EXPERIMENT_NAME`, or `massay` |
/// | `model` | empty | name of the registered model; empty: `massay-` and the target |
/// | `live` | empty | folder for live metrics in DVC's layout; empty: none |
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrackConfig {
    /// URI of an MLflow server.
    pub mlflow: String,
    /// Experiment of the runs.
    pub experiment: String,
    /// Name of the registered model.
    pub model: String,
    /// Folder for live metrics.
    pub live: PathBuf,
}

impl TrackConfig {
    /// The same with what is empty filled from `environment` (a lookup of variables).
    #[must_use]
    pub fn with_environment(&self, environment: impl Fn(&str) -> Option<String>) -> Self {
        let or = |own: &String, variable: &str| {
            if own.is_empty() { environment(variable).unwrap_or_default() } else { own.clone() }
        };
        let experiment = or(&self.experiment, "MLFLOW_EXPERIMENT_NAME");
        Self {
            mlflow: or(&self.mlflow, "MLFLOW_TRACKING_URI"),
            experiment: if experiment.is_empty() { "massay".to_owned() } else { experiment },
            ..self.clone()
        }
    }

    /// The name of the registered model of a `target`; MLflow allows neither `/` nor `:` in it.
    #[must_use]
    pub fn model_name(&self, target: &str) -> String {
        if !self.model.is_empty() {
            return self.model.clone();
        }
        let plain = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
        format!("massay-{}", target.chars().map(plain).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_fills_what_is_empty_only() {
        let given = TrackConfig { mlflow: "http://a".to_owned(), ..TrackConfig::default() };
        let filled = given.with_environment(|name| Some(format!("from {name}")));
        assert_eq!(filled.mlflow, "http://a");
        assert_eq!(filled.experiment, "from MLFLOW_EXPERIMENT_NAME");
        assert_eq!(given.with_environment(|_| None).experiment, "massay");
    }

    #[test]
    fn a_model_is_named_after_its_target() {
        let config = TrackConfig::default();
        assert_eq!(config.model_name("mass"), "massay-mass");
        assert_eq!(config.model_name("U/Pu: mg"), "massay-U-Pu--mg");
        let named = TrackConfig { model: "drums".to_owned(), ..config };
        assert_eq!(named.model_name("mass"), "drums");
    }
}
