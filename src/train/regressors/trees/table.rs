//! The rows that learn, gathered and binned once for all sub-models.

use super::BinnedMatrix;
use crate::data::Generator;
use crate::features::FeatureMatrix;

/// Rows with their targets and weights; every learner names rows by their place in this table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) matrix: FeatureMatrix,
    pub(crate) binned: BinnedMatrix,
    pub(crate) targets: Vec<f64>,
    pub(crate) weights: Vec<f64>,
}

impl Table {
    /// A table of all rows of `matrix`, with one target and one weight (zero or more) per row.
    #[must_use]
    pub(crate) fn new(matrix: FeatureMatrix, targets: Vec<f64>, weights: Vec<f64>) -> Self {
        let binned = BinnedMatrix::fit(&matrix);
        Self { matrix, binned, targets, weights }
    }

    /// Number of rows.
    #[must_use]
    pub(crate) fn rows(&self) -> usize {
        self.targets.len()
    }

    /// The mean target of `rows`, weighted; zero when they weigh nothing.
    #[must_use]
    pub(crate) fn mean(&self, rows: &[u32]) -> f64 {
        let weight: f64 = rows.iter().map(|row| self.weights[*row as usize]).sum();
        let of = |row: &u32| self.weights[*row as usize] * self.targets[*row as usize];
        if weight > 0.0 { rows.iter().map(of).sum::<f64>() / weight } else { 0.0 }
    }

    /// The weighted squared error of one prediction.
    pub(crate) fn squared_error(&self, row: u32, prediction: f64) -> f64 {
        let row = row as usize;
        self.weights[row] * (self.targets[row] - prediction).powi(2)
    }

    pub(crate) fn features(&self, row: u32) -> &[f32] {
        self.matrix.row(row as usize)
    }

    /// The rows of `rows` that weigh something: the others must not count towards leaf sizes.
    pub(crate) fn weighty(&self, rows: &[u32]) -> Vec<u32> {
        rows.iter().copied().filter(|row| self.weights[*row as usize] > 0.0).collect()
    }
}

/// The address of random numbers: a seed and a path, longer for each part and tree.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    seed: u64,
    path: Vec<u64>,
}

impl Stream {
    /// The stream `path` under `seed`.
    #[must_use]
    pub(super) fn new(seed: u64, path: &[u64]) -> Self {
        Self { seed, path: path.to_vec() }
    }

    /// The stream one step further.
    #[must_use]
    pub(super) fn step(&self, step: usize) -> Self {
        let mut path = self.path.clone();
        path.push(step as u64);
        Self { seed: self.seed, path }
    }

    /// The generator of this stream.
    #[must_use]
    pub(super) fn generator(&self) -> Generator {
        Generator::new(self.seed, &self.path)
    }
}
