//! The correlation of every column with every other, as a map of shades.

use plotters::element::{Rectangle, Text};
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::grid::WIDTH;
use super::shade::{diverging, key, with_crisp_edges};
use super::table_view::{Column, TableView};
use super::target_against_features::correlation as shown;
use crate::report::ReportError;
use crate::report::number_format::counted;
use crate::report::plots::Figure;
use crate::report::plots::canvas::{Area, Drawn, sheet};
use crate::report::plots::legend::LEGEND_HEIGHT;
use crate::report::plots::style::{
    GRID, INK, MUTED, NOTE_TEXT, SMALL_TEXT, fill, px, register_fonts, text, text_width,
};

/// Most features in the map.
const MOST_FEATURES: usize = 100;

/// Most columns whose correlations are written into their cells.
const MOST_NUMBERED: usize = 16;

/// Widest name beside the map, in pixels.
const WIDEST_NAME: f64 = 110.0;

/// Widest cell, in pixels.
const WIDEST_CELL: f64 = 60.0;

/// Correlations weaker than this look like the page and are not drawn.
const FAINTEST: f64 = 0.01;

/// The map before it is drawn, with its measures in drawing units.
struct Map<'a> {
    /// The columns as places in the matrix.
    columns: Vec<usize>,
    /// Their names, shortened.
    names: Vec<String>,
    /// The matrix.
    pearson: &'a [Vec<Option<f64>>],
    /// Room for the names.
    margin: i32,
    /// Width and height of all cells together.
    side: i32,
}

/// Draws the figure.
pub(super) fn draw(view: &TableView<'_>) -> Result<Figure, ReportError> {
    register_fonts();
    let map = Map::new(view);
    let height = (map.side + map.margin) / px(1.0) + LEGEND_HEIGHT as i32 + 8;
    let svg = sheet((WIDTH, height.unsigned_abs()), |area| {
        let minus = (1..=5).rev().map(|fifth| diverging(-0.2 * f64::from(fifth))).collect();
        let plus = (1..=5).map(|fifth| diverging(0.2 * f64::from(fifth))).collect();
        let mut runs = vec![("−1", minus), ("0", plus), ("+1", Vec::new())];
        if map.has_unknown() {
            runs.push(("unknown", vec![fill(GRID, 1.0)]));
        }
        let area = key(area, &runs)?;
        map.draw(&area)
    })?;
    let (name, title) = ("correlations", "Correlations");
    Ok(Figure { name, title, caption: caption(view, &map), svg: with_crisp_edges(&svg) })
}

impl<'a> Map<'a> {
    fn new(view: &TableView<'a>) -> Self {
        let chosen = view.strongest(MOST_FEATURES);
        let name = |column: &Column<'_>| column.short_name("", WIDEST_NAME, SMALL_TEXT);
        let features = chosen.iter().map(|index| name(&view.features[*index]));
        let names: Vec<String> = std::iter::once(name(&view.target)).chain(features).collect();
        let columns: Vec<usize> =
            std::iter::once(0).chain(chosen.iter().map(|index| index + 1)).collect();
        let widest = names.iter().map(|name| text_width(name, SMALL_TEXT)).max().unwrap_or(0);
        let margin = widest * 11 / 10 + px(14.0);
        let room = px(f64::from(WIDTH) - 8.0) - margin;
        let side = room.min(px(WIDEST_CELL) * columns.len() as i32);
        Self { columns, names, pearson: view.pearson, margin, side }
    }

    fn value(&self, row: usize, column: usize) -> Option<f64> {
        let (row, column) = (self.columns[row], self.columns[column]);
        self.pearson.get(row).and_then(|row| *row.get(column)?).filter(|value| value.is_finite())
    }

    fn has_unknown(&self) -> bool {
        let n = self.columns.len();
        (0..n * n).any(|cell| self.value(cell / n, cell % n).is_none())
    }

    /// Where a cell begins, from the left or from the top.
    fn edge(&self, index: usize) -> i32 {
        (i64::from(self.side) * index as i64 / self.columns.len() as i64) as i32
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let n = self.columns.len();
        (0..n * n).try_for_each(|cell| self.draw_cell(area, cell / n, cell % n))?;
        self.draw_names(area)
    }

    fn draw_cell(&self, area: &Area<'_>, row: usize, column: usize) -> Drawn {
        let gap = if self.columns.len() <= MOST_NUMBERED { px(1.0) } else { 0 };
        let (left, top) = (self.margin + self.edge(column), self.edge(row));
        let (right, bottom) = (self.margin + self.edge(column + 1) - gap, self.edge(row + 1) - gap);
        let value = self.value(row, column);
        if value.is_none_or(|value| value.abs() >= FAINTEST) {
            let style = value.map_or(fill(GRID, 1.0), diverging);
            area.draw(&Rectangle::new([(left, top), (right, bottom)], style))?;
        }
        let Some(value) = value.filter(|_| self.columns.len() <= MOST_NUMBERED) else {
            return Ok(());
        };
        let middle = (i32::midpoint(left, right), i32::midpoint(top, bottom));
        let style = text(INK, NOTE_TEXT).pos(Pos::new(HPos::Center, VPos::Center));
        area.draw(&Text::new(shown(value), middle, style))
    }

    /// Names left of the map and, upwards, below it; every n-th where cells are smaller than text.
    fn draw_names(&self, area: &Area<'_>) -> Drawn {
        let cell = (self.side / self.columns.len() as i32).max(1);
        let stride = (px(SMALL_TEXT + 1.0) + cell - 1) / cell;
        let style = |color| text(color, SMALL_TEXT).pos(Pos::new(HPos::Right, VPos::Center));
        for (index, name) in self.names.iter().enumerate().step_by(stride as usize) {
            let color = if index == 0 { INK } else { MUTED };
            let middle = i32::midpoint(self.edge(index), self.edge(index + 1));
            let left = (self.margin - px(6.0), middle);
            area.draw(&Text::new(name.clone(), left, style(color)))?;
            let below = (self.margin + middle, self.side + px(6.0));
            let upwards = style(color).transform(FontTransform::Rotate270);
            area.draw(&Text::new(name.clone(), below, upwards))?;
        }
        Ok(())
    }
}

fn caption(view: &TableView<'_>, map: &Map<'_>) -> String {
    let more = view.features.len() + 1 - map.columns.len();
    let left_out = match more {
        0 => String::new(),
        _ => format!(
            " {} of weaker rank correlation with the target not shown.",
            counted(more, "further feature")
        ),
    };
    let unknown = if map.has_unknown() {
        " Grey cells: one of the two columns does not vary, or they share too few rows."
    } else {
        ""
    };
    format!(
        "Pearson's correlation of each pair of columns, the target first: blue where both grow \
         together, orange where one falls as the other grows. Blocks of strong blue are columns that \
         say much the same; a row without colour is a column that goes with nothing else.{unknown}\
         {left_out}"
    )
}
