//! What each column of one row contributes to its prediction.

use crate::data::Generator;

/// A prediction as a sum: `base` plus the contribution of every column.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// Mean prediction of the background rows.
    pub base: f64,
    /// Contribution of each column, in the prediction's unit.
    pub contributions: Vec<f64>,
    /// The prediction of the row.
    pub value: f64,
}

/// Predictions that one attribution asks for, about; and the fewest and most pairs of orders.
const PREDICTIONS: usize = 1024;
const PAIRS: [usize; 2] = [4, 32];

/// Shapley values of the columns of a raw `row` against `background` rows, by sampled orders (Štrumbelj and
/// Kononenko, 2014): a background row becomes the row column by column, and each column is credited with the
/// change that it makes. Every order is walked backwards too (Mitchell, Cooper, Frank and Holmes, 2022).
///
/// Base and contributions add up to the prediction exactly, up to rounding. `predict` gives the predictions
/// of raw rows, row-major; the same row always gets the same numbers.
#[must_use]
pub fn attribute(
    row: &[f64],
    background: &[&[f64]],
    predict: impl Fn(&[f64]) -> Vec<f64>,
) -> Attribution {
    let columns = row.len();
    let pairs = (PREDICTIONS / (2 * (columns + 1))).clamp(PAIRS[0], PAIRS[1]);
    let mut generator = Generator::new(0, &[]);
    let mut orders = Vec::with_capacity(2 * pairs);
    let mut states = Vec::with_capacity(2 * pairs * (columns + 1) * columns);
    for pair in 0..pairs {
        let mut order: Vec<usize> = (0..columns).collect();
        generator.shuffle(&mut order);
        let reverse = order.iter().rev().copied().collect();
        let from = background[pair * background.len() / pairs];
        for order in [order, reverse] {
            walk(from, row, &order, &mut states);
            orders.push(order);
        }
    }
    let predictions = predict(&states);
    let walks = predictions.chunks_exact(columns + 1);
    let count = orders.len() as f64;
    let mut contributions = vec![0.0; columns];
    for (order, walk) in orders.iter().zip(walks.clone()) {
        for (step, column) in order.iter().enumerate() {
            contributions[*column] += (walk[step + 1] - walk[step]) / count;
        }
    }
    let base = walks.map(|walk| walk[0]).sum::<f64>() / count;
    Attribution { base, contributions, value: predictions[columns] }
}

/// Appends the rows on the way from one row to another, both ends included.
fn walk(from: &[f64], to: &[f64], order: &[usize], states: &mut Vec<f64>) {
    let mut state = from.to_vec();
    states.extend_from_slice(&state);
    for column in order {
        state[*column] = to[*column];
        states.extend_from_slice(&state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn background() -> Vec<Vec<f64>> {
        let mut generator = Generator::new(4, &[]);
        (0..32).map(|_| (0..3).map(|_| generator.normal()).collect()).collect()
    }

    fn attributed(row: &[f64], function: impl Fn(&[f64]) -> f64) -> Attribution {
        let background = background();
        let background: Vec<&[f64]> = background.iter().map(Vec::as_slice).collect();
        attribute(row, &background, |rows| rows.chunks_exact(3).map(&function).collect())
    }

    #[test]
    fn a_linear_model_gives_its_coefficients_times_the_distance_from_the_mean() {
        let weights = [2.0, -1.0, 0.5];
        let row = [1.5, 0.2, -0.7];
        let linear = |row: &[f64]| -> f64 { row.iter().zip(weights).map(|(x, w)| x * w).sum() };
        let found = attributed(&row, linear);
        for column in 0..3 {
            let mean = background().iter().map(|row| row[column]).sum::<f64>() / 32.0;
            let expected = weights[column] * (row[column] - mean);
            assert!((found.contributions[column] - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn an_interaction_is_shared_as_in_the_closed_form() {
        // For f = a b the Shapley value of a is ((x - b0) y + (x - b0) b1) / 2, the mean of both orders; both
        // are walked for every background row, so that the sample is exact.
        let row = [1.5, -0.4, 3.0];
        let found = attributed(&row, |row| row[0] * row[1]);
        let expected = background()
            .iter()
            .map(|from| (row[0] - from[0]) * (row[1] + from[1]) / 2.0)
            .sum::<f64>()
            / 32.0;
        assert!((found.contributions[0] - expected).abs() < 1e-12, "{found:?} {expected}");
        assert!(found.contributions[2].abs() < 1e-12);
    }

    #[test]
    fn contributions_add_up_to_the_prediction() {
        let row = [0.3, 2.0, -1.0];
        let function = |row: &[f64]| (row[0] * row[1]).sin() + row[2].powi(2) * row[0];
        let found = attributed(&row, function);
        let sum = found.base + found.contributions.iter().sum::<f64>();
        assert!((found.value - function(&row)).abs() < 1e-12);
        assert!((sum - found.value).abs() < 1e-12);
    }
}
