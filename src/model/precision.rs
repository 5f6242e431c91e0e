//! The inverse of a shrunk covariance (Ledoit and Wolf, 2004).

use faer::{Mat, Side, linalg::solvers::DenseSolveCore};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::features::{FeatureMatrix, Scaler};

use super::gram::for_each_block;

/// What the covariance has at least on its diagonal beside itself: it keeps a column that never varied, or a perfect copy,
/// invertible.
const FLOOR: f64 = 1e-6;

/// The inverse of the covariance of standardised rows, shrunk towards a multiple of the identity as far as the sample
/// demands: whole, or, of fewer rows than columns, as what the rows take off a multiple of the identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Precision {
    /// The inverse, row-major, shape `[columns, columns]`; empty where there is a factor.
    #[serde(rename = "precision")]
    inverse: Vec<f64>,
    /// `F`, row-major, shape `[rows, columns]`: the inverse is `(I - F' F) / ridge` (Woodbury, 1950).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    factor: Vec<f64>,
    /// The multiple of the identity that the covariance holds; only used with a factor.
    #[serde(default)]
    ridge: f64,
}

/// How far a covariance is shrunk, and to what multiple of the identity.
struct Shrinkage {
    share: f64,
    ridge: f64,
}

impl Shrinkage {
    /// From the trace and the squared norm of the covariance of `count` rows of `size` columns, and the mean fourth power
    /// of their lengths.
    fn of(trace: f64, norm_squared: f64, fourth: f64, (count, size): (f64, f64)) -> Self {
        let level = trace / size;
        let spread = norm_squared - size * level * level;
        let noise = (fourth - norm_squared) / count;
        let share = if spread > 0.0 { (noise / spread).clamp(0.0, 1.0) } else { 1.0 };
        Self { share, ridge: (share * level).max(FLOOR) }
    }
}

impl Precision {
    /// Of `rows` of `matrix`, standardised by `scaler`.
    pub(super) fn fit(matrix: &FeatureMatrix, rows: &[u32], scaler: &Scaler) -> Self {
        if rows.len() < matrix.columns() {
            Self::by_rows(matrix, rows, scaler)
        } else {
            Self::by_columns(matrix, rows, scaler)
        }
    }

    fn by_columns(matrix: &FeatureMatrix, rows: &[u32], scaler: &Scaler) -> Self {
        let (size, count) = (matrix.columns(), rows.len() as f64);
        let mut covariance = DMatrix::zeros(size, size);
        let mut fourth = 0.0;
        for_each_block(matrix, rows, scaler, |_, block| {
            covariance.gemm(1.0 / count, block, &block.transpose(), 1.0);
            fourth += block.column_iter().map(|x| x.norm_squared().powi(2)).sum::<f64>() / count;
        });
        let (trace, norm_squared) = (covariance.trace(), covariance.norm_squared());
        let own = Shrinkage::of(trace, norm_squared, fourth, (count, size as f64));
        let shrunk = Mat::from_fn(size, size, |row, column| {
            let ridge = if row == column { own.ridge } else { 0.0 };
            (1.0 - own.share) * covariance[(row, column)] + ridge
        });
        let whole =
            shrunk.llt(Side::Lower).map_or_else(|_| Mat::identity(size, size), |own| own.inverse());
        let values = (0..size).flat_map(|row| (0..size).map(move |column| (row, column)));
        let inverse = values.map(|place| whole[place]).collect();
        Self { inverse, factor: Vec::new(), ridge: own.ridge }
    }

