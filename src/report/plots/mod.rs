//! The figures of a run's report, drawn once as SVG and shown three ways: in the page, as a file, as
//! pixels; and the axes, panels and marks that every figure of massay is made of.
//!
//! Invariant: a figure of a run is drawn from a [`RunReport`] alone; no figure holds a colour that the
//! palette does not name, and each stays small whatever the number of rows.

mod agreement;
pub(super) mod axis;
pub(super) mod canvas;
mod distribution;
pub(super) mod figure;
mod folds;
pub(super) mod legend;
mod loss;
mod loss_curves;
pub(super) mod panel;
mod residuals;
pub(super) mod sample;
pub(super) mod style;
pub(super) mod ticks;

pub(super) use figure::Figure;
pub(super) use style::stylesheet;

use super::{ReportError, RunReport};

/// Every figure that the report has data for, in reading order.
pub(super) fn draw_figures(report: &RunReport) -> Result<Vec<Figure>, ReportError> {
    let mut figures = Vec::new();
    if !report.evaluation.rows.is_empty() {
        figures.push(agreement::draw(report)?);
        figures.push(residuals::draw(report)?);
        figures.push(distribution::draw(report)?);
    }
    if report.is_cross_validated() {
        figures.push(folds::draw(report)?);
    }
    if !report.history.is_empty() {
        figures.push(loss::draw(report)?);
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_report::sample_report;

    /// Draws every figure, parses it as a file and as part of a page, and returns all text in them.
    fn drawn(report: &RunReport) -> String {
        let figures = draw_figures(report).unwrap();
        for figure in &figures {
            let (file, inline) = (figure.standalone_svg(), figure.inline_svg());
            let inline = inline.replacen("<svg ", "<svg width=\"9\" height=\"9\" ", 1);
            for svg in [&figure.svg, &file, &inline] {
                figure::parse(svg).unwrap_or_else(|error| panic!("{}: {error}", figure.name));
            }
        }
        let text: String =
            figures.iter().map(|figure| figure.svg.clone() + &figure.caption).collect();
        assert!(!text.contains("NaN") && !text.contains("inf\n"));
        text
    }

    /// A report whose targets, predictions and bounds are changed by `change`.
    fn changed(mut report: RunReport, change: fn(f64) -> f64) -> RunReport {
        for row in &mut report.evaluation.rows {
            for value in [&mut row.target, &mut row.prediction, &mut row.lower, &mut row.upper] {
                *value = change(*value);
            }
        }
        report
    }

    #[test]
    fn figure_svg_is_well_formed() {
        let mut report = sample_report(60, 5);
        report.data.target = "<mass> & \"more\" '\u{1}\u{7f}".to_owned();
        let text = drawn(&report);
        assert!(text.contains("predicted &lt;mass&gt; &amp; &quot;more&quot; &apos;"));
    }

    #[test]
    fn one_fold_and_two_rows_are_enough() {
        for (rows, folds) in [(2, 1), (2, 2), (1, 1)] {
            let text = drawn(&sample_report(rows, folds));
            assert!(text.contains("fold 0, epoch 12"));
        }
    }

    #[test]
    fn huge_tiny_and_negative_values_draw() {
        let changes: [fn(f64) -> f64; 5] =
            [|x| x * 1e150, |x| x * 1e-150, |x| x * 1e300, |x| x - 40.0, |_| 0.0];
        for change in changes {
            assert!(drawn(&changed(sample_report(60, 3), change)).contains("predicted mass (g)"));
        }
    }

    #[test]
    fn constant_residuals_draw_without_a_normal_curve() {
        let mut report = sample_report(40, 4);
        for row in &mut report.evaluation.rows {
            row.prediction = row.target + 0.5;
        }
        assert!(!drawn(&report).contains("normal distribution of the same"));
    }

    #[test]
    fn unbounded_intervals_and_missing_scores_draw() {
        let mut report = sample_report(40, 4);
        for row in &mut report.evaluation.rows {
            (row.lower, row.upper) = (f64::NEG_INFINITY, f64::INFINITY);
        }
        report.evaluation.rows[3].prediction = f64::NAN;
        report.evaluation.folds[0].scores.r2 = None;
        report.evaluation.folds[1].scores.rmse = f64::NAN;
        assert!(drawn(&report).contains("has no R²"));
    }

    #[test]
    fn training_without_validation_losses_draws() {
        let mut report = sample_report(40, 4);
        for record in &mut report.history {
            record.validation_loss = None;
        }
        let text = drawn(&report);
        assert!(
            text.contains("number of epochs was fixed") && !text.contains("inner validation\n")
        );
    }

    #[test]
    fn folds_beyond_twelve_panels_are_counted() {
        assert!(drawn(&sample_report(60, 30)).contains("18 further folds not shown"));
    }

    #[test]
    fn every_figure_of_a_million_rows_stays_small() {
        let figures = draw_figures(&sample_report(1_000_000, 1)).unwrap();
        let size: usize = figures.iter().map(|figure| figure.inline_svg().len()).sum();
        assert!(size < 2_500_000, "{size}");
        assert!(figures[0].caption.contains("an even sample of 2000"));
    }
}
