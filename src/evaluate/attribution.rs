//! What each column of one row contributes to its prediction.

use crate::data::Generator;

/// A prediction as a sum: `base` plus the contribution of every column.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// Mean prediction of the background rows.
    pub base: f64,
    /// Contribution of each column, in the prediction's unit.
    pub contributions: Vec<f64>,
}

/// Predictions that one attribution asks for, about, where one round through the background asks for fewer.
const PREDICTIONS: usize = 1024;

/// Predictions that one attribution asks for at most, where that leaves some background rows: fewer of them are walked
/// from where columns are many.
const MOST_PREDICTIONS: usize = 16_384;

/// Background rows that are walked from in any case, where there are as many.
const FEWEST_ROWS: usize = 4;

/// Shapley values of the columns of a raw `row` against `background` rows, estimated from sampled orders (Castro,
/// Gómez and Tejada, 2009): a background row becomes the row column by column, and each column is credited with
/// the change that it makes. Every order is walked backwards too (Mitchell, Cooper, Frank and Holmes, 2022), and
/// every background row is walked from equally often. With more than some 250 columns fewer of 32 background rows are
/// walked from, evenly spaced, so that the time grows no faster than a prediction does.
///
/// Base and contributions add up to the prediction exactly, up to rounding; each contribution by itself is exact
/// where columns act alone or in pairs, else an estimate. `predict` gives the predictions of raw rows, row-major;
/// it is asked once for each pair of orders, `2 (columns + 1)` rows at a time. The same row always gets the same
/// numbers. Without background everything is 0.
#[must_use]
pub fn attribute(
    row: &[f64],
    background: &[&[f64]],
    predict: impl Fn(&[f64]) -> Vec<f64>,
) -> Attribution {
    let columns = row.len();
    let most = (MOST_PREDICTIONS / (2 * (columns + 1))).max(FEWEST_ROWS);
    let step = background.len().div_ceil(most).max(1);
    let background: Vec<&[f64]> = background.iter().step_by(step).copied().collect();
    let once = 2 * (columns + 1) * background.len();
    let rounds = PREDICTIONS.checked_div(once).map_or(0, |rounds| rounds.max(1));
    let count = (2 * rounds * background.len()).max(1) as f64;
    let mut generator = Generator::new(0, &[]);
    let (mut base, mut contributions) = (0.0, vec![0.0; columns]);
    for from in background.iter().cycle().take(rounds * background.len()) {
        let mut order: Vec<usize> = (0..columns).collect();
        generator.shuffle(&mut order);
        let reverse: Vec<usize> = order.iter().rev().copied().collect();
        let mut states = Vec::with_capacity(2 * (columns + 1) * columns);
        for order in [&order, &reverse] {
            walk(from, row, order, &mut states);
        }
        let predictions = predict(&states);
        for (order, walk) in [order, reverse].iter().zip(predictions.chunks_exact(columns + 1)) {
            base += walk[0] / count;
            for (step, column) in order.iter().enumerate() {
                contributions[*column] += (walk[step + 1] - walk[step]) / count;
            }
        }
    }
    Attribution { base, contributions }
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

    /// Background rows of some columns.
    fn background(rows: usize, columns: usize) -> Vec<Vec<f64>> {
        let mut generator = Generator::new(4, &[]);
        (0..rows).map(|_| (0..columns).map(|_| generator.normal()).collect()).collect()
    }

    fn attributed(row: &[f64], rows: usize, function: impl Fn(&[f64]) -> f64) -> Attribution {
        let background = background(rows, row.len());
        let background: Vec<&[f64]> = background.iter().map(Vec::as_slice).collect();
        attribute(row, &background, |rows| rows.chunks_exact(row.len()).map(&function).collect())
    }

    #[test]
    fn a_linear_model_gives_its_coefficients_times_the_distance_from_the_mean() {
        for (rows, columns) in [(32, 3), (20, 40), (17, 1), (1, 5), (2000, 2)] {
            let weight = |column: usize| (column as f64 * 0.7).cos();
            let linear = |row: &[f64]| -> f64 {
                row.iter().enumerate().map(|(column, x)| x * weight(column)).sum()
            };
            let row: Vec<f64> = (0..columns).map(|column| column as f64 / 10.0 - 0.3).collect();
            let (found, known) = (attributed(&row, rows, linear), background(rows, columns));
            let base = known.iter().map(|row| linear(row)).sum::<f64>() / rows as f64;
            assert!((found.base - base).abs() < 1e-10, "{rows} x {columns}");
            for (column, contribution) in found.contributions.iter().enumerate() {
                let mean = known.iter().map(|row| row[column]).sum::<f64>() / rows as f64;
                let expected = weight(column) * (row[column] - mean);
                assert!((contribution - expected).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn an_interaction_is_shared_as_in_the_closed_form() {
        // For f = a b the Shapley value of a is ((x - b0) y + (x - b0) b1) / 2, the mean of both orders; both
        // are walked for every background row, so that the sample is exact.
        let row = [1.5, -0.4, 3.0];
        let found = attributed(&row, 32, |row| row[0] * row[1]);
        let expected = background(32, 3)
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
        let found = attributed(&row, 32, function);
        let sum = found.base + found.contributions.iter().sum::<f64>();
        assert!((sum - function(&row)).abs() < 1e-12);
        let alone = attribute(&row, &[], |_| Vec::new());
        assert_eq!((alone.base, alone.contributions), (0.0, vec![0.0; 3]));
    }
}
