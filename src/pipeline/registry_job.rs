//! Runs as versions of a model: what there is, and which of them predicts.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::{
    registry::{Pointer, Pointers},
    track::{Receipt, TrackConfig},
    train::{Checkpoint, Manifest},
};

use super::{
    Params, provenance, run_folder::check_name, run_record::RunRecord, tracking::environment,
};

/// A run as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedRun {
    /// Its name.
    pub run: String,
    /// The model that it is a version of.
    pub model: String,
    /// UTC start time; empty where `run.json` is missing.
    pub started: String,
    /// Target column.
    pub target: String,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// Kind of model, as typed, e.g. `ensemble`.
    pub kind: String,
    /// The table that it was trained on, as it was named then.
    pub data: String,
    /// SHA-256 of that table.
    pub data_sha256: String,
    /// Rows of that table; `None` where `run.json` is missing.
    pub rows: Option<usize>,
    /// Pooled out-of-fold RMSE.
    pub rmse: Option<f64>,
    /// Pooled out-of-fold R².
    pub r2: Option<f64>,
    /// Its version on an MLflow server.
    pub version: Option<String>,
    /// Whether it predicts.
    pub champion: bool,
}

/// Every run with a checkpoint, the newest first.
///
/// # Errors
/// When the folder of the checkpoints or the pointers cannot be read.
pub fn list_runs(params: &Params) -> Result<Vec<ListedRun>> {
    list_runs_beside(params, &Pointers::settled(&params.paths.checkpoints, &environment)?)
}

/// The same, with pointers that were read already.
pub(super) fn list_runs_beside(params: &Params, pointers: &Pointers) -> Result<Vec<ListedRun>> {
    let mut runs = Vec::new();
    for path in run_folders(&params.paths.checkpoints)? {
        match listed(&path, &params.track, pointers) {
            Ok(run) => runs.push(run),
            Err(error) => tracing::warn!("{error:#}"),
        }
    }
    runs.sort_by(|a, b| (&b.started, &b.run).cmp(&(&a.started, &a.run)));
    Ok(runs)
}

/// Every folder in `folder` that holds a finished run, whether or not it can be read. What begins with a dot is on
/// its way out, or not yet in.
pub(super) fn run_folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let is_state = path.extension().is_some_and(is_state) || name_of(&path).starts_with('.');
        if !is_state && path.join(Manifest::FILE).exists() {
            found.push(path);
        }
    }
    Ok(found)
}

/// Whether a folder whose name ends so is the state of a run that is not finished.
pub(super) fn is_state(extension: &std::ffi::OsStr) -> bool {
    extension == "unfinished" || extension == "tuning"
}

fn listed(folder: &Path, track: &TrackConfig, pointers: &Pointers) -> Result<ListedRun> {
    let manifest = Manifest::read(folder)?;
    let (run, receipt) = (name_of(folder), Receipt::read(folder)?);
    let model = model_of(&manifest, receipt.as_ref(), track);
    let score = |name: &str| manifest.metrics["cv"][name].as_f64();
    // By its content: what was trained again under the champion's name is not the champion.
    let manifest_sha256 = Manifest::checksum(folder)?;
    let is_it = |own: Pointer| own.run == run && own.manifest_sha256 == manifest_sha256;
    let record = RunRecord::read(folder).ok();
    let parameter = |section: &str, key: &str| {
        manifest.parameters[section][key].as_str().unwrap_or_default().to_owned()
    };
    Ok(ListedRun {
        rows: record.as_ref().map(|own| own.rows),
        started: record.map_or(String::new(), |own| own.provenance.started),
        kind: parameter("model", "kind"),
        data: parameter("data", "path"),
        target: manifest.schema.target.clone(),
        unit: manifest.schema.unit.clone(),
        data_sha256: manifest.data_sha256.clone(),
        rmse: score("rmse"),
        r2: score("r2"),
        version: receipt.and_then(|receipt| receipt.version).map(|own| own.version),
        champion: pointers.model(&model).champion.is_some_and(is_it),
        run,
        model,
    })
}

