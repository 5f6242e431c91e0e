//! Values far from the others of their column, each column a strip of points.

use rayon::prelude::*;

use super::grid::WIDTH;
use super::robust_z::{OUTLIER, robust_z};
use super::table_view::{Column, TableView};
use crate::report::ReportError;
use crate::report::number_format::counted;
use crate::report::plots::Figure;
use crate::report::plots::axis::Axis;
use crate::report::plots::canvas::{Area, Drawn, sheet};
use crate::report::plots::legend::{LEGEND_HEIGHT, Mark, legend};
use crate::report::plots::panel::{Chart, Panel, Side};
use crate::report::plots::sample::{sample, spread};
use crate::report::plots::style::{
    BLUE, MUTED, NOTE_TEXT, SMALL_TEXT, VERMILLION, fill, px, register_fonts, text_width,
};
use crate::report::plots::ticks::{Tick, linear_ticks};

/// Most columns that get a strip.
const MOST_STRIPS: usize = 30;

/// Height of a strip, in pixels.
const STRIP: u32 = 22;

/// Widest name beside a strip, in pixels.
const WIDEST_NAME: f64 = 120.0;

/// Most ordinary points in all strips together, so that the page stays small.
const MOST_MARKS: usize = 8000;

/// Most ordinary points in a strip.
const MOST_POINTS: usize = 500;

/// Most outliers drawn on each side of a strip: an even choice, the farthest included.
const MOST_OUTLIERS: usize = 25;

/// Most outliers on each side of a strip whose rows are named.
const MOST_NAMED: usize = 3;

/// Farthest distance that the axis shows; what lies beyond is drawn there.
const FARTHEST: f64 = 20.0;

/// A row, counted from 1, and its distance.
type Distance = (usize, f64);

/// One column: an even sample of its rows, and its outliers on each side, the farthest first.
struct Strip {
    name: String,
    ordinary: Vec<f64>,
    above: Vec<Distance>,
    below: Vec<Distance>,
}

/// Draws the figure; `None` where no column has a spread.
pub(super) fn draw(view: &TableView<'_>) -> Result<Option<Figure>, ReportError> {
    register_fonts();
    let columns: Vec<&Column<'_>> = std::iter::once(&view.target).chain(&view.features).collect();
    let strips = columns.par_iter().map(|column| Strip::new(column, columns.len()));
    let strips: Vec<Strip> = strips.collect::<Vec<_>>().into_iter().flatten().collect();
    if strips.is_empty() {
        return Ok(None);
    }
    let caption = caption(&strips, columns.len());
    let strips = keep_farthest(strips);
    let height = LEGEND_HEIGHT as u32 + STRIP * strips.len() as u32 + 60;
    let svg = sheet((WIDTH, height), |area| draw_strips(area, &strips))?;
    Ok(Some(Figure { name: "outliers", title: "Outliers", caption, svg }))
}

impl Strip {
    /// `None` where the column has no spread.
    fn new(column: &Column<'_>, n_columns: usize) -> Option<Self> {
        let distances = robust_z(column)?;
        let rows = (1..).zip(distances).filter(|(_, distance)| distance.is_finite());
        let (outliers, ordinary): (Vec<Distance>, Vec<Distance>) =
            rows.partition(|(_, distance)| distance.abs() > OUTLIER);
        let limit = (MOST_MARKS / n_columns.min(MOST_STRIPS)).min(MOST_POINTS);
        let ordinary = sample(&ordinary, limit).into_iter().map(|(_, distance)| *distance);
        let (mut above, mut below): (Vec<Distance>, Vec<Distance>) =
            outliers.into_iter().partition(|(_, distance)| *distance > 0.0);
        above.sort_by(|left, right| right.1.total_cmp(&left.1));
        below.sort_by(|left, right| left.1.total_cmp(&right.1));
        let name = column.short_name("", WIDEST_NAME, SMALL_TEXT);
        Some(Self { name, ordinary: ordinary.collect(), above, below })
    }

    /// The largest distance.
    fn farthest(&self) -> f64 {
        let outliers = self.above.first().into_iter().chain(self.below.first());
        outliers.map(|(_, distance)| distance.abs()).fold(0.0, f64::max)
    }
}

/// Leaves the strips with the farthest outliers, in the order of the table.
fn keep_farthest(strips: Vec<Strip>) -> Vec<Strip> {
    let mut strips: Vec<(usize, Strip)> = strips.into_iter().enumerate().collect();
    strips.sort_by(|(_, left), (_, right)| right.farthest().total_cmp(&left.farthest()));
    strips.truncate(MOST_STRIPS);
    strips.sort_by_key(|(place, _)| *place);
    strips.into_iter().map(|(_, strip)| strip).collect()
}

fn draw_strips(area: &Area<'_>, strips: &[Strip]) -> Drawn {
    let mut entries = vec![(Mark::Disc, BLUE, "a row"), (Mark::Dashes, MUTED, "±3.5")];
    if strips.iter().any(|strip| strip.farthest() > OUTLIER) {
        entries.push((Mark::Diamond, VERMILLION, "outlier, with the number of its row"));
    }
    let rest = legend(area, &entries)?;
    let top = strips.len() as f64 - 1.0;
    let ticks = strips.iter().enumerate();
    let ticks = ticks
        .map(|(index, strip)| Tick { position: top - index as f64, label: strip.name.clone() });
    let panel = Panel {
        heading: String::new(),
        x_name: "robust standard deviations from the median".to_owned(),
        y_name: String::new(),
        x: distance_axis(strips),
        y: Axis::categories(-0.7, top + 0.7, ticks.collect()),
    };
    let mut chart = panel.draw(&rest)?;
    for limit in [-OUTLIER, OUTLIER] {
        chart.dashes((limit, -0.7), (limit, top + 0.7), MUTED)?;
    }
    strips
        .iter()
        .enumerate()
        .try_for_each(|(index, strip)| draw_strip(&mut chart, strip, top - index as f64))
}

