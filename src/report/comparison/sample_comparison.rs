//! A made-up comparison for the tests of this folder.

use super::{ChangedParameter, ComparedRun, Comparison, PairedDifference};
use crate::evaluate::{Bounds, Difference};

/// Runs `a`, `b`, ..., of which each is a little better than the one before.
pub(super) fn sample_comparison(n_runs: usize) -> Comparison {
    let names: Vec<String> = ('a'..='z').take(n_runs).map(String::from).collect();
    let runs = names.iter().enumerate().map(|(place, name)| run(name, 10.7 - 0.9 * place as f64));
    let others = names.iter().skip(1).enumerate();
    let differences = others.map(|(place, name)| {
        let gain = 0.9 * (place + 1) as f64;
        paired(name, (10.7 - gain, 10.7), Some((-gain - 0.7, -gain + 0.7)), None)
    });
    Comparison {
        target: "mass".to_owned(),
        unit: "g".to_owned(),
        runs: runs.collect(),
        differences: differences.collect(),
        parameters: vec![ChangedParameter {
            key: "model.kind".to_owned(),
            values: names.iter().map(|name| (name != "b").then(|| "\"mlp|x\"".into())).collect(),
        }],
        notes: vec!["a `note`".to_owned()],
        version: "0.1.0".to_owned(),
        errors: (1..60).map(|row| (f64::from(row), f64::from(row % 7) * 1.5)).collect(),
    }
}

fn run(name: &str, rmse: f64) -> ComparedRun {
    ComparedRun {
        run: name.to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        kind: "ensemble".to_owned(),
        data: "data/masses.csv".to_owned(),
        data_sha256: "0".repeat(64),
        rows: 104,
        rmse: Some(rmse),
        mae: Some(0.7 * rmse),
        r2: Some(0.97),
        coverage: Some(0.91),
        level: Some(0.9),
        interval_width: Some(40.0),
        interval_score: None,
    }
}

/// The difference of a run with an RMSE to another; bounds, and mean and p of the test over folds.
pub(super) fn paired(
    run: &str,
    (rmse, reference_rmse): (f64, f64),
    bounds: Option<(f64, f64)>,
    folds: Option<(f64, f64)>,
) -> PairedDifference {
    PairedDifference {
        run: run.to_owned(),
        rows: 104,
        rmse,
        reference_rmse,
        difference: rmse - reference_rmse,
        bounds: bounds.map(|(low, high)| Bounds { low, high }),
        folds: folds.map(|(mean, p_value)| Difference { mean, standard_error: 0.3, p_value }),
    }
}
