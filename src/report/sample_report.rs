//! A made-up report for the tests of this folder.

use std::collections::BTreeMap;

use crate::evaluate::{
    ColumnSet, CurvePoint, Difference, DroppedColumn, Effect, Evaluation, Explained, FoldScores,
    Importance, Insights, RangeScores, Retraining, ScoredRow, Scores, Trust,
};
use crate::features::{TargetConfig, TargetTransform};
use crate::model::{Calibration, FoldResiduals};
use crate::report::{
    Baseline, CleaningSummary, DataSummary, FeatureSummary, Milestone, Milestones, PastRun,
    Provenance, RunReport,
};
use crate::train::EpochRecord;

/// A report on `n_rows` rows in `n_folds` folds of two networks and twenty epochs; masses from 0.5 to
/// 100 g with errors of up to 20 %.
pub(super) fn sample_report(n_rows: usize, n_folds: usize) -> RunReport {
    let rows: Vec<ScoredRow> = (0..n_rows).map(|row| scored_row(row, n_folds)).collect();
    let folds = (0..n_folds).map(|fold| fold_scores(fold, &rows)).collect();
    let history =
        (0..n_folds).flat_map(|fold| (1..=20).flat_map(move |epoch| records(fold, epoch)));
    RunReport {
        name: "sample".to_owned(),
        data: data_summary(n_rows),
        evaluation: Evaluation {
            level: 0.9,
            pooled: scores(&rows),
            folds,
            ranges: vec![range_scores(&rows)],
            rows,
        },
        baseline: Some(Baseline { name: "ridge regression".to_owned(), scores: scores(&[]) }),
        history: history.collect(),
        loss_name: "mean squared error of the standardised ln(mass)".to_owned(),
        features: FeatureSummary::default(),
        cleaning: CleaningSummary::default(),
        leaderboard: None,
        leakage: None,
        transform: TargetTransform::None,
        trust: Trust::default(),
        insights: None,
        retraining: None,
        milestones: Milestones::default(),
        warnings: Vec::new(),
        params: "seed = 7\n".to_owned(),
        provenance: provenance(),
    }
}

/// The same with everything that a report can hold: bounds, insights, what training again tells, and other runs.
pub(super) fn full_report(n_rows: usize, n_folds: usize) -> RunReport {
    let mut report = sample_report(n_rows, n_folds);
    let errors =
        |fold: usize| (1..30).map(move |e| (f64::from(e) / 10.0 + fold as f64 / 50.0, 1.0));
    let calibration = Calibration {
        level: 0.9,
        repeats: 1,
        folds: (0..n_folds).map(|fold| FoldResiduals::new(errors(fold))).collect(),
    };
    let rows = &report.evaluation.rows;
    let target = TargetConfig { transform: TargetTransform::Log, minimum: Some(0.0) };
    report.trust = Trust::of(rows, &target, Some(&calibration));
    report.transform = TargetTransform::Log;
    report.insights = Some(insights(rows));
    report.retraining = Some(retraining());
    report.milestones = Milestones {
        runs: vec![
            past_run("before", 12.0, true),
            past_run("sample", report.evaluation.pooled.rmse, false),
        ],
        decisions: vec![Milestone {
            time: "2026-01-02T00:00:00Z".to_owned(),
            what: "before became the champion".to_owned(),
        }],
    };
    report
}

fn column_set(column: usize) -> ColumnSet {
    ColumnSet { name: format!("detector_{}", column + 1), columns: vec![column] }
}

fn insights(rows: &[ScoredRow]) -> Insights {
    let both =
        ColumnSet { name: "ring 1 (detector_1 to detector_2)".to_owned(), columns: vec![0, 1] };
    let importance =
        |set: ColumnSet, rmse_increase: f64| Importance { set, rmse_increase, standard_error: 0.5 };
    let effect = |column| Effect { column, points: vec![(1.0, -2.0), (10.0, 0.0), (1000.0, 5.0)] };
    let explained = |row: &ScoredRow| Explained {
        row: row.clone(),
        values: vec![Some(12.5), None],
        base: row.prediction - 1.0,
        contributions: vec![3.0, -2.0],
    };
    Insights {
        rows: rows.len(),
        columns: vec![importance(column_set(0), 4.0), importance(column_set(1), 0.2)],
        all_columns: 2,
        sets: vec![importance(both, 6.0)],
        effects: vec![effect(0), effect(1)],
        worst: rows.iter().take(10).map(explained).collect(),
    }
}

