//! The models of a run: in every fold a weighted mean of its networks and its regressors.

use std::ops::Range;

use rayon::prelude::*;

use crate::features::{FeatureMatrix, PerFold};

use super::{FittedRegressor, FoldTarget, Regressor, Spread, StackPredictor, regressor::BLOCK};

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
    /// The values on the target's own scale for some rows of features; `networks` gives the transformed targets that
    /// the fold's networks say for each.
    fn values<'a>(
        &self,
        fold: &FoldTarget,
        rows: &[&[f32]],
        networks: impl Fn(usize) -> &'a [f64],
    ) -> Vec<f64> {
        let mut sums = vec![0.0; rows.len()];
        if self.networks > 0.0 {
            for (row, sum) in sums.iter_mut().enumerate() {
                *sum += self.networks * fold.combine(networks(row).iter().copied());
            }
        }
        for (weight, regressor) in &self.regressors {
            for (sum, value) in sums.iter_mut().zip(regressor.predict_rows(rows)) {
                *sum += weight * fold.combine(std::iter::once(value));
            }
        }
        sums
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
        let block = |rows: Range<usize>, networks: &[f64]| {
            let values = self.block(matrices, rows.clone(), networks);
            let own = values.chunks_exact(self.blends.len());
            rows.zip(own).map(|(row, own)| finish(row, own)).collect()
        };
        if let Some(networks) = &self.networks {
            return networks.map_blocks(matrices, block);
        }
        let rows = matrices.get(0).rows();
        let starts = (0..rows).into_par_iter().step_by(BLOCK);
        starts.flat_map_iter(|start| block(start..rows.min(start + BLOCK), &[])).collect()
    }

    /// What every fold says of some rows, `[rows, folds]`, from what the networks say of them, `[rows, networks]`.
    fn block(
        &self,
        matrices: &PerFold<FeatureMatrix>,
        rows: Range<usize>,
        networks: &[f64],
    ) -> Vec<FoldValue> {
        let (count, folds) = (rows.len(), self.blends.len());
        let (all, none) = (networks.len() / count.max(1), FoldValue { value: 0.0, spread: 0.0 });
        let mut said = vec![none; count * folds];
        for (index, (blend, fold)) in self.blends.iter().zip(&self.folds).enumerate() {
            let matrix = matrices.get(index);
            let features: Vec<&[f32]> = rows.clone().map(|row| matrix.row(row)).collect();
            let own = |row: usize| &networks[row * all..][index * all / folds..][..all / folds];
            let values = blend.values(fold, &features, own);
            let spreads = blend.spread.of_rows(&features);
            let places = said.iter_mut().skip(index).step_by(folds);
            for (place, (value, spread)) in places.zip(values.into_iter().zip(spreads)) {
                *place = FoldValue { value, spread };
            }
        }
        said
    }

    /// The slope of the space of learning by the target.
    #[must_use]
    pub fn slope(&self, target: f64) -> f64 {
        self.folds.first().map_or(1.0, |own| own.transform.slope(target))
    }

    /// Whether rows are best spread over threads.
    #[must_use]
    pub fn is_cpu(&self) -> bool {
        self.networks.as_ref().is_none_or(StackPredictor::is_cpu)
    }
}
