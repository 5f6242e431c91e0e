//! A trained model on disk: a folder that is there whole or not at all.

use std::{fs, io, ops::Range, path::Path};

use safetensors::SafeTensors;

use crate::{
    data::{MissingCells, sha256},
    features::PerFold,
    model::{
        Backend, Blend, Calibration, FittedRegressor, MemberWeights, Models, Predictor, Reference,
        RegressorKind, Spread, StackPredictor,
    },
};

use super::{
    checkpoint_error::{CheckpointError, access, damaged},
    manifest::{BlendEntry, Manifest},
    regressors::{Array, from_arrays, read, to_arrays},
    state::{Floats, floats},
};

const MODEL_FILE: &str = "model.safetensors";
const REFERENCE_FILE: &str = "reference.safetensors";
const REGRESSOR_FILE: &str = "regressors.safetensors";

/// A model with its manifest.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Everything but the weights.
    pub manifest: Manifest,
    /// Weights of every network, fold by fold; none where no fold asks them.
    pub members: Vec<MemberWeights>,
    /// How each fold weighs what it has, in the order of the manifest.
    pub blends: Vec<Blend>,
    /// Rows that later rows are compared with.
    pub reference: Reference,
}

impl Checkpoint {
    /// Writes the checkpoint into an existing folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&mut self, folder: &Path) -> Result<(), CheckpointError> {
        let files = [
            (MODEL_FILE, self.tensors()),
            (REGRESSOR_FILE, self.arrays()),
            (REFERENCE_FILE, self.reference_arrays()),
        ];
        for (name, bytes) in files {
            let path = folder.join(name);
            let bytes = bytes.map_err(|source| access(&path, source))?;
            self.manifest.checksums.insert(name.to_owned(), sha256(&bytes));
            fs::write(&path, bytes).map_err(|source| access(&path, source))?;
        }
        let manifest = folder.join(Manifest::FILE);
        let text = serde_json::to_string_pretty(&self.manifest);
        let text = text.map_err(|error| access(&manifest, error.into()))?;
        fs::write(&manifest, text + "\n").map_err(|source| access(&manifest, source))
    }

    /// Reads the checkpoint in `folder`.
    ///
    /// # Errors
    /// When a file is missing, damaged, of a newer format, or not a checkpoint's.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let manifest = Manifest::read(folder)?;
        let members = read_tensors(&folder.join(MODEL_FILE), &manifest, members_of)?;
        let blends = read_tensors(&folder.join(REGRESSOR_FILE), &manifest, blends_of)?;
        let reference = read_tensors(&folder.join(REFERENCE_FILE), &manifest, reference_of)?;
        Ok(Self { manifest, members, blends, reference })
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
        Predictor {
            preprocessors: manifest.preprocessors.clone(),
            models: Models {
                networks: self.networks(0..self.blends.len(), backend),
                blends: self.blends.clone(),
                folds: manifest.folds.clone(),
            },
            calibration: manifest.calibration.clone(),
            domain: manifest.domain.clone(),
        }
    }

    /// The predictor of the models of one fold, by its position among those of all repeats; its intervals come from
    /// the residuals of that fold alone.
    #[must_use]
    pub fn fold_predictor(&self, fold: usize, backend: &Backend) -> Predictor {
        let (manifest, calibration) = (&self.manifest, &self.manifest.calibration);
        Predictor {
            preprocessors: PerFold::shared(manifest.preprocessors.get(fold).clone(), 1),
            models: Models {
                networks: self.networks(fold..fold + 1, backend),
                blends: vec![self.blends[fold].clone()],
                folds: vec![manifest.folds[fold].clone()],
            },
            calibration: Calibration {
                level: calibration.level,
                repeats: 1,
                folds: vec![calibration.folds[fold].clone()],
            },
            domain: manifest.domain.clone(),
        }
    }

    /// The networks of some folds, ready to predict; `None` where there are none.
    fn networks(&self, folds: Range<usize>, backend: &Backend) -> Option<StackPredictor> {
        let count = self.members.len() / self.blends.len().max(1);
        let own = folds.start * count..folds.end * count;
        let members: Vec<&MemberWeights> = self.members[own.clone()].iter().collect();
        (!members.is_empty()).then(|| {
            let (shape, scaling) = (&self.manifest.shape, &self.manifest.scaling[own]);
            let asked: Vec<bool> =
                self.blends[folds].iter().map(|blend| blend.networks > 0.0).collect();
            StackPredictor::new(shape, &members, scaling, backend).asked_by(&asked)
        })
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

    /// The reference, one array for each part.
    fn reference_arrays(&self) -> io::Result<Vec<u8>> {
        let own = &self.reference;
        let parts = [
            ("inputs", Array::matrix(&own.inputs, own.columns)),
            ("predictions", Array::doubles(&own.predictions)),
            ("lower", Array::doubles(&own.lower)),
            ("upper", Array::doubles(&own.upper)),
            ("targets", Array::doubles(&own.targets)),
            ("distances", Array::doubles(&own.distances)),
            ("residuals", Array::matrix(&own.residuals, own.columns)),
        ];
        let views = parts.iter().map(|(name, array)| (*name, array));
        safetensors::serialize(views, None).map_err(io::Error::other)
    }

    /// The weights of all networks, one tensor `[M, rows, columns]` for each parameter.
    fn tensors(&self) -> io::Result<Vec<u8>> {
        let (shape, count) = (&self.manifest.shape, self.members.len());
        let mut parts: Vec<(String, [usize; 3], Vec<f32>)> = Vec::new();
        for (parameter, own) in shape.placed() {
            let values = self.members.iter().flat_map(|m| m.0[own.clone()].iter().copied());
            let size = [count, parameter.rows, parameter.columns];
            parts.push((parameter.name, size, values.collect()));
        }
        let views = parts.iter().map(|(name, shape, values)| (name, Floats::new(values, shape)));
        safetensors::serialize(views, None).map_err(io::Error::other)
    }
}

/// Reads what `parse` finds in a file whose checksum stands in the manifest.
fn read_tensors<T>(
    path: &Path,
    manifest: &Manifest,
    parse: impl Fn(&SafeTensors<'_>, &Manifest) -> Option<T>,
) -> Result<T, CheckpointError> {
    let bytes = fs::read(path).map_err(|source| access(path, source))?;
    let checksum = sha256(&bytes);
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

fn reference_of(tensors: &SafeTensors<'_>, manifest: &Manifest) -> Option<Reference> {
    let arrays = read(tensors, "");
    let part = |name: &str| arrays.get(name)?.to_doubles();
    let (inputs, columns) = (part("inputs")?, manifest.schema.features.len());
    let reference = Reference {
        columns,
        inputs,
        predictions: part("predictions")?,
        lower: part("lower")?,
        upper: part("upper")?,
        targets: part("targets")?,
        distances: part("distances")?,
        residuals: part("residuals")?,
    };
    reference.is_consistent(columns).then_some(reference)
}

fn members_of(tensors: &SafeTensors<'_>, manifest: &Manifest) -> Option<Vec<MemberWeights>> {
    let (count, shape) = (manifest.scaling.len(), &manifest.shape);
    let mut members = vec![MemberWeights(Vec::new()); count];
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
