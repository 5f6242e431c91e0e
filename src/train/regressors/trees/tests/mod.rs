//! Tests of the tree learners: against scikit-learn, on weights, on independence.

mod agreement;
mod independence;
mod weights;

use super::Table;
use crate::data::Generator;
use crate::features::FeatureMatrix;

/// Sixty rows that Python makes to the same bits, with no two gains alike.
pub(super) fn formula_table(weight: impl Fn(usize) -> f64) -> Table {
    let columns = |row: usize| [(row * 37) % 61, (row * 23) % 59, (row * 17) % 53];
    let target = |row: usize| {
        let [a, b, c] = columns(row).map(|value| value as f64);
        let step = if c > 20.0 { 0.7 } else { 0.0 };
        (a / 9.0).sin() + (b / 30.0).powi(2) + step + ((row * 29) % 31) as f64 / 40.0
    };
    let values = (0..60).flat_map(columns).map(|value| value as f32).collect();
    let targets = (0..60).map(target).collect();
    Table::new(FeatureMatrix::new(3, values), targets, (0..60).map(weight).collect())
}

/// A random table: the target is a smooth function of the first two of four columns, and noise.
pub(super) fn random_table(rows: usize, seed: u64) -> (FeatureMatrix, Vec<f64>) {
    let mut generator = Generator::new(seed, &[]);
    let values: Vec<f32> = (0..4 * rows).map(|_| generator.normal() as f32).collect();
    let signal = |row: &[f32]| f64::from(row[0]) + f64::from(row[1]).powi(2);
    let targets = values.chunks(4).map(|row| signal(row) + 0.1 * generator.normal()).collect();
    (FeatureMatrix::new(4, values), targets)
}

/// The first `count` rows' numbers.
pub(super) fn all_rows(count: usize) -> Vec<u32> {
    (0..count as u32).collect()
}
