//! The folder of a report, and everything in it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rayon::prelude::*;
use serde::de::DeserializeOwned;

use crate::{data::Name, evaluate::ScoredRow};

use super::plots::{Figure, draw_figures};
use super::{ReportError, RunReport, WhatIf, markdown, page, tables};

/// Everything that the report is made from, but what stands in the CSV files beside it.
const REPORT_FILE: &str = "report.json";

/// Writes the report of a training, or of an evaluation on unseen rows, into an existing folder.
///
/// An evaluation (no folds, no history) gets the same files without `history.csv` and without the
/// figures of losses and folds; its scores stand under `evaluation` instead of `cv`.
///
/// # Errors
///
/// Where a file cannot be written or a figure cannot be drawn.
pub fn write_report(
    report: &RunReport,
    what_if: Option<&WhatIf>,
    folder: &Path,
) -> Result<(), ReportError> {
    let figures = draw_figures(report)?;
    write_figures(&figures.all, &folder.join("figures"))?;
    write_tables(report, folder)?;
    let text = markdown::markdown(report, &figures);
    write(&folder.join("report.md"), Ok(text.into_bytes()))?;
    let page = page::render(report, &figures, what_if);
    write(&folder.join("report.html"), Ok(page.into_bytes()))
}

/// Reads back what [`write_report`] wrote into `folder`, without its milestones.
///
/// # Errors
///
/// Where a file is missing or is not what this program writes.
pub fn read_report(folder: &Path) -> Result<RunReport, ReportError> {
    let path = folder.join(REPORT_FILE);
    let text = fs::read_to_string(&path)
        .map_err(|source| ReportError::Read { path: path.clone(), reason: source.to_string() })?;
    let mut report: RunReport = serde_json::from_str(&text)
        .map_err(|error| ReportError::Read { path, reason: error.to_string() })?;
    let mut rows: Vec<ScoredRow> = read_rows(&folder.join("predictions.csv"))?;
    let groups = Name::all_of(rows.iter().map(|row| row.group.as_deref()));
    rows.iter_mut().zip(groups).for_each(|(row, group)| row.group = group);
    report.evaluation.rows = rows;
    let history = folder.join("history.csv");
    if history.exists() {
        report.history = read_rows(&history)?;
    }
    Ok(report)
}

fn read_rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, ReportError> {
    tables::read_csv(path)
        .map_err(|error| ReportError::Read { path: path.to_owned(), reason: error.to_string() })
}

/// Writes each figure as SVG and PNG into `folder`, which is made where it is missing.
pub(super) fn write_figures(figures: &[Figure], folder: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(folder)
        .map_err(|source| ReportError::File { path: folder.to_owned(), source })?;
    // Turning a large drawing into pixels takes longer than all the rest of a report.
    figures.par_iter().try_for_each(|figure| {
        let path = folder.join(figure.name);
        write(&path.with_extension("svg"), Ok(figure.standalone_svg().into_bytes()))?;
        write(&path.with_extension("png"), Ok(figure.png()?))
    })
}

fn write_tables(report: &RunReport, folder: &Path) -> Result<(), ReportError> {
    let metrics = tables::metrics_json(report).map_err(io::Error::from);
    write(&folder.join("metrics.json"), metrics)?;
    let whole = serde_json::to_vec_pretty(report).map_err(io::Error::from);
    write(&folder.join(REPORT_FILE), whole)?;
    if let Some(insights) = &report.insights {
        let text = serde_json::to_vec_pretty(insights).map_err(io::Error::from);
        write(&folder.join("insights.json"), text)?;
    }
    create(&folder.join("predictions.csv"), |file| {
        tables::predictions_csv(&report.evaluation.rows, file)
    })?;
    if report.history.is_empty() {
        return Ok(());
    }
    create(&folder.join("history.csv"), |file| tables::history_csv(&report.history, file))
}

fn create(path: &Path, fill: impl FnOnce(File) -> io::Result<()>) -> Result<(), ReportError> {
    let filled = File::create(path).and_then(fill);
    filled.map_err(|source| ReportError::File { path: path.to_owned(), source })
}

