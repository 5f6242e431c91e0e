//! The rows that two runs both judged, side by side.

use std::collections::{BTreeMap, HashMap};

use crate::{
    data::{FoldPlan, Split},
    evaluate::{Difference, ScoredRow, rmse, rmse_difference},
    report::PairedDifference,
};

/// The rows that two runs both judged, in one order, with the groups and weights of one of them.
#[derive(Debug)]
pub(super) struct PairedRows {
    /// As the run judged them that others are compared with.
    reference: Vec<ScoredRow>,
    /// As the other run judged them.
    other: Vec<ScoredRow>,
    /// Whether both were judged on the same folds, and on nothing else.
    pub(super) shares_folds: bool,
    /// Whether the other run weighs or groups rows in another way.
    pub(super) is_counted_anew: bool,
}

impl PairedRows {
    /// Of rows with the same position and repeat; `None` where there are none, or where their true values are not the
    /// same, so that they are no rows of one table.
    pub(super) fn new(reference: &[ScoredRow], other: &[ScoredRow]) -> Option<Self> {
        let key = |row: &ScoredRow| (row.row, row.repeat);
        let known: HashMap<(usize, usize), &ScoredRow> =
            other.iter().map(|row| (key(row), row)).collect();
        let mut pairs: Vec<(&ScoredRow, &ScoredRow)> =
            reference.iter().filter_map(|row| Some((row, *known.get(&key(row))?))).collect();
        pairs.sort_by_key(|(own, _)| key(own));
        if pairs.is_empty() || pairs.iter().any(|(own, other)| own.target != other.target) {
            return None;
        }
        let is_whole = pairs.len() == reference.len() && pairs.len() == other.len();
        let counts_alike = |own: &ScoredRow, other: &ScoredRow| {
            own.weight == other.weight && own.group == other.group
        };
        Some(Self {
            shares_folds: is_whole && pairs.iter().all(|(own, other)| own.fold == other.fold),
            is_counted_anew: !pairs.iter().all(|(own, other)| counts_alike(own, other)),
            reference: pairs.iter().map(|(own, other)| counted_as(own, own, other)).collect(),
            other: pairs.iter().map(|(own, other)| counted_as(other, own, other)).collect(),
        })
    }

    /// Rows that both judged, each repeat counted.
    pub(super) fn len(&self) -> usize {
        self.reference.len()
    }

    /// How the errors of the other run, called `run`, differ; `is_in_order` says that folds were cut by time, so that
    /// they share training rows in a way that the test over folds does not know.
    pub(super) fn difference(&self, run: &str, is_in_order: bool) -> PairedDifference {
        let (own, reference) = (rmse(&self.other), rmse(&self.reference));
        let has_test = self.shares_folds && !is_in_order;
        PairedDifference {
            run: run.to_owned(),
            rows: self.reference.len(),
            rmse: own,
            reference_rmse: reference,
            difference: own - reference,
            bounds: rmse_difference(&self.other, &self.reference),
            folds: if has_test { self.over_folds() } else { None },
        }
    }

    /// The absolute errors of both on each row.
    pub(super) fn absolute_errors(&self) -> Vec<(f64, f64)> {
        let error = |row: &ScoredRow| (row.prediction - row.target).abs();
        self.reference
            .iter()
            .zip(&self.other)
            .map(|(own, other)| (error(own), error(other)))
            .collect()
    }

    /// The difference of the errors over the folds; `None` where there are fewer than two.
    fn over_folds(&self) -> Option<Difference> {
        let (own, other) = (by_fold(&self.reference), by_fold(&self.other));
        if own.len() < 2 {
            return None;
        }
        let pairs = other.values().zip(own.values());
        let differences: Vec<f64> = pairs.map(|(other, own)| rmse(other) - rmse(own)).collect();
        Some(Difference::of(&differences, &plan_of(&own)))
    }
}

/// `row` with the weight of `reference`, and the group of whichever names one.
fn counted_as(row: &ScoredRow, reference: &ScoredRow, other: &ScoredRow) -> ScoredRow {
    ScoredRow {
        group: reference.group.clone().or_else(|| other.group.clone()),
        weight: reference.weight,
        ..row.clone()
    }
}

/// The rows of each repeat and fold.
fn by_fold(rows: &[ScoredRow]) -> BTreeMap<(usize, usize), Vec<ScoredRow>> {
    let mut folds: BTreeMap<(usize, usize), Vec<ScoredRow>> = BTreeMap::new();
    for row in rows {
        folds.entry((row.repeat, row.fold)).or_default().push(row.clone());
    }
    folds
}

