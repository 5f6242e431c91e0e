//! Small multiples: panels of one kind side by side, ring by ring where the table has rings.

use plotters::element::{PathElement, Text};
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::table_view::TableView;
use crate::report::names::fitted;
use crate::report::plots::axis::Axis;
use crate::report::plots::canvas::{Area, Drawn};
use crate::report::plots::style::{GRID, INK, SMALL_TEXT, TEXT, line, px, text, text_width};

/// Width of every figure, in pixels.
pub(super) const WIDTH: u32 = 720;

/// Height of a line that names a section, in pixels.
const HEADING_HEIGHT: u32 = 30;

/// Width of the strip that holds the name of the vertical axes, in pixels.
const NAME_WIDTH: f64 = 20.0;

/// Space left and right of a plot besides the labels of its vertical axis, in pixels.
const PLOT_MARGIN: f64 = 30.0;

/// Narrowest plot that still shows something, in pixels.
const NARROWEST_PLOT: f64 = 70.0;

/// Panels under one heading.
struct Section {
    heading: String,
    features: Vec<usize>,
}

/// Where the panels go.
pub(super) struct Grid {
    sections: Vec<Section>,
    columns: usize,
    row_height: u32,
}

impl Grid {
    /// A place for each of the `chosen` features, those of one ring together; `label` is a wide label
    /// of the vertical axes.
    pub(super) fn new(view: &TableView<'_>, chosen: &[usize], label: &str) -> Self {
        let sections = sections(view, chosen);
        let label = 1.1 * f64::from(text_width(label, SMALL_TEXT)) / f64::from(px(1.0));
        let narrowest = NARROWEST_PLOT + PLOT_MARGIN + label;
        let most_columns = ((f64::from(WIDTH) - NAME_WIDTH) / narrowest) as usize;
        let columns = column_count(&sections, most_columns);
        let row_height = [300, 230, 190, 160, 150][columns - 1];
        Self { sections, columns, row_height }
    }

    /// Height in pixels.
    pub(super) fn height(&self) -> u32 {
        self.sections.iter().map(|section| self.height_of(section)).sum()
    }

    /// Width of a panel, in pixels.
    pub(super) fn panel_width(&self) -> f64 {
        (f64::from(WIDTH) - NAME_WIDTH) / self.columns as f64
    }

    /// Draws every panel; `y_name` stands left of each line of panels.
    pub(super) fn draw(
        &self,
        area: &Area<'_>,
        y_name: &str,
        mut panel: impl FnMut(&Area<'_>, usize) -> Drawn,
    ) -> Drawn {
        let mut rest = area.clone();
        for section in &self.sections {
            let (here, below) = rest.split_vertically(px(f64::from(self.height_of(section))));
            rest = below;
            let lines = draw_heading(here, &section.heading)?;
            let lines = lines.split_evenly((self.lines(section), 1));
            for (area, features) in lines.iter().zip(section.features.chunks(self.columns)) {
                let panels = draw_name(area, y_name)?.split_evenly((1, self.columns));
                panels
                    .iter()
                    .zip(features)
                    .try_for_each(|(area, feature)| panel(area, *feature))?;
            }
        }
        Ok(())
    }

    fn lines(&self, section: &Section) -> usize {
        section.features.len().div_ceil(self.columns)
    }

    fn height_of(&self, section: &Section) -> u32 {
        let heading = if section.heading.is_empty() { 0 } else { HEADING_HEIGHT };
        heading + self.row_height * self.lines(section) as u32
    }
}

/// Width between the axes of a panel of a width, right of the labels of `y`, all in pixels.
pub(super) fn plot_width(width: f64, y: &Axis) -> f64 {
    let widest = y.labels().map(|label| text_width(label, SMALL_TEXT)).max().unwrap_or(0);
    width - PLOT_MARGIN - 1.1 * f64::from(widest) / f64::from(px(1.0))
}

/// As many panels side by side as have room and leave the fewest places empty.
fn column_count(sections: &[Section], most: usize) -> usize {
    let lengths = || sections.iter().map(|section| section.features.len());
    let gaps = |columns: &usize| -> usize {
        lengths().map(|length| length.next_multiple_of(*columns) - length).sum()
    };
    match lengths().max().unwrap_or(0) {
        0 | 1 => 1,
        2 => 2,
        4 if sections.len() == 1 => 2,
        3 => 3,
        // The first of equals is kept.
        _ => [4, 5, 3].into_iter().filter(|columns| *columns <= most).min_by_key(gaps).unwrap_or(3),
    }
}

fn sections(view: &TableView<'_>, chosen: &[usize]) -> Vec<Section> {
    let in_ring = |ring: &[usize]| -> Vec<usize> {
        ring.iter().copied().filter(|index| chosen.contains(index)).collect()
    };
    let rings = view.rings.iter().enumerate().map(|(number, ring)| Section {
        heading: format!("Ring {}", number + 1),
        features: in_ring(ring),
    });
    let mut sections: Vec<Section> = rings.collect();
    let is_placed = |index: &usize| view.rings.iter().flatten().any(|placed| placed == index);
    let others: Vec<usize> = chosen.iter().copied().filter(|index| !is_placed(index)).collect();
    let heading = if sections.is_empty() { String::new() } else { "Other columns".to_owned() };
    sections.push(Section { heading, features: others });
    sections.retain(|section| !section.features.is_empty());
    sections
}

/// Names a section over a thin rule and returns what is left below.
fn draw_heading<'a>(area: Area<'a>, heading: &str) -> Drawn<Area<'a>> {
    if heading.is_empty() {
        return Ok(area);
    }
    let (strip, rest) = area.split_vertically(px(f64::from(HEADING_HEIGHT)));
    let (width, height) = strip.dim_in_pixel();
    let style = text(INK, TEXT).pos(Pos::new(HPos::Left, VPos::Center));
    strip.draw(&Text::new(heading.to_owned(), (px(6.0), height as i32 / 2), style))?;
    let rule = vec![(0, height as i32 - px(2.0)), (width as i32, height as i32 - px(2.0))];
    strip.draw(&PathElement::new(rule, line(GRID, 1.0, 1.0)))?;
    Ok(rest)
}

/// Writes the name of the vertical axes upwards and returns what is left to its right.
fn draw_name<'a>(area: &Area<'a>, name: &str) -> Drawn<Area<'a>> {
    let (strip, rest) = area.split_horizontally(px(NAME_WIDTH));
    let (_, height) = strip.dim_in_pixel();
    let style = text(INK, TEXT)
        .pos(Pos::new(HPos::Center, VPos::Center))
        .transform(FontTransform::Rotate270);
    let name = fitted(name, height as i32 * 8 / 10, TEXT);
    strip.draw(&Text::new(name, (px(NAME_WIDTH * 0.55), height as i32 / 2), style))?;
    Ok(rest)
}
