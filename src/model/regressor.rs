//! Models that are not networks, behind one trait.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{KernelModel, Linear, Neighbours, TreeEnsemble};

/// A function of one row of features.
pub trait Regressor {
    /// Its value for a row of features.
    fn predict(&self, row: &[f32]) -> f64;

    /// Its values for some rows, the same as one by one.
    fn predict_rows(&self, rows: &[&[f32]]) -> Vec<f64> {
        rows.iter().map(|row| self.predict(row)).collect()
    }
}

/// Rows that one thread predicts at once.
pub(super) const BLOCK: usize = 64;

/// The values of a regressor for some rows, which are spread over threads.
pub(crate) fn predict_on_threads(regressor: &(impl Regressor + Sync), rows: &[&[f32]]) -> Vec<f64> {
    rows.par_chunks(BLOCK).flat_map_iter(|rows| regressor.predict_rows(rows)).collect()
}

/// A kind of model that is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegressorKind {
    /// Ridge regression.
    Ridge,
    /// Kernel ridge regression.
    Kernel,
    /// k nearest neighbours.
    Neighbours,
    /// One decision tree.
    Tree,
    /// A random forest.
    Forest,
    /// Extremely randomised trees.
    ExtraTrees,
    /// Gradient boosting.
    Boosting,
}

impl RegressorKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Ridge,
        Self::Kernel,
        Self::Neighbours,
        Self::Tree,
        Self::Forest,
        Self::ExtraTrees,
        Self::Boosting,
    ];

    /// Its name, as typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ridge => "ridge",
            Self::Kernel => "kernel",
            Self::Neighbours => "neighbours",
            Self::Tree => "tree",
            Self::Forest => "forest",
            Self::ExtraTrees => "extra-trees",
            Self::Boosting => "boosting",
        }
    }
}

impl fmt::Display for RegressorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The function that was fitted, in standard units of the transformed target.
#[derive(Clone, Debug, PartialEq)]
pub enum Function {
    /// A linear function.
    Linear(Linear),
    /// A weighted sum of similarities.
    Kernel(KernelModel),
    /// Nearest neighbours.
    Neighbours(Neighbours),
    /// A sum of trees.
    Trees(TreeEnsemble),
}

impl Function {
    fn regressor(&self) -> &dyn Regressor {
        match self {
            Self::Linear(linear) => linear,
            Self::Kernel(kernel) => kernel,
            Self::Neighbours(neighbours) => neighbours,
            Self::Trees(trees) => trees,
        }
    }
}

/// A fitted function with the units of its target.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedRegressor {
    /// What kind of model it is.
    pub kind: RegressorKind,
    /// The function.
    pub function: Function,
    /// Mean of the transformed target.
    pub target_mean: f64,
    /// Standard deviation of the transformed target.
    pub target_deviation: f64,
}

impl FittedRegressor {
    /// Whether it is sound for rows of `columns` features.
    #[must_use]
    pub fn is_consistent(&self, columns: usize) -> bool {
        match &self.function {
            Function::Linear(linear) => linear.coefficients.len() == columns,
            Function::Kernel(kernel) => kernel.is_consistent(columns),
            Function::Neighbours(neighbours) => neighbours.is_consistent(columns),
            Function::Trees(trees) => trees.is_consistent(columns),
        }
    }

    /// The transformed target from one in standard units.
    fn transformed(&self, standard: f64) -> f64 {
        self.target_mean + self.target_deviation * standard
    }
}

impl Regressor for FittedRegressor {
    /// The transformed target.
    fn predict(&self, row: &[f32]) -> f64 {
        self.transformed(self.function.regressor().predict(row))
    }

    fn predict_rows(&self, rows: &[&[f32]]) -> Vec<f64> {
        let mut values = self.function.regressor().predict_rows(rows);
        for value in &mut values {
            *value = self.transformed(*value);
        }
        values
    }
}
