//! How far a row lies from the rows the model knows, all columns taken together.

use serde::{Deserialize, Serialize};

use crate::features::{FeatureMatrix, Scaler};

use super::precision::Precision;

/// Columns whose value lies more than this many conditional standard deviations from what the
/// other columns of the row let expect are named.
const NAMED_BEYOND: f64 = 3.0;

/// A value that lies further outside of the range of its column than this share of the range, or than hardly any row
/// does that a guard had not seen, is unlike the rows that are known, whatever the others say: a joint distance lets a
/// row go far where all columns go together, as those of detectors do that have all died.
const BEYOND_RANGE: f64 = 0.25;

/// Relative rounding of distances.
const ROUNDING: f64 = 1e-9;

fn beyond_range() -> f64 {
    BEYOND_RANGE
}

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
    /// Inverse of the shrunk covariance.
    #[serde(flatten)]
    precision: Precision,
    /// Largest distance that counts as known.
    pub threshold: f64,
    /// Smallest and largest value of each column; of models that were trained before there was this, none.
    #[serde(default)]
    ranges: Vec<[f32; 2]>,
    /// How far outside of the range of its column a value may lie, as a share of the range.
    #[serde(default = "beyond_range")]
    margin: f64,
    /// Whether columns that never varied often do in rows that are otherwise known, as rare marks do.
    #[serde(default)]
    constants_move: bool,
}

/// How far a row is from what a guard knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strangeness {
    /// The joint distance.
    pub distance: f64,
    /// How far its worst value lies outside of the range of its column, as a share of the range; 0 where all lie inside.
    pub excess: f32,
    /// Whether a column varies in it that never did.
    pub moved: bool,
}

/// How far from a constant a value is another one: as a share of it, or in the unit of its feature where that is 0.
const MOVED: f64 = 1e-5;

impl DomainGuard {
    /// Fits the distance on `rows` of `matrix`; the threshold is infinite until it is set.
    #[must_use]
    pub fn fit(matrix: &FeatureMatrix, rows: &[u32]) -> Self {
        let scaler = Scaler::fit(matrix, rows);
        Self {
            precision: Precision::fit(matrix, rows, &scaler),
            scaler,
            threshold: f64::INFINITY,
            ranges: ranges(matrix, rows),
            margin: BEYOND_RANGE,
            constants_move: false,
        }
    }

    /// Whether it measures rows of `columns` features.
    #[must_use]
    pub fn is_consistent(&self, columns: usize) -> bool {
        self.scaler.mean.len() == columns
            && self.scaler.inverse_deviation.len() == columns
            && self.precision.is_consistent(columns)
            && (self.ranges.is_empty() || self.ranges.len() == columns)
    }

    /// Sets threshold and margin so that about a share `flagged` of rows like these (of which guards say this that had not
    /// seen them) lies beyond one of them. The margin grows until no more than that share, or one of few rows, lies
    /// beyond it, and columns that never varied may vary where they do in more rows than that. The threshold is the
    /// conformal quantile of the distances, those of rows beyond the margin counting as the largest: of few rows, the
    /// largest of the others.
    pub fn settle<'a>(
        &mut self,
        strange: impl Iterator<Item = &'a Strangeness> + Clone,
        flagged: f64,
    ) {
        let count = strange.clone().count();
        let allowed = ((flagged * count as f64) as usize).max(1);
        self.constants_move = strange.clone().filter(|own| own.moved).count() > allowed;
        let excess = strange.clone().map(|own| f64::from(own.excess));
        let mut excess: Vec<f64> = excess.filter(|own| *own > BEYOND_RANGE).collect();
        excess.sort_by(|a, b| b.total_cmp(a));
        self.margin = excess.get(allowed).copied().unwrap_or(BEYOND_RANGE);
        let known = strange.filter(|own| !self.is_displaced(own.excess.into(), own.moved));
        let mut distances: Vec<f64> = known.map(|own| own.distance).collect();
        distances.sort_by(f64::total_cmp);
        let rank = ((1.0 - flagged) * (count + 1) as f64).ceil() as usize;
        let threshold = distances.get(rank.clamp(1, distances.len().max(1)) - 1);
        self.threshold = threshold.copied().unwrap_or(f64::MAX);
    }

    /// The distance of a row of features; about the square root of a chi-squared variable.
    #[must_use]
    pub fn distance(&self, row: &[f32]) -> f64 {
        let scaled = self.scaler.transform(row);
        let weighted = self.precision.times(&scaled);
        scaled.iter().zip(&weighted).map(|(x, w)| x * w).sum::<f64>().max(0.0).sqrt()
    }

    /// Whether a row is unlike the rows that the guard was fitted on.
    #[must_use]
    pub fn is_outside(&self, row: &[f32]) -> bool {
        let moved = self.moved(row).next().is_some();
        self.is_displaced(self.excess(row), moved) || self.is_far(self.distance(row))
    }

    /// Whether a row is unlike the known ones of which another guard, of fewer rows, says this.
    #[must_use]
    pub fn is_strange(&self, own: &Strangeness) -> bool {
        self.is_displaced(own.excess.into(), own.moved) || self.is_far(own.distance)
    }

    fn is_displaced(&self, excess: f64, moved: bool) -> bool {
        excess > self.margin || (moved && !self.constants_move)
    }

    /// Beyond the threshold, but for rounding: rows that are equal may be as far as it.
    fn is_far(&self, distance: f64) -> bool {
        distance > self.threshold * (1.0 + ROUNDING)
    }

    /// How far a row is from what it knows.
    #[must_use]
    pub fn strangeness(&self, row: &[f32]) -> Strangeness {
        let moved = self.moved(row).next().is_some();
        Strangeness { distance: self.distance(row), excess: self.excess(row) as f32, moved }
    }

    fn excess(&self, row: &[f32]) -> f64 {
        let outside = self.ranges.iter().zip(row).map(|(range, value)| outside(*range, *value));
        outside.fold(0.0, f64::max)
    }

    /// Columns far outside of their ranges.
    fn beyond<'a>(&'a self, row: &'a [f32]) -> impl Iterator<Item = usize> + 'a {
        let columns = self.ranges.iter().zip(row).enumerate();
        let beyond = columns.filter(|(_, (range, value))| outside(**range, **value) > self.margin);
        beyond.map(|(column, _)| column)
    }

    /// Columns that never varied but do in this row: a detector stuck at another value.
    fn moved<'a>(&'a self, row: &'a [f32]) -> impl Iterator<Item = usize> + 'a {
        let Scaler { mean, inverse_deviation } = &self.scaler;
        let constants = mean.iter().zip(inverse_deviation).zip(row).enumerate();
        let moved = constants.filter(|(_, ((mean, inverse), value))| {
            **inverse == 0.0 && (f64::from(**value) - **mean).abs() > MOVED
        });
        moved.map(|(column, _)| column)
    }

    /// The columns at fault in a row, worst first: those that never varied and do now, those far from what the row's
    /// other columns let expect (their conditional z, `(P d)_j / sqrt(P_jj)`), those far outside of their range, and at
    /// least the worst of them.
    #[must_use]
    pub fn columns_at_fault(&self, row: &[f32]) -> Vec<usize> {
        let (weighted, diagonal) = self.weighted_with_diagonal(row);
        let pairs = weighted.iter().zip(&diagonal);
        let surprise: Vec<f64> = pairs.map(|(w, diagonal)| w.abs() / diagonal.sqrt()).collect();
        let size = weighted.len();
        let mut order: Vec<usize> = (0..size).collect();
        order.sort_by(|a, b| surprise[*b].total_cmp(&surprise[*a]));
        let named = order.iter().filter(|column| surprise[**column] > NAMED_BEYOND).count();
        let moved: Vec<usize> = self.moved(row).filter(|_| !self.constants_move).collect();
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
        let (weighted, diagonal) = self.weighted_with_diagonal(row);
        let residual = |((w, diagonal), inverse): ((&f64, &f64), &f64)| {
            if *inverse == 0.0 { 0.0 } else { w / diagonal / inverse }
        };
        let pairs = weighted.iter().zip(&diagonal);
        pairs.zip(&self.scaler.inverse_deviation).map(residual).collect()
    }

    /// The product of the inverse covariance with a standardised row, and the diagonal of it.
    fn weighted_with_diagonal(&self, row: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let scaled = self.scaler.transform(row);
        (self.precision.times(&scaled), self.precision.diagonal(scaled.len()))
    }
}

