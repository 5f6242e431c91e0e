//! The folder of a report, and everything in it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rayon::prelude::*;

use super::plots::{Figure, draw_figures};
use super::{ReportError, RunReport, page, tables};

/// Writes the report of a training, or of an evaluation on unseen rows, into an existing folder.
///
/// An evaluation (no folds, no history) gets the same files without `history.csv` and without the
/// figures of losses and folds; its scores stand under `evaluation` instead of `cv`.
///
/// # Errors
///
/// Where a file cannot be written or a figure cannot be drawn.
pub fn write_report(report: &RunReport, folder: &Path) -> Result<(), ReportError> {
    let figures = draw_figures(report)?;
    write_figures(&figures, &folder.join("figures"))?;
    write_tables(report, folder)?;
    write(&folder.join("report.html"), Ok(page::render(report, &figures).into_bytes()))
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
    use crate::report::sample_report::sample_report;

    fn written(report: &RunReport) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        write_report(report, folder.path()).unwrap();
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
        let error = write_report(&sample_report(4, 2), folder).unwrap_err().to_string();
        assert!(error.contains("cannot be written"), "{error}");
    }
}