pub(super) fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The model that a run is a version of: as MLflow was told, or as it would be.
pub(super) fn model_of(
    manifest: &Manifest,
    receipt: Option<&Receipt>,
    track: &TrackConfig,
) -> String {
    let told = receipt.and_then(|receipt| receipt.version.as_ref());
    told.map_or_else(|| track.model_name(&manifest.schema.target), |own| own.model.clone())
}

/// Makes the run `name` the champion of its model and returns the model's name.
///
/// # Errors
/// When there is no intact checkpoint, a server does not follow, or the pointers cannot be written.
pub fn promote(params: &Params, name: &str) -> Result<String> {
    promote_over(params, name, None)
}

/// The same, where `over` is still the champion: what was judged against one model says nothing of another.
pub(super) fn promote_over(params: &Params, name: &str, over: Option<&Pointer>) -> Result<String> {
    // One spelling for each run: whoever removes runs looks for the champion by its name.
    check_name(name)?;
    let folder = params.paths.checkpoints.join(name);
    let manifest = Checkpoint::read(&folder)?.manifest;
    let receipt = Receipt::read(&folder)?;
    let model = model_of(&manifest, receipt.as_ref(), &params.track);
    let pointer = Pointer {
        run: name.to_owned(),
        run_id: RunRecord::read(&folder).map_or(String::new(), |own| own.provenance.run_id),
        manifest_sha256: Manifest::checksum(&folder)?,
        server: receipt.as_ref().map_or(String::new(), |receipt| receipt.server.clone()),
        version: receipt.and_then(|receipt| receipt.version),
    };
    let mut pointers = Pointers::open(&params.paths.checkpoints, &environment)?;
    // It may have been removed while this waited for the pointers.
    Manifest::checksum(&folder)?;
    let champion = pointers.model(&model).champion;
    if let Some(over) = over.filter(|over| champion.as_ref() != Some(*over)) {
        let now = champion.map_or_else(|| "nothing".to_owned(), |own| format!("`{}`", own.run));
        bail!(
            "`{name}` was judged against `{}`, and {now} is the champion by now; it stays\n\nhint: \
             `massay retrain` again, or `massay registry promote {name}`",
            over.run
        );
    }
    if champion.is_some_and(|own| own.manifest_sha256 == pointer.manifest_sha256 && own.run == name)
    {
        bail!("`{name}` is the champion of `{model}` already");
    }
    pointers.promote(&model, (pointer, provenance::now()), &environment)?;
    Ok(model)
}

/// Makes the champion before the present one the champion again: of `model`, or of the only one there is.
/// Returns the names of the model and the run.
///
/// # Errors
/// When there is none, its checkpoint has changed, a server does not follow, or the pointers cannot be
/// written.
pub fn rollback(params: &Params, model: Option<&str>) -> Result<(String, String)> {
    let folder = &params.paths.checkpoints;
    let mut pointers = Pointers::open(folder, &environment)?;
    let model = the_only_model(&pointers, model)?;
    if let Some(former) = pointers.model(&model).former.last() {
        refuse_changed(&folder.join(&former.run), &former.manifest_sha256)?;
    }
    let to = pointers.rollback(&model, provenance::now(), &environment)?;
    Ok((model, to.run))
}

/// The name of `model`, or of the only model that has a champion.
pub(super) fn the_only_model(pointers: &Pointers, model: Option<&str>) -> Result<String> {
    let names: Vec<String> = pointers.names().map(str::to_owned).collect();
    match (model, names.as_slice()) {
        (Some(model), _) => Ok(model.to_owned()),
        (None, [only]) => Ok(only.clone()),
        (None, []) => bail!("no model has a champion\n\nhint: `massay registry promote NAME`"),
        (None, several) => {
            bail!(
                "several models have a champion, name one of {}\n\nhint: `--model NAME`, or `--champion NAME`",
                several.join(", ")
            )
        }
    }
}

/// A pointer must not lead to what was retrained under its name, or removed.
pub(super) fn refuse_changed(folder: &Path, manifest_sha256: &str) -> Result<()> {
    Checkpoint::read(folder)?;
    if Manifest::checksum(folder)? != manifest_sha256 {
        bail!(
            "{}: it is not what was the champion, it was trained again since\n\nhint: promote it if it is \
             meant: `massay registry promote {}`",
            folder.display(),
            name_of(folder)
        );
    }
    Ok(())
}
