//! Where values are missing: columns by blocks of rows.

use plotters::style::ShapeStyle;

use super::grid::WIDTH;
use super::histogram::roomy_axis;
use super::shade::{key, shade, with_crisp_edges};
use super::table_view::{Column, TableView};
use crate::report::ReportError;
use crate::report::number_format::{count, counted, percent};
use crate::report::plots::Figure;
use crate::report::plots::axis::Axis;
use crate::report::plots::canvas::{Area, Drawn, sheet};
use crate::report::plots::legend::LEGEND_HEIGHT;
use crate::report::plots::panel::{Chart, Panel};
use crate::report::plots::style::{SMALL_TEXT, VERMILLION, register_fonts};
use crate::report::plots::ticks::Tick;

/// Most columns in the map.
const MOST_COLUMNS: usize = 40;

/// Most blocks that the rows are divided into.
const MOST_BLOCKS: usize = 120;

/// Height of a column's stripe, in pixels.
const STRIPE: u32 = 22;

/// Widest name and share beside the map, in pixels.
const WIDEST_LABEL: f64 = 180.0;

/// Faintest shade of a block in which something is missing.
const FAINTEST: f64 = 0.15;

/// A column and the share of values that each block of its rows lacks.
struct Stripe {
    label: String,
    shares: Vec<f64>,
}

/// Draws the figure; `None` where no value is missing.
pub(super) fn draw(view: &TableView<'_>) -> Result<Option<Figure>, ReportError> {
    let columns = std::iter::once(&view.target).chain(&view.features);
    let mut gaps: Vec<(usize, &Column<'_>, usize)> = columns
        .enumerate()
        .map(|(place, column)| (place, column, view.rows - column.present().count()))
        .filter(|(_, _, missing)| *missing > 0)
        .collect();
    if gaps.is_empty() {
        return Ok(None);
    }
    register_fonts();
    let n_gaps = gaps.len();
    gaps.sort_by_key(|(place, _, missing)| (std::cmp::Reverse(*missing), *place));
    gaps.truncate(MOST_COLUMNS);
    gaps.sort_by_key(|(place, _, _)| *place);
    let stripes: Vec<Stripe> =
        gaps.iter().map(|(_, column, missing)| stripe(column, *missing, view.rows)).collect();
    let height = LEGEND_HEIGHT as u32 + STRIPE * stripes.len() as u32 + 60;
    let svg = sheet((WIDTH, height), |area| draw_map(area, &stripes, view.rows))?;
    let (name, title) = ("missing_values", "Missing values");
    let caption = caption(view, n_gaps, stripes.len());
    Ok(Some(Figure { name, title, caption, svg: with_crisp_edges(&svg) }))
}

fn stripe(column: &Column<'_>, missing: usize, rows: usize) -> Stripe {
    let n_blocks = rows.min(MOST_BLOCKS);
    let share_of = |block: usize| {
        let (start, end) = (block * rows / n_blocks, (block + 1) * rows / n_blocks);
        let values = &column.values[start..end];
        let n_missing = values.iter().filter(|value| !value.is_finite()).count();
        n_missing as f64 / values.len().max(1) as f64
    };
    let share = percent(missing as f64 / rows as f64, 1);
    let label = column.short_name(&format!("\u{a0}\u{a0}{share}"), WIDEST_LABEL, SMALL_TEXT);
    Stripe { label, shares: (0..n_blocks).map(share_of).collect() }
}

fn draw_map(area: &Area<'_>, stripes: &[Stripe], rows: usize) -> Drawn {
    let samples = (0..=4).map(|quarter| style(f64::from(quarter) / 4.0)).collect();
    let rest = key(area, &[("none missing", samples), ("all missing", Vec::new())])?;
    let n_stripes = stripes.len();
    let ticks = stripes.iter().enumerate().map(|(index, stripe)| Tick {
        position: (n_stripes - 1 - index) as f64,
        label: stripe.label.clone(),
    });
    let panel = Panel {
        heading: String::new(),
        x_name: "row".to_owned(),
        y_name: String::new(),
        x: roomy_axis(480.0, 8, |n_ticks| Axis::exact(0.5, rows as f64 + 0.5, n_ticks)),
        y: Axis::categories(-0.6, n_stripes as f64 - 0.4, ticks.collect()),
    };
    let mut chart = panel.draw(&rest)?;
    stripes.iter().enumerate().try_for_each(|(index, stripe)| {
        draw_stripe(&mut chart, stripe, ((n_stripes - 1 - index) as f64, rows))
    })
}

/// One bar for each run of blocks of the same shade.
fn draw_stripe(chart: &mut Chart<'_>, stripe: &Stripe, (height, rows): (f64, usize)) -> Drawn {
    let n_blocks = stripe.shares.len();
    let edge = |block: usize| (block * rows / n_blocks) as f64 + 0.5;
    let mut start = 0;
    for run in stripe.shares.chunk_by(|left, right| style(*left).color == style(*right).color) {
        let (left, right) = (edge(start), edge(start + run.len()));
        start += run.len();
        if run[0] > 0.0 {
            chart.bar((left, height - 0.38), (right, height + 0.38), style(run[0]))?;
        }
    }
    Ok(())
}

fn style(share: f64) -> ShapeStyle {
    let visible = if share > 0.0 { FAINTEST + (1.0 - FAINTEST) * share } else { 0.0 };
    shade(VERMILLION, (visible * 20.0).round() / 20.0)
}

fn caption(view: &TableView<'_>, n_gaps: usize, shown: usize) -> String {
    let left_out = match n_gaps - shown {
        0 => String::new(),
        more => format!(" {} with fewer gaps not shown.", counted(more, "further column")),
    };
    let blocks = if view.rows > MOST_BLOCKS {
        let size = count(view.rows.div_ceil(MOST_BLOCKS));
        format!(" Each block stands for about {size} rows.")
    } else {
        String::new()
    };
    format!(
        "Values are missing in {}; the share of rows stands beside each name. Gaps all over the rows are \
         often harmless; one long bar is a sensor that was off for a while, and bars below one another \
         are sensors that fail together.{blocks}{left_out}",
        counted(n_gaps, "column")
    )
}