fn retraining() -> Retraining {
    let difference = |mean: f64, p_value: f64| Difference { mean, standard_error: 0.4, p_value };
    let point = |groups: f64, rmse: f64, spread: f64| CurvePoint {
        groups,
        rmse,
        range: (rmse - spread, rmse + spread),
    };
    Retraining {
        members: 2,
        rmse: 5.0,
        dropped: vec![
            DroppedColumn { set: column_set(0), rmse: 8.0, difference: difference(3.0, 0.01) },
            DroppedColumn { set: column_set(1), rmse: 5.1, difference: difference(0.1, 0.8) },
        ],
        curve: vec![point(4.0, 9.0, 1.0), point(8.0, 6.5, 0.5), point(10.0, 5.0, 0.0)],
        last: Some(difference(1.5, 0.02)),
    }
}

fn past_run(name: &str, rmse: f64, champion: bool) -> PastRun {
    PastRun {
        name: name.to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        data_sha256: "0".repeat(64),
        model: "ensemble".to_owned(),
        rmse,
        r2: Some(0.8),
        champion,
    }
}

fn scored_row(row: usize, n_folds: usize) -> ScoredRow {
    let share = (row as f64 * 0.618_034).fract();
    let target = 0.5 * 200f64.powf(share);
    let prediction = target * (1.0 + 0.2 * (row as f64 * 2.3).sin());
    ScoredRow {
        row,
        group: Some(format!("container {}", row / 2).as_str().into()),
        repeat: 0,
        fold: row % n_folds.max(1),
        target,
        prediction,
        lower: prediction * 0.8,
        upper: prediction * 1.2,
        out_of_domain: row % 17 == 5,
        weight: 1.0,
    }
}

fn scores(rows: &[ScoredRow]) -> Scores {
    let count = rows.len().max(1) as f64;
    let mse = rows.iter().map(|row| (row.prediction - row.target).powi(2)).sum::<f64>() / count;
    Scores {
        mse,
        rmse: mse.sqrt(),
        mae: mse.sqrt() * 0.7,
        r2: Some(0.97),
        bias: 0.01,
        coverage: 0.91,
        interval_width: 4.0,
        interval_score: 5.2,
        rows: rows.len(),
    }
}

fn fold_scores(fold: usize, rows: &[ScoredRow]) -> FoldScores {
    let held_out: Vec<ScoredRow> = rows.iter().filter(|row| row.fold == fold).cloned().collect();
    FoldScores { repeat: 0, fold, best_epoch: 12 + fold, scores: scores(&held_out) }
}

fn range_scores(rows: &[ScoredRow]) -> RangeScores {
    RangeScores {
        low: 0.5,
        high: 100.0,
        relative_rmse: Some(0.14),
        median_relative_error: None,
        scores: scores(rows),
    }
}

fn records(fold: usize, epoch: usize) -> impl Iterator<Item = EpochRecord> {
    (0..2).map(move |member| EpochRecord {
        epoch,
        repeat: 0,
        fold,
        member,
        train_loss: 1.0 / (epoch + member) as f64,
        validation_loss: Some(1.5 / (epoch + member) as f64),
        learning_rate: 1e-3,
    })
}

fn data_summary(rows: usize) -> DataSummary {
    DataSummary {
        path: "data/masses.csv".to_owned(),
        sha256: "0".repeat(64),
        dvc: None,
        rows,
        groups: Some(rows.div_ceil(2)),
        target: "mass".to_owned(),
        unit: Some("g".to_owned()),
        group: Some("container".to_owned()),
        features: vec!["detector_1".to_owned(), "detector_2".to_owned()],
        feature_units: BTreeMap::from([("detector_1".to_owned(), "1/s".to_owned())]),
        skipped: Vec::new(),
    }
}

fn provenance() -> Provenance {
    Provenance {
        run_id: "0123456789abcdef0123456789abcdef".to_owned(),
        version: "0.1.0".to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        seconds: 12.5,
        seed: 7,
        backend: "ndarray".to_owned(),
        hardware: "a processor".to_owned(),
        git: None,
    }
}