/// Writes one file; `bytes` may hold the reason why there are none.
pub(super) fn write(path: &Path, bytes: io::Result<Vec<u8>>) -> Result<(), ReportError> {
    bytes
        .and_then(|bytes| fs::write(path, bytes))
        .map_err(|source| ReportError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_report::{full_report, sample_report};

    fn written(report: &RunReport) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        write_report(report, None, folder.path()).unwrap();
        folder
    }

    fn text(folder: &tempfile::TempDir, name: &str) -> String {
        fs::read_to_string(folder.path().join(name)).unwrap()
    }

    #[test]
    fn training_report_has_every_promised_file() {
        let folder = written(&sample_report(20, 2));
        let names = [
            "predicted_against_actual",
            "residuals",
            "residual_distribution",
            "scores_by_fold",
            "loss",
        ];
        for name in names {
            let figure = folder.path().join("figures").join(name);
            assert!(text(&folder, &format!("figures/{name}.svg")).starts_with("<svg "));
            assert!(fs::read(figure.with_extension("png")).unwrap().starts_with(b"\x89PNG"));
        }
        assert!(text(&folder, "report.html").starts_with("<!DOCTYPE html>"));
        assert_eq!(text(&folder, "predictions.csv").lines().count(), 21);
        assert_eq!(text(&folder, "history.csv").lines().count(), 1 + 2 * 20 * 2);
        assert!(text(&folder, "metrics.json").starts_with("{\n  \"cv\": {"));
    }

    #[test]
    fn a_report_that_is_read_back_is_written_to_the_same_bytes() {
        let mut report = full_report(60, 3);
        report.evaluation.rows[4].upper = f64::INFINITY;
        report.insights.as_mut().unwrap().worst[2].row.lower = f64::NEG_INFINITY;
        report.evaluation.pooled.interval_width = f64::INFINITY;
        let first = written(&report);
        let mut back = read_report(first.path()).unwrap();
        // Runs and decisions are those of the moment.
        back.milestones = report.milestones;
        let second = written(&back);
        for name in
            ["metrics.json", "predictions.csv", "history.csv", "insights.json", "report.json"]
        {
            assert_eq!(text(&first, name), text(&second, name), "{name}");
        }
        let changed = |own: &str| own.replace("−∞", "–").replace('∞', "–");
        for name in ["report.html", "report.md", "figures/importance.svg"] {
            assert_eq!(changed(&text(&first, name)), changed(&text(&second, name)), "{name}");
        }
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let folder = written(&full_report(20, 2));
        fs::write(folder.path().join("predictions.csv"), "row,group\n1,a\n").unwrap();
        let error = read_report(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("predictions.csv: cannot be read") && error.contains("hint"),
            "{error}"
        );
        fs::write(folder.path().join("report.json"), "{}").unwrap();
        assert!(read_report(folder.path()).unwrap_err().to_string().contains("report.json"));
    }

    #[test]
    fn markdown_holds_no_mark_of_a_user_s_name() {
        let mut report = full_report(20, 2);
        report.name = "<b>|a`".to_owned();
        report.data.features[0] = "x|y*".to_owned();
        let page = text(&written(&report), "report.md");
        assert!(page.starts_with("# \\<b\\>\\|a\\`") && page.contains("x\\|y\\* +3.00"), "{page}");
        assert!(page.contains("![Residuals](figures/residuals.png)"));
    }

    #[test]
    fn report_of_unseen_rows_leaves_out_what_training_made() {
        let mut report = sample_report(20, 2);
        report.evaluation.folds.clear();
        report.history.clear();
        report.baseline = None;
        let folder = written(&report);
        assert!(text(&folder, "metrics.json").starts_with("{\n  \"evaluation\": {"));
        assert!(!folder.path().join("history.csv").exists());
        assert!(!folder.path().join("figures/loss.svg").exists());
    }

    #[test]
    fn missing_folder_is_named() {
        let folder = Path::new("no/such/folder\0");
        let error = write_report(&sample_report(4, 2), None, folder).unwrap_err().to_string();
        assert!(error.contains("cannot be written"), "{error}");
    }
}
