//! The questions and orders that an MLflow server understands, one by one.

use serde_json::{Value, json};

use super::{
    TrackError,
    client::{Ask, Client, Content},
};

/// Limits of one `runs/log-batch`.
const BATCH_METRICS: usize = 1000;
const BATCH_PARAMS: usize = 100;

/// Longest names and values that MLflow keeps.
const LONGEST_VALUE: usize = 6000;

/// The scheme of artifacts that go through the server.
const PROXIED: &str = "mlflow-artifacts:/";

/// An MLflow server.
#[derive(Debug)]
pub(super) struct Server(pub(super) Client);

/// A point of a metric.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point<'a> {
    pub(super) key: &'a str,
    pub(super) value: f64,
    /// Milliseconds since 1970 (UTC).
    pub(super) time: i64,
    pub(super) step: usize,
    /// The logged model that it judges.
    pub(super) model: Option<&'a str>,
}

/// Something on the server with files below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Entry {
    pub(super) id: String,
    /// Where its files are.
    pub(super) artifacts: String,
}

impl Server {
    fn post(&self, path: &str, body: &Value) -> Result<Value, TrackError> {
        self.0.call(path, Ask::Post(body))
    }

    /// The id of an experiment, which is made where there is none.
    pub(super) fn experiment(&self, name: &str) -> Result<String, TrackError> {
        let ask = || self.0.call("experiments/get-by-name", Ask::Get(&[("experiment_name", name)]));
        let found = match ask() {
            Err(error) if error.code() == "RESOURCE_DOES_NOT_EXIST" => {
                match self.post("experiments/create", &new_experiment(name)) {
                    // Somebody else was faster.
                    Err(error) if error.code() == "RESOURCE_ALREADY_EXISTS" => ask()?,
                    other => return other.map(|made| text(&made["experiment_id"])),
                }
            }
            other => other?,
        };
        let experiment = &found["experiment"];
        if experiment["lifecycle_stage"] == "deleted" {
            return Err(self.deleted(name));
        }
        Ok(text(&experiment["experiment_id"]))
    }

    fn deleted(&self, experiment: &str) -> TrackError {
        TrackError::Refused {
            server: self.0.server().to_owned(),
            code: "RESOURCE_ALREADY_EXISTS".to_owned(),
            message: format!("the experiment `{experiment}` was deleted, which keeps its name"),
            hint: "restore it on the server, or choose another: `--set track.experiment=NAME`"
                .to_owned(),
            passes: false,
        }
    }

    /// The runs of an experiment with a tag.
    pub(super) fn runs_with(
        &self,
        experiment: &str,
        (tag, value): (&str, &str),
    ) -> Result<Vec<(String, Entry)>, TrackError> {
        let filter = format!("tags.`{tag}` = '{value}'");
        let body = json!({"experiment_ids": [experiment], "filter": filter, "max_results": 1000});
        let found = self.post("runs/search", &body)?;
        let runs = found["runs"].as_array().cloned().unwrap_or_default();
        Ok(runs.iter().map(|run| (text(&run["info"]["run_name"]), run_of(run))).collect())
    }

    /// Makes a run.
    pub(super) fn create_run(
        &self,
        experiment: &str,
        (name, started): (&str, i64),
        tags: &[(String, String)],
    ) -> Result<Entry, TrackError> {
        let body = json!({
            "experiment_id": experiment,
            "run_name": name,
            "start_time": started,
            "tags": pairs(tags),
        });
        Ok(run_of(&self.post("runs/create", &body)?["run"]))
    }

    /// Sets the state of a run, `RUNNING` or with its end.
    pub(super) fn update_run(
        &self,
        run: &str,
        status: &str,
        ended: Option<i64>,
    ) -> Result<(), TrackError> {
        let mut body = json!({"run_id": run, "status": status});
        if let Some(ended) = ended {
            body["end_time"] = json!(ended);
        }
        self.post("runs/update", &body).map(drop)
    }

    pub(super) fn log_params(
        &self,
        run: &str,
        params: &[(String, String)],
    ) -> Result<(), TrackError> {
        for batch in params.chunks(BATCH_PARAMS) {
            self.post("runs/log-batch", &json!({"run_id": run, "params": pairs(batch)}))?;
        }
        Ok(())
    }

