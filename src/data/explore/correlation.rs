//! Pearson's and Spearman's correlations over the rows that have both values.

use rayon::prelude::*;

use super::statistics::{power_of_two, sum};

/// Rows that two columns must share for a correlation to be said.
const FEWEST_ROWS: usize = 3;

/// Pearson's correlations of every pair of columns, shape `[columns][columns]`.
pub(super) fn pearson_matrix(columns: &[&[f64]]) -> Vec<Vec<Option<f64>>> {
    let units: Vec<Option<Vec<f64>>> =
        columns.par_iter().map(|values| whole(values).then(|| unit(values)).flatten()).collect();
    let above: Vec<Vec<Option<f64>>> = (0..columns.len())
        .into_par_iter()
        .map(|a| {
            let of = |b: usize| match (&units[a], &units[b]) {
                (Some(x), Some(y)) => Some(product(x, y)),
                _ if whole(columns[a]) && whole(columns[b]) => None,
                _ => pearson(columns[a], columns[b]),
            };
            (a..columns.len()).map(of).collect()
        })
        .collect();
    let entry = |a: usize, b: usize| above[a.min(b)][a.max(b) - a.min(b)];
    (0..columns.len()).map(|a| (0..columns.len()).map(|b| entry(a, b)).collect()).collect()
}

/// Pearson's correlation over the rows that have both values.
fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = complete(a, b);
    Some(product(&unit(&a)?, &unit(&b)?))
}

/// A column with its ranks.
pub(super) struct Ranked {
    /// The values that are there, from the smallest to the largest.
    pub(super) sorted: Vec<f64>,
    /// Rank of each row from 1, ties sharing their mean rank; meaningless where a value is missing.
    pub(super) ranks: Vec<f64>,
}

impl Ranked {
    /// Sorts and ranks `values`.
    pub(super) fn new(values: &[f64]) -> Self {
        let mut order: Vec<(f64, u32)> = Vec::with_capacity(values.len());
        let rows = values.iter().enumerate().filter(|(_, value)| !value.is_nan());
        order.extend(rows.map(|(row, value)| (value + 0.0, row as u32)));
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (mut ranks, mut before) = (vec![0.0; values.len()], 0);
        for ties in order.chunk_by(|a, b| a.0 == b.0) {
            let rank = before as f64 + 0.5 * (ties.len() + 1) as f64;
            for (_, row) in ties {
                ranks[*row as usize] = rank;
            }
            before += ties.len();
        }
        Self { sorted: order.into_iter().map(|(value, _)| value).collect(), ranks }
    }

    /// Spearman's correlation of the columns `a` and `b`, whose ranks are given.
    pub(super) fn spearman((a, x): (&[f64], &Self), (b, y): (&[f64], &Self)) -> Option<f64> {
        if whole(a) && whole(b) {
            return Some(product(&unit(&x.ranks)?, &unit(&y.ranks)?));
        }
        // A row that only one has must not count in the ranks of the other.
        let (a, b) = complete(a, b);
        pearson(&Self::new(&a).ranks, &Self::new(&b).ranks)
    }
}

fn whole(values: &[f64]) -> bool {
    values.iter().all(|value| !value.is_nan())
}

fn complete(a: &[f64], b: &[f64]) -> (Vec<f64>, Vec<f64>) {
    a.iter().zip(b).filter(|(a, b)| !a.is_nan() && !b.is_nan()).unzip()
}

/// `values` minus their mean, divided by their length as a vector; `None` where they do not vary.
fn unit(values: &[f64]) -> Option<Vec<f64>> {
    if values.len() < FEWEST_ROWS || values.iter().all(|value| *value == values[0]) {
        return None;
    }
    let scale = power_of_two(values.iter().fold(0.0, |largest, value| value.abs().max(largest)));
    let mean = sum(values.iter().map(|value| value / scale)) / values.len() as f64;
    let mut unit: Vec<f64> = values.iter().map(|value| value / scale - mean).collect();
    // Again, by the largest difference, so that values that differ in their last digits only keep
    // their squares.
    let scale = power_of_two(unit.iter().fold(0.0, |largest, value| value.abs().max(largest)));
    let length = sum(unit.iter().map(|value| (value / scale).powi(2))).sqrt() * scale;
    for value in &mut unit {
        *value /= length;
    }
    Some(unit)
}

/// The scalar product of two vectors of length one, in sixteen partial sums that the processor can
/// form side by side.
fn product(a: &[f64], b: &[f64]) -> f64 {
    let mut partial = [0.0; 16];
    let (left, right) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest = sum(left.remainder().iter().zip(right.remainder()).map(|(a, b)| a * b));
    for (a, b) in left.zip(right) {
        for lane in 0..16 {
            partial[lane] += a[lane] * b[lane];
        }
    }
    (sum(partial.into_iter()) + rest).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: f64 = f64::NAN;

    fn assert_close(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-10, "{found:?}, not {expected}");
    }

    fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
        Ranked::spearman((a, &Ranked::new(a)), (b, &Ranked::new(b)))
    }

    #[test]
    fn correlations_are_those_of_scipy_with_ties_and_missing_values() {
        let a = [1.0, 2.0, 2.0, 4.0, 7.0, 3.0, 11.0];
        let b = [2.0, 1.0, 5.0, 5.0, 9.0, 5.0, 30.0];
        let matrix = pearson_matrix(&[&a, &b]);
        assert_close(matrix[0][1], 0.931_826_186_618_188_6);
        assert_close(matrix[1][0], 0.931_826_186_618_188_6);
        assert_close(matrix[0][0], 1.0);
        assert_close(spearman(&a, &b), 0.878_850_170_607_949_8);
        let (a, b) = ([1.0, NONE, 2.0, 2.0, 4.0, 7.0], [3.0, 9.0, NONE, 1.0, 8.0, 8.0]);
        assert_close(pearson_matrix(&[&a, &b])[0][1], 0.814_191_174_215_507);
        assert_close(spearman(&a, &b), 0.737_864_787_372_621_8);
    }

    #[test]
    fn a_column_that_does_not_vary_where_both_are_there_has_no_correlation() {
        let (constant, varied) = ([5.0; 4], [1.0, 2.0, 3.0, 5.0]);
        let matrix = pearson_matrix(&[&constant, &varied]);
        assert_eq!((matrix[0][0], matrix[0][1]), (None, None));
        let partly = [5.0, 5.0, 5.0, NONE];
        assert_eq!(pearson_matrix(&[&partly, &varied])[0][1], None);
        assert_eq!(pearson_matrix(&[&[1.0, 2.0, NONE, NONE], &varied])[0][1], None);
        assert_eq!((spearman(&constant, &varied), spearman(&partly, &varied)), (None, None));
    }

    #[test]
    fn huge_values_and_time_stamps_correlate_like_small_ones() {
        let small: Vec<f64> = (0..50).map(|row| f64::from(row * row % 17)).collect();
        let huge: Vec<f64> = small.iter().map(|value| value * 1e300 - 5e300).collect();
        let stamps: Vec<f64> = (0..50).map(|row| 1.7e9 + f64::from(row)).collect();
        let plain: Vec<f64> = (0..50).map(f64::from).collect();
        let matrix = pearson_matrix(&[&small, &huge, &stamps, &plain]);
        assert_close(matrix[0][1], 1.0);
        assert_close(matrix[2][3], 1.0);
        assert_close(matrix[1][2], matrix[0][3].unwrap());
    }
}
