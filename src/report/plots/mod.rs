//! The figures of a run's report, drawn once as SVG and shown three ways: in the page, as a file, as
//! pixels; and the axes, panels and marks that every figure of massay is made of.
//!
//! Invariant: a figure of a run is drawn from a [`RunReport`] alone; no figure holds a colour that the
//! palette does not name, and each stays small whatever the number of rows.

pub(super) mod agreement;
mod attribution;
pub(super) mod axis;
pub(super) mod bars;
mod by_group;
mod calibration;
pub(super) mod canvas;
mod distribution;
mod effects;
pub(super) mod figure;
mod folds;
mod importance;
mod learning_curve;
pub(super) mod legend;
mod loss;
mod loss_curves;
pub(super) mod panel;
pub(super) mod relative_error;
mod residuals;
pub(super) mod sample;
pub(super) mod style;
pub(super) mod ticks;
mod trend;

pub(super) use figure::Figure;
pub(super) use style::stylesheet;

use agreement::HoverPoint;

use super::{ReportError, RunReport};

/// The figures of a run.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// Every figure that the report has data for; the same run gives the same figures.
    pub(super) all: Vec<Figure>,
    /// The run among others, of the moment: it has no file of its own.
    pub(super) trend: Option<Figure>,
    /// What the points of the first say where they are pointed at.
    pub(super) hover: Vec<HoverPoint>,
}

impl Figures {
    /// The figure of a name, where there is one.
    pub(super) fn named(&self, name: &str) -> Option<&Figure> {
        self.all.iter().chain(&self.trend).find(|figure| figure.name == name)
    }
}

/// Every figure that the report has data for.
pub(super) fn draw_figures(report: &RunReport) -> Result<Figures, ReportError> {
    let mut figures = Figures::default();
    let all = &mut figures.all;
    if !report.evaluation.rows.is_empty() {
        let (figure, hover) = agreement::draw(report)?;
        all.push(figure);
        figures.hover = hover;
        all.push(residuals::draw(report)?);
        all.push(distribution::draw(report)?);
        all.extend(by_group::draw(report)?);
        all.extend(relative_error::draw(report)?);
    }
    if !report.trust.calibration.is_empty() {
        all.push(calibration::draw(report)?);
    }
    if report.is_cross_validated() {
        all.push(folds::draw(report)?);
    }
    if !report.history.is_empty() {
        all.push(loss::draw(report)?);
    }
    all.extend(of_insights(report)?);
    figures.trend = trend::draw(report)?;
    Ok(figures)
}

/// The figures of what the model does with its columns.
fn of_insights(report: &RunReport) -> Result<Vec<Figure>, ReportError> {
    let mut all = Vec::new();
    if let Some(insights) = report.insights.as_ref().filter(|own| !own.columns.is_empty()) {
        all.push(importance::draw(report, insights)?);
        if !insights.effects.is_empty() {
            all.push(effects::draw(report, insights)?);
        }
        if let Some(worst) = insights.worst.first() {
            all.push(attribution::draw(report, worst)?);
        }
    }
    if let Some(retraining) = &report.retraining {
        all.push(learning_curve::draw(report, retraining)?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_report::{full_report, sample_report};

    /// Draws every figure, parses it as a file and as part of a page, and returns all text in them.
    fn drawn(report: &RunReport) -> String {
        let mut figures = draw_figures(report).unwrap();
        figures.all.extend(figures.trend);
        let figures = figures.all;
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
    fn everything_that_a_report_can_hold_is_drawn() {
        let names = [
            "predicted_against_actual",
            "residuals",
            "residual_distribution",
            "residuals_by_group",
            "relative_error",
            "calibration",
            "scores_by_fold",
            "loss",
            "importance",
            "effects",
            "worst_prediction",
            "learning_curve",
        ];
        let report = full_report(80, 4);
        let figures = draw_figures(&report).unwrap();
        assert_eq!(figures.all.iter().map(|own| own.name).collect::<Vec<_>>(), names);
        assert_eq!(figures.hover.len(), 80);
        let text = drawn(&report);
        for expected in
            ["detector_1 = 12.5", "detector_2 = missing", "trained without it", "champion"]
        {
            assert!(text.contains(expected), "{expected}");
        }
    }

    #[test]
    fn points_that_say_more_lie_on_their_marks() {
        let figures = draw_figures(&full_report(40, 4)).unwrap();
        let svg = &figures.all[0].svg;
        let discs = figures
            .hover
            .iter()
            .filter(|(x, y, _)| svg.contains(&format!("<circle cx=\"{x}\" cy=\"{y}\"")));
        assert_eq!(discs.count(), svg.matches("<circle").count() - 1, "but the disc of the legend");
        assert!(figures.hover[0].2.starts_with("row 1, container 0, fold 0\nactual 0.5000\u{a0}g"));
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
        let figures = draw_figures(&sample_report(1_000_000, 1)).unwrap().all;
        let size: usize = figures.iter().map(|figure| figure.inline_svg().len()).sum();
        assert!(size < 2_500_000, "{size}");
        assert!(figures[0].caption.contains("an even sample of 2000"));
    }
}