    pub(super) fn log_points(&self, run: &str, points: &[Point<'_>]) -> Result<(), TrackError> {
        for batch in points.chunks(BATCH_METRICS) {
            let metric = |point: &Point<'_>| {
                let mut metric = json!({
                    "key": point.key,
                    "value": point.value,
                    "timestamp": point.time,
                    "step": point.step,
                });
                if let Some(model) = point.model {
                    metric["model_id"] = json!(model);
                }
                metric
            };
            let metrics: Vec<Value> = batch.iter().map(metric).collect();
            self.post("runs/log-batch", &json!({"run_id": run, "metrics": metrics}))?;
        }
        Ok(())
    }

    pub(super) fn set_tag(&self, run: &str, key: &str, value: &str) -> Result<(), TrackError> {
        let body = json!({"run_id": run, "key": key, "value": shortened(value)});
        self.post("runs/set-tag", &body).map(drop)
    }

    /// Says what a run was trained on.
    pub(super) fn log_input(&self, run: &str, dataset: &Value) -> Result<(), TrackError> {
        let context = json!([{"key": "mlflow.data.context", "value": "training"}]);
        let inputs = json!([{"dataset": dataset, "tags": context}]);
        self.post("runs/log-inputs", &json!({"run_id": run, "datasets": inputs})).map(drop)
    }

    /// Puts a file where the artifacts of a run or model are.
    pub(super) fn put(
        &self,
        entry: &Entry,
        name: &str,
        content: Content<'_>,
    ) -> Result<(), TrackError> {
        self.0.put(&self.artifact(entry, name)?, content)
    }

    /// The path of a file below the server's artifacts.
    fn artifact(&self, entry: &Entry, name: &str) -> Result<String, TrackError> {
        let Some(folder) = entry.artifacts.strip_prefix(PROXIED) else {
            return Err(TrackError::Refused {
                server: self.0.server().to_owned(),
                code: "no proxy".to_owned(),
                message: format!("files are kept at {} directly", entry.artifacts),
                hint:
                    "start the server with `--artifacts-destination`, which passes files on itself"
                        .to_owned(),
                passes: false,
            });
        };
        Ok(format!("{}/{name}", folder.trim_matches('/')))
    }

    /// The run that a version of a registered model comes from.
    pub(super) fn run_of_version(&self, name: &str, version: &str) -> Result<Entry, TrackError> {
        let query = [("name", name), ("version", version)];
        let found = self.0.call("model-versions/get", Ask::Get(&query))?;
        let run = text(&found["model_version"]["run_id"]);
        let found = self.0.call("runs/get", Ask::Get(&[("run_id", &run)]))?;
        Ok(run_of(&found["run"]))
    }

    /// Names of the files in a folder of a run.
    pub(super) fn files(&self, run: &Entry, folder: &str) -> Result<Vec<String>, TrackError> {
        let query = [("run_id", run.id.as_str()), ("path", folder)];
        let found = self.0.call("artifacts/list", Ask::Get(&query))?;
        let files = found["files"].as_array().into_iter().flatten();
        Ok(files.filter(|file| file["is_dir"] != true).map(|file| text(&file["path"])).collect())
    }

    /// The content of a file of a run.
    pub(super) fn get(&self, run: &Entry, name: &str) -> Result<Vec<u8>, TrackError> {
        self.0.get(&self.artifact(run, name)?)
    }

    /// The model that a run has logged, if any.
    pub(super) fn model_of(
        &self,
        experiment: &str,
        run: &str,
    ) -> Result<Option<Entry>, TrackError> {
        let filter = format!("source_run_id = '{run}'");
        let body = json!({"experiment_ids": [experiment], "filter": filter});
        let found = self.post("logged-models/search", &body)?;
        Ok(found["models"].as_array().and_then(|models| models.first()).map(model_of))
    }

    pub(super) fn create_model(
        &self,
        experiment: &str,
        (name, run): (&str, &str),
        params: &[(String, String)],
    ) -> Result<Entry, TrackError> {
        let body = json!({
            "experiment_id": experiment,
            "name": name,
            "model_type": "massay",
            "source_run_id": run,
            "params": pairs(params),
        });
        Ok(model_of(&self.post("logged-models", &body)?["model"]))
    }

