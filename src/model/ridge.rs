//! Ridge regression: the linear model that a network has to beat.

use nalgebra::{DMatrix, DVector};

use crate::features::{FeatureMatrix, Scaler};

use super::{Linear, gram::normal_equations};

/// A linear model with an L2 penalty on standardised features.
#[derive(Clone, Debug)]
pub struct Ridge {
    scaler: Scaler,
    intercept: f64,
    coefficients: Vec<f64>,
}

/// Penalties that are tried, relative to the number of rows.
const PENALTIES: [f64; 9] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0];

impl Ridge {
    /// Fits on `rows` of `matrix` with `target[row]`; the penalty is the one with the smallest
    /// generalised cross-validation error (Golub, Heath, Wahba 1979) on these rows.
    #[must_use]
    pub fn fit(matrix: &FeatureMatrix, target: &[f64], rows: &[u32]) -> Self {
        let scaler = Scaler::fit(matrix, rows);
        let count = rows.len() as f64;
        let intercept = rows.iter().map(|row| target[*row as usize]).sum::<f64>() / count;
        let system = NormalEquations::new(matrix, target, rows, &scaler, intercept);
        let best = PENALTIES
            .iter()
            .map(|penalty| system.solve(penalty * count))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let coefficients = best.map_or_else(Vec::new, |(_, coefficients)| coefficients);
        Self { scaler, intercept, coefficients }
    }

    /// The same model as a linear function of the features themselves.
    #[must_use]
    pub fn linear(&self) -> Linear {
        let pairs = self.coefficients.iter().zip(&self.scaler.inverse_deviation);
        let coefficients: Vec<f64> = pairs.map(|(c, inverse)| c * inverse).collect();
        let moved = coefficients.iter().zip(&self.scaler.mean).map(|(c, mean)| c * mean);
        Linear { intercept: self.intercept - moved.sum::<f64>(), coefficients }
    }

    /// The prediction for one row of features.
    #[must_use]
    pub fn predict(&self, row: &[f32]) -> f64 {
        let scaled = self.scaler.transform(row);
        self.intercept + scaled.iter().zip(&self.coefficients).map(|(x, c)| x * c).sum::<f64>()
    }
}

/// `X'X`, diagonalised once for every penalty, and `X'y`.
struct NormalEquations {
    count: f64,
    eigenvalues: DVector<f64>,
    eigenvectors: DMatrix<f64>,
    rotated: DVector<f64>,
    target_squares: f64,
}

impl NormalEquations {
    fn new(
        matrix: &FeatureMatrix,
        target: &[f64],
        rows: &[u32],
        scaler: &Scaler,
        intercept: f64,
    ) -> Self {
        let centred = |row: u32| target[row as usize] - intercept;
        let (gram, moment) = normal_equations(matrix, rows, scaler, centred);
        let target_squares = rows.iter().map(|row| centred(*row).powi(2)).sum();
        let decomposed = gram.symmetric_eigen();
        Self {
            count: rows.len() as f64,
            rotated: decomposed.eigenvectors.tr_mul(&moment),
            eigenvalues: decomposed.eigenvalues.map(|value| value.max(0.0)),
            eigenvectors: decomposed.eigenvectors,
            target_squares,
        }
    }

    /// The generalised cross-validation error of a penalty, and its coefficients. Sums run over
    /// what each direction leaves unexplained, which stays exact where the fit is nearly perfect.
    fn solve(&self, penalty: f64) -> (f64, Vec<f64>) {
        let (mut residual, mut explained, mut left) = (0.0, 0.0, self.count - 1.0);
        let mut coefficients = self.rotated.clone();
        for (coefficient, eigenvalue) in coefficients.iter_mut().zip(&self.eigenvalues) {
            let share = eigenvalue / (eigenvalue + penalty);
            if *eigenvalue > 1e-9 * self.count {
                let power = coefficient.powi(2) / eigenvalue;
                explained += power;
                residual += (1.0 - share).powi(2) * power;
                left -= share;
            }
            *coefficient /= eigenvalue + penalty;
        }
        residual += (self.target_squares - explained).max(0.0);
        let error = residual / left.max(f64::MIN_POSITIVE).powi(2);
        (error, (&self.eigenvectors * coefficients).as_slice().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prediction_equals_scikit_learns_at_the_penalty_of_smallest_gcv_error() {
        let rows: [[f32; 3]; 8] = [
            [1.0, 2.0, 0.5],
            [2.0, 1.0, 0.1],
            [3.0, 5.0, 0.9],
            [4.0, 3.0, 0.2],
            [5.0, 6.0, 0.7],
            [6.0, 4.0, 0.3],
            [7.0, 8.0, 0.4],
            [8.0, 7.0, 1.0],
        ];
        let matrix = FeatureMatrix::new(3, rows.concat());
        let target = [1.2, 0.7, 3.9, 2.1, 4.8, 3.0, 6.1, 5.7];
        let ridge = Ridge::fit(&matrix, &target, &(0..8).collect::<Vec<_>>());
        // sklearn.linear_model.Ridge(alpha=0.008) on standardised rows; alpha by the closed form.
        assert!((ridge.predict(&[4.0, 8.0, 0.5]) - 5.987_727_80).abs() < 1e-6);
    }

    #[test]
    fn more_features_than_rows_do_not_choose_the_smallest_penalty() {
        // Pure noise: the honest penalty is the largest, and the prediction close to the mean.
        let mut generator = crate::data::Generator::new(6, &[]);
        let values = (0..30 * 60).map(|_| generator.normal() as f32).collect();
        let matrix = FeatureMatrix::new(60, values);
        let target: Vec<f64> = (0..30).map(|_| generator.normal()).collect();
        let ridge = Ridge::fit(&matrix, &target, &(0..30).collect::<Vec<_>>());
        let mean = target.iter().sum::<f64>() / 30.0;
        let moved = (0..30).map(|row| (ridge.predict(matrix.row(row)) - mean).powi(2)).sum::<f64>();
        let spread = target.iter().map(|y| (y - mean).powi(2)).sum::<f64>();
        assert!(moved < 0.5 * spread, "{moved} {spread}");
    }
}
