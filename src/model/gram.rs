//! Standardised features, block by block.

use nalgebra::DMatrix;

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
