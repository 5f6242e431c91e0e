//! The space in which the target is learned.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How the target is treated.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `transform` | `none` | `none`, `log` | space in which the target is learned and intervals are formed |
/// | `minimum` | absent | any number | physical limit: no prediction and no bound lies below it |
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TargetConfig {
    /// Space in which the target is learned.
    pub transform: TargetTransform,
    /// Physical lower limit, e.g. 0 for a mass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
}

/// A monotone map of the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetTransform {
    /// The target itself.
    #[default]
    None,
    /// Its natural logarithm: errors and intervals become relative.
    Log,
}

/// A target that cannot be learned as configured.
#[derive(Debug, Error)]
#[error(
    "row {row} of the data has {name} = {value}, expected a positive number for \
     `target.transform` = \"log\"\n\nhint: set `target.transform` to \"none\""
)]
pub struct TargetError {
    /// Data row, from 1.
    pub row: usize,
    /// Target column.
    pub name: String,
    /// Its value.
    pub value: f64,
}

impl TargetTransform {
    /// The target in the space of learning.
    #[must_use]
    pub fn apply(self, value: f64) -> f64 {
        match self {
            Self::None => value,
            Self::Log => libm::log(value),
        }
    }

    /// The inverse of [`Self::apply`].
    #[must_use]
    pub fn invert(self, value: f64) -> f64 {
        match self {
            Self::None => value,
            Self::Log => libm::exp(value),
        }
    }

    /// All targets in the space of learning.
    ///
    /// # Errors
    /// When a target is outside the transform's domain.
    pub fn apply_all(self, name: &str, values: &[f64]) -> Result<Vec<f64>, TargetError> {
        let invalid = values.iter().position(|value| self == Self::Log && *value <= 0.0);
        match invalid {
            None => Ok(values.iter().map(|value| self.apply(*value)).collect()),
            Some(row) => {
                Err(TargetError { row: row + 1, name: name.to_owned(), value: values[row] })
            }
        }
    }
}
