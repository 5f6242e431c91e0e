//! A made-up search for the tests of this folder.

use super::{Searched, Setting, Tuning, TuningFold, TuningTrial};
use crate::evaluate::{Difference, Leaderboard, LeaderboardEntry};
use crate::report::sample_report::sample_report;

/// A search of `count` trials of widths and learning rates, the second of which wins.
pub(super) fn sample_tuning(count: usize) -> Tuning {
    let report = sample_report(60, 5);
    let widths = ["[64, 64]", "[128, 128, 128]"];
    let searched = |name: &str, is_number| Searched {
        name: name.to_owned(),
        is_number,
        is_logarithmic: is_number,
    };
    let trial = |number: usize| TuningTrial {
        number,
        values: vec![
            Setting::Text(widths[number % 2].to_owned()),
            Setting::Number(0.01 * 1.2_f64.powi(number as i32)),
        ],
        first_rmse: Some(0.5 + 0.01 * (number as f64 - 1.0).powi(2)),
        rung: usize::from(number < 4),
        rmse: Some(0.45 + 0.01 * number as f64),
        wins: if number == 1 { 5 } else { 0 },
    };
    Tuning {
        name: "sample".to_owned(),
        data: report.data,
        searched: vec![searched("model.hidden", false), searched("train.learning_rate", true)],
        trials: (0..count).map(trial).collect(),
        rungs: vec![(count, 1), (3, 5)],
        folds: (0..5)
            .map(|fold| TuningFold { repeat: 0, fold, winner: 1, rmse: Some(0.4) })
            .collect(),
        winner: 1,
        board: board(),
        parameters: "[train]\nlearning_rate = 0.012\n".to_owned(),
        warnings: Vec::new(),
        provenance: report.provenance,
    }
}

fn board() -> Leaderboard {
    let entry = |model: &str, rmse: f64, mean: Option<f64>| LeaderboardEntry {
        model: model.to_owned(),
        rmse,
        mae: 0.8 * rmse,
        r2: Some(0.9),
        fold_rmse: vec![rmse; 5],
        weight: 0.0,
        difference: mean.map(|mean| Difference { mean, standard_error: 0.1, p_value: 0.01 }),
    };
    Leaderboard {
        entries: vec![
            entry(Tuning::TUNED, 1.0, None),
            entry(Tuning::UNTUNED, 1.5, Some(0.5)),
            entry("mean", 9.0, Some(8.0)),
        ],
        deployed: Tuning::TUNED.to_owned(),
    }
}
