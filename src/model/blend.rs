//! The models of a run: in every fold a weighted mean of its networks and its regressors.

use rayon::prelude::*;

use crate::features::{FeatureMatrix, PerFold};

use super::{FittedRegressor, FoldTarget, Regressor, Spread, StackPredictor};

/// What predicts in one fold; weights add up to one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blend {
    /// Weight of the mean of the fold's networks.
    pub networks: f64,
    /// Regressors, each with its weight.
    pub regressors: Vec<(f64, FittedRegressor)>,
    /// How far off they expect to be.
    pub spread: Spread,
}

/// What the models of one fold say of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoldValue {
    /// The value, on the target's own scale.
    pub value: f64,
    /// How far off it may be, in the space of learning.
    pub spread: f64,
}

impl Blend {
    /// The value on the target's own scale for a row of features, from the transformed targets that
    /// the fold's networks give for it.
    fn value(&self, fold: &FoldTarget, row: &[f32], networks: &[f64]) -> f64 {
        let mut sum = 0.0;
        if self.networks > 0.0 {
            sum += self.networks * fold.combine(networks.iter().copied());
        }
        for (weight, regressor) in &self.regressors {
            sum += weight * fold.combine(std::iter::once(regressor.predict(row)));
        }
        sum
    }
}

/// The models of all folds of all repeats.
#[derive(Clone, Debug)]
pub struct Models {
    /// All networks, fold by fold; `None` where no fold asks them.
    pub networks: Option<StackPredictor>,
    /// How each fold weighs what it has.
    pub blends: Vec<Blend>,
    /// From a model's output to a value, for each fold.
    pub folds: Vec<FoldTarget>,
}

impl Models {
    /// Calls `finish` with each row's position and what every fold says of it, and collects what it
    /// returns; `matrices` holds the rows as each fold sees them. Rows are spread over threads on the
    /// CPU.
    pub fn map_rows<T: Send>(
        &self,
        matrices: &PerFold<FeatureMatrix>,
        finish: impl Fn(usize, &[FoldValue]) -> T + Sync,
    ) -> Vec<T> {
        let values = |row: usize, networks: &[f64]| {
            let per_fold = networks.len() / self.blends.len();
            let pairs = self.blends.iter().zip(&self.folds).enumerate();
            let value = |(index, (blend, fold)): (usize, (&Blend, &FoldTarget))| {
                let own = &networks[index * per_fold..(index + 1) * per_fold];
                let row = matrices.get(index).row(row);
                FoldValue { value: blend.value(fold, row, own), spread: blend.spread.of(row) }
            };
            let values: Vec<FoldValue> = pairs.map(value).collect();
            finish(row, &values)
        };
        if let Some(networks) = &self.networks {
            return networks.map_rows(matrices, values);
        }
        (0..matrices.get(0).rows()).into_par_iter().map(|row| values(row, &[])).collect()
    }

    /// Whether rows are best spread over threads.
    #[must_use]
    pub fn is_cpu(&self) -> bool {
        self.networks.as_ref().is_none_or(StackPredictor::is_cpu)
    }
}
