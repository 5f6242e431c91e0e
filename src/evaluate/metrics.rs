//! Regression metrics in the target's own unit.

use serde::{Deserialize, Deserializer, Serialize};

use super::{ScoredRow, units::Units};

/// The scores of one set of predictions; every mean is weighted by the rows' weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Mean squared error, unit squared.
    #[serde(deserialize_with = "or_nan")]
    pub mse: f64,
    /// Root mean squared error.
    #[serde(deserialize_with = "or_nan")]
    pub rmse: f64,
    /// Mean absolute error.
    #[serde(deserialize_with = "or_nan")]
    pub mae: f64,
    /// Coefficient of determination; `None` where the scored targets do not vary.
    pub r2: Option<f64>,
    /// Mean of prediction minus target: positive where the model reads too high.
    #[serde(deserialize_with = "or_nan")]
    pub bias: f64,
    /// Share of targets inside their interval, each group counting once.
    #[serde(deserialize_with = "or_nan")]
    pub coverage: f64,
    /// Mean width of the intervals.
    #[serde(deserialize_with = "or_nan")]
    pub interval_width: f64,
    /// Mean interval score (Gneiting and Raftery, 2007): width, and `2 / (1 - level)` times what a
    /// target lies beyond its bounds. Smaller is better; it rewards narrow intervals that hold.
    #[serde(deserialize_with = "or_nan")]
    pub interval_score: f64,
    /// Number of scored rows.
    pub rows: usize,
}

/// A number, or `NaN` for the `null` that JSON has for numbers that are not finite.
pub(super) fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl Scores {
    /// Scores `rows`, of which there must be at least one, with intervals of `level`.
    #[must_use]
    pub fn of(rows: &[&ScoredRow], level: f64) -> Self {
        let count = rows.iter().map(|row| row.weight).sum::<f64>();
        let mean = |value: &dyn Fn(&ScoredRow) -> f64| {
            rows.iter().map(|row| row.weight * value(row)).sum::<f64>() / count
        };
        let points = rows.iter().map(|row| Point::of(row));
        let PointErrors { mse, mae, r2 } = PointErrors::of(&points);
        Self {
            mse,
            rmse: mse.sqrt(),
            mae,
            r2,
            bias: mean(&|row| row.prediction - row.target),
            coverage: coverage(rows),
            interval_width: mean(&|row| row.upper - row.lower),
            interval_score: mean(&|row| interval_score(row, level)),
            rows: rows.len(),
        }
    }
}

/// The root mean squared error of `rows`, as in their [`Scores`].
#[must_use]
pub fn rmse<'a>(rows: impl IntoIterator<Item = &'a ScoredRow, IntoIter: Clone>) -> f64 {
    PointErrors::of(&rows.into_iter().map(Point::of)).mse.sqrt()
}

/// A prediction, its truth, and how much it counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) prediction: f64,
    pub(super) target: f64,
    pub(super) weight: f64,
}

impl Point {
    fn of(row: &ScoredRow) -> Self {
        Self { prediction: row.prediction, target: row.target, weight: row.weight }
    }
}

/// The errors of predictions without intervals.
#[derive(Clone, Copy, Debug)]
pub(super) struct PointErrors {
    pub(super) mse: f64,
    pub(super) mae: f64,
    /// `None` where the targets do not vary.
    pub(super) r2: Option<f64>,
}

impl PointErrors {
    pub(super) fn of(points: &(impl Iterator<Item = Point> + Clone)) -> Self {
        let total = points.clone().map(|point| point.weight).sum::<f64>();
        let mean = |value: &dyn Fn(&Point) -> f64| {
            points.clone().map(|point| point.weight * value(&point)).sum::<f64>() / total
        };
        let mse = mean(&|point| (point.prediction - point.target).powi(2));
        let centre = mean(&|point| point.target);
        let variance = mean(&|point| (point.target - centre).powi(2));
        let mae = mean(&|point| (point.prediction - point.target).abs());
        Self { mse, mae, r2: (variance > 0.0).then(|| 1.0 - mse / variance) }
    }
}

fn interval_score(row: &ScoredRow, level: f64) -> f64 {
    let beyond = (row.lower - row.target).max(0.0) + (row.target - row.upper).max(0.0);
    row.upper - row.lower + 2.0 / (1.0 - level) * beyond
}

fn coverage(rows: &[&ScoredRow]) -> f64 {
    let units = Units::of(rows.iter().copied());
    let rows = rows.iter().copied();
    coverage_of(rows, &units, |row| row.lower <= row.target && row.target <= row.upper)
}

/// The mean over `units` of the share of `rows` that are covered, a group counting as much as its rows on average.
pub(super) fn coverage_of<'a>(
    rows: impl IntoIterator<Item = &'a ScoredRow>,
    units: &Units,
    is_covered: impl Fn(&ScoredRow) -> bool,
) -> f64 {
    let add = |sum: &mut (f64, f64), row: &ScoredRow| {
        let covered = if is_covered(row) { row.weight } else { 0.0 };
        *sum = (sum.0 + covered, sum.1 + row.weight);
    };
    let sums = units.sums(rows, add);
    let shares = sums.iter().zip(&units.sizes);
    let (covered, weight) = shares.fold((0.0, 0.0), |sum: (f64, f64), (own, size)| {
        (sum.0 + own.0 / size, sum.1 + own.1 / size)
    });
    covered / weight
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(target: f64, prediction: f64, half_width: f64, group: Option<&str>) -> ScoredRow {
        ScoredRow {
            row: 0,
            group: group.map(Into::into),
            repeat: 0,
            fold: 0,
            target,
            prediction,
            lower: prediction - half_width,
            upper: prediction + half_width,
            out_of_domain: false,
            weight: 1.0,
        }
    }

    #[test]
    fn scores_equal_those_of_scikit_learn() {
        // sklearn.metrics on y = [3, -0.5, 2, 7], p = [2.5, 0.0, 2, 8].
        let pairs = [(3.0, 2.5), (-0.5, 0.0), (2.0, 2.0), (7.0, 8.0)];
        let rows: Vec<ScoredRow> = pairs.iter().map(|(y, p)| row(*y, *p, 0.6, None)).collect();
        let scores = Scores::of(&rows.iter().collect::<Vec<_>>(), 0.9);
        assert!((scores.mse - 0.375).abs() < 1e-12);
        assert!((scores.rmse - 0.612_372_435_695_794_5).abs() < 1e-12);
        assert!((scores.mae - 0.5).abs() < 1e-12);
        assert!((scores.r2.unwrap() - 0.948_608_137_044_967_9).abs() < 1e-12);
        assert!((scores.bias - 0.25).abs() < 1e-12);
        assert!((scores.coverage - 0.75).abs() < 1e-12);
        assert!((scores.interval_width - 1.2).abs() < 1e-12);
    }

    #[test]
    fn coverage_counts_each_group_once() {
        let mut rows = vec![row(0.0, 0.0, 1.0, Some("a")), row(9.0, 0.0, 1.0, Some("b"))];
        rows.extend((0..8).map(|_| row(9.0, 0.0, 1.0, Some("b"))));
        rows.push(row(0.0, 0.0, 1.0, Some("b")));
        assert!((coverage(&rows.iter().collect::<Vec<_>>()) - 0.55).abs() < 1e-12);
    }

    #[test]
    fn constant_targets_have_no_r2() {
        let rows = [row(2.0, 1.0, 0.1, None), row(2.0, 3.0, 0.1, None)];
        assert_eq!(Scores::of(&rows.iter().collect::<Vec<_>>(), 0.9).r2, None);
    }
}
