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
        Backend, Calibration, Domain, FoldTarget, MemberScaling, MemberWeights, Predictor,
        StackPredictor, StackShape,
    },
};

use super::state::{Floats, floats};

/// The checkpoint format that this program reads and writes.
pub const FORMAT_VERSION: u32 = 2;

const MODEL_FILE: &str = "model.safetensors";
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
    /// Weights of every network, fold by fold.
    pub members: Vec<MemberWeights>,
}

impl Checkpoint {
    /// Writes the checkpoint into an existing folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&mut self, folder: &Path) -> Result<(), CheckpointError> {
        let model = folder.join(MODEL_FILE);
        let bytes = self.tensors().map_err(|source| access(&model, source))?;
        fs::write(&model, bytes).map_err(|source| access(&model, source))?;
        let checksum = sha256_file(&model).map_err(|source| access(&model, source))?;
        self.manifest.checksums.insert(MODEL_FILE.to_owned(), checksum);
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
        let path = folder.join(MODEL_FILE);
        let bytes = fs::read(&path).map_err(|source| access(&path, source))?;
        let checksum = sha256_file(&path).map_err(|source| access(&path, source))?;
        if manifest.checksums.get(MODEL_FILE) != Some(&checksum) {
            let found = "its SHA-256 differs from the one in manifest.json";
            return Err(damaged(&path, found));
        }
        let tensors =
            SafeTensors::deserialize(&bytes).map_err(|error| damaged(&path, &error.to_string()))?;
        let members = members_of(&tensors, &manifest)
            .ok_or_else(|| damaged(&path, "its tensors do not fit the manifest"))?;
        Ok(Self { manifest, members })
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
            networks: StackPredictor::new(&manifest.shape, &members, &manifest.scaling, backend),
            folds: manifest.folds.clone(),
            calibration: manifest.calibration.clone(),
            domain: manifest.domain.clone(),
        }
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
            [&member.centre, &member.inverse_scale].iter().all(|part| part.len() == inputs)
                && member.linear.as_ref().is_none_or(|l| l.coefficients.len() == inputs)
        };
        folds > 0
            && !self.scaling.is_empty()
            && self.scaling.len().is_multiple_of(folds)
            && self.scaling.iter().all(fits)
            && self.calibration.is_consistent(folds)
            && self.domain.is_consistent(self.schema.features.len())
            && self.preprocessors.is_consistent(folds)
            && self.preprocessors.distinct().iter().all(|one| self.is_fed_by(one))
    }
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
