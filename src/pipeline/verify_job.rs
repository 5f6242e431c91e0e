//! Whether a checkpoint is what it says: its files, its data, its scores.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::{
    data::{Dataset, FoldPlan, sha256_file},
    evaluate::{Scores, reproduce},
    model::{Backend, BackendKind},
    train::{Checkpoint, Manifest},
};

use super::{Params, duplicates, run_record::RunRecord};

/// How far a score may be from the recorded one, relative to it: processors and backends add up in another
/// order.
const TOLERANCE: f64 = 1e-4;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// Id of the run; `None` where `run.json` is missing.
    pub run_id: Option<String>,
    /// Files whose SHA-256 is the recorded one.
    pub files: Vec<String>,
    /// The table that the scores were computed anew from; `None` where it is not here.
    pub data: Option<PathBuf>,
    /// Recorded and computed scores by name; none without the table.
    pub scores: Vec<(&'static str, f64, f64)>,
}

/// Checks the hashes of the checkpoint in `folder` and, where its table is at hand, computes the out-of-fold
/// scores anew from the stored models.
///
/// # Errors
/// When a file is missing or changed, the table is not the one that the model was trained on, or a score is
/// not the recorded one.
pub fn verify(folder: &Path, data: Option<&Path>) -> Result<Verified> {
    let checkpoint = Checkpoint::read(folder)?;
    let manifest = &checkpoint.manifest;
    let mut verified = Verified {
        run_id: RunRecord::read(folder).ok().map(|record| record.provenance.run_id),
        files: manifest.checksums.keys().cloned().collect(),
        data: None,
        scores: Vec::new(),
    };
    let params = params_of(manifest, data)?;
    let table = params.data.path.clone();
    if data.is_none() && !table.exists() {
        return Ok(verified);
    }
    refuse_other_table(&table, manifest)?;
    verified.scores = scores(&checkpoint, &params)?;
    verified.data = Some(table);
    let off = |(_, recorded, computed): &&(&str, f64, f64)| {
        let is_near = (recorded - computed).abs() <= TOLERANCE * recorded.abs().max(1e-9);
        // What is no number is near nothing, but may have been none before.
        !(is_near || recorded.is_nan() && computed.is_nan())
    };
    if let Some((name, recorded, computed)) = verified.scores.iter().find(off) {
        bail!(
            "{}: {name} is {computed} where it is computed anew, expected {recorded} as recorded\n\nhint: \
             the manifest was changed, or this is another version of massay; train again",
            folder.display()
        );
    }
    Ok(verified)
}

/// The parameters of the training, with the table at `data` where it is elsewhere now.
pub(super) fn params_of(manifest: &Manifest, data: Option<&Path>) -> Result<Params> {
    let mut params: Params = serde_json::from_value(manifest.parameters.clone())?;
    if let Some(path) = data {
        path.clone_into(&mut params.data.path);
    }
    params.data.features.clone_from(&manifest.schema.features);
    Ok(params)
}

pub(super) fn refuse_other_table(table: &Path, manifest: &Manifest) -> Result<()> {
    let found = sha256_file(table)
        .map_err(|error| anyhow::anyhow!("{}: cannot be read: {error}", table.display()))?;
    if found != manifest.data_sha256 {
        bail!(
            "{}: it has SHA-256 {found}, expected {}, the table that the model was trained on\n\nhint: name \
             that table with `--data`, or get it back with `dvc checkout` or `git checkout`",
            table.display(),
            manifest.data_sha256
        );
    }
    Ok(())
}

/// Recorded and computed scores.
fn scores(checkpoint: &Checkpoint, params: &Params) -> Result<Vec<(&'static str, f64, f64)>> {
    let missing = checkpoint.missing_cells();
    let dataset = Dataset::read(&params.data, &params.cv.order_column, missing)?;
    let mut plan = FoldPlan::new(&params.cv, &dataset, params.train.seed)?;
    duplicates::drop(&dataset, &params.clean, &mut plan)?;
    let predictor = checkpoint.predictor(&Backend::select(BackendKind::Cpu)?);
    if plan.splits.len() != predictor.models.folds.len() {
        bail!(
            "the folds are not those of the training: {} instead of {}",
            plan.splits.len(),
            predictor.models.folds.len()
        );
    }
    let rows = reproduce(&predictor, &dataset, &plan);
    let computed = Scores::of(&rows.iter().collect::<Vec<_>>(), params.interval.level);
    let recorded: Scores = serde_json::from_value(checkpoint.manifest.metrics["cv"].clone())?;
    let both = |name, pick: fn(&Scores) -> f64| (name, pick(&recorded), pick(&computed));
    Ok(vec![
        both("rmse", |own| own.rmse),
        both("mae", |own| own.mae),
        both("r2", |own| own.r2.unwrap_or_default()),
        both("coverage", |own| own.coverage),
        both("interval_score", |own| own.interval_score),
    ])
}
