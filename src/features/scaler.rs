//! Standardisation with the mean and standard deviation of chosen rows.

use serde::{Deserialize, Serialize};

use super::FeatureMatrix;

/// The affine map that gives the rows it was fitted on mean 0 and population standard deviation 1.
///
/// A column that does not vary on those rows is mapped to 0 everywhere: a network that never saw
/// it move must not react to it. Missing values (`NaN`) are left out of the fit and mapped to 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaler {
    /// Mean of each column.
    pub mean: Vec<f64>,
    /// One over the standard deviation of each column; 0 where it does not vary.
    pub inverse_deviation: Vec<f64>,
}

impl Scaler {
    /// Fits on `rows` of `matrix`.
    #[must_use]
    pub fn fit(matrix: &FeatureMatrix, rows: &[u32]) -> Self {
        let counts = column_sums(matrix, rows, |_, _| 1.0);
        let mean = column_sums(matrix, rows, |_, value| value);
        let mean: Vec<f64> =
            mean.into_iter().zip(&counts).map(|(sum, count)| sum / count.max(1.0)).collect();
        let squares = column_sums(matrix, rows, |column, value| (value - mean[column]).powi(2));
        let variances = squares.into_iter().zip(counts).map(|(sum, count)| sum / count.max(1.0));
        let inverse_deviation = variances.map(|variance| inverse_deviation(variance.sqrt()));
        Self { inverse_deviation: inverse_deviation.collect(), mean }
    }

    /// The scaled features of one row.
    #[must_use]
    pub fn transform(&self, row: &[f32]) -> Vec<f64> {
        row.iter().enumerate().map(|(column, value)| self.scaled(column, *value)).collect()
    }

    /// The scaled value of one feature.
    #[must_use]
    pub fn scaled(&self, column: usize, value: f32) -> f64 {
        let centred = f64::from(value) - self.mean[column];
        if value.is_nan() { 0.0 } else { centred * self.inverse_deviation[column] }
    }
}

fn column_sums(matrix: &FeatureMatrix, rows: &[u32], term: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; matrix.columns()];
    for &row in rows {
        for (column, (sum, value)) in sums.iter_mut().zip(matrix.row(row as usize)).enumerate() {
            if !value.is_nan() {
                *sum += term(column, f64::from(*value));
            }
        }
    }
    sums
}

/// One over `deviation`, 0 for deviations at the level of single-precision rounding: features lie
/// in about [-1, 1].
fn inverse_deviation(deviation: f64) -> f64 {
    if deviation > 1e-7 { 1.0 / deviation } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_rows_have_mean_zero_and_unit_deviation() {
        let matrix = FeatureMatrix::new(2, vec![1.0, 5.0, 2.0, 5.0, 3.0, 5.0, 100.0, -9.0]);
        let scaler = Scaler::fit(&matrix, &[0, 1, 2]);
        // numpy: std([1, 2, 3]) = 0.816496580927726
        assert!((scaler.transform(matrix.row(2))[0] - 1.0 / 0.816_496_580_927_726).abs() < 1e-12);
        assert_eq!(scaler.transform(matrix.row(3))[1], 0.0);
    }

    #[test]
    fn missing_values_count_for_nothing() {
        let matrix = FeatureMatrix::new(1, vec![1.0, f32::NAN, 3.0]);
        let scaler = Scaler::fit(&matrix, &[0, 1, 2]);
        assert_eq!((scaler.mean[0], scaler.inverse_deviation[0]), (2.0, 1.0));
        assert_eq!(scaler.transform(matrix.row(1)), [0.0]);
    }

    #[test]
    fn scaler_ignores_rows_it_was_not_given() {
        let mut values = vec![1.0, 2.0, 3.0, 4.0];
        let before = Scaler::fit(&FeatureMatrix::new(1, values.clone()), &[0, 1, 2]);
        values[3] = 1e6;
        assert_eq!(before, Scaler::fit(&FeatureMatrix::new(1, values), &[0, 1, 2]));
    }
}
