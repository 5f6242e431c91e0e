//! A model that is asked what the served one was asked, and answers nobody.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    evaluate::{ScoredRow, Scores},
    model::{Prediction, Predictor},
};

use super::{LoggedRow, judged_rows::JudgedRow};

/// A model that is asked the same. It predicts what the log has, so that no answer waits for it.
#[derive(Clone, Debug)]
pub struct Shadow {
    version: String,
    predictor: Arc<Predictor>,
    rows: usize,
    /// Sums of the difference of the predictions, shadow less served, and of its absolute value.
    difference: f64,
    absolute: f64,
    /// Rows for which it lies outside of the served interval.
    beyond: usize,
    /// Its predictions for rows with a true value, by their number in the log.
    labelled: HashMap<i64, (f64, f64, f64)>,
    /// Scores of the served model, then its own, on these rows.
    scores: Option<(Scores, Scores)>,
}

/// The shadow beside the served model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShadowReport {
    /// Its version.
    pub version: String,
    /// Rows that both were asked.
    pub rows: usize,
    /// Mean of its predictions less the served ones, in the target's unit.
    pub mean_difference: f64,
    /// Mean of the absolute differences.
    pub mean_absolute_difference: f64,
    /// Share of rows for which it lies outside of the served interval.
    pub beyond_interval: f64,
    /// Scores of the served model, then of the shadow, on the rows whose true values have come back.
    pub scores: Option<(Scores, Scores)>,
}

impl Shadow {
    /// A model whose columns are those of the served one, in their order.
    #[must_use]
    pub fn new(version: &str, predictor: Arc<Predictor>) -> Self {
        Self {
            version: version.to_owned(),
            predictor,
            rows: 0,
            difference: 0.0,
            absolute: 0.0,
            beyond: 0,
            labelled: HashMap::new(),
            scores: None,
        }
    }

    /// The same model, which has not been asked anything yet.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self::new(&self.version, Arc::clone(&self.predictor))
    }

    /// Asks it what was served.
    pub(super) fn add(&mut self, rows: &[LoggedRow]) {
        for (row, own) in rows.iter().zip(self.predict(rows)) {
            let difference = own.value - row.prediction;
            self.rows += 1;
            self.difference += difference;
            self.absolute += difference.abs();
            self.beyond += usize::from(own.value < row.lower || own.value > row.upper);
        }
    }

    fn predict(&self, rows: &[LoggedRow]) -> Vec<Prediction> {
        let raw: Vec<f64> = rows.iter().flat_map(|row| row.inputs.iter().copied()).collect();
        self.predictor.predict(&raw)
    }

    /// Asks it about rows whose true values are known.
    pub(super) fn learn(&mut self, rows: &[LoggedRow]) {
        let columns = self.predictor.columns().len();
        let is_new =
            |row: &&LoggedRow| row.inputs.len() == columns && !self.labelled.contains_key(&row.id);
        let new: Vec<LoggedRow> = rows.iter().filter(is_new).cloned().collect();
        for (row, own) in new.iter().zip(self.predict(&new)) {
            self.labelled.insert(row.id, (own.value, own.lower, own.upper));
        }
    }

    /// Judges it beside the served model by the rows whose true values are known; intervals are of `level`.
    pub(super) fn judge(&mut self, rows: &[(i64, &JudgedRow)], level: f64) {
        let pairs = rows.iter().filter_map(|(id, row)| {
            let (prediction, lower, upper) = *self.labelled.get(id)?;
            let own = ScoredRow { prediction, lower, upper, ..row.scored.clone() };
            Some((&row.scored, own))
        });
        let (served, own): (Vec<&ScoredRow>, Vec<ScoredRow>) = pairs.unzip();
        let own: Vec<&ScoredRow> = own.iter().collect();
        let scores = || (Scores::of(&served, level), Scores::of(&own, level));
        self.scores = (!served.is_empty()).then(scores);
    }

    /// What is known of it.
    pub(super) fn report(&self) -> ShadowReport {
        let count = self.rows.max(1) as f64;
        ShadowReport {
            version: self.version.clone(),
            rows: self.rows,
            mean_difference: self.difference / count,
            mean_absolute_difference: self.absolute / count,
            beyond_interval: self.beyond as f64 / count,
            scores: self.scores.clone(),
        }
    }
}