/// Spans every distance up to the farthest shown, with room beside the outermost points for the
/// numbers of their rows.
fn distance_axis(strips: &[Strip]) -> Axis {
    let reach = |side: SideOf| {
        let farthest = strips.iter().filter_map(|strip| side(strip).first());
        let farthest = farthest.map(|(_, distance)| distance.abs()).fold(OUTLIER, f64::max);
        farthest.clamp(OUTLIER * 1.3, FARTHEST)
    };
    let (low, high) = (-reach(|strip| &strip.below), reach(|strip| &strip.above));
    let room = [label_room(strips, |strip| &strip.below), label_room(strips, |strip| &strip.above)];
    let names = strips.iter().map(|strip| text_width(&strip.name, SMALL_TEXT) * 11 / 10).max();
    let width = px(f64::from(WIDTH) - 40.0) - names.unwrap_or(0);
    let unit = (high - low) / f64::from((width - room[0] - room[1]).max(width / 4));
    let ends = (low - unit * f64::from(room[0]), high + unit * f64::from(room[1]));
    Axis::categories(ends.0, ends.1, linear_ticks(low, high, 8))
}

/// One side of a strip.
type SideOf = fn(&Strip) -> &[Distance];

/// Width of the widest row numbers on one side, with the mark beside them, in drawing units.
fn label_room(strips: &[Strip], side: SideOf) -> i32 {
    let labels = strips.iter().map(side).filter(|outliers| !outliers.is_empty());
    let widths = labels.map(|outliers| text_width(&row_numbers(outliers), NOTE_TEXT));
    widths.max().map_or(0, |width| width * 12 / 10 + px(12.0))
}

fn draw_strip(chart: &mut Chart<'_>, strip: &Strip, height: f64) -> Drawn {
    let place = |distance: f64| (distance.clamp(-FARTHEST, FARTHEST), height);
    chart.discs(strip.ordinary.iter().map(|one| place(*one)), 2.2, fill(BLUE, 0.4))?;
    for (outliers, side) in [(&strip.above, Side::Right), (&strip.below, Side::Left)] {
        let drawn = spread(outliers.len(), MOST_OUTLIERS).into_iter();
        chart.diamonds(drawn.map(|index| place(outliers[index].1)), 3.5, fill(VERMILLION, 0.85))?;
        if let Some((_, distance)) = outliers.first() {
            chart.aside(&row_numbers(outliers), place(*distance), side)?;
        }
    }
    Ok(())
}

/// The rows of the farthest outliers, e.g. `17, 4` or `17, 4, 88 …`.
fn row_numbers(outliers: &[Distance]) -> String {
    let named: Vec<String> =
        outliers.iter().take(MOST_NAMED).map(|(row, _)| row.to_string()).collect();
    let more = if outliers.len() > MOST_NAMED { " …" } else { "" };
    named.join(", ") + more
}

fn caption(strips: &[Strip], n_columns: usize) -> String {
    let n_outliers: usize = strips.iter().map(|strip| strip.above.len() + strip.below.len()).sum();
    let affected =
        strips.iter().filter(|strip| !strip.above.is_empty() || !strip.below.is_empty()).count();
    let found = match n_outliers {
        0 => "No value lies beyond ±3.5.".to_owned(),
        n => format!(
            "Beyond ±3.5: {} in {}; rows are counted from 1 below the header, the farthest first.",
            counted(n, "value"),
            counted(affected, "column")
        ),
    };
    let is_cut = strips.iter().any(|strip| strip.farthest() > FARTHEST);
    let cut = if is_cut { " What lies beyond ±20 is drawn there." } else { "" };
    let skipped = match n_columns - strips.len() {
        0 => String::new(),
        n => format!(" Without a strip: {} in which too few values differ.", counted(n, "column")),
    };
    let more = match strips.len().saturating_sub(MOST_STRIPS) {
        0 => String::new(),
        n => format!(" {} with nearer values not shown.", counted(n, "further column")),
    };
    format!(
        "Distance of each value from the median of its column, 0.6745 (x − median) / MAD, of \
         logarithms where a column spans decades. {found} One row that stands out in many columns is \
         an odd row; one column with many outliers is an odd sensor.{cut}{skipped}{more}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(name: usize, above: Vec<Distance>) -> Strip {
        Strip { name: name.to_string(), ordinary: Vec::new(), above, below: Vec::new() }
    }

    #[test]
    fn the_column_with_the_farthest_outlier_always_gets_a_strip() {
        let mut strips: Vec<Strip> = (0..60).map(|name| strip(name, Vec::new())).collect();
        strips.push(strip(60, vec![(7, 12.0)]));
        let kept = keep_farthest(strips);
        assert_eq!(kept.len(), MOST_STRIPS);
        assert_eq!(kept[0].name, "0");
        assert_eq!(kept[MOST_STRIPS - 1].name, "60");
    }

    #[test]
    fn the_farthest_rows_are_named_first() {
        let outliers = [(17, 9.0), (4, 8.0), (88, 5.0), (2, 4.0)];
        assert_eq!(row_numbers(&outliers[..2]), "17, 4");
        assert_eq!(row_numbers(&outliers), "17, 4, 88 …");
    }
}
