//! How far a row lies from the rows the model knows, all columns taken together.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::features::{FeatureMatrix, Scaler};

use super::gram::for_each_block;

/// Columns whose value lies more than this many conditional standard deviations from what the
/// other columns of the row let expect are named.
const NAMED_BEYOND: f64 = 3.0;

/// A value that lies further outside of the range of its column than this share of the range is unlike the rows that
/// are known, whatever the others say: a joint distance lets a row go far where all columns go together, as those of
/// detectors do that have all died.
const BEYOND_RANGE: f64 = 0.25;

/// How unlike the rows that a guard knows a row is.
#[derive(Clone, Debug, PartialEq)]
pub struct Oddness {
    /// The joint distance.
    pub distance: f64,
    /// What each column has more than the others let expect; see [`DomainGuard::residuals`].
    pub residuals: Vec<f64>,
}

/// A joint distance: Mahalanobis' with the covariance of the scaled features, shrunk towards a
/// multiple of the identity as far as the sample demands (Ledoit and Wolf, 2004).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DomainGuard {
    #[serde(flatten)]
    scaler: Scaler,
    /// Inverse of the shrunk covariance, row-major.
    precision: Vec<f64>,
    /// Largest distance that counts as known.
    pub threshold: f64,
    /// Smallest and largest value of each column; of models that were trained before there was this, none.
    #[serde(default)]
    ranges: Vec<[f32; 2]>,
}

impl DomainGuard {
    /// Fits the distance on `rows` of `matrix`; the threshold is infinite until it is set.
    #[must_use]
    pub fn fit(matrix: &FeatureMatrix, rows: &[u32]) -> Self {
        let scaler = Scaler::fit(matrix, rows);
        let covariance = shrunk_covariance(matrix, rows, &scaler);
        let size = matrix.columns();
        let precision =
            covariance.cholesky().map_or_else(|| DMatrix::identity(size, size), |c| c.inverse());
        Self {
            scaler,
            precision: precision.transpose().as_slice().to_vec(),
            threshold: f64::INFINITY,
            ranges: ranges(matrix, rows),
        }
    }

    /// Whether it measures rows of `columns` features.
    #[must_use]
    pub fn is_consistent(&self, columns: usize) -> bool {
        self.scaler.mean.len() == columns
            && self.scaler.inverse_deviation.len() == columns
            && self.precision.len() == columns * columns
            && (self.ranges.is_empty() || self.ranges.len() == columns)
    }

    /// Sets the threshold so that a share `flagged` of rows at these `distances` (from guards that
    /// had not seen them) lies beyond it: their conformal quantile, the largest of them where
    /// there are too few.
    pub fn set_threshold(&mut self, mut distances: Vec<f64>, flagged: f64) {
        distances.sort_by(f64::total_cmp);
        let rank = ((1.0 - flagged) * (distances.len() + 1) as f64).ceil() as usize;
        self.threshold = distances[rank.clamp(1, distances.len()) - 1];
    }

    /// The distance of a row of features; about the square root of a chi-squared variable.
    #[must_use]
    pub fn distance(&self, row: &[f32]) -> f64 {
        let scaled = self.scaler.transform(row);
        let weighted = self.weighted(&scaled);
        scaled.iter().zip(&weighted).map(|(x, w)| x * w).sum::<f64>().max(0.0).sqrt()
    }

    /// Whether a row is unlike the rows that the guard was fitted on.
    #[must_use]
    pub fn is_outside(&self, row: &[f32]) -> bool {
        self.moved(row).chain(self.beyond(row)).next().is_some()
            || self.distance(row) > self.threshold
    }

    /// Columns far outside of their ranges.
    fn beyond<'a>(&'a self, row: &'a [f32]) -> impl Iterator<Item = usize> + 'a {
        let beyond = |(range, value): (&[f32; 2], &f32)| {
            let [low, high] = range.map(f64::from);
            let margin = BEYOND_RANGE * (high - low);
            let value = f64::from(*value);
            // Where nothing varied `moved` decides; a missing value is in no place.
            margin > 0.0 && (value < low - margin || value > high + margin)
        };
        let columns = self.ranges.iter().zip(row).enumerate();
        columns.filter(move |(_, own)| beyond(*own)).map(|(column, _)| column)
    }

    /// Columns that never varied but do in this row: a detector stuck at another value.
    fn moved<'a>(&'a self, row: &'a [f32]) -> impl Iterator<Item = usize> + 'a {
        let Scaler { mean, inverse_deviation } = &self.scaler;
        let constants = mean.iter().zip(inverse_deviation).zip(row).enumerate();
        let moved = constants.filter(|(_, ((mean, inverse), value))| {
            **inverse == 0.0 && (f64::from(**value) - **mean).abs() > 1e-3
        });
        moved.map(|(column, _)| column)
    }

