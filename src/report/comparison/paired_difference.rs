//! How the errors of two runs differ on the rows that both judged.

use serde::Serialize;

use crate::evaluate::{Bounds, Difference};
use crate::report::number_format::significant;

/// How the errors of a run differ from those of another, on the rows that both judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairedDifference {
    /// The run; the other is the first of the comparison.
    pub run: String,
    /// Rows that both judged, each repeat counted.
    pub rows: usize,
    /// RMSE of the run on these rows.
    pub rmse: f64,
    /// RMSE of the other on these rows.
    pub reference_rmse: f64,
    /// The first less the second.
    pub difference: f64,
    /// The difference lies between these bounds with a confidence of 95 %, as far as the containers tell; `None` for
    /// fewer than five of them.
    pub bounds: Option<Bounds>,
    /// The same over the folds, where both were judged on the same ones.
    pub folds: Option<Difference>,
}

/// How surely the errors of two runs differ.
///
/// | | the bounds by container leave out zero | they do not |
/// |---|---|---|
/// | **the test over folds finds a difference of this sign** | clear | none |
/// | **it finds none** | probable | none |
/// | **there is no such test** | clear | none |
///
/// Where there are no bounds, the test alone decides between clear and none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Surety {
    /// Equal models would hardly differ so much.
    Clear,
    /// These containers tell, but folds vary more than the difference.
    Probable,
    /// Chance explains it.
    None,
}

impl PairedDifference {
    /// How surely the errors differ.
    #[must_use]
    pub fn surety(&self) -> Surety {
        let is_apart = self.bounds.map(|own| !own.hold(0.0));
        let agrees =
            |own: Difference| own.is_clear() && (own.mean < 0.0) == (self.difference < 0.0);
        match (is_apart, self.folds.map(agrees)) {
            (Some(true), Some(true) | None) | (None, Some(true)) => Surety::Clear,
            (Some(true), Some(false)) => Surety::Probable,
            _ => Surety::None,
        }
    }

    /// What to make of it, in a few words.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match (self.surety(), self.difference < 0.0) {
            (Surety::Clear, true) => "clearly smaller error",
            (Surety::Clear, false) => "clearly larger error",
            (Surety::Probable, true) => "probably smaller error",
            (Surety::Probable, false) => "probably larger error",
            (Surety::None, _) => "no clear difference",
        }
    }

    /// The bounds as `−1.60 to −0.200`; a dash where there are none.
    pub(super) fn bounds_text(&self) -> String {
        let text =
            |own: Bounds| format!("{} to {}", significant(own.low, 3), significant(own.high, 3));
        self.bounds.map_or_else(|| "–".to_owned(), text)
    }

    /// In a sentence about both, without a full stop.
    pub(super) fn sentence(&self, reference: &str, unit: &str) -> String {
        let run = &self.run;
        let lead = match self.surety() {
            Surety::None => format!("There is no clear difference between {run} and {reference}"),
            _ => format!("{run} has a {} than {reference}", self.verdict()),
        };
        let (numbers, bounds) = self.numbers(unit);
        let bounds = if bounds.is_empty() { bounds } else { format!(" ({bounds})") };
        format!("{lead}: {numbers}{bounds}")
    }

    /// In a clause beside others.
    pub(super) fn clause(&self, unit: &str) -> String {
        let has = match self.surety() {
            Surety::None => "shows",
            _ => "has a",
        };
        let (numbers, bounds) = self.numbers(unit);
        let gap = if bounds.is_empty() { "" } else { ", " };
        format!("{} {has} {} ({numbers}{gap}{bounds})", self.run, self.verdict())
    }

    /// Both errors with their difference, and its bounds where there are any.
    fn numbers(&self, unit: &str) -> (String, String) {
        let [own, reference, difference] =
            [self.rmse, self.reference_rmse, self.difference].map(|value| significant(value, 3));
        let numbers =
            format!("RMSE {own}{unit} against {reference}{unit}, difference {difference}{unit}");
        let bounds = self.bounds.map(|_| format!("95\u{a0}%: {}", self.bounds_text()));
        (numbers, bounds.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::sample_comparison::paired;

    fn surety(bounds: Option<(f64, f64)>, folds: Option<(f64, f64)>) -> Surety {
        paired("b", (9.0, 10.0), bounds, folds).surety()
    }

    #[test]
    fn surety_follows_the_stated_rule() {
        let (apart, around) = (Some((-2.0, -0.5)), Some((-2.0, 0.5)));
        let (clear, unclear) = (Some((-1.0, 0.01)), Some((-1.0, 0.2)));
        assert_eq!(surety(apart, clear), Surety::Clear);
        assert_eq!(surety(apart, None), Surety::Clear);
        assert_eq!(surety(apart, unclear), Surety::Probable);
        // A test that is sure of the opposite does not agree.
        assert_eq!(surety(apart, Some((1.0, 0.01))), Surety::Probable);
        for folds in [clear, unclear, None] {
            assert_eq!(surety(around, folds), Surety::None);
        }
        assert_eq!(surety(None, clear), Surety::Clear);
        assert_eq!(surety(None, unclear), Surety::None);
        assert_eq!(surety(None, None), Surety::None);
    }

    #[test]
    fn an_unclear_difference_is_told_as_one() {
        let own = paired("b", (10.5, 10.0), Some((-0.5, 1.5)), None);
        let sentence = own.sentence("a", "");
        assert!(sentence.starts_with("There is no clear difference between b and a: RMSE 10.5"));
        let own = paired("b", (10.5, 10.0), None, None);
        assert!(own.sentence("a", "").ends_with("difference 0.500"));
    }
}
