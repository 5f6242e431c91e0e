//! A checkpoint as an ONNX file.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    export::onnx_model,
    train::{Checkpoint, write_atomically},
};

use super::{JobError, run_record::RunRecord};

/// A file that was written.
#[derive(Debug)]
pub struct Exported {
    /// The file.
    pub file: PathBuf,
    /// Its size in bytes.
    pub size: usize,
    /// The columns that it takes, in their order.
    pub columns: Vec<String>,
}

/// Writes the model in `checkpoint` as an ONNX file; an existing one is replaced with `force` only.
///
/// # Errors
/// When the checkpoint is refused, or the file exists or cannot be written.
pub fn export(checkpoint: &Path, out: &Path, force: bool) -> Result<Exported> {
    if out.exists() && !force {
        let hint = "choose another `--out`, or replace it with `--force`".to_owned();
        return Err(JobError::Exists { path: out.to_owned(), hint }.into());
    }
    let model = Checkpoint::read(checkpoint)?;
    let bytes = bytes(&model, checkpoint);
    write_atomically(out, |file| file.write_all(&bytes))
        .with_context(|| format!("cannot write {}", out.display()))?;
    let columns = model.manifest.preprocessors.get(0).inputs().to_vec();
    Ok(Exported { file: out.to_owned(), size: bytes.len(), columns })
}

/// The ONNX file of the model in `folder`.
pub(super) fn bytes(model: &Checkpoint, folder: &Path) -> Vec<u8> {
    onnx_model(model, &facts(model, folder))
}

/// Where the model comes from and what its columns are, by name.
pub(super) fn facts(model: &Checkpoint, folder: &Path) -> Vec<(String, String)> {
    let manifest = &model.manifest;
    let run = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut facts = vec![
        ("run".to_owned(), run),
        ("data_sha256".to_owned(), manifest.data_sha256.clone()),
        ("target".to_owned(), manifest.schema.target.clone()),
        ("unit".to_owned(), manifest.schema.unit.clone()),
        ("level".to_owned(), manifest.calibration.level.to_string()),
    ];
    let columns = serde_json::to_string(manifest.preprocessors.get(0).inputs());
    facts.extend(columns.ok().map(|columns| ("columns".to_owned(), columns)));
    facts.extend(run_facts(folder));
    facts.iter().map(|(key, value)| (format!("massay.{key}"), value.clone())).collect()
}

/// What differs from run to run; nothing where a checkpoint was moved without it.
fn run_facts(folder: &Path) -> Vec<(String, String)> {
    let Ok(RunRecord { provenance: run, .. }) = RunRecord::read(folder) else { return Vec::new() };
    let mut facts = vec![
        ("run_id", run.run_id),
        ("version", run.version),
        ("started", run.started),
        ("seed", run.seed.to_string()),
        ("backend", run.backend),
    ];
    if let Some(git) = run.git {
        facts.push(("git_commit", git.commit));
        facts.push(("git_dirty", git.dirty.to_string()));
    }
    facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