    /// The columns at fault in a row, worst first: those that never varied and do now, those far from what the row's
    /// other columns let expect (their conditional z, `(P d)_j / sqrt(P_jj)`), those far outside of their range, and at
    /// least the worst of them.
    #[must_use]
    pub fn columns_at_fault(&self, row: &[f32]) -> Vec<usize> {
        let weighted = self.weighted(&self.scaler.transform(row));
        let size = weighted.len();
        let surprise: Vec<f64> = weighted
            .iter()
            .enumerate()
            .map(|(column, w)| w.abs() / self.precision[column * size + column].sqrt())
            .collect();
        let mut order: Vec<usize> = (0..size).collect();
        order.sort_by(|a, b| surprise[*b].total_cmp(&surprise[*a]));
        let named = order.iter().filter(|column| surprise[**column] > NAMED_BEYOND).count();
        let moved: Vec<usize> = self.moved(row).collect();
        let beyond: Vec<usize> = self.beyond(row).collect();
        let is_known = moved.is_empty() && beyond.is_empty();
        order.truncate(if is_known { named.max(1) } else { named });
        order.retain(|column| !moved.contains(column));
        let others = beyond.into_iter().filter(|column| !order.contains(column)).collect();
        [moved, order.clone(), others].concat()
    }

    /// Distance and residuals of a row; a missing value counts as the mean.
    #[must_use]
    pub fn oddness(&self, row: &[f32]) -> Oddness {
        let filled: Vec<f32> = row
            .iter()
            .zip(&self.scaler.mean)
            .map(|(value, mean)| if value.is_nan() { *mean as f32 } else { *value })
            .collect();
        Oddness { distance: self.distance(&filled), residuals: self.residuals(&filled) }
    }

    /// What each column of a row has more than the row's other columns let expect, in the features' units: under a
    /// normal distribution `x_j - E[x_j | others] = s_j (P d)_j / P_jj`. 0 where a column never varied.
    #[must_use]
    pub fn residuals(&self, row: &[f32]) -> Vec<f64> {
        let weighted = self.weighted(&self.scaler.transform(row));
        let size = weighted.len();
        let residual = |(column, (w, inverse)): (usize, (&f64, &f64))| {
            if *inverse == 0.0 { 0.0 } else { w / self.precision[column * size + column] / inverse }
        };
        weighted.iter().zip(&self.scaler.inverse_deviation).enumerate().map(residual).collect()
    }

    fn weighted(&self, scaled: &[f64]) -> Vec<f64> {
        let product = |row: &[f64]| row.iter().zip(scaled).map(|(p, x)| p * x).sum();
        self.precision.chunks_exact(scaled.len().max(1)).map(product).collect()
    }
}

/// Smallest and largest value of each column, missing values left out.
fn ranges(matrix: &FeatureMatrix, rows: &[u32]) -> Vec<[f32; 2]> {
    let mut ranges = vec![[f32::INFINITY, f32::NEG_INFINITY]; matrix.columns()];
    for row in rows {
        for ([low, high], value) in ranges.iter_mut().zip(matrix.row(*row as usize)) {
            (*low, *high) = (low.min(*value), high.max(*value));
        }
    }
    // A column without any value has none, and JSON no infinity.
    ranges.iter_mut().filter(|[low, high]| low > high).for_each(|range| *range = [0.0; 2]);
    ranges
}

