//! What the model makes of its most important columns.

use super::Figure;
use super::axis::Axis;
use super::canvas::{Area, Drawn, sheet};
use super::panel::Panel;
use super::style::{BLUE, MUTED, fill, line};
use crate::evaluate::{Effect, Insights};
use crate::report::{ReportError, RunReport};

/// Panels in a row.
const COLUMNS: usize = 3;

/// Height of a row of panels, in pixels.
const ROW_HEIGHT: usize = 200;

/// Draws the figure; `names` are those of all columns.
pub(super) fn draw(report: &RunReport, insights: &Insights) -> Result<Figure, ReportError> {
    let effects = &insights.effects;
    let rows = effects.len().div_ceil(COLUMNS).max(1);
    // One scale for all: what matters little looks so.
    let y = Axis::linear(effects.iter().flat_map(|own| own.points.iter().map(|p| p.1)), 4);
    let unit = report.data.unit_in_brackets();
    let svg = sheet((720, (ROW_HEIGHT * rows) as u32), |area| {
        let panels = area.split_evenly((rows, COLUMNS));
        panels.iter().zip(effects).try_for_each(|(panel, own)| {
            let name = report.data.feature_label(own.column);
            draw_effect(panel, own, name, (&format!("effect{unit}"), y.clone()))
        })
    })?;
    Ok(Figure {
        name: "effects",
        title: "What the model makes of the most important columns",
        caption: format!(
            "Accumulated local effects (Apley and Zhu, 2020): how the predicted {} changes along the values of a \
             column while the others stay as they are, around its mean. Points stand at quantiles of the values. \
             Columns that rise and fall together share what they say, so a flat curve is no proof of uselessness.",
            report.data.target
        ),
        svg,
    })
}

fn draw_effect(area: &Area<'_>, own: &Effect, x_name: String, (y_name, y): (&str, Axis)) -> Drawn {
    let values: Vec<f64> = own.points.iter().map(|point| point.0).collect();
    let panel = Panel {
        heading: String::new(),
        x_name,
        y_name: y_name.to_owned(),
        x: Axis::fitting(&values, 3),
        y,
    };
    let mut chart = panel.draw(area)?;
    let (left, right) = chart.ends().x;
    chart.path([(left, 0.0), (right, 0.0)], line(MUTED, 1.0, 1.25))?;
    chart.path(own.points.iter().copied(), line(BLUE, 0.9, 2.0))?;
    chart.discs(own.points.iter().copied(), 2.2, fill(BLUE, 1.0))
}
