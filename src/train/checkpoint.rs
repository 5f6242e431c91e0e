//! A trained model on disk: a folder that is there whole or not at all.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    data::{MissingCells, sha256_file},
    features::{PerFold, Preprocessor},
    model::{
        Backend, Blend, Calibration, Domain, FittedRegressor, FoldTarget, MemberScaling,
        MemberWeights, Models, Predictor, RegressorKind, Spread, StackPredictor, StackShape,
    },
};

use super::{
    regressors::{Array, from_arrays, read, to_arrays},
    state::{Floats, floats},
};

/// The checkpoint format that this program reads and writes.
pub const FORMAT_VERSION: u32 = 3;

const MODEL_FILE: &str = "model.safetensors";
const REGRESSOR_FILE: &str = "regressors.safetensors";
const MANIFEST_FILE: &str = "manifest.json";

/// Why a checkpoint was refused.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// A file cannot be read or written.
    #[error("{path}: cannot be used", path = path.display())]
    Access {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The folder does not hold a checkpoint that this program can read.
    #[error("{path}: {found}, expected {expected}\n\nhint: {hint}", path = path.display())]
    Refused {
        /// The file or folder.
        path: PathBuf,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// What to do about it.
        hint: String,
    },
}

/// What the columns mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// Target column.
    pub target: String,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// Group column; empty where there is none.
    pub group: String,
    /// Column of weights; empty where there is none.
    pub weight: String,
    /// Column of the targets' standard deviations; empty where there is none.
    pub uncertainty: String,
    /// Feature columns, in order.
    pub features: Vec<String>,
}

/// Everything about a model that is not weights; the same for the same inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format of the checkpoint.
    pub format: u32,
    /// What the columns mean.
    pub schema: Schema,
    /// From raw columns to features, fold by fold.
    pub preprocessors: PerFold<Preprocessor>,
    /// Shape of each network.
    pub shape: StackShape,
    /// Scaling of each network, fold by fold.
    pub scaling: Vec<MemberScaling>,
    /// How each fold weighs what it has.
    pub blends: Vec<BlendEntry>,
    /// From members to a prediction, fold by fold.
    pub folds: Vec<FoldTarget>,
    /// From predictions to intervals.
    pub calibration: Calibration,
    /// The rows that are known.
    pub domain: Domain,
    /// The parameters of the training.
    pub parameters: serde_json::Value,
    /// SHA-256 of the data file.
    pub data_sha256: String,
    /// Metrics of the training.
    pub metrics: serde_json::Value,
    /// SHA-256 of each other file.
    pub checksums: BTreeMap<String, String>,
}

/// A model with its manifest.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Everything but the weights.
    pub manifest: Manifest,
    /// Weights of every network, fold by fold; none where no fold asks them.
    pub members: Vec<MemberWeights>,
    /// How each fold weighs what it has, in the order of the manifest.
    pub blends: Vec<Blend>,
}

/// How a fold weighs what it has; weights add up to one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlendEntry {
    /// Weight of the mean of its networks.
    pub networks: f64,
    /// Weight of each of its regressors.
    pub regressors: Vec<(RegressorKind, f64)>,
    /// How far off it expects to be at least: everywhere, or where a regressor of its residuals does
    /// not say more.
    pub spread: f64,
    /// The kind of that regressor; none where the spread is the same everywhere.
    pub spread_model: Option<RegressorKind>,
}

impl BlendEntry {
    /// What a manifest says of a blend.
    #[must_use]
    pub fn of(blend: &Blend) -> Self {
        let regressors = blend.regressors.iter().map(|(weight, own)| (own.kind, *weight));
        let (spread, spread_model) = match &blend.spread {
            Spread::Constant(spread) => (*spread, None),
            Spread::Model { regressor, floor } => (*floor, Some(regressor.kind)),
        };
        let (networks, regressors) = (blend.networks, regressors.collect());
        Self { networks, regressors, spread, spread_model }
    }
}

