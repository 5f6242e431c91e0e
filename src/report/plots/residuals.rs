//! Residuals against predictions: whether the error is centred on zero, and where it grows.

use super::Figure;
use super::axis::Axis;
use super::canvas::{Area, Drawn, sheet};
use super::legend::{Entry, LEGEND_HEIGHT, Mark, legend};
use super::panel::{Panel, crowd_style};
use super::sample::{MOST_POINTS, sample, sample_note};
use super::style::{BLUE, MUTED, VERMILLION, fill, line};
use crate::evaluate::ScoredRow;
use crate::report::{ReportError, RunReport};

/// Residuals beyond this multiple of their 99th percentile are drawn at the panel's edge.
const OUTLIER: f64 = 3.0;

/// A point: prediction, residual, and whether the row is unlike the training data.
type Residual = (f64, f64, bool);

/// Draws the figure: residuals in the target's unit and, where every target is positive, in percent.
pub(super) fn draw(report: &RunReport) -> Result<Figure, ReportError> {
    let rows = &report.evaluation.rows;
    let relative = rows.iter().all(|row| row.target > 0.0);
    let absolute = residuals(rows, |row| row.prediction - row.target);
    let percents = residuals(rows, |row| 100.0 * (row.prediction - row.target) / row.target);
    let columns = if relative { 2 } else { 1 };
    let svg = sheet((720, 340 + LEGEND_HEIGHT as u32), |area| {
        let panels = legend_above(area, rows)?.split_evenly((1, columns));
        let names = [
            format!("residual{}", report.data.unit_in_brackets()),
            "residual (% of actual)".to_owned(),
        ];
        panels.iter().zip(names).zip([&absolute, &percents]).try_for_each(
            |((panel, name), points)| {
                draw_panel(
                    panel,
                    points,
                    (&format!("predicted {}", report.data.target_label()), &name),
                )
            },
        )
    })?;
    let cut = is_cut(&absolute) || relative && is_cut(&percents);
    Ok(Figure {
        name: "residuals",
        title: "Residuals",
        caption: caption(report, relative, cut),
        svg,
    })
}

fn residuals(rows: &[ScoredRow], residual: impl Fn(&ScoredRow) -> f64) -> Vec<Residual> {
    rows.iter().map(|row| (row.prediction, residual(row), row.out_of_domain)).collect()
}

fn legend_above<'a>(area: &Area<'a>, rows: &[ScoredRow]) -> Drawn<Area<'a>> {
    const ENTRIES: [Entry; 3] = [
        (Mark::Disc, BLUE, "prediction − actual"),
        (Mark::Line, MUTED, "no error"),
        (Mark::Diamond, VERMILLION, "row unlike the training data"),
    ];
    let has_strangers = rows.iter().any(|row| row.out_of_domain);
    legend(area, if has_strangers { &ENTRIES } else { &ENTRIES[..2] })
}

fn draw_panel(area: &Area<'_>, points: &[Residual], (x_name, y_name): (&str, &str)) -> Drawn {
    let predictions: Vec<f64> = points.iter().map(|point| point.0).collect();
    let limit = limit(points);
    let panel = Panel {
        heading: String::new(),
        x_name: x_name.to_owned(),
        y_name: y_name.to_owned(),
        x: Axis::fitting(&predictions, 4),
        y: Axis::linear([-limit, limit], 6),
    };
    let mut chart = panel.draw(area)?;
    let (left, right) = chart.ends().x;
    chart.path([(left, 0.0), (right, 0.0)], line(MUTED, 1.0, 1.25))?;
    let shown: Vec<&Residual> = sample(points, MOST_POINTS);
    let (radius, style) = crowd_style(BLUE, shown.len());
    chart.discs(of_kind(&shown, false), radius, style)?;
    chart.diamonds(of_kind(&shown, true), radius + 1.2, fill(VERMILLION, 0.9))
}

fn of_kind(points: &[&Residual], stranger: bool) -> Vec<(f64, f64)> {
    points
        .iter()
        .filter(|(x, y, out_of_domain)| *out_of_domain == stranger && (x + y).is_finite())
        .map(|(x, y, _)| (*x, *y))
        .collect()
}

/// Largest residual that the panel shows at its true place.
fn limit(points: &[Residual]) -> f64 {
    let sizes = sorted_sizes(points);
    let largest = sizes.last().copied().unwrap_or(0.0);
    let high = sizes.get(sizes.len() * 99 / 100).copied().unwrap_or(largest);
    if high > 0.0 && largest > OUTLIER * high { OUTLIER * high } else { largest }
}

fn is_cut(points: &[Residual]) -> bool {
    sorted_sizes(points).last().is_some_and(|largest| *largest > limit(points))
}

fn sorted_sizes(points: &[Residual]) -> Vec<f64> {
    let mut sizes: Vec<f64> =
        points.iter().map(|point| point.1.abs()).filter(|size| size.is_finite()).collect();
    sizes.sort_by(f64::total_cmp);
    sizes
}

fn caption(report: &RunReport, relative: bool, cut: bool) -> String {
    let second = if relative { " Right: the same in percent of the actual value." } else { "" };
    let edge = if cut { " A few points beyond the panel stand at its edge." } else { "" };
    format!(
        "A sound model scatters evenly around zero; a slope or a curve means a systematic error, a \
         funnel means that the error grows with the value.{second}{edge}{}",
        sample_note(report.evaluation.rows.len())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wild_residual_does_not_flatten_the_rest() {
        let mut points: Vec<Residual> =
            (0..200).map(|index| (1.0, f64::from(index), false)).collect();
        assert!(!is_cut(&points));
        points.push((1.0, 1e9, false));
        assert!(is_cut(&points) && limit(&points) < 1000.0);
    }
}
