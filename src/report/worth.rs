//! Whether a model is shown to be worth more than the mean of its target.

use super::RunReport;
use super::number_format::significant;
use super::page::r2_text;
use crate::evaluate::{Leaderboard, LeaderboardEntry};

/// Whether a model predicts better than a mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It does.
    Shown,
    /// It does here, but chance could have done it.
    NotShown,
    /// It does not.
    Nothing,
}

impl RunReport {
    /// Whether the model is worth more than a mean. Where a leaderboard has the mean of the training targets, that
    /// is the mean, by the test over the folds; elsewhere it is the mean of the judged rows, which nobody knew
    /// before, by R². R² whose bounds lie above 0 shows it in any case: no constant does better on the judged rows
    /// than their own mean. What has no R² is not said to be worth nothing.
    #[must_use]
    pub fn worth(&self) -> Worth {
        let bounds = self.trust.bounds.as_ref().and_then(|bounds| bounds.r2);
        if bounds.is_some_and(|r2| r2.low > 0.0) {
            return Worth::Shown;
        }
        let mean = self.leaderboard.as_ref().and_then(|board| Some((board, board.mean()?)));
        match (mean, self.evaluation.pooled.r2) {
            (Some((board, mean)), _) => beside_mean(board, mean),
            (None, Some(r2)) if r2 <= 0.0 => Worth::Nothing,
            (None, _) if bounds.is_some() => Worth::NotShown,
            (None, _) => Worth::Shown,
        }
    }

    /// What there is to know of a model that is not shown to be worth more than a mean.
    pub(crate) fn worth_sentence(&self) -> Option<String> {
        let target = &self.data.target;
        let mean = self.leaderboard.as_ref().and_then(|board| board.mean());
        match (self.worth(), mean) {
            (Worth::Shown, _) => None,
            (Worth::Nothing, Some(mean)) => Some(format!(
                "the mean of the training rows' {target} does as well as the model (RMSE {}{} against {}): do not \
                 use this model",
                significant(mean.rmse, 3),
                self.data.unit_suffix(),
                significant(self.evaluation.pooled.rmse, 3)
            )),
            (Worth::NotShown, Some(_)) => Some(format!(
                "the model is not shown to be better than the mean of {target}: the columns may say little about it, \
                 or the rows are too few to tell"
            )),
            (Worth::Nothing, None) => Some(format!(
                "the errors are no smaller than the spread of {target} in these rows (R² {})",
                self.evaluation.pooled.r2.map_or_else(String::new, r2_text)
            )),
            (Worth::NotShown, None) => Some(format!(
                "these rows do not show that the model knows anything of {target}: the bounds of R² reach 0"
            )),
        }
    }
}

/// What the leaderboard says of the deployed model beside the mean of the training targets.
fn beside_mean(board: &Leaderboard, mean: &LeaderboardEntry) -> Worth {
    let deployed = board.entry(&board.deployed);
    if mean.difference.is_some_and(|own| own.is_clear() && own.mean > 0.0) {
        Worth::Shown
    } else if deployed.is_some_and(|own| own.rmse < mean.rmse) {
        Worth::NotShown
    } else {
        Worth::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Bounds, Difference};
    use crate::report::sample_report::full_report;

    /// A report with these R² and lower bound of it.
    fn report(r2: f64, low: f64) -> RunReport {
        let mut report = full_report(80, 4);
        report.leaderboard = None;
        report.evaluation.pooled.r2 = Some(r2);
        report.trust.bounds.as_mut().unwrap().r2 = Some(Bounds { low, high: 0.99 });
        report
    }

    /// The mean errs by `rmse`, the model by 2, and a test over the folds gives `p_value`.
    fn board(rmse: f64, p_value: f64) -> Leaderboard {
        let difference = Difference { mean: rmse - 2.0, standard_error: 1.0, p_value };
        let entry = |model: &str, rmse, difference| LeaderboardEntry {
            model: model.to_owned(),
            rmse,
            mae: rmse,
            r2: None,
            fold_rmse: Vec::new(),
            weight: 0.0,
            difference,
        };
        let entries = vec![entry("mlp", 2.0, None), entry("mean", rmse, Some(difference))];
        Leaderboard { entries, deployed: "mlp".to_owned() }
    }

    #[test]
    fn without_a_leaderboard_r2_and_its_bounds_tell() {
        assert_eq!(report(0.9, 0.7).worth(), Worth::Shown);
        assert_eq!(report(0.5, -0.1).worth(), Worth::NotShown);
        assert_eq!(report(0.0, -0.5).worth(), Worth::Nothing);
        let sentence = report(-0.012, -0.5).worth_sentence().unwrap();
        assert!(sentence.ends_with("the spread of mass in these rows (R² −0.012)"), "{sentence}");
        let mut none = report(0.0, 0.0);
        (none.trust.bounds, none.evaluation.pooled.r2) = (None, None);
        assert_eq!((none.worth(), none.worth_sentence()), (Worth::Shown, None));
    }

    #[test]
    fn with_a_leaderboard_the_mean_of_the_training_rows_is_what_counts() {
        // In time the mean of the judged rows was not known: R² below 0 is no verdict.
        let with = |r2, low, board| RunReport { leaderboard: Some(board), ..report(r2, low) };
        assert_eq!(with(-0.3, -0.6, board(8.0, 0.001)).worth(), Worth::Shown);
        assert_eq!(with(-0.3, -0.6, board(8.0, 0.2)).worth(), Worth::NotShown);
        assert_eq!(with(0.9, 0.7, board(8.0, 0.2)).worth(), Worth::Shown);
        let worthless = with(-0.3, -0.6, board(1.9, 0.9));
        assert_eq!(worthless.worth(), Worth::Nothing);
        let sentence = worthless.worth_sentence().unwrap();
        assert!(sentence.contains("RMSE 1.90") && sentence.ends_with("do not use this model"));
    }
}
