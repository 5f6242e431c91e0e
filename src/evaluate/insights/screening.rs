//! Which columns of a wide table are worth a closer look.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{JudgedRows, OfFold};

/// Rows of each fold that are predicted with values of one column exchanged.
const ROWS: std::ops::RangeInclusive<usize> = 2..=8;

/// Values that are predicted from, about.
const VALUES: usize = 200_000_000;

/// At most `most` columns, in their order: all, or those that move the predictions of a few rows of each fold most when
/// the rows exchange their values of the column alone. What moves no prediction can be worth nothing to the error.
pub(super) fn most_moving(rows: &JudgedRows, most: usize, predict: OfFold<'_>) -> Vec<usize> {
    let width = rows.names.len();
    if width <= most {
        return (0..width).collect();
    }
    let sample = sample(rows);
    let own: Vec<Vec<f64>> = sample.iter().map(|own| predict(own.0, &own.1)).collect();
    let moves = |column: usize| -> f64 {
        let of_fold = |((fold, values), own): (&(usize, Vec<f64>), &Vec<f64>)| -> f64 {
            let exchanged = predict(*fold, &exchanged(values, width, column));
            own.iter().zip(exchanged).map(|(own, other)| (own - other).powi(2)).sum()
        };
        sample.iter().zip(&own).map(of_fold).sum()
    };
    let moves: Vec<f64> = (0..width).into_par_iter().map(moves).collect();
    let mut columns: Vec<usize> = (0..width).collect();
    columns.sort_by(|a, b| moves[*b].total_cmp(&moves[*a]));
    columns.truncate(most);
    columns.sort_unstable();
    columns
}

/// A few rows of each fold, evenly spaced, row-major.
fn sample(rows: &JudgedRows) -> Vec<(usize, Vec<f64>)> {
    let mut folds: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, own) in rows.scored.iter().enumerate() {
        folds.entry(own.fold).or_default().push(row);
    }
    let width = rows.names.len();
    let once = (width * width * folds.len()).max(1);
    let count = (VALUES / once).clamp(*ROWS.start(), *ROWS.end());
    let of_fold = |(fold, all): (usize, Vec<usize>)| {
        let chosen = all.iter().step_by(all.len().div_ceil(count).max(1));
        (fold, chosen.flat_map(|row| rows.values(*row)).copied().collect())
    };
    folds.into_iter().map(of_fold).collect()
}

/// The rows with each one's value of `column` from the row before, the first one's from the last.
fn exchanged(values: &[f64], width: usize, column: usize) -> Vec<f64> {
    let mut all = values.to_vec();
    let rows = values.len() / width;
    for row in 0..rows {
        all[row * width + column] = values[(row + rows - 1) % rows * width + column];
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::Generator, evaluate::ScoredRow};

    #[test]
    fn the_columns_that_a_model_uses_are_found_among_many() {
        let (count, width) = (60, 300);
        let scored = |row: usize| ScoredRow::blank(row, row % 3);
        let mut generator = Generator::new(3, &[]);
        let rows = JudgedRows {
            names: (0..width).map(|column| format!("x{column}")).collect(),
            scored: (0..count).map(scored).collect(),
            raw: (0..count * width).map(|_| generator.normal()).collect(),
        };
        let weights = [(290, 0.1), (7, -3.0), (123, 1.0), (0, 0.0)];
        let predict = |_: usize, values: &[f64]| {
            let of_row = |row: &[f64]| weights.iter().map(|(at, weight)| weight * row[*at]).sum();
            values.chunks_exact(width).map(of_row).collect()
        };
        assert_eq!(most_moving(&rows, 2, &predict), [7, 123]);
        assert_eq!(most_moving(&rows, 3, &predict), [7, 123, 290]);
        assert_eq!(most_moving(&rows, 300, &predict), (0..300).collect::<Vec<_>>());
        let exchanged = exchanged(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 1);
        assert_eq!(exchanged, [1.0, 6.0, 3.0, 2.0, 5.0, 4.0]);
    }
}
