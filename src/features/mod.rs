//! Rows to numbers a network can use: cleaning, feature blocks, scalers and the target's transform.
//!
//! Invariant: what is fitted is fitted on training rows only, and a row becomes features without
//! any other row.

mod block;
mod blocks;
mod cleaning;
mod config;
mod layout;
mod matrix;
mod output;
mod per_fold;
mod preprocessor;
mod scaler;
mod target;

pub use block::FeatureBlock;
pub(crate) use blocks::{
    FittedBlock, NormalScores, Pairs, PrincipalComponents, RingAsymmetries, Sorted,
};
pub use config::{CleanConfig, DuplicateRule, FeatureConfig, FeatureSet, MissingRule};
pub use layout::{FeatureError, Layout};
pub use matrix::FeatureMatrix;
pub use per_fold::PerFold;
pub use preprocessor::{Preprocessor, RawRows};
pub use scaler::Scaler;
pub use target::{TargetConfig, TargetError, TargetTransform};