/// How far a value lies outside of a range, as a share of it; negative or 0 inside. Where nothing varied other rules
/// decide; a missing value is in no place.
fn outside([low, high]: [f32; 2], value: f32) -> f64 {
    let (low, high, value) = (f64::from(low), f64::from(high), f64::from(value));
    if high > low && !value.is_nan() { (low - value).max(value - high) / (high - low) } else { 0.0 }
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
        let strange: Vec<Strangeness> =
            (400..500).map(|row| guard.strangeness(matrix.row(row))).collect();
        guard.settle(strange.iter(), 0.01);
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
        let strange: Vec<Strangeness> =
            (1000..2000).map(|row| guard.strangeness(matrix.row(row))).collect();
        guard.settle(strange.iter(), 0.01);
        let flagged = (2000..20_000).filter(|row| guard.is_outside(matrix.row(*row))).count();
        let share = flagged as f64 / 18_000.0;
        assert!((0.003..0.02).contains(&share), "{share}");
    }

    #[test]
    fn heavy_tails_widen_the_margin_and_one_odd_row_does_not() {
        let settled = |strange: &dyn Fn(usize) -> (f32, bool)| -> DomainGuard {
            let matrix = FeatureMatrix::new(1, (0..200).map(|i| i as f32).collect());
            let mut guard = DomainGuard::fit(&matrix, &(0..200).collect::<Vec<_>>());
            let own = |row| {
                let (excess, moved) = strange(row);
                Strangeness { distance: row as f64, excess, moved }
            };
            guard.settle((0..100).map(own).collect::<Vec<_>>().iter(), 0.01);
            guard
        };
        let heavy = settled(&|row| (if row < 10 { row as f32 } else { 0.0 }, false));
        assert_eq!((heavy.margin, heavy.threshold), (8.0, 99.0));
        let one = settled(&|row| (if row == 99 { 7.0 } else { 0.0 }, false));
        assert_eq!((one.margin, one.threshold), (BEYOND_RANGE, 98.0));
        let rare_marks = settled(&|row| (0.0, row % 2 == 0));
        assert!(rare_marks.constants_move && rare_marks.threshold == 99.0);
        let broken = settled(&|row| (0.0, row == 99));
        assert!(!broken.constants_move && broken.threshold == 98.0);
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
        guard.settle([Strangeness { distance: 4.0, excess: 0.0, moved: false }; 100].iter(), 0.01);
        let [near, far] = [[-0.2; 4], [-0.6; 4]];
        assert!(guard.distance(&far) < guard.threshold, "the joint distance does not see it");
        assert!(guard.is_outside(&far) && !guard.is_outside(&near));
        let mut named = guard.columns_at_fault(&far);
        named.sort_unstable();
        assert_eq!(named, [0, 1, 2, 3]);
        // A model without ranges goes by the distance alone.
        let mut written = serde_json::to_value(&guard).unwrap();
        written.as_object_mut().unwrap().remove("ranges");
        written.as_object_mut().unwrap().remove("margin");
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
