//! Similarities of rows to landmarks, and the features that they stand for.

use faer::{Mat, Side};

use crate::model::Kernel;

/// Directions whose share of the largest is smaller than this are rounding.
const SMALLEST_SHARE: f64 = 1e-11;

/// The map `U S^(-1/2)` that turns similarities `K(rows, landmarks)` into features whose inner
/// products are the kernel (Nyström's method; Williams and Seeger, 2001). With all rows as landmarks
/// it is exact.
pub(super) struct Basis {
    /// Shape `[landmarks, features]`.
    pub(super) map: Mat<f64>,
}

impl Basis {
    /// The basis of the similarities of the landmarks to each other; `None` where they are not
    /// finite.
    pub(super) fn new(similarities: &Mat<f64>) -> Option<Self> {
        let eigen = similarities.self_adjoint_eigen(Side::Lower).ok()?;
        let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        let largest = values.iter().copied().fold(0.0, f64::max);
        let kept: Vec<usize> =
            (0..values.len()).filter(|i| values[*i] > SMALLEST_SHARE * largest).collect();
        let vectors = eigen.U();
        let map = Mat::from_fn(values.len(), kept.len(), |row, column| {
            vectors[(row, kept[column])] / values[kept[column]].sqrt()
        });
        (!kept.is_empty()).then_some(Self { map })
    }
}

/// Rows in a kernel's units with their squared lengths.
pub(super) struct Points {
    /// Shape `[rows, features]`.
    values: Mat<f64>,
    squares: Vec<f64>,
}

impl Points {
    /// From single-precision rows, row-major.
    pub(super) fn new(values: &[f32], columns: usize) -> Self {
        let rows = values.len() / columns.max(1);
        let values =
            Mat::from_fn(rows, columns, |row, column| f64::from(values[row * columns + column]));
        let squares = (0..rows).map(|row| values.row(row).squared_norm_l2()).collect();
        Self { values, squares }
    }

    /// The kernel of each of these points with each of `others`.
    pub(super) fn similarities(&self, others: &Self, kernel: &Kernel) -> Mat<f64> {
        let products = &self.values * others.values.transpose();
        let count = self.values.ncols().max(1) as f64;
        Mat::from_fn(products.nrows(), products.ncols(), |i, j| {
            let product = products[(i, j)];
            let distance = (self.squares[i] + others.squares[j] - 2.0 * product).max(0.0);
            kernel.value(product / count, distance / count)
        })
    }

    /// The median distance between different points.
    pub(super) fn median_distance(&self) -> f64 {
        let products = &self.values * self.values.transpose();
        let count = self.values.ncols().max(1) as f64;
        let mut distances = Vec::new();
        for i in 0..self.squares.len() {
            for j in 0..i {
                let squared = self.squares[i] + self.squares[j] - 2.0 * products[(i, j)];
                distances.push((squared.max(0.0) / count).sqrt());
            }
        }
        let middle = distances.len() / 2;
        if distances.is_empty() {
            return 1.0;
        }
        let (_, median, _) = distances.select_nth_unstable_by(middle, f64::total_cmp);
        if *median > 1e-6 { *median } else { 1.0 }
    }
}
