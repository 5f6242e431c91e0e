//! The newest predictions, which feedback refers to.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
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
    /// Whether its true value came back before.
    pub(super) has_truth: bool,
}

/// The newest predictions by the id of their request.
#[derive(Debug, Default)]
pub(super) struct RecentPredictions(Mutex<Recent>);

/// What is known of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Recall {
    /// The prediction.
    Known(Remembered),
    /// No request of this id, or none any more.
    UnknownRequest,
    /// More than one request had this id.
    SeveralRequests,
    /// The request had only so many rows.
    NoRow(usize),
}

#[derive(Debug, Default)]
struct Recent {
    by_id: HashMap<Arc<str>, Answer>,
    order: VecDeque<Arc<str>>,
    rows: usize,
}

/// What was answered to the requests of one id.
#[derive(Debug)]
enum Answer {
    /// To one request with one row, which most have.
    One(Remembered),
    Rows(Box<[Remembered]>),
    /// More than one request had the id.
    Several,
}

impl Answer {
    fn of(predictions: &[Prediction]) -> Self {
        match predictions {
            [only] => Self::One(Remembered::of(only)),
            all => Self::Rows(all.iter().map(Remembered::of).take(ROWS).collect()),
        }
    }

    fn rows(&self) -> &[Remembered] {
        match self {
            Self::One(own) => std::slice::from_ref(own),
            Self::Rows(all) => all,
            Self::Several => &[],
        }
    }

    /// Whether the same was predicted.
    fn is_equal(&self, other: &Self) -> bool {
        let (own, other) = (self.rows(), other.rows());
        !own.is_empty()
            && own.len() == other.len()
            && own.iter().zip(other).all(|(own, other)| own.is_equal(other))
    }

    fn row_mut(&mut self, row: usize) -> Option<&mut Remembered> {
        match self {
            Self::One(own) => (row == 0).then_some(own),
            Self::Rows(all) => all.get_mut(row),
            Self::Several => None,
        }
    }
}

impl RecentPredictions {
    /// Remembers the predictions of a request. Of two with one id, which their clients chose, none is kept:
    /// a true value would be laid to the wrong row.
    pub(super) fn add(&self, id: &str, predictions: &[Prediction]) {
        let (id, answer) = (Arc::<str>::from(id), Answer::of(predictions));
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Recent { by_id, order, rows: count } = &mut *recent;
        match by_id.entry(Arc::clone(&id)) {
            // Proxies send a request again that broke off.
            Entry::Occupied(known) if known.get().is_equal(&answer) => {}
            Entry::Occupied(mut known) => {
                *count -= known.get().rows().len();
                known.insert(Answer::Several);
            }
            Entry::Vacant(place) => {
                *count += answer.rows().len();
                place.insert(answer);
                order.push_back(id);
            }
        }
        // Ids without rows are bounded too.
        while *count > ROWS || order.len() > ROWS {
            let Some(oldest) = order.pop_front() else { break };
            *count -= by_id.remove(&oldest).map_or(0, |own| own.rows().len());
        }
    }

    /// The true value of a row came back.
    pub(super) fn learnt(&self, id: &str, row: usize) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = recent.by_id.get_mut(id).and_then(|own| own.row_mut(row)) {
            own.has_truth = true;
        }
    }

    /// What is remembered of a row of a request.
    pub(super) fn of(&self, id: &str, row: usize) -> Recall {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(id) {
            None => Recall::UnknownRequest,
            Some(Answer::Several) => Recall::SeveralRequests,
            Some(own) => {
                let rows = own.rows();
                rows.get(row).map_or(Recall::NoRow(rows.len()), |own| Recall::Known(*own))
            }
        }
    }
}

impl Remembered {
    /// What was predicted; the true value has not come back.
    pub(super) fn of(prediction: &Prediction) -> Self {
        let Prediction { value, lower, upper, .. } = *prediction;
        Self { value, lower, upper, has_truth: false }
    }

    /// Whether the same was predicted.
    pub(super) fn is_equal(&self, other: &Self) -> bool {
        (self.value, self.lower, self.upper) == (other.value, other.lower, other.upper)
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
        for forgotten in ["r0", "r1"] {
            assert_eq!(recent.of(forgotten, 0), Recall::UnknownRequest);
        }
        let last = ROWS / 10 - 1;
        assert!(matches!(recent.of("r2", last), Recall::Known(own) if own.upper == 2.0));
        assert_eq!(recent.of("r2", last + 1), Recall::NoRow(ROWS / 10));
        let inner = recent.0.lock().unwrap();
        assert_eq!((inner.rows, inner.order.len()), (ROWS, 10));
    }

    #[test]
    fn an_id_that_two_requests_had_names_neither() {
        let recent = RecentPredictions::default();
        recent.add("trace", &predictions(3));
        recent.add("trace", &predictions(3));
        assert!(matches!(recent.of("trace", 2), Recall::Known(_)), "sent again");
        recent.add("trace", &predictions(2));
        recent.add("trace", &predictions(1));
        assert_eq!(recent.of("trace", 0), Recall::SeveralRequests);
        assert_eq!(recent.0.lock().unwrap().rows, 0);
    }
}