impl Checkpoint {
    /// Writes the checkpoint into an existing folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&mut self, folder: &Path) -> Result<(), CheckpointError> {
        for (name, bytes) in [(MODEL_FILE, self.tensors()), (REGRESSOR_FILE, self.arrays())] {
            let path = folder.join(name);
            let bytes = bytes.map_err(|source| access(&path, source))?;
            fs::write(&path, bytes).map_err(|source| access(&path, source))?;
            let checksum = sha256_file(&path).map_err(|source| access(&path, source))?;
            self.manifest.checksums.insert(name.to_owned(), checksum);
        }
        let manifest = folder.join(MANIFEST_FILE);
        let text = serde_json::to_string_pretty(&self.manifest);
        let text = text.map_err(|error| access(&manifest, error.into()))?;
        fs::write(&manifest, text + "\n").map_err(|source| access(&manifest, source))
    }

    /// Reads the checkpoint in `folder`.
    ///
    /// # Errors
    /// When a file is missing, damaged, of a newer format, or not a checkpoint's.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let manifest = read_manifest(folder)?;
        let members = read_tensors(&folder.join(MODEL_FILE), &manifest, members_of)?;
        let blends = read_tensors(&folder.join(REGRESSOR_FILE), &manifest, blends_of)?;
        Ok(Self { manifest, members, blends })
    }

    /// What the model makes of cells without a value.
    #[must_use]
    pub fn missing_cells(&self) -> MissingCells {
        let rule = &self.manifest.parameters["clean"]["missing"];
        if rule == "median" { MissingCells::KeepInFeatures } else { MissingCells::Refuse }
    }

    /// The predictor of this model on `backend`.
    #[must_use]
    pub fn predictor(&self, backend: &Backend) -> Predictor {
        let manifest = &self.manifest;
        let members: Vec<&MemberWeights> = self.members.iter().collect();
        Predictor {
            preprocessors: manifest.preprocessors.clone(),
            models: Models {
                networks: (!members.is_empty()).then(|| {
                    StackPredictor::new(&manifest.shape, &members, &manifest.scaling, backend)
                }),
                blends: self.blends.clone(),
                folds: manifest.folds.clone(),
            },
            calibration: manifest.calibration.clone(),
            domain: manifest.domain.clone(),
        }
    }

    /// The arrays of every regressor, `foldFOLD.KIND.NAME` each.
    fn arrays(&self) -> io::Result<Vec<u8>> {
        let mut parts: Vec<(String, Array)> = Vec::new();
        let mut add = |prefix: &str, one: &FittedRegressor| {
            parts.extend(
                to_arrays(one).into_iter().map(|(name, own)| (prefix.to_owned() + &name, own)),
            );
        };
        for (fold, blend) in self.blends.iter().enumerate() {
            for (_, one) in &blend.regressors {
                add(&prefix(fold, one.kind.name()), one);
            }
            if let Spread::Model { regressor, .. } = &blend.spread {
                add(&prefix(fold, SPREAD), regressor);
            }
        }
        let views = parts.iter().map(|(name, array)| (name, array));
        safetensors::serialize(views, None).map_err(io::Error::other)
    }

    /// The weights of all networks, one tensor `[M, rows, columns]` for each parameter.
    fn tensors(&self) -> io::Result<Vec<u8>> {
        let (shape, count) = (&self.manifest.shape, self.members.len());
        let mut start = 0;
        let mut parts: Vec<(String, [usize; 3], Vec<f32>)> = Vec::new();
        for parameter in shape.parameters() {
            let own = start..start + parameter.size();
            start = own.end;
            let values = self.members.iter().flat_map(|m| m.0[own.clone()].iter().copied());
            let size = [count, parameter.rows, parameter.columns];
            parts.push((parameter.name, size, values.collect()));
        }
        let views = parts.iter().map(|(name, shape, values)| (name, Floats::new(values, shape)));
        safetensors::serialize(views, None).map_err(io::Error::other)
    }
}

fn read_manifest(folder: &Path) -> Result<Manifest, CheckpointError> {
    let path = folder.join(MANIFEST_FILE);
    let text = fs::read_to_string(&path).map_err(|source| {
        if source.kind() != io::ErrorKind::NotFound {
            return access(&path, source);
        }
        let hint = "name the folder that `massay train` wrote, e.g. `checkpoints/NAME`";
        refused(folder, "it has no manifest.json", "a checkpoint", hint)
    })?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| damaged(&path, &error.to_string()))?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format > u64::from(FORMAT_VERSION) => {
            let found = format!("the checkpoint has format {format}");
            let expected = format!("at most {FORMAT_VERSION}");
            return Err(refused(&path, &found, &expected, "update massay"));
        }
        Some(format) if format < u64::from(FORMAT_VERSION) => {
            let found = format!("the checkpoint has format {format}");
            let hint = "train again with this version of massay, or predict with the older one";
            return Err(refused(&path, &found, &FORMAT_VERSION.to_string(), hint));
        }
        Some(_) => {}
        None => {
            let hint = "name the folder that `massay train` wrote";
            return Err(refused(&path, "it names no format", "a massay checkpoint", hint));
        }
    }
    let manifest: Manifest =
        serde_json::from_value(value).map_err(|error| damaged(&path, &error.to_string()))?;
    if manifest.is_consistent() {
        Ok(manifest)
    } else {
        Err(damaged(&path, "its parts do not fit"))
    }
}

