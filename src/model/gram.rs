//! Sums of products of standardised features, block by block.

use nalgebra::{DMatrix, DVector};

use crate::features::{FeatureMatrix, Scaler};

/// Rows of a block: enough for a fast matrix product, few enough for the cache.
const BLOCK: usize = 512;

/// Calls `add` with the standardised features of each block of `rows`, one row to a column,
/// shape `[columns, block]`.
pub(super) fn for_each_block(
    matrix: &FeatureMatrix,
    rows: &[u32],
    scaler: &Scaler,
    mut add: impl FnMut(&[u32], &DMatrix<f64>),
) {
    for block in rows.chunks(BLOCK) {
        let values = block.iter().flat_map(|row| scaler.transform(matrix.row(*row as usize)));
        add(block, &DMatrix::from_iterator(matrix.columns(), block.len(), values));
    }
}

/// `X'X` and `X'y` of the standardised `rows`, `y` given by row.
pub(super) fn normal_equations(
    matrix: &FeatureMatrix,
    rows: &[u32],
    scaler: &Scaler,
    target: impl Fn(u32) -> f64,
) -> (DMatrix<f64>, DVector<f64>) {
    let size = matrix.columns();
    let (mut gram, mut moment) = (DMatrix::zeros(size, size), DVector::zeros(size));
    for_each_block(matrix, rows, scaler, |rows, block| {
        gram.gemm(1.0, block, &block.transpose(), 1.0);
        let targets = DVector::from_iterator(rows.len(), rows.iter().map(|row| target(*row)));
        moment.gemv(1.0, block, &targets, 1.0);
    });
    (gram, moment)
}
