//! How right a served model is, by the true values that have come back, and how right it should be without them.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{
    evaluate::{Evaluation, RangeScores, ScoredRow, Scores},
    model::Reference,
};

use super::{CoverageWatch, LoggedRow, MonitorConfig};

/// The scores of some rows whose true values came back, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoredWindow {
    /// When the first true value came, milliseconds since 1970 (UTC).
    pub from: i64,
    /// When the last came.
    pub to: i64,
    /// Their scores.
    #[serde(flatten)]
    pub scores: Scores,
}

/// What true values say of a served model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LivePerformance {
    /// Scores of all rows whose true value is known; `None` where there are none.
    pub scores: Option<Scores>,
    /// The same by quarter of their true values.
    pub ranges: Vec<RangeScores>,
    /// The same by window, in their order.
    pub windows: Vec<ScoredWindow>,
    /// Whether intervals hold as often as they should.
    pub coverage: CoverageWatch,
    /// When the true value came with which coverage was known to have left its band.
    pub coverage_alarm: Option<i64>,
}

impl LivePerformance {
    /// Scores `rows`, of which those without a true value are left aside; intervals are of `level`.
    #[must_use]
    pub fn of(rows: &[LoggedRow], level: f64, config: &MonitorConfig) -> Self {
        let (band, alpha) = (config.coverage_band, config.coverage_false_alarms);
        let mut coverage = CoverageWatch::new(level, band, alpha);
        let mut known: Vec<(&LoggedRow, ScoredRow)> = rows.iter().filter_map(scored).collect();
        // In the order in which they came: what was seen before must not change by what comes later.
        known.sort_by_key(|(row, _)| (row.truth_time, row.id));
        let (mut seen, mut coverage_alarm) = (HashSet::new(), None);
        for (row, own) in &known {
            // A container's other measurements are no further evidence.
            if row.container.as_ref().is_none_or(|container| seen.insert(container)) {
                coverage.add(own.target < own.lower || own.target > own.upper);
                if coverage.alarm.is_some() && coverage_alarm.is_none() {
                    coverage_alarm = row.truth_time;
                }
            }
        }
        let window = |part: &[(&LoggedRow, ScoredRow)]| {
            let own: Vec<&ScoredRow> = part.iter().map(|(_, own)| own).collect();
            let time = |place: usize| part[place].0.truth_time.unwrap_or(part[place].0.time);
            let (from, to) = (time(0), time(part.len() - 1));
            ScoredWindow { from, to, scores: Scores::of(&own, level) }
        };
        let windows = known.chunks(config.window.max(1)).map(window).collect();
        let all: Vec<ScoredRow> = known.into_iter().map(|(_, own)| own).collect();
        let evaluation = (!all.is_empty()).then(|| Evaluation::new(all, level, &[]));
        let (scores, ranges) = evaluation.map(|own| (own.pooled, own.ranges)).unzip();
        Self { scores, ranges: ranges.unwrap_or_default(), windows, coverage, coverage_alarm }
    }
}

/// A row beside its true value, if that is known.
pub(super) fn scored(row: &LoggedRow) -> Option<(&LoggedRow, ScoredRow)> {
    let scored = ScoredRow {
        row: 0,
        group: row.container.as_deref().map(Into::into),
        repeat: 0,
        fold: 0,
        target: row.truth?,
        prediction: row.prediction,
        lower: row.lower,
        upper: row.upper,
        out_of_domain: row.out_of_domain,
        weight: 1.0,
    };
    Some((row, scored))
}

/// The error to expect of rows whose true values are unknown: an estimate, from how wide their intervals are.
///
/// Where intervals are twice as wide the model expects twice the error; how much error goes with a width is what
/// the out-of-fold rows of the training had. It knows nothing of what the model has not learnt to see: a drift
/// that leaves inputs looking ordinary changes the error and not the estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpectedError {
    /// Mean absolute error of the training's out-of-fold rows.
    pub reference: f64,
    /// Mean absolute error to expect of the served rows.
    pub estimate: f64,
}

/// Adds up widths of intervals.
#[derive(Clone, Debug, Default)]
pub(super) struct Widths {
    sum: f64,
    count: usize,
}

impl Widths {
    pub(super) fn add(&mut self, row: &LoggedRow) {
        self.sum += row.upper - row.lower;
        self.count += 1;
    }

    /// The error to expect; `None` where nothing was served.
    pub(super) fn expected(&self, reference: &Reference) -> Option<ExpectedError> {
        let count = reference.targets.len() as f64;
        let bounds = reference.lower.iter().zip(&reference.upper);
        let width = bounds.map(|(lower, upper)| upper - lower).sum::<f64>() / count;
        let pairs = reference.predictions.iter().zip(&reference.targets);
        let error = pairs.map(|(own, target)| (own - target).abs()).sum::<f64>() / count;
        let served = self.sum / self.count.max(1) as f64;
        (self.count > 0 && width > 0.0)
            .then(|| ExpectedError { reference: error, estimate: error * served / width })
    }
}
