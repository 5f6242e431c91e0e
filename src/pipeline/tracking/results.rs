//! What a tracker is told of a finished run, all of it from the run's folders.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    data::{Row, Table, sha256_file},
    evaluate::Scores,
    pipeline::{export_job, run_record::RunRecord},
    report::{Baseline, unit_suffix, verdict},
    track::{FoldName, Journal, Receipt, TrackedResults, model_files},
    train::{Checkpoint, Manifest},
};

use super::facts::milliseconds;

/// File of the journal in the folder of a run.
pub(super) const JOURNAL_FILE: &str = "journal.jsonl";

/// What the finished run in these folders gave.
pub(super) fn results_of(checkpoint: &Path, report: &Path) -> Result<TrackedResults> {
    let model = Checkpoint::read(checkpoint)?;
    let (manifest, record) = (&model.manifest, RunRecord::read(checkpoint)?);
    let metrics = &manifest.metrics;
    let facts = export_job::facts(&model, checkpoint);
    let columns = manifest.schema.features.as_slice();
    let onnx = export_job::bytes(&model, checkpoint);
    let mut files = files_below("report", report)?;
    files.extend(files_below("checkpoint", checkpoint)?);
    Ok(TrackedResults {
        scores: scores_of(metrics),
        fold_scores: folds(metrics).iter().map(|fold| numbers("cv", fold)).collect(),
        ended: milliseconds(&record.ended),
        note: note(manifest)?,
        files,
        model_files: model_files(onnx, columns, example(manifest).as_deref(), &facts),
    })
}

/// The folds of a finished run.
pub(super) fn folds_of(manifest: &Manifest) -> Vec<FoldName> {
    let number = |fold: &Value, name: &str| fold[name].as_u64().unwrap_or_default() as usize;
    let name =
        |fold: &Value| FoldName { repeat: number(fold, "repeat"), fold: number(fold, "fold") };
    folds(&manifest.metrics).iter().map(name).collect()
}

/// The scores of each fold.
fn folds(metrics: &Value) -> &[Value] {
    metrics["folds"].as_array().map_or(&[], Vec::as_slice)
}

/// The scores of a whole run and of its baseline.
pub(super) fn scores_of(metrics: &Value) -> Vec<(String, f64)> {
    let mut scores = numbers("cv", &metrics["cv"]);
    scores.extend(numbers("baseline", &metrics["baseline"]));
    scores
}

/// The scores in a JSON object, named `prefix/NAME`.
fn numbers(prefix: &str, object: &Value) -> Vec<(String, f64)> {
    const PLACES: [&str; 3] = ["repeat", "fold", "level"];
    let entries = object.as_object().into_iter().flatten();
    entries
        .filter(|(name, _)| !PLACES.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((format!("{prefix}/{name}"), value.as_f64()?)))
        .collect()
}

/// The verdict and the warnings, as Markdown.
fn note(manifest: &Manifest) -> Result<String> {
    let (metrics, unit) = (&manifest.metrics, &manifest.schema.unit);
    let scores = |value: &Value| serde_json::from_value::<Scores>(value.clone());
    let pooled = scores(&metrics["cv"]).context("metrics.json has no scores")?;
    let baseline = metrics["baseline"]["name"].as_str().map(|name| -> Result<Baseline> {
        Ok(Baseline { name: name.to_owned(), scores: scores(&metrics["baseline"])? })
    });
    let level = metrics["cv"]["level"].as_f64().unwrap_or(manifest.calibration.level);
    let mut note = verdict(&pooled, level, &unit_suffix(unit), baseline.transpose()?.as_ref());
    let warnings = metrics["warnings"].as_array().into_iter().flatten();
    for warning in warnings.filter_map(Value::as_str) {
        note += "\n\n**Warning:** ";
        note += warning;
    }
    Ok(note + "\n\nThe whole report: artifact `report/report.html`.")
}

/// The first row of the table that was trained on, where it still is what it was.
fn example(manifest: &Manifest) -> Option<Vec<f64>> {
    let path = PathBuf::from(manifest.parameters["data"]["path"].as_str()?);
    if sha256_file(&path).ok()? != manifest.data_sha256 {
        return None;
    }
    let mut table = Table::open(&path).ok()?;
    let place = |name: &String| table.header().iter().position(|column| column == name);
    let columns: Vec<usize> = manifest.schema.features.iter().map(place).collect::<Option<_>>()?;
    let inputs = |row: Row<'_>| columns.iter().map(|column| row.cell(*column).number()).collect();
    let mut first: Option<Option<Vec<f64>>> = None;
    let blocks = table.next_blocks().ok()?;
    let look = |row: Row<'_>| {
        first.get_or_insert_with(|| inputs(row));
        Ok(())
    };
    blocks.first()?.rows(look).ok()?;
    first.flatten()
}

/// Every file below `folder` by its name under `prefix`, but for what only concerns tracking.
fn files_below(prefix: &str, folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    collect(prefix, folder, &mut found)
        .with_context(|| format!("cannot read {}", folder.display()))?;
    found.sort();
    Ok(found)
}

fn collect(prefix: &str, folder: &Path, found: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let full = format!("{prefix}/{name}");
        if path.is_dir() {
            collect(&full, &path, found)?;
        } else if ![JOURNAL_FILE, Receipt::FILE].contains(&name.as_str()) && !name.starts_with('.')
        {
            found.push((full, path));
        }
    }
    Ok(())
}

/// The journal of the finished run in `checkpoint`.
pub(super) fn journal_of(checkpoint: &Path) -> Result<Journal> {
    let path = checkpoint.join(JOURNAL_FILE);
    Journal::open(&path).with_context(|| format!("cannot read {}", path.display()))
}
