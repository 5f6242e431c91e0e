//! The numbers of a report as files for other programs: JSON and CSV.

use std::{
    io::{self, Write},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};

use super::Leakage;
use super::run_report::{Baseline, CleaningSummary, FeatureSummary, RunReport};
use crate::evaluate::ScoredRow;
use crate::evaluate::{FoldScores, Leaderboard, RangeScores, Scores, Trust};
use crate::train::EpochRecord;

/// Columns of `predictions.csv`.
const PREDICTION_COLUMNS: [&str; 10] = [
    "row",
    "group",
    "repeat",
    "fold",
    "target",
    "prediction",
    "lower",
    "upper",
    "out_of_domain",
    "weight",
];

/// Columns of `history.csv`.
const HISTORY_COLUMNS: [&str; 7] =
    ["epoch", "repeat", "fold", "member", "train_loss", "validation_loss", "learning_rate"];

/// Shape of `metrics.json`.
#[derive(Serialize)]
struct Metrics<'a> {
    /// Pooled out-of-fold scores of a training.
    #[serde(skip_serializing_if = "Option::is_none")]
    cv: Option<Pooled<'a>>,
    /// Pooled scores on rows that the model has never seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation: Option<Pooled<'a>>,
    folds: &'a [FoldScores],
    ranges: &'a [RangeScores],
    baseline: Option<NamedScores<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaderboard: Option<&'a Leaderboard>,
    leakage: Option<&'a Leakage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    features: Option<&'a FeatureSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cleaning: Option<&'a CleaningSummary>,
    trust: &'a Trust,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Pooled<'a> {
    #[serde(flatten)]
    scores: &'a Scores,
    level: f64,
}

#[derive(Serialize)]
struct NamedScores<'a> {
    name: &'a str,
    #[serde(flatten)]
    scores: &'a Scores,
}

/// `metrics.json`: the pooled scores stand under `cv`, or under `evaluation` where there are no folds.
/// What is not a finite number becomes `null`.
///
/// # Errors
/// None that numbers and text can cause.
pub fn metrics_json(report: &RunReport) -> serde_json::Result<Vec<u8>> {
    let evaluation = &report.evaluation;
    let pooled = Pooled { scores: &evaluation.pooled, level: evaluation.level };
    let (cv, unseen) =
        if report.is_cross_validated() { (Some(pooled), None) } else { (None, Some(pooled)) };
    let metrics = Metrics {
        cv,
        evaluation: unseen,
        folds: &evaluation.folds,
        ranges: &evaluation.ranges,
        baseline: report.baseline.as_ref().map(named_scores),
        leaderboard: report.leaderboard.as_ref(),
        leakage: report.leakage.as_ref(),
        features: report.is_cross_validated().then_some(&report.features),
        cleaning: report.is_cross_validated().then_some(&report.cleaning),
        trust: &report.trust,
        warnings: &report.warnings,
    };
    let mut bytes = serde_json::to_vec_pretty(&metrics)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn named_scores(baseline: &Baseline) -> NamedScores<'_> {
    NamedScores { name: &baseline.name, scores: &baseline.scores }
}

/// `predictions.csv`: one line per judged row; every number reads back to the same bits.
pub(super) fn predictions_csv(rows: &[ScoredRow], output: impl Write) -> io::Result<()> {
    write_csv(&PREDICTION_COLUMNS, rows, output)
}

/// `history.csv`: one line per epoch and network.
pub(super) fn history_csv(history: &[EpochRecord], output: impl Write) -> io::Result<()> {
    write_csv(&HISTORY_COLUMNS, history, output)
}

/// Rows as `predictions.csv` holds them, or epochs as `history.csv` does.
pub(crate) fn read_csv<T: DeserializeOwned>(path: &Path) -> csv::Result<Vec<T>> {
    csv::Reader::from_path(path)?.deserialize().collect()
}

fn write_csv<T: Serialize>(columns: &[&str], records: &[T], output: impl Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(output);
    writer.write_record(columns)?;
    for record in records {
        writer.serialize(record)?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_report::sample_report;

    #[test]
    fn metrics_never_hold_what_json_cannot() {
        let mut report = sample_report(20, 2);
        report.evaluation.pooled.rmse = f64::NAN;
        report.evaluation.pooled.interval_width = f64::INFINITY;
        report.evaluation.folds[1].scores.r2 = None;
        let metrics: serde_json::Value =
            serde_json::from_slice(&metrics_json(&report).unwrap()).unwrap();
        assert!(metrics["cv"]["rmse"].is_null() && metrics["cv"]["interval_width"].is_null());
        assert!(metrics["folds"][1]["r2"].is_null());
        assert_eq!(metrics["folds"][0]["best_epoch"], 12);
        assert_eq!(metrics["baseline"]["name"], "ridge regression");
        assert!(metrics["warnings"].is_array() && metrics["ranges"].is_array());
    }

    #[test]
    fn pooled_metrics_have_the_promised_names() {
        let bytes = metrics_json(&sample_report(20, 2)).unwrap();
        let metrics: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        for name in ["mse", "rmse", "mae", "r2", "coverage", "interval_width", "bias", "level"] {
            assert!(metrics["cv"][name].is_f64(), "{name}");
        }
        assert_eq!(metrics["cv"]["rows"], 20);
    }

    #[test]
    fn predictions_read_back_to_the_same_bits() {
        let mut rows = sample_report(50, 5).evaluation.rows;
        rows[0].lower = f64::NEG_INFINITY;
        rows[1].prediction = 1.0e-310;
        rows[2].group = None;
        rows[3].group = Some("a, \"b\"\nc".into());
        let mut bytes = Vec::new();
        predictions_csv(&rows, &mut bytes).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(reader.headers().unwrap(), PREDICTION_COLUMNS.as_slice());
        let read: Vec<ScoredRow> = reader.deserialize().map(Result::unwrap).collect();
        assert_eq!(read, rows);
    }

    #[test]
    fn history_has_one_line_per_epoch_and_network() {
        let mut history = sample_report(20, 2).history;
        history[3].validation_loss = None;
        let mut bytes = Vec::new();
        history_csv(&history, &mut bytes).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(reader.headers().unwrap(), HISTORY_COLUMNS.as_slice());
        let read: Vec<EpochRecord> = reader.deserialize().map(Result::unwrap).collect();
        assert_eq!(read, history);
    }

    #[test]
    fn tables_without_rows_keep_their_header() {
        let mut bytes = Vec::new();
        predictions_csv(&[], &mut bytes).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap().trim_end(), PREDICTION_COLUMNS.join(","));
    }
}
