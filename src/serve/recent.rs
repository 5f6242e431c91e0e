//! The newest predictions, which feedback refers to.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
    sync::PoisonError,
};

use crate::model::Prediction;

/// Rows that are remembered; older ones are forgotten first.
const ROWS: usize = 100_000;

/// What is remembered of a predicted row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Remembered {
    pub(super) value: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// The newest predictions by the id of their request.
#[derive(Debug, Default)]
pub(super) struct RecentPredictions(Mutex<Recent>);

#[derive(Debug, Default)]
struct Recent {
    by_id: HashMap<Box<str>, Box<[Remembered]>>,
    order: VecDeque<Box<str>>,
    rows: usize,
}

impl RecentPredictions {
    /// Remembers the predictions of a request.
    pub(super) fn add(&self, id: &str, predictions: &[Prediction]) {
        let rows = predictions.iter().map(Remembered::of).take(ROWS).collect::<Box<[_]>>();
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.rows += rows.len();
        if let Some(old) = recent.by_id.insert(id.into(), rows) {
            recent.rows -= old.len();
        } else {
            recent.order.push_back(id.into());
        }
        while recent.rows > ROWS {
            let Some(oldest) = recent.order.pop_front() else { break };
            recent.rows -= recent.by_id.remove(&oldest).map_or(0, |rows| rows.len());
        }
    }

    /// The predictions of a request, if they are still known.
    pub(super) fn of(&self, id: &str) -> Option<Box<[Remembered]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(id).cloned()
    }
}

impl Remembered {
    pub(super) fn of(prediction: &Prediction) -> Self {
        Self { value: prediction.value, lower: prediction.lower, upper: prediction.upper }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions(count: usize) -> Vec<Prediction> {
        let one = Prediction { value: 1.0, lower: 0.0, upper: 2.0, columns_at_fault: Vec::new() };
        vec![one; count]
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_number_of_rows_stays_bounded() {
        let recent = RecentPredictions::default();
        for request in 0..12 {
            recent.add(&format!("r{request}"), &predictions(ROWS / 10));
        }
        assert!(recent.of("r0").is_none() && recent.of("r1").is_none());
        assert_eq!(recent.of("r2").unwrap().len(), ROWS / 10);
        recent.add("r11", &predictions(1));
        let inner = recent.0.lock().unwrap();
        assert_eq!(inner.rows, 9 * (ROWS / 10) + 1);
        assert_eq!(inner.order.len(), 10);
    }
}