/// The splits, as far as judged rows tell them: a fold is trained on the other ones of its repeat.
fn plan_of(folds: &BTreeMap<(usize, usize), Vec<ScoredRow>>) -> FoldPlan {
    let rows = |is_meant: &dyn Fn(&(usize, usize)) -> bool| -> Vec<u32> {
        let meant = folds.iter().filter(|(place, _)| is_meant(place));
        let mut rows: Vec<u32> = meant.flat_map(|(_, own)| own).map(|own| own.row as u32).collect();
        rows.sort_unstable();
        rows
    };
    let split = |place: &(usize, usize)| Split {
        repeat: place.0,
        fold: place.1,
        train: rows(&|own| own.0 == place.0 && own.1 != place.1),
        held_out: rows(&|own| own == place),
    };
    let repeats = folds.keys().map(|place| place.0 + 1).max().unwrap_or(1);
    FoldPlan {
        splits: folds.keys().map(split).collect(),
        repeats,
        leaks_groups: false,
        in_time: false,
    }
}

/// Rows for tests: 40 of 20 containers in five folds, with errors that grow by `factor`.
#[cfg(test)]
pub(super) fn sample_rows(factor: f64) -> Vec<ScoredRow> {
    let row = |row: usize| {
        let target = row as f64 + 1.0;
        let sign = if row.is_multiple_of(3) { -1.0 } else { 0.7 };
        let prediction = target + factor * sign * (0.05 * row as f64 + 0.2);
        ScoredRow {
            row,
            group: Some(format!("c{}", row / 2).as_str().into()),
            repeat: 0,
            fold: row / 2 % 5,
            target,
            prediction,
            lower: prediction - 1.0,
            upper: prediction + 1.0,
            out_of_domain: false,
            weight: 1.0,
        }
    };
    (0..40).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Surety;

    #[test]
    fn the_order_of_the_rows_does_not_matter() {
        let (own, mut other) = (sample_rows(1.0), sample_rows(0.5));
        let forward = PairedRows::new(&own, &other).unwrap().difference("b", false);
        other.reverse();
        let backward = PairedRows::new(&own, &other).unwrap().difference("b", false);
        assert_eq!(forward, backward);
        assert!((forward.rmse - 0.5 * forward.reference_rmse).abs() < 1e-12);
        assert_eq!((forward.rows, forward.surety()), (40, Surety::Clear));
    }

    #[test]
    fn a_run_does_not_differ_from_itself() {
        let paired = PairedRows::new(&sample_rows(1.0), &sample_rows(1.0)).unwrap();
        let own = paired.difference("b", false);
        assert_eq!((own.difference, own.surety()), (0.0, Surety::None));
        assert_eq!(own.folds.unwrap().p_value, 1.0);
        assert!(paired.absolute_errors().iter().all(|(own, other)| own == other));
    }

    #[test]
    fn the_test_over_folds_needs_the_same_folds_of_the_same_rows() {
        let (own, mut other) = (sample_rows(1.0), sample_rows(0.5));
        let folds = |other: &[ScoredRow], is_in_order: bool| {
            PairedRows::new(&own, other).unwrap().difference("b", is_in_order).folds
        };
        assert!(folds(&other, false).is_some() && folds(&other, true).is_none());
        assert!(folds(&other[..30], false).is_none());
        other[3].fold += 1;
        assert!(folds(&other, false).is_none());
    }

    #[test]
    fn the_training_rows_of_a_fold_are_the_others_of_its_repeat() {
        let mut rows = sample_rows(1.0);
        rows.extend(sample_rows(1.0).into_iter().map(|own| ScoredRow { repeat: 1, ..own }));
        let plan = plan_of(&by_fold(&rows));
        assert_eq!((plan.splits.len(), plan.repeats), (10, 2));
        for split in &plan.splits {
            assert_eq!((split.train.len(), split.held_out.len()), (32, 8));
        }
    }

    #[test]
    fn rows_of_another_table_are_not_paired() {
        let (own, mut other) = (sample_rows(1.0), sample_rows(0.5));
        other[7].target += 1.0;
        assert!(PairedRows::new(&own, &other).is_none());
        assert!(PairedRows::new(&own, &[]).is_none());
    }

    #[test]
    fn weights_and_groups_are_those_of_the_reference() {
        let (own, mut other) = (sample_rows(1.0), sample_rows(1.0));
        for row in &mut other {
            (row.weight, row.group) = (row.row as f64 + 1.0, None);
        }
        let paired = PairedRows::new(&own, &other).unwrap();
        assert!(paired.is_counted_anew);
        assert_eq!(paired.difference("b", false).difference, 0.0);
        assert_eq!(paired.difference("b", false).bounds.map(|own| own.hold(0.0)), Some(true));
    }
}
