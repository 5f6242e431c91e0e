//! A model that answers requests.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    data::MissingCells,
    model::{Backend, Prediction, Predictor, Reference},
    train::{Checkpoint, Manifest, Schema},
};

/// Which model answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelIdentity {
    /// Name of the model that the run is a version of, e.g. `massay-mass`.
    pub model: String,
    /// Name of the run.
    pub run: String,
    /// Its id; empty where `run.json` is missing.
    pub run_id: String,
    /// SHA-256 of its manifest: what this model is, whatever it is called.
    pub checksum: String,
}

impl ModelIdentity {
    /// What answers name the model by: its run and the first digits of its checksum.
    #[must_use]
    pub fn version(&self) -> String {
        let digits = self.checksum.get(..8).unwrap_or(&self.checksum);
        format!("{}@{digits}", self.run)
    }
}

/// A model that answers requests, with all that they are read by.
#[derive(Debug)]
pub struct ServedModel {
    /// Which model it is.
    pub identity: ModelIdentity,
    /// What answers name it by.
    pub version: String,
    /// From rows to predictions.
    pub predictor: Predictor,
    /// What the columns mean.
    pub schema: Schema,
    /// What becomes of missing values.
    pub missing: MissingCells,
    /// Rows that it was trained on.
    pub reference: Reference,
    /// Share of true values that its intervals should contain.
    pub level: f64,
    /// Scores on held-out rows, as in its report.
    pub scores: serde_json::Value,
    places: HashMap<String, usize>,
}

/// Rows that a model is tried on before it answers.
const CANARIES: usize = 16;

impl ServedModel {
    /// The model of a checkpoint on a backend.
    #[must_use]
    pub fn new(identity: ModelIdentity, checkpoint: Checkpoint, backend: &Backend) -> Self {
        let predictor = checkpoint.predictor(backend);
        let missing = checkpoint.missing_cells();
        let Manifest { schema, calibration, metrics, .. } = checkpoint.manifest;
        let places = schema.features.iter().enumerate();
        Self {
            version: identity.version(),
            places: places.map(|(place, name)| (name.clone(), place)).collect(),
            identity,
            predictor,
            missing,
            reference: checkpoint.reference,
            level: calibration.level,
            scores: metrics["cv"].clone(),
            schema,
        }
    }

    /// The place of a raw column.
    #[must_use]
    pub fn place(&self, column: &str) -> Option<usize> {
        self.places.get(column).copied()
    }

    /// Raw columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        self.predictor.columns()
    }

    /// Predicts known rows, which also warms it up; says what is wrong with the answers.
    ///
    /// # Errors
    /// When a prediction is not a number within its interval.
    pub fn try_out(&self) -> Result<(), String> {
        let values = self.reference.columns * self.reference.targets.len().min(CANARIES);
        let answers = self.predictor.predict(&self.reference.inputs[..values]);
        match answers.iter().find(|answer| !is_sound(answer)) {
            Some(answer) => Err(format!("it predicts {answer:?} for a row of its own training")),
            None => Ok(()),
        }
    }

    /// Whether requests that `other` answers are answered by this model too.
    ///
    /// # Errors
    /// Says what differs.
    pub fn can_replace(&self, other: &Self) -> Result<(), String> {
        let (own, expected) = (quantity(&self.schema), quantity(&other.schema));
        if own != expected {
            return Err(format!("it predicts {own}, not {expected}"));
        }
        if let Some(column) = self.columns().iter().find(|column| other.place(column).is_none()) {
            return Err(format!("it asks a column `{column}` that requests do not have"));
        }
        // Lists without names are read in the order of the model's columns.
        if self.columns() != other.columns() {
            return Err(format!(
                "its columns are {}, requests bring {}",
                self.columns().join(", "),
                other.columns().join(", ")
            ));
        }
        if self.missing == MissingCells::Refuse && other.missing != MissingCells::Refuse {
            return Err("it refuses missing values, which requests may have".to_owned());
        }
        Ok(())
    }
}

/// What a model predicts, in which unit.
fn quantity(schema: &Schema) -> String {
    match schema.unit.as_str() {
        "" => format!("`{}` without a unit", schema.target),
        unit => format!("`{}` in {unit}", schema.target),
    }
}

/// Whether an answer is a number within its interval.
#[must_use]
pub(super) fn is_sound(answer: &Prediction) -> bool {
    answer.value.is_finite()
        && answer.lower.is_finite()
        && answer.upper.is_finite()
        && answer.lower <= answer.value
        && answer.value <= answer.upper
}
