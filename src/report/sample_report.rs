//! A made-up report for the tests of this folder.

use crate::evaluate::{Evaluation, FoldScores, RangeScores, ScoredRow, Scores};
use crate::report::{
    Baseline, CleaningSummary, DataSummary, FeatureSummary, Provenance, RunReport,
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
        warnings: Vec::new(),
        params: "seed = 7\n".to_owned(),
        provenance: provenance(),
    }
}

fn scored_row(row: usize, n_folds: usize) -> ScoredRow {
    let share = (row as f64 * 0.618_034).fract();
    let target = 0.5 * 200f64.powf(share);
    let prediction = target * (1.0 + 0.2 * (row as f64 * 2.3).sin());
    ScoredRow {
        row,
        group: Some(format!("container {}", row / 2).into()),
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
        rows,
        groups: Some(rows.div_ceil(2)),
        target: "mass".to_owned(),
        unit: Some("g".to_owned()),
        group: Some("container".to_owned()),
        features: vec!["detector_1".to_owned(), "detector_2".to_owned()],
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
