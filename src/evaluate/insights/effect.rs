//! What a model makes of one column, all else as it is: accumulated local effects.

use serde::{Deserialize, Serialize};

use super::JudgedRows;

/// Stretches that the values of a column are cut into.
const STRETCHES: usize = 20;

/// Fewer values in a stretch tell little.
const FEWEST_VALUES: usize = 4;

/// Accumulated local effects of a column (Apley and Zhu, 2020, equation 15).
///
/// Within each stretch between two quantiles of the column, rows are moved from one end of it to the other; the mean
/// changes of the prediction add up to the effect, whose mean over the rows is 0. Unlike partial dependence it never
/// asks for detectors that read what no container makes them read together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The column.
    pub column: usize,
    /// Values of the column and the effect there, in the target's unit.
    pub points: Vec<(f64, f64)>,
}

impl Effect {
    /// Of `column` on what `predict` says of raw rows; `None` where the column has one value only.
    pub(super) fn of(
        rows: &JudgedRows,
        column: usize,
        predict: &(dyn Fn(&[f64]) -> Vec<f64> + Sync),
    ) -> Option<Self> {
        let value = |row: usize| rows.values(row)[column];
        let known: Vec<usize> = (0..rows.len()).filter(|row| value(*row).is_finite()).collect();
        let edges = edges(known.iter().map(|row| value(*row)).collect());
        if edges.len() < 2 {
            return None;
        }
        let stretch = |row: usize| edges[1..edges.len() - 1].partition_point(|e| *e < value(row));
        let moved: Vec<f64> = known
            .iter()
            .flat_map(|row| [(*row, stretch(*row)), (*row, stretch(*row) + 1)])
            .flat_map(|(row, edge)| {
                let mut values = rows.values(row).to_vec();
                values[column] = edges[edge];
                values
            })
            .collect();
        let predictions = predict(&moved);
        let mut changes = vec![(0.0, 0.0); edges.len() - 1];
        for (row, ends) in known.iter().zip(predictions.chunks_exact(2)) {
            let own = &mut changes[stretch(*row)];
            *own = (own.0 + ends[1] - ends[0], own.1 + 1.0);
        }
        Some(Self { column, points: accumulated(&edges, &changes) })
    }
}

/// The ends of the stretches: values that occur, at evenly spaced ranks, each once.
fn edges(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return Vec::new() };
    let stretches = (values.len() / FEWEST_VALUES).clamp(1, STRETCHES);
    let mut edges: Vec<f64> =
        (0..=stretches).map(|stretch| values[stretch * last / stretches]).collect();
    edges.dedup();
    edges
}

/// Sums of the mean changes, with the mean over the rows taken off.
fn accumulated(edges: &[f64], changes: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut effects = vec![0.0];
    for (sum, count) in changes {
        effects.push(effects[effects.len() - 1] + if *count > 0.0 { sum / count } else { 0.0 });
    }
    let rows: f64 = changes.iter().map(|(_, count)| count).sum();
    let middles = effects.windows(2).map(|pair| f64::midpoint(pair[0], pair[1]));
    let mean = middles.zip(changes).map(|(middle, (_, count))| middle * count).sum::<f64>() / rows;
    edges.iter().zip(effects).map(|(edge, effect)| (*edge, effect - mean)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::ScoredRow;

    /// Rows of two columns.
    fn rows(values: &[[f64; 2]]) -> JudgedRows {
        let scored = |row| ScoredRow::blank(row, 0);
        JudgedRows {
            names: vec!["a".to_owned(), "b".to_owned()],
            scored: (0..values.len()).map(scored).collect(),
            raw: values.concat(),
        }
    }

    fn effect(values: &[[f64; 2]], model: fn(f64, f64) -> f64) -> Effect {
        let predict =
            |rows: &[f64]| rows.chunks_exact(2).map(|row| model(row[0], row[1])).collect();
        Effect::of(&rows(values), 0, &predict).unwrap()
    }

    #[test]
    fn a_linear_part_is_found_exactly_though_columns_are_correlated() {
        let values: Vec<[f64; 2]> = (0..200).map(|i| [f64::from(i), 2.0 * f64::from(i)]).collect();
        let found = effect(&values, |a, b| 3.0 * a - 5.0 * b + b * b);
        assert_eq!(found.points.len(), 21);
        for pair in found.points.windows(2) {
            let slope = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
            assert!((slope - 3.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_product_of_independent_columns_has_the_mean_of_the_other_as_slope() {
        // Each value of a stands beside the same values of b, whose mean is 2.
        let values: Vec<[f64; 2]> =
            (0..100).flat_map(|i| [0.0, 1.0, 5.0].map(|b| [f64::from(i), b])).collect();
        let found = effect(&values, |a, b| a * b);
        let (first, last) = (found.points[0], found.points[found.points.len() - 1]);
        assert!(((last.1 - first.1) / (last.0 - first.0) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_square_is_found_and_centred() {
        let values: Vec<[f64; 2]> = (0..=400).map(|i| [f64::from(i) / 100.0, 0.0]).collect();
        let found = effect(&values, |a, _| a * a);
        // The mean of a² over the even grid from 0 to 4 is 16 / 3.
        for (x, effect) in &found.points {
            assert!((effect - (x * x - 16.0 / 3.0)).abs() < 0.05, "{x} {effect}");
        }
    }

    #[test]
    fn a_constant_column_has_no_effect() {
        let predict = |rows: &[f64]| vec![1.0; rows.len() / 2];
        assert_eq!(Effect::of(&rows(&[[1.0, 2.0]; 50]), 0, &predict), None);
    }
}