impl Manifest {
    /// Reads the manifest of the checkpoint in `folder`; the other files are not looked at.
    ///
    /// # Errors
    /// When it is missing, of another format, or not a checkpoint's.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        read_manifest(folder)
    }

    /// Whether a preprocessor takes the schema's columns and gives the networks' inputs.
    fn is_fed_by(&self, preprocessor: &Preprocessor) -> bool {
        preprocessor.is_consistent()
            && preprocessor.inputs() == self.schema.features
            && preprocessor.width() == self.shape.inputs
    }

    /// Whether every part is of the size that the others need.
    fn is_consistent(&self) -> bool {
        let (inputs, folds) = (self.shape.inputs, self.folds.len());
        let fits = |member: &MemberScaling| {
            member.inputs.is_consistent(inputs)
                && member.linear.as_ref().is_none_or(|l| l.coefficients.len() == inputs)
        };
        folds > 0
            && self.blends.len() == folds
            && (!self.scaling.is_empty() || self.blends.iter().all(|blend| blend.networks == 0.0))
            && self.scaling.len().is_multiple_of(folds)
            && self.scaling.iter().all(fits)
            && self.calibration.is_consistent(folds)
            && self.domain.is_consistent(self.schema.features.len())
            && self.preprocessors.is_consistent(folds)
            && self.preprocessors.distinct().iter().all(|one| self.is_fed_by(one))
    }
}

/// Reads what `parse` finds in a file whose checksum stands in the manifest.
fn read_tensors<T>(
    path: &Path,
    manifest: &Manifest,
    parse: impl Fn(&SafeTensors<'_>, &Manifest) -> Option<T>,
) -> Result<T, CheckpointError> {
    let bytes = fs::read(path).map_err(|source| access(path, source))?;
    let checksum = sha256_file(path).map_err(|source| access(path, source))?;
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    if manifest.checksums.get(&name) != Some(&checksum) {
        return Err(damaged(path, "its SHA-256 differs from the one in manifest.json"));
    }
    let tensors =
        SafeTensors::deserialize(&bytes).map_err(|error| damaged(path, &error.to_string()))?;
    parse(&tensors, manifest).ok_or_else(|| damaged(path, "its tensors do not fit the manifest"))
}

/// The name of the regressor of residuals among a fold's arrays.
const SPREAD: &str = "spread";

fn prefix(fold: usize, name: &str) -> String {
    format!("fold{fold}.{name}.")
}

fn blends_of(tensors: &SafeTensors<'_>, manifest: &Manifest) -> Option<Vec<Blend>> {
    let regressor = |fold: usize, name: &str, kind: RegressorKind| {
        let regressor = from_arrays(kind, &read(tensors, &prefix(fold, name)))?;
        regressor.is_consistent(manifest.shape.inputs).then_some(regressor)
    };
    let blend = |(fold, entry): (usize, &BlendEntry)| -> Option<Blend> {
        let own = |(kind, weight): &(RegressorKind, f64)| {
            Some((*weight, regressor(fold, kind.name(), *kind)?))
        };
        let spread = match entry.spread_model {
            None => Spread::Constant(entry.spread),
            Some(kind) => {
                let regressor = Box::new(regressor(fold, SPREAD, kind)?);
                Spread::Model { regressor, floor: entry.spread }
            }
        };
        let regressors: Option<Vec<(f64, FittedRegressor)>> =
            entry.regressors.iter().map(own).collect();
        Some(Blend { networks: entry.networks, regressors: regressors?, spread })
    };
    manifest.blends.iter().enumerate().map(blend).collect()
}

fn members_of(tensors: &SafeTensors<'_>, manifest: &Manifest) -> Option<Vec<MemberWeights>> {
    let (count, shape) = (manifest.scaling.len(), &manifest.shape);
    let mut members = vec![MemberWeights(Vec::with_capacity(shape.size())); count];
    for parameter in shape.parameters() {
        let tensor = tensors.tensor(&parameter.name).ok()?;
        if tensor.shape() != [count, parameter.rows, parameter.columns] {
            return None;
        }
        let values = floats(tensor.data());
        for (member, part) in members.iter_mut().zip(values.chunks_exact(parameter.size())) {
            member.0.extend_from_slice(part);
        }
    }
    Some(members)
}

fn access(path: &Path, source: io::Error) -> CheckpointError {
    CheckpointError::Access { path: path.to_owned(), source }
}

fn damaged(path: &Path, found: &str) -> CheckpointError {
    let hint = "the file is damaged or was changed; restore it or train again";
    refused(path, found, "an intact checkpoint", hint)
}

fn refused(path: &Path, found: &str, expected: &str, hint: &str) -> CheckpointError {
    CheckpointError::Refused {
        path: path.to_owned(),
        found: found.to_owned(),
        expected: expected.to_owned(),
        hint: hint.to_owned(),
    }
}