    /// By the products of the rows with each other, which are fewer than those of the columns and have the same trace and
    /// norm.
    fn by_rows(matrix: &FeatureMatrix, rows: &[u32], scaler: &Scaler) -> Self {
        let (size, count) = (matrix.columns(), rows.len());
        let values: Vec<f64> =
            rows.iter().flat_map(|row| scaler.transform(matrix.row(*row as usize))).collect();
        let x = Mat::from_fn(count, size, |row, column| values[row * size + column]);
        let scale = 1.0 / count as f64;
        let products = &x * x.transpose();
        let trace = (0..count).map(|row| products[(row, row)] * scale).sum();
        let fourth = (0..count).map(|row| products[(row, row)].powi(2) * scale).sum();
        let norm_squared = (products.norm_l2() * scale).powi(2);
        let own = Shrinkage::of(trace, norm_squared, fourth, (count as f64, size as f64));
        let weight = (1.0 - own.share) * scale;
        let inner = Mat::from_fn(count, count, |row, column| {
            weight * products[(row, column)] + if row == column { own.ridge } else { 0.0 }
        });
        // With Z the rows, scaled: (ridge I + Z' Z)^-1 = (I - Z' (ridge I + Z Z')^-1 Z) / ridge.
        let factor = inner.llt(Side::Lower).map_or_else(
            |_| Vec::new(),
            |own| {
                let mut factor = faer::Scale(weight.sqrt()) * &x;
                own.L().solve_lower_triangular_in_place(factor.as_mut());
                (0..count)
                    .flat_map(|row| factor.row(row).iter().copied().collect::<Vec<_>>())
                    .collect()
            },
        );
        Self { inverse: Vec::new(), factor, ridge: own.ridge }
    }

    /// Whether it is one of `columns` columns.
    pub(super) fn is_consistent(&self, columns: usize) -> bool {
        let is_whole = self.inverse.len() == columns * columns;
        is_whole || (self.ridge > 0.0 && self.factor.len().is_multiple_of(columns.max(1)))
    }

    /// Its product with a row.
    pub(super) fn times(&self, row: &[f64]) -> Vec<f64> {
        let columns = row.len().max(1);
        let product = |own: &[f64]| own.iter().zip(row).map(|(p, x)| p * x).sum::<f64>();
        if !self.inverse.is_empty() {
            return self.inverse.chunks_exact(columns).map(product).collect();
        }
        let mut left = row.to_vec();
        for own in self.factor.chunks_exact(columns) {
            let along = product(own);
            left.iter_mut().zip(own).for_each(|(left, own)| *left -= along * own);
        }
        left.iter().map(|left| left / self.ridge).collect()
    }

    /// Its diagonal, of `columns` columns.
    pub(super) fn diagonal(&self, columns: usize) -> Vec<f64> {
        if !self.inverse.is_empty() {
            return self.inverse.iter().step_by(columns + 1).copied().collect();
        }
        let mut left = vec![1.0; columns];
        for own in self.factor.chunks_exact(columns.max(1)) {
            left.iter_mut().zip(own).for_each(|(left, own)| *left -= own * own);
        }
        left.iter().map(|left| left / self.ridge).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    #[test]
    fn by_rows_and_by_columns_it_is_the_same() {
        let mut generator = Generator::new(9, &[]);
        let (count, size) = (30, 40);
        let values = (0..count * size).map(|_| generator.normal() as f32).collect();
        let matrix = FeatureMatrix::new(size, values);
        let rows: Vec<u32> = (0..count as u32).collect();
        let scaler = Scaler::fit(&matrix, &rows);
        let whole = Precision::by_columns(&matrix, &rows, &scaler);
        let factored = Precision::fit(&matrix, &rows, &scaler);
        assert!(factored.inverse.is_empty() && factored.factor.len() == count * size);
        assert!(whole.is_consistent(size) && factored.is_consistent(size));
        let row: Vec<f64> = (0..size).map(|_| generator.normal()).collect();
        let near = |a: &[f64], b: &[f64]| {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9 * (1.0 + b.abs()))
        };
        assert!(near(&factored.times(&row), &whole.times(&row)));
        assert!(near(&factored.diagonal(size), &whole.diagonal(size)));
        let written = serde_json::to_string(&factored).unwrap();
        assert_eq!(serde_json::from_str::<Precision>(&written).unwrap(), factored);
    }

    #[test]
    fn more_copies_of_a_row_than_there_are_rows_leave_it_finite() {
        let matrix = FeatureMatrix::new(4, [1.0, 2.0, 3.0, 4.0].repeat(3));
        let rows = [0, 1, 2];
        let own = Precision::fit(&matrix, &rows, &Scaler::fit(&matrix, &rows));
        assert!(own.times(&[1.0; 4]).iter().chain(&own.diagonal(4)).all(|own| own.is_finite()));
    }
}
