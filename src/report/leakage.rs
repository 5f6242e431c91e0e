//! The two ways to split a table whose rows share groups, side by side.

use serde::{Deserialize, Serialize};

use crate::evaluate::Scores;

/// The RMSE of rows that share a group has to fall to this share of what it is by group, and to this
/// share of what becomes of rows that stand alone: then the networks recognise groups.
const TELLING: f64 = 0.9;

/// The scores of the two ways to split a table whose rows share groups. The other way uses, for all
/// folds, the feature set that most folds of the run took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leakage {
    /// Rows of a group on one side of every split: the honest score.
    pub by_group: Scores,
    /// Each row for itself: the networks have seen the container that they are judged on.
    pub by_row: Scores,
    /// RMSE by row over RMSE by group, in the space of learning, of rows that share a group.
    pub shared_ratio: Option<f64>,
    /// The same of rows that stand alone, which can gain by chance only; `None` without such rows.
    pub alone_ratio: Option<f64>,
    /// Whether folds by row were asked for, so that the run's own scores are those by row.
    pub is_forced: bool,
}

impl Leakage {
    /// What the gap between the two scores means, in one sentence; `group` is the group column.
    #[must_use]
    pub fn sentence(&self, group: &str) -> String {
        let (flattering, honest) = self.readings();
        let gain = |ratio: f64| format!("{:.0} %", 100.0 * (1.0 - ratio));
        let shared = self.shared_ratio.unwrap_or(1.0);
        let alone = self.alone_ratio.unwrap_or(1.0);
        let meaning = if shared < TELLING && shared < TELLING * alone {
            // Large targets, which all rows together are judged by, can hide it.
            let hidden = if self.by_row.rmse < self.by_group.rmse {
                ""
            } else {
                "though all rows together hide it, "
            };
            format!(
                "{hidden}rows that share a `{group}` are predicted {} better when it was trained on, which a \
                 new one is not",
                gain(shared)
            )
        } else if shared < TELLING {
            format!(
                "rows that stand alone gain {}, about as much as those that share a `{group}` with {}, so that \
                 recognition does not show",
                gain(alone),
                gain(shared)
            )
        } else {
            format!("rows that share a `{group}` gain no more than chance gives here")
        };
        let which = if self.is_forced {
            "; this run is scored by row"
        } else {
            "; this run is scored by group"
        };
        format!("{flattering} by row against {honest} by group: {meaning}{which}")
    }

    /// R² by row and by group, or the RMSE where there is no R².
    fn readings(&self) -> (String, String) {
        if let (Some(by_row), Some(by_group)) = (self.by_row.r2, self.by_group.r2) {
            return (format!("R2 {by_row:.3}"), format!("{by_group:.3}"));
        }
        (format!("RMSE {:.4}", self.by_row.rmse), format!("{:.4}", self.by_group.rmse))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(rmse: f64, r2: f64) -> Scores {
        let mse = rmse * rmse;
        Scores {
            mse,
            rmse,
            mae: rmse,
            r2: Some(r2),
            bias: 0.0,
            coverage: 0.9,
            interval_width: 1.0,
            interval_score: 1.2,
            rows: 10,
        }
    }

    #[test]
    fn a_wide_gap_is_called_recognition_and_a_narrow_one_is_not() {
        let leakage = |shared: f64, alone: Option<f64>| Leakage {
            by_group: scores(10.0, 0.62),
            by_row: scores(0.7, 0.998),
            shared_ratio: Some(shared),
            alone_ratio: alone,
            is_forced: alone.is_none(),
        };
        let sentence = leakage(0.07, None).sentence("container");
        assert!(sentence.starts_with("R2 0.998 by row against 0.620 by group: rows that share a"));
        assert!(sentence.contains("predicted 93 % better") && sentence.ends_with("scored by row"));
        assert!(
            leakage(0.8, Some(0.82)).sentence("container").contains("gain 18 %, about as much")
        );
        assert!(leakage(0.95, Some(1.2)).sentence("container").contains("no more than chance"));
        let mut hidden = leakage(0.7, Some(0.9));
        hidden.by_row.rmse = 10.1;
        assert!(
            hidden.sentence("container").contains("all rows together hide it, rows that share")
        );
        let sentence = leakage(0.7, Some(0.9)).sentence("container");
        assert!(
            sentence.contains("predicted 30 % better") && sentence.ends_with("scored by group")
        );
    }
}