/// The Ledoit-Wolf estimate of the covariance of the standardised rows.
fn shrunk_covariance(matrix: &FeatureMatrix, rows: &[u32], scaler: &Scaler) -> DMatrix<f64> {
    let (size, count) = (matrix.columns(), rows.len() as f64);
    let mut covariance = DMatrix::zeros(size, size);
    let mut fourth = 0.0;
    for_each_block(matrix, rows, scaler, |_, block| {
        covariance.gemm(1.0 / count, block, &block.transpose(), 1.0);
        fourth += block.column_iter().map(|x| x.norm_squared().powi(2)).sum::<f64>() / count;
    });
    let level = covariance.trace() / size as f64;
    let norm_squared = covariance.norm_squared();
    let spread = norm_squared - size as f64 * level * level;
    let noise = (fourth - norm_squared) / count;
    let shrinkage = if spread > 0.0 { (noise / spread).clamp(0.0, 1.0) } else { 1.0 };
    let mut shrunk = covariance * (1.0 - shrinkage);
    for column in 0..size {
        // The floor keeps a column that never varied, or a perfect copy, invertible.
        shrunk[(column, column)] += (shrinkage * level).max(1e-6);
    }
    shrunk
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    #[test]
    fn distance_equals_that_of_scikit_learns_ledoit_wolf() {
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
        let guard = DomainGuard::fit(&matrix, &(0..8).collect::<Vec<_>>());
        // sklearn.covariance.ledoit_wolf on the standardised rows: shrinkage 0.38272149.
        let row = [4.0, 8.0, 0.5];
        assert!((guard.distance(&row) - 2.024_919_970).abs() < 1e-6, "{}", guard.distance(&row));
        assert_eq!(guard.columns_at_fault(&row), [1]);
    }

    #[test]
    fn shuffled_columns_are_flagged_though_each_value_is_in_range() {
        let mut generator = Generator::new(4, &[]);
        let mut values = Vec::new();
        for _ in 0..500 {
            let level = generator.normal();
            values.extend((0..6).map(|_| (level + 0.1 * generator.normal()) as f32));
        }
        let matrix = FeatureMatrix::new(6, values);
        let rows: Vec<u32> = (0..400).collect();
        let mut guard = DomainGuard::fit(&matrix, &rows);
        guard.set_threshold((400..500).map(|row| guard.distance(matrix.row(row))).collect(), 0.01);
        assert!(!guard.is_outside(&[1.0, 1.1, 0.9, 1.0, 1.0, 1.05]));
        let shuffled = [1.0, 1.1, -0.9, 1.0, 1.0, 1.05];
        assert!(guard.is_outside(&shuffled));
        assert_eq!(guard.columns_at_fault(&shuffled)[0], 2);
    }

    #[test]
    fn residuals_are_those_of_least_squares_on_the_other_columns() {
        let mut generator = Generator::new(11, &[]);
        let mut values = Vec::new();
        for _ in 0..5000 {
            let (a, b) = (generator.normal(), generator.normal());
            values.extend([a, b, 2.0 * a - 3.0 * b + 0.5 * generator.normal()].map(|x| x as f32));
        }
        let matrix = FeatureMatrix::new(3, values);
        let guard = DomainGuard::fit(&matrix, &(0..5000).collect::<Vec<_>>());
        // The third column is 2 a - 3 b; the shrinkage of 5000 rows is too small to matter.
        let found = guard.residuals(&[1.0, -1.0, 5.7])[2];
        assert!((found - 0.7).abs() < 0.05, "{found}");
        let deviation =
            (0..5000).map(|row| guard.residuals(matrix.row(row))[2].powi(2)).sum::<f64>();
        assert!(((deviation / 5000.0).sqrt() - 0.5).abs() < 0.02);
    }

    #[test]
    fn about_one_row_in_a_hundred_is_flagged() {
        let mut generator = Generator::new(8, &[]);
        let values = (0..20_000 * 4).map(|_| generator.normal() as f32).collect();
        let matrix = FeatureMatrix::new(4, values);
        let mut guard = DomainGuard::fit(&matrix, &(0..1000).collect::<Vec<_>>());
        guard
            .set_threshold((1000..2000).map(|row| guard.distance(matrix.row(row))).collect(), 0.01);
        let flagged = (2000..20_000).filter(|row| guard.is_outside(matrix.row(*row))).count();
        let share = flagged as f64 / 18_000.0;
        assert!((0.003..0.02).contains(&share), "{share}");
    }

    #[test]
    fn columns_that_all_leave_their_ranges_together_are_at_fault() {
        let mut generator = Generator::new(5, &[]);
        let mut values = Vec::new();
        for _ in 0..200 {
            let level = generator.uniform();
            values.extend((0..4).map(|_| (level + 0.05 * generator.normal()) as f32));
        }
        let matrix = FeatureMatrix::new(4, values);
        let mut guard = DomainGuard::fit(&matrix, &(0..200).collect::<Vec<_>>());
        guard.set_threshold(vec![4.0; 100], 0.01);
        let [near, far] = [[-0.2; 4], [-0.6; 4]];
        assert!(guard.distance(&far) < guard.threshold, "the joint distance does not see it");
        assert!(guard.is_outside(&far) && !guard.is_outside(&near));
        let mut named = guard.columns_at_fault(&far);
        named.sort_unstable();
        assert_eq!(named, [0, 1, 2, 3]);
        // A model without ranges goes by the distance alone.
        let mut written = serde_json::to_value(&guard).unwrap();
        written.as_object_mut().unwrap().remove("ranges");
        let before: DomainGuard = serde_json::from_value(written).unwrap();
        assert!(before.is_consistent(4) && !before.is_outside(&far));
    }

    #[test]
    fn constant_and_copied_columns_do_not_break_the_distance() {
        let values = (0..40).flat_map(|i| [i as f32, 5.0, i as f32, -(i as f32)]).collect();
        let matrix = FeatureMatrix::new(4, values);
        let guard = DomainGuard::fit(&matrix, &(0..40).collect::<Vec<_>>());
        assert!(guard.distance(matrix.row(3)).is_finite());
        assert!(!guard.is_outside(matrix.row(3)));
        assert!(guard.is_outside(&[3.0, 6.0, 3.0, -3.0]));
        assert_eq!(guard.columns_at_fault(&[3.0, 6.0, 3.0, -3.0])[0], 1);
    }
}
