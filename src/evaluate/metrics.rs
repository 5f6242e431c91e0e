//! Regression metrics in the target's own unit.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ScoredRow;

/// The scores of one set of predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Mean squared error, unit squared.
    pub mse: f64,
    /// Root mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Coefficient of determination; `None` where the scored targets do not vary.
    pub r2: Option<f64>,
    /// Mean of prediction minus target: positive where the model reads too high.
    pub bias: f64,
    /// Share of targets inside their interval, each group counting once.
    pub coverage: f64,
    /// Mean width of the intervals.
    pub interval_width: f64,
    /// Number of scored rows.
    pub rows: usize,
}

impl Scores {
    /// Scores `rows`, of which there must be at least one.
    #[must_use]
    pub fn of(rows: &[&ScoredRow]) -> Self {
        let count = rows.len() as f64;
        let mean = |value: &dyn Fn(&ScoredRow) -> f64| {
            rows.iter().map(|row| value(row)).sum::<f64>() / count
        };
        let mse = mean(&|row| (row.prediction - row.target).powi(2));
        let centre = mean(&|row| row.target);
        let variance = mean(&|row| (row.target - centre).powi(2));
        Self {
            mse,
            rmse: mse.sqrt(),
            mae: mean(&|row| (row.prediction - row.target).abs()),
            r2: (variance > 0.0).then(|| 1.0 - mse / variance),
            bias: mean(&|row| row.prediction - row.target),
            coverage: coverage(rows),
            interval_width: mean(&|row| row.upper - row.lower),
            rows: rows.len(),
        }
    }
}

/// The mean over groups of the share of covered rows; rows without a group stand alone.
fn coverage(rows: &[&ScoredRow]) -> f64 {
    let covered = |row: &ScoredRow| f64::from(row.lower <= row.target && row.target <= row.upper);
    let mut alone = (0.0, 0.0);
    let mut groups: HashMap<&str, (f64, f64)> = HashMap::new();
    for row in rows {
        let tally = match &row.group {
            Some(group) => groups.entry(group).or_default(),
            None => &mut alone,
        };
        *tally = (tally.0 + covered(row), tally.1 + 1.0);
    }
    // Sorted, so that the sum does not depend on the map's order.
    let mut shares: Vec<f64> = groups.values().map(|(covered, rows)| covered / rows).collect();
    shares.sort_by(f64::total_cmp);
    (shares.iter().sum::<f64>() + alone.0) / (shares.len() as f64 + alone.1)
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
        }
    }

    #[test]
    fn scores_equal_those_of_scikit_learn() {
        // sklearn.metrics on y = [3, -0.5, 2, 7], p = [2.5, 0.0, 2, 8].
        let pairs = [(3.0, 2.5), (-0.5, 0.0), (2.0, 2.0), (7.0, 8.0)];
        let rows: Vec<ScoredRow> = pairs.iter().map(|(y, p)| row(*y, *p, 0.6, None)).collect();
        let scores = Scores::of(&rows.iter().collect::<Vec<_>>());
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
        assert_eq!(Scores::of(&rows.iter().collect::<Vec<_>>()).r2, None);
    }
}
