//! The space in which the target is learned.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How the target is treated.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `transform` | `none` | `none`, `log` | space in which the target is learned and intervals are formed |
/// | `minimum` | `-inf` | any number | physical limit: no prediction and no bound lies below it |
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
pub enum TargetError {
    /// A logarithm needs positive numbers.
    #[error(
        "data row {row} has {name} = {value}, expected a positive number for `target.transform` = \
         \"log\"\n\nhint: `--set target.transform=none` learns the target itself"
    )]
    NotPositive {
        /// Data row, from 1.
        row: usize,
        /// Target column.
        name: String,
        /// Its value.
        value: f64,
    },
    /// Targets so large or so close together that their squares leave the range of numbers.
    #[error(
        "the values of {name} span {span:e}, expected between 1e-100 and 1e100\n\nhint: express \
         {name} in another unit"
    )]
    Extreme {
        /// Target column.
        name: String,
        /// Difference of the largest and the smallest value.
        span: f64,
    },
    /// A target lies below its physical limit.
    #[error(
        "data row {row} has {name} = {value}, expected at least `target.minimum` = {minimum}\n\n\
         hint: `--set target.minimum=-inf` sets no limit"
    )]
    BelowMinimum {
        /// Data row, from 1.
        row: usize,
        /// Target column.
        name: String,
        /// Its value.
        value: f64,
        /// The limit.
        minimum: f64,
    },
}

impl TargetConfig {
    /// All targets in the space of learning.
    ///
    /// # Errors
    /// When a target lies below the limit or outside the transform's domain.
    pub fn apply_all(&self, name: &str, values: &[f64]) -> Result<Vec<f64>, TargetError> {
        let minimum = self.minimum.unwrap_or(f64::NEG_INFINITY);
        for (index, &value) in values.iter().enumerate() {
            let (row, name) = (index + 1, name.to_owned());
            if self.transform == TargetTransform::Log && value <= 0.0 {
                return Err(TargetError::NotPositive { row, name, value });
            }
            if value < minimum {
                return Err(TargetError::BelowMinimum { row, name, value, minimum });
            }
        }
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !(1e-100..=1e100).contains(&(high - low)) || high.abs().max(low.abs()) > 1e100 {
            return Err(TargetError::Extreme { name: name.to_owned(), span: high - low });
        }
        Ok(values.iter().map(|value| self.transform.apply(*value)).collect())
    }
}

impl TargetTransform {
    /// The derivative of the map.
    #[must_use]
    pub fn slope(self, value: f64) -> f64 {
        match self {
            Self::None => 1.0,
            Self::Log => 1.0 / value,
        }
    }

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
}
