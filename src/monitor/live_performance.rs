//! How right a served model is, by the true values that have come back, and how right it should be without them.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{
    evaluate::{Evaluation, RangeScores, ScoredRow, Scores},
    model::Reference,
};

use super::{CoverageWatch, LoggedRow, MonitorConfig, judged_rows::JudgedRow};

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
    /// Scores rows in the order in which their true values came; intervals are of `level`.
    #[must_use]
    pub(super) fn of(rows: &[(i64, &JudgedRow)], level: f64, config: &MonitorConfig) -> Self {
        let (band, alpha) = (config.coverage_band, config.coverage_false_alarms);
        let mut coverage = CoverageWatch::new(level, band, alpha);
        let (mut seen, mut coverage_alarm) = (HashSet::new(), None);
        for (_, JudgedRow { time, scored: own }) in rows {
            // A container's other measurements are no further evidence.
            if own.group.as_ref().is_none_or(|container| seen.insert(container)) {
                coverage.add(own.target < own.lower || own.target > own.upper);
                if coverage.alarm.is_some() && coverage_alarm.is_none() {
                    coverage_alarm = Some(*time);
                }
            }
        }
        let window = |part: &[(i64, &JudgedRow)]| {
            let own: Vec<&ScoredRow> = part.iter().map(|(_, own)| &own.scored).collect();
            let (from, to) = (part[0].1.time, part[part.len() - 1].1.time);
            ScoredWindow { from, to, scores: Scores::of(&own, level) }
        };
        let windows = rows.chunks(config.window.max(1)).map(window).collect();
        let all: Vec<ScoredRow> = rows.iter().map(|(_, own)| own.scored.clone()).collect();
        let evaluation = (!all.is_empty()).then(|| Evaluation::new(all, level, &[]));
        let (scores, ranges) = evaluation.map(|own| (own.pooled, own.ranges)).unzip();
        Self { scores, ranges: ranges.unwrap_or_default(), windows, coverage, coverage_alarm }
    }
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
