//! A trained model judged on a labelled table that it has not seen.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{
    data::{DataConfig, Dataset, Table, TableSchema},
    evaluate::{Trust, evaluate_fresh},
    model::{Backend, BackendKind},
    report::{CleaningSummary, FeatureSummary, Milestones, RunReport, write_report},
    train::{Checkpoint, replace_folder},
};

use super::{
    JobError,
    insights::target_of,
    predict_job::place_of,
    provenance,
    report_warnings::warnings_of,
    run_folder::{draft_of, empty},
    train_job::read_text,
    training_outcome::data_summary,
};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct EvaluateOptions {
    /// Folder of the checkpoint.
    pub checkpoint: PathBuf,
    /// Labelled table.
    pub data: PathBuf,
    /// Folder for the report.
    pub out: PathBuf,
    /// Backend.
    pub backend: BackendKind,
    /// Whether to replace an existing report.
    pub force: bool,
}

/// Judges the model and writes a report; returns the report's content and `metrics.json`.
///
/// # Errors
/// When the checkpoint or the table is refused, or the report cannot be written.
pub fn evaluate(options: &EvaluateOptions) -> Result<(RunReport, String)> {
    refuse_existing(options)?;
    let checkpoint = Checkpoint::read(&options.checkpoint)?;
    let schema = &checkpoint.manifest.schema;
    let dataset = Dataset::read(&columns(options, &checkpoint)?, "", checkpoint.missing_cells())?;
    let backend = Backend::select(options.backend)?;
    let evaluation = evaluate_fresh(&checkpoint.predictor(&backend), &dataset);
    let mut report = RunReport {
        name: options.out.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned()),
        data: data_summary(&dataset, &schema.unit, &TableSchema::default()),
        transform: target_of(&checkpoint).transform,
        trust: Trust::of(&evaluation.rows, &target_of(&checkpoint), None),
        evaluation,
        insights: None,
        retraining: None,
        milestones: Milestones::default(),
        baseline: None,
        history: Vec::new(),
        features: FeatureSummary::default(),
        cleaning: CleaningSummary::default(),
        leaderboard: None,
        leakage: None,
        loss_name: String::new(),
        warnings: warnings(&dataset, &checkpoint),
        params: toml::to_string(&checkpoint.manifest.parameters)?,
        provenance: provenance::of_evaluation(&backend),
    };
    report.warnings.extend(warnings_of(&report));
    let draft = empty(draft_of(&options.out))?;
    write_report(&report, None, &draft)?;
    replace_folder(&draft, &options.out)
        .with_context(|| format!("cannot write {}", options.out.display()))?;
    let metrics = read_text(&options.out.join("metrics.json"))?;
    Ok((report, metrics))
}

/// Refuses a taken place; even by force only a report makes way, never a folder of other things.
fn refuse_existing(options: &EvaluateOptions) -> Result<(), JobError> {
    let path = options.out.clone();
    let is_report = path.file_name().is_some() && path.join("report.html").exists();
    if !path.exists() || (options.force && is_report) {
        return Ok(());
    }
    let hint = if options.force {
        "it is no report and is not replaced; choose another `--out`"
    } else {
        "choose another `--out`, or replace a report with `--force`"
    };
    Err(JobError::Exists { path, hint: hint.to_owned() })
}

/// The model's columns in the new table; its group column only where the table has it.
fn columns(options: &EvaluateOptions, checkpoint: &Checkpoint) -> Result<DataConfig> {
    let schema = &checkpoint.manifest.schema;
    if !options.data.is_file() {
        // It is read twice, which a pipe cannot be.
        bail!("{}: expected a file that exists", options.data.display());
    }
    let table = Table::open(&options.data)?;
    for name in schema.features.iter().chain([&schema.target]) {
        place_of(name, schema, &table)?;
    }
    let named = |column: &String| {
        if table.header().contains(column) { column.clone() } else { String::new() }
    };
    Ok(DataConfig {
        path: options.data.clone(),
        target: schema.target.clone(),
        group: named(&schema.group),
        weight: named(&schema.weight),
        uncertainty: named(&schema.uncertainty),
        features: schema.features.clone(),
        exclude: Vec::new(),
        unit: schema.unit.clone(),
        schema: "none".into(),
        group_required: false,
    })
}

fn warnings(dataset: &Dataset, checkpoint: &Checkpoint) -> Vec<String> {
    if dataset.sha256 != checkpoint.manifest.data_sha256 {
        return Vec::new();
    }
    vec!["this is the table that the model was trained on: the scores are too good".to_owned()]
}
