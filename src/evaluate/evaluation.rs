//! The outcome of judging predictions: scored rows, pooled and per fold, and by target range.

use serde::{Deserialize, Serialize};

use crate::data::Name;

use super::{Scores, metrics::or_nan};

/// Ranges of the target that are scored apart.
const RANGES: usize = 4;

/// One judged row: its truth, its prediction and its interval, in the target's own unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoredRow {
    /// Position of the row in the data file, from 0.
    pub row: usize,
    /// The group (container) of the row, where the data has groups.
    pub group: Option<Name>,
    /// Repeat of the cross-validation, from 0.
    pub repeat: usize,
    /// Fold that held this row out, from 0.
    pub fold: usize,
    /// True value.
    pub target: f64,
    /// Predicted value.
    pub prediction: f64,
    /// Lower interval bound.
    #[serde(deserialize_with = "or_nan")]
    pub lower: f64,
    /// Upper interval bound.
    #[serde(deserialize_with = "or_nan")]
    pub upper: f64,
    /// Whether the row is unlike the rows its model was trained on.
    pub out_of_domain: bool,
    /// How much the row counts.
    pub weight: f64,
}

#[cfg(test)]
impl ScoredRow {
    /// A row of a fold of the first repeat, in no group, whose numbers are all 0.
    pub(crate) fn blank(row: usize, fold: usize) -> Self {
        Self {
            row,
            group: None,
            repeat: 0,
            fold,
            target: 0.0,
            prediction: 0.0,
            lower: 0.0,
            upper: 0.0,
            out_of_domain: false,
            weight: 1.0,
        }
    }
}

/// The scores of one fold of one repeat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldScores {
    /// Repeat of the cross-validation, from 0.
    pub repeat: usize,
    /// Fold, from 0.
    pub fold: usize,
    /// Epoch whose weights were kept, chosen on inner validation rows, from 1; 0 without networks.
    pub best_epoch: usize,
    /// The scores on the fold's held-out rows.
    #[serde(flatten)]
    pub scores: Scores,
}

/// The scores of the rows whose target lies in `[low, high]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeScores {
    /// Smallest target in the range.
    pub low: f64,
    /// Largest target in the range.
    pub high: f64,
    /// Root mean square of (prediction - target) / target; `None` where a target is not positive.
    pub relative_rmse: Option<f64>,
    /// Median of |prediction - target| / target; `None` where a target is not positive.
    pub median_relative_error: Option<f64>,
    /// The absolute scores.
    #[serde(flatten)]
    pub scores: Scores,
}

/// A whole evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Nominal coverage of the intervals, e.g. 0.9.
    pub level: f64,
    /// Scores over all rows.
    pub pooled: Scores,
    /// Scores by repeat and fold; empty for a file the model was not trained on.
    pub folds: Vec<FoldScores>,
    /// Scores by quarter of the rows in the order of their target, fewer where many targets are equal.
    pub ranges: Vec<RangeScores>,
    /// Every judged row; kept in `predictions.csv`.
    #[serde(skip)]
    pub rows: Vec<ScoredRow>,
}

impl Evaluation {
    /// Scores `rows`; `best_epochs` by fold of all repeats, empty for rows of no fold.
    #[must_use]
    pub fn new(rows: Vec<ScoredRow>, level: f64, best_epochs: &[(usize, usize, usize)]) -> Self {
        let all: Vec<&ScoredRow> = rows.iter().collect();
        let fold = |&(repeat, fold, best_epoch): &(usize, usize, usize)| {
            let own: Vec<&ScoredRow> =
                rows.iter().filter(|row| (row.repeat, row.fold) == (repeat, fold)).collect();
            FoldScores { repeat, fold, best_epoch, scores: Scores::of(&own, level) }
        };
        Self {
            level,
            pooled: Scores::of(&all, level),
            folds: best_epochs.iter().map(fold).collect(),
            ranges: ranges(&all, level),
            rows,
        }
    }
}

/// Scores by quarter of the rows in the order of their target; rows of equal targets stay together.
fn ranges(rows: &[&ScoredRow], level: f64) -> Vec<RangeScores> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.target.total_cmp(&b.target));
    let bound = |quarter: usize| {
        let even = quarter * sorted.len() / RANGES;
        let Some(row) = sorted.get(even) else { return even };
        let first = sorted.partition_point(|own| own.target < row.target);
        let next = sorted.partition_point(|own| own.target <= row.target);
        if even - first <= next - even { first } else { next }
    };
    (0..RANGES)
        .map(|quarter| &sorted[bound(quarter)..bound(quarter + 1)])
        .filter(|part| !part.is_empty())
        .map(|rows| RangeScores::of(rows, level))
        .collect()
}

impl RangeScores {
    /// Scores rows in the order of their target.
    fn of(rows: &[&ScoredRow], level: f64) -> Self {
        let relative = |row: &&ScoredRow| (row.prediction - row.target) / row.target;
        let positive = rows.iter().all(|row| row.target > 0.0);
        let mut sizes: Vec<f64> = rows.iter().map(|row| relative(row).abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let squares = sizes.iter().map(|size| size * size).sum::<f64>();
        let middle = 0.5 * (sizes[(sizes.len() - 1) / 2] + sizes[sizes.len() / 2]);
        Self {
            low: rows[0].target,
            high: rows[rows.len() - 1].target,
            relative_rmse: positive.then(|| (squares / sizes.len() as f64).sqrt()),
            median_relative_error: positive.then_some(middle),
            scores: Scores::of(rows, level),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_equal_targets_are_in_one_range() {
        let of = |targets: &[f64]| -> Vec<(f64, f64, usize)> {
            let row = |target: &f64| ScoredRow {
                target: *target,
                prediction: 1.0,
                upper: 2.0,
                ..ScoredRow::blank(0, 0)
            };
            let ranges = Evaluation::new(targets.iter().map(row).collect(), 0.9, &[]).ranges;
            ranges.iter().map(|own| (own.low, own.high, own.scores.rows)).collect()
        };
        assert_eq!(of(&[5.0; 9]), [(5.0, 5.0, 9)]);
        let zeros = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0];
        assert_eq!(of(&zeros), [(0.0, 0.0, 5), (1.0, 1.0, 1), (2.0, 3.0, 2)]);
        assert_eq!(of(&[1.0, 1.0, 1.0, 2.0]), [(1.0, 1.0, 3), (2.0, 2.0, 1)]);
        assert_eq!(of(&[7.0]), [(7.0, 7.0, 1)]);
    }

    #[test]
    fn ranges_are_quarters_in_the_order_of_the_target() {
        let row = |target: f64| ScoredRow {
            row: 0,
            group: None,
            repeat: 0,
            fold: 0,
            target,
            prediction: 1.1 * target,
            lower: 0.0,
            upper: 99.0,
            out_of_domain: false,
            weight: 1.0,
        };
        let rows: Vec<ScoredRow> = [5.0, 1.0, 8.0, 2.0, 7.0, 3.0, 6.0, 4.0].map(row).to_vec();
        let evaluation = Evaluation::new(rows, 0.9, &[]);
        let bounds: Vec<(f64, f64)> = evaluation.ranges.iter().map(|r| (r.low, r.high)).collect();
        assert_eq!(bounds, [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (7.0, 8.0)]);
        for range in &evaluation.ranges {
            assert!((range.relative_rmse.unwrap() - 0.1).abs() < 1e-12);
            assert!((range.median_relative_error.unwrap() - 0.1).abs() < 1e-12);
        }
    }
}
