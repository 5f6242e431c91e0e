//! What a checkpoint says about its model.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    data::sha256_file,
    features::{PerFold, Preprocessor},
    model::{
        Blend, Calibration, Domain, FoldTarget, MemberScaling, RegressorKind, Spread, StackShape,
    },
};

use super::checkpoint_error::{CheckpointError, access, damaged, refused};

/// The checkpoint format that this program reads and writes.
pub const FORMAT_VERSION: u32 = 4;

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
    /// Whether its weights add up to one and its spread is finite and not negative.
    fn is_sound(&self) -> bool {
        let weights = || self.regressors.iter().map(|own| own.1).chain([self.networks]);
        weights().all(|own| own >= 0.0)
            && (weights().sum::<f64>() - 1.0).abs() < 1e-6
            && (0.0..f64::INFINITY).contains(&self.spread)
    }

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

fn read_manifest(folder: &Path) -> Result<Manifest, CheckpointError> {
    let path = folder.join(Manifest::FILE);
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
    /// Name of the file in the folder of a checkpoint.
    pub const FILE: &str = "manifest.json";

    /// The SHA-256 of the manifest in `folder`, in hexadecimal. It holds those of the other files: it names
    /// the whole checkpoint.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn checksum(folder: &Path) -> Result<String, CheckpointError> {
        let path = folder.join(Self::FILE);
        sha256_file(&path).map_err(|source| access(&path, source))
    }

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
            && self.blends.iter().all(BlendEntry::is_sound)
            && self.domain.is_consistent(self.schema.features.len())
            && self.preprocessors.is_consistent(folds)
            && self.preprocessors.distinct().iter().all(|one| self.is_fed_by(one))
    }
}
