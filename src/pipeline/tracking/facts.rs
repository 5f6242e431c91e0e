//! What a tracker is told of a run from its start.

use serde_json::Value;

use crate::{
    report::Provenance,
    track::{FoldName, TrackConfig, TrackedRun},
};

use super::environment;

/// A run, as its inputs or its finished checkpoint describe it.
pub(super) struct RunFacts<'a> {
    pub(super) name: &'a str,
    pub(super) provenance: &'a Provenance,
    pub(super) parameters: &'a Value,
    pub(super) data_sha256: &'a str,
    pub(super) rows: usize,
    pub(super) columns: &'a [String],
    pub(super) target: &'a str,
    pub(super) folds: Vec<FoldName>,
}

impl RunFacts<'_> {
    /// The run as it is tracked.
    pub(super) fn tracked(self, track: &TrackConfig) -> TrackedRun {
        let path = self.parameters["data"]["path"].as_str().unwrap_or_default();
        let mut params = Vec::new();
        flatten("", self.parameters, &mut params);
        TrackedRun {
            name: self.name.to_owned(),
            id: self.provenance.run_id.clone(),
            started: milliseconds(&self.provenance.started),
            experiment: track.experiment.clone(),
            model: track.model_name(self.target),
            params,
            tags: tags(self.provenance, self.data_sha256),
            data_path: path.to_owned(),
            data_sha256: self.data_sha256.to_owned(),
            rows: self.rows,
            columns: self.columns.to_vec(),
            target: self.target.to_owned(),
            folds: self.folds,
        }
    }
}

/// A time of a run in milliseconds since 1970 (UTC).
pub(super) fn milliseconds(time: &str) -> i64 {
    time.parse().map_or(0, jiff::Timestamp::as_millisecond)
}

/// Every value by its dotted name; lists as JSON.
fn flatten(prefix: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&name, value, found);
            }
        }
        Value::Null => {}
        Value::String(text) => found.push((prefix.to_owned(), text.clone())),
        other => found.push((prefix.to_owned(), other.to_string())),
    }
}

fn tags(run: &Provenance, data_sha256: &str) -> Vec<(String, String)> {
    let user = environment("USER").or_else(|| environment("LOGNAME"));
    let mut tags = vec![
        ("mlflow.user", user.unwrap_or_else(|| "unknown".to_owned())),
        ("mlflow.source.name", "massay".to_owned()),
        ("mlflow.source.type", "LOCAL".to_owned()),
        ("massay.version", run.version.clone()),
        ("massay.seed", run.seed.to_string()),
        ("massay.backend", run.backend.clone()),
        ("massay.hardware", run.hardware.clone()),
        ("massay.data_sha256", data_sha256.to_owned()),
    ];
    if let Some(git) = &run.git {
        tags.push(("mlflow.source.git.commit", git.commit.clone()));
        tags.push(("mlflow.source.git.branch", git.branch.clone()));
        tags.push(("massay.git_dirty", git.dirty.to_string()));
    }
    tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_are_flat_and_what_is_not_set_is_left_out() {
        let mut found = Vec::new();
        let value = json!({"train": {"epochs": 3, "recipe": "auto"}, "model": {"hidden": [8, 4]},
            "target": {"minimum": null}});
        flatten("", &value, &mut found);
        let expected = [("train.epochs", "3"), ("train.recipe", "auto"), ("model.hidden", "[8,4]")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn times_are_milliseconds() {
        assert_eq!(milliseconds("1970-01-01T00:01:00Z"), 60_000);
        assert_eq!(milliseconds("yesterday"), 0);
    }
}