    /// Says that all files of a model are there, and which run it is of.
    pub(super) fn finish_model(&self, model: &str, run: &str) -> Result<(), TrackError> {
        let body = json!({"model_id": model, "status": "LOGGED_MODEL_READY"});
        self.0.call(&format!("logged-models/{model}"), Ask::Patch(&body))?;
        // Said twice, it is an error of the database.
        let known = self.0.call("runs/get", Ask::Get(&[("run_id", run)]))?;
        let known = known["run"]["outputs"]["model_outputs"].as_array().cloned();
        if known.is_some_and(|known| known.iter().any(|own| own["model_id"] == model)) {
            return Ok(());
        }
        let outputs = json!({"run_id": run, "models": [{"model_id": model, "step": 0}]});
        self.post("runs/outputs", &outputs).map(drop)
    }

    /// Makes the model of a run a version of the registered model `name`, unless it is one.
    pub(super) fn register(
        &self,
        name: &str,
        (model, run): (&str, &str),
        tags: &[(String, String)],
    ) -> Result<String, TrackError> {
        match self.post("registered-models/create", &json!({"name": name})) {
            Err(error) if error.code() != "RESOURCE_ALREADY_EXISTS" => return Err(error),
            _ => {}
        }
        let known = self.versions(name)?.into_iter().find(|version| version["run_id"] == run);
        if let Some(version) = known {
            return Ok(text(&version["version"]));
        }
        let body = json!({
            "name": name,
            "source": format!("models:/{model}"),
            "run_id": run,
            "model_id": model,
            "tags": pairs(tags),
        });
        let made = self.post("model-versions/create", &body)?;
        Ok(text(&made["model_version"]["version"]))
    }

    /// The versions of a registered model, newest first.
    pub(super) fn versions(&self, name: &str) -> Result<Vec<Value>, TrackError> {
        let filter = format!("name='{}'", name.replace('\'', "\\'"));
        let query = [("filter", filter.as_str()), ("max_results", "1000")];
        let found = self.0.call("model-versions/search", Ask::Get(&query))?;
        Ok(found["model_versions"].as_array().cloned().unwrap_or_default())
    }

    /// The version that an alias points to.
    pub(super) fn alias(&self, name: &str, alias: &str) -> Result<Option<String>, TrackError> {
        let query = [("name", name), ("alias", alias)];
        match self.0.call("registered-models/alias", Ask::Get(&query)) {
            Ok(found) => Ok(Some(text(&found["model_version"]["version"]))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Points an alias to a version, or to none.
    pub(super) fn set_alias(
        &self,
        name: &str,
        alias: &str,
        version: Option<&str>,
    ) -> Result<(), TrackError> {
        let path = "registered-models/alias";
        let mut body = json!({"name": name, "alias": alias});
        let Some(version) = version else {
            return self.0.call(path, Ask::Delete(&body)).map(drop);
        };
        body["version"] = json!(version);
        self.post(path, &body).map(drop)
    }
}

/// An experiment that MLflow's pages show as one of models, not of prompts.
fn new_experiment(name: &str) -> Value {
    let kind = json!({"key": "mlflow.experimentKind", "value": "custom_model_development"});
    json!({"name": name, "tags": [kind]})
}

/// Whether there is no such model or alias.
fn is_absent(error: &TrackError) -> bool {
    ["RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"].contains(&error.code())
}

fn run_of(run: &Value) -> Entry {
    let info = &run["info"];
    Entry { id: text(&info["run_id"]), artifacts: text(&info["artifact_uri"]) }
}

fn model_of(model: &Value) -> Entry {
    let info = &model["info"];
    Entry { id: text(&info["model_id"]), artifacts: text(&info["artifact_uri"]) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn pairs(pairs: &[(String, String)]) -> Vec<Value> {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": shortened(value)})).collect()
}

/// At most as much as MLflow keeps.
fn shortened(value: &str) -> String {
    value.chars().take(LONGEST_VALUE).collect()
}
