//! Rows to numbers a network can use: feature and target transforms, and scalers.
//!
//! Invariant: what is fitted is fitted on training rows only; transforms that see all rows are
//! fixed functions whose effect every later scaler cancels.

mod matrix;
mod preprocessor;
mod scaler;
mod target;

pub use matrix::FeatureMatrix;
pub use preprocessor::{FeatureConfig, FeatureTransform, Preprocessor};
pub use scaler::Scaler;
pub use target::{TargetConfig, TargetError, TargetTransform};
