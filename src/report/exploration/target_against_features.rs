//! The target against each feature: what there is to learn, column by column.

use super::feature_distributions::{MOST_PANELS, left_out};
use super::grid::{Grid, WIDTH, plot_width};
use super::histogram::{most_ticks, roomy_axis};
use super::table_view::{Column, Scale, TableView};
use crate::report::ReportError;
use crate::report::number_format::{count, with_sign};
use crate::report::plots::Figure;
use crate::report::plots::axis::Axis;
use crate::report::plots::canvas::{Area, Drawn, sheet};
use crate::report::plots::panel::{Panel, crowd_style};
use crate::report::plots::sample::{MOST_POINTS, sample};
use crate::report::plots::style::{BLUE, TEXT, register_fonts, text_width};

/// Most points in all panels together, so that the page stays small.
const MOST_MARKS: usize = 12_000;

/// Width from which a panel has room for large points and many ticks, in pixels.
const WIDE: f64 = 300.0;

/// Draws the figure.
pub(super) fn draw(view: &TableView<'_>) -> Result<Figure, ReportError> {
    register_fonts();
    let chosen = view.strongest(MOST_PANELS);
    let y = axis(&view.target, 3);
    let label = y.labels().max_by_key(|label| text_width(label, TEXT)).unwrap_or_default();
    let grid = Grid::new(view, &chosen, label);
    let rows: Vec<usize> = (0..view.rows).collect();
    let limit = (MOST_MARKS / chosen.len().max(1)).min(MOST_POINTS);
    let rows = sample(&rows, limit);
    let svg = sheet((WIDTH, grid.height()), |area| {
        grid.draw(area, &view.target.label(), |area, index| {
            draw_panel(area, &view.target, &view.features[index], (&rows, grid.panel_width()))
        })
    })?;
    let (name, title) = ("target_against_features", "Target against each feature");
    let caption = caption(view, chosen.len(), rows.len());
    Ok(Figure { name, title, caption, svg })
}

fn draw_panel(
    area: &Area<'_>,
    target: &Column<'_>,
    feature: &Column<'_>,
    (rows, width): (&[&usize], f64),
) -> Drawn {
    let points = rows.iter().map(|row| (drawn(feature, **row), drawn(target, **row)));
    let points: Vec<(f64, f64)> = points.filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    let y = axis(target, if width > WIDE { 5 } else { 3 });
    let room = plot_width(width, &y);
    let panel = Panel {
        heading: heading(feature, room),
        x_name: String::new(),
        y_name: String::new(),
        x: roomy_axis(room, most_ticks(room), |n_ticks| axis(feature, n_ticks)),
        y,
    };
    let mut chart = panel.draw(area)?;
    let (radius, style) = crowd_style(BLUE, rows.len());
    let radius = if width > WIDE { radius } else { radius * 0.7 };
    chart.discs(points, radius, style)
}

/// The name and its rank correlation with the target; the name makes way where both do not fit.
fn heading(feature: &Column<'_>, pixels: f64) -> String {
    let spearman = feature.profile.spearman.map_or("–".to_owned(), correlation);
    let spearman = format!("\u{a0}\u{a0}ρ\u{a0}{spearman}");
    feature.short_name(&spearman, pixels, TEXT)
}

/// A correlation with two decimals, e.g. `0.97` or `−0.40`.
pub(super) fn correlation(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    with_sign(if text == "0.00" { 0.0 } else { value }, &text)
}

fn axis(column: &Column<'_>, n_ticks: usize) -> Axis {
    let Some((low, high)) = column.range else { return Axis::empty() };
    match (column.scale, column.zeros_place()) {
        (Scale::Linear, _) => Axis::linear([low, high], n_ticks),
        (Scale::Logarithmic, None) => Axis::logarithmic([low, high], n_ticks),
        (Scale::Logarithmic, Some(place)) => {
            Axis::logarithmic([place.0, high], n_ticks).with_zeros_at(place)
        }
    }
}

/// Where a value stands on its axis.
fn drawn(column: &Column<'_>, row: usize) -> f64 {
    let value = column.values[row];
    match column.zeros_place() {
        Some((left, right)) if value <= 0.0 => (left * right).sqrt(),
        _ => value,
    }
}

fn caption(view: &TableView<'_>, n_features: usize, shown: usize) -> String {
    let by_ratios = view.target.scale == Scale::Logarithmic
        || view.features.iter().any(|feature| feature.scale == Scale::Logarithmic);
    let scale = if by_ratios { " Axes are logarithmic where values span decades." } else { "" };
    let sampled = if shown < view.rows {
        let (shown, rows) = (count(shown), count(view.rows));
        format!(" Each panel shows an even sample of {shown} of {rows} rows.")
    } else {
        String::new()
    };
    format!(
        "A band that rises or falls is something to learn from; a cloud without direction is not. ρ is \
         Spearman's rank correlation: ±1 where one always grows with the other, 0 where there is no \
         common direction. Look for points far off the band and for separate bands.{scale}{sampled}{}",
        left_out(view, n_features)
    )
}
