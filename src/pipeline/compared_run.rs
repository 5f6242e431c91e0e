//! What a finished run has left to be compared with others.

use std::{fs, path::Path};

use anyhow::{Result, anyhow, bail};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    data::nearest,
    evaluate::ScoredRow,
    report::{ComparedRun, read_csv},
    train::Manifest,
};

use super::{
    Params,
    registry_job::{name_of, run_folders},
    run_record::RunRecord,
};

/// What is read of a manifest: old formats have it as well.
#[derive(Debug, Deserialize)]
struct ManifestFacts {
    schema: SchemaFacts,
    parameters: Value,
    data_sha256: String,
}

#[derive(Debug, Deserialize)]
struct SchemaFacts {
    target: String,
    unit: String,
}

/// A finished run with the rows that it judged.
#[derive(Debug)]
pub(super) struct RunResults {
    /// Its scores and where they come from.
    pub(super) summary: ComparedRun,
    /// Target column.
    pub(super) target: String,
    /// Its unit; empty where it has none.
    pub(super) unit: String,
    /// The parameters of the training.
    pub(super) parameters: Value,
    /// The judged rows.
    pub(super) rows: Vec<ScoredRow>,
}

impl RunResults {
    /// Of the run called `name`.
    pub(super) fn read(params: &Params, name: &str) -> Result<Self> {
        let folder = params.paths.checkpoints.join(name);
        refuse_unknown(&params.paths.checkpoints, name)?;
        let facts: ManifestFacts = read_json(&folder.join(Manifest::FILE), "")?;
        let report = params.paths.reports.join(name);
        let hint = "\n\nhint: train the run again where its report was removed, or leave it out";
        let metrics: Value = read_json(&report.join("metrics.json"), hint)?;
        let predictions = report.join("predictions.csv");
        let rows =
            read_csv(&predictions).map_err(|error| unreadable(&predictions, &error, hint))?;
        Ok(Self {
            summary: summary(&folder, &facts, &metrics["cv"]),
            target: facts.schema.target,
            unit: facts.schema.unit,
            parameters: facts.parameters,
            rows,
        })
    }

    /// Whether its folds were cut by time.
    pub(super) fn is_in_order(&self) -> bool {
        self.parameters["cv"]["order_column"].as_str().is_some_and(|column| !column.is_empty())
    }
}

fn summary(folder: &Path, facts: &ManifestFacts, scores: &Value) -> ComparedRun {
    let score = |name: &str| scores[name].as_f64();
    let parameter = |section: &str, key: &str| {
        facts.parameters[section][key].as_str().unwrap_or_default().to_owned()
    };
    ComparedRun {
        run: name_of(folder),
        started: RunRecord::read(folder).map_or(String::new(), |own| own.provenance.started),
        kind: parameter("model", "kind"),
        data: parameter("data", "path"),
        data_sha256: facts.data_sha256.clone(),
        rows: scores["rows"].as_u64().unwrap_or_default() as usize,
        rmse: score("rmse"),
        mae: score("mae"),
        r2: score("r2"),
        coverage: score("coverage"),
        level: score("level"),
        interval_width: score("interval_width"),
        interval_score: score("interval_score"),
    }
}

/// Refuses a run that is not there, with the name that may have been meant.
fn refuse_unknown(checkpoints: &Path, name: &str) -> Result<()> {
    let folders = if checkpoints.exists() { run_folders(checkpoints)? } else { Vec::new() };
    let known: Vec<String> = folders.iter().map(|folder| name_of(folder)).collect();
    if known.iter().any(|own| own == name) {
        return Ok(());
    }
    let hint = nearest(name, known.iter().map(String::as_str)).map_or_else(
        || "`massay runs` lists what there is".to_owned(),
        |similar| format!("did you mean `{similar}`? `massay runs` lists what there is"),
    );
    bail!("there is no finished run `{name}` in {}\n\nhint: {hint}", checkpoints.display())
}

fn read_json<T: DeserializeOwned>(path: &Path, hint: &str) -> Result<T> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error, hint))?;
    serde_json::from_str(&text).map_err(|error| unreadable(path, &error, hint))
}

/// The reason stands before the hint.
fn unreadable(path: &Path, error: &dyn std::error::Error, hint: &str) -> anyhow::Error {
    anyhow!("{}: it cannot be read: {error}{hint}", path.display())
}
