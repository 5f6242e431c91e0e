//! How features come to the units of a model.

use crate::{
    data::explore::quantile,
    features::{FeatureMatrix, Scaler},
    model::{InputMap, InputScaling},
};

/// Fits the map of features to a model's units on `rows` of `matrix`.
pub(super) fn fit_inputs(scaling: InputScaling, matrix: &FeatureMatrix, rows: &[u32]) -> InputMap {
    let (centre, inverse_scale) = match scaling {
        InputScaling::Standard => {
            let scaler = Scaler::fit(matrix, rows);
            (scaler.mean, scaler.inverse_deviation)
        }
        InputScaling::Robust => {
            (0..matrix.columns()).map(|column| robust_scale(matrix, rows, column)).unzip()
        }
    };
    let single = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
    InputMap { scaling, centre: single(centre), inverse_scale: single(inverse_scale) }
}

/// The median of a column and one over its interquartile range; over half its range where the
/// quartiles meet, 0 where it does not vary (Holzmüller, Grinsztajn and Steinwart, 2024).
fn robust_scale(matrix: &FeatureMatrix, rows: &[u32], column: usize) -> (f64, f64) {
    let values = rows.iter().map(|row| f64::from(matrix.row(*row as usize)[column]));
    let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    let at = |share| quantile(&values, share).unwrap_or(0.0);
    let spread = match at(0.75) - at(0.25) {
        spread if spread > 1e-7 => spread,
        _ => 0.5 * (at(1.0) - at(0.0)),
    };
    (at(0.5), if spread > 1e-7 { 1.0 / spread } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn robust_scale_is_median_and_quartiles_or_half_the_range() {
        let column = |values: &[f32]| {
            let matrix = FeatureMatrix::new(1, values.to_vec());
            let rows: Vec<u32> = (0..values.len() as u32).collect();
            robust_scale(&matrix, &rows, 0)
        };
        // numpy: quantile([0, 1, 2, 3, 8], [.25, .5, .75]) = [1, 2, 3]
        assert_eq!(column(&[0.0, 1.0, 2.0, 3.0, 8.0]), (2.0, 0.5));
        assert_eq!(column(&[5.0, 5.0, 5.0, 5.0, 9.0]), (5.0, 0.5));
        assert_eq!(column(&[5.0, 5.0]), (5.0, 0.0));
    }
}
