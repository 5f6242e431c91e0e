//! The line above a figure that says which mark is what.

use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{Area, Drawn};
use super::style::{INK, SMALL_TEXT, fill, line, px, text, text_width};

/// Height of a legend, in pixels.
pub(in crate::report) const LEGEND_HEIGHT: f64 = 28.0;

/// How an entry is drawn.
#[derive(Clone, Copy)]
pub(in crate::report) enum Mark {
    Line,
    Dashes,
    Bar,
    Disc,
    Diamond,
    Whisker,
}

/// One entry: its mark, its colour, its text.
pub(in crate::report) type Entry = (Mark, RGBColor, &'static str);

/// Draws the entries from left to right and returns the area below them.
pub(in crate::report) fn legend<'a>(area: &Area<'a>, entries: &[Entry]) -> Drawn<Area<'a>> {
    let (strip, rest) = area.split_vertically(px(LEGEND_HEIGHT));
    let (middle, mut left) = (px(LEGEND_HEIGHT / 2.0), px(8.0));
    for (mark, color, label) in entries {
        draw_mark(&strip, *mark, *color, (left, middle))?;
        let style = text(INK, SMALL_TEXT).pos(Pos::new(HPos::Left, VPos::Center));
        let start = left + px(26.0);
        strip.draw(&Text::new(*label, (start, middle), style))?;
        left = start + text_width(label, SMALL_TEXT) * 11 / 10 + px(18.0);
    }
    Ok(rest)
}

fn draw_mark(area: &Area<'_>, mark: Mark, color: RGBColor, (left, y): (i32, i32)) -> Drawn {
    let (right, center) = (left + px(20.0), left + px(10.0));
    let level = |from: i32, to: i32| vec![(from, y), (to, y)];
    match mark {
        Mark::Line => area.draw(&PathElement::new(level(left, right), line(color, 1.0, 2.0))),
        Mark::Dashes => {
            [(0.0, 5.0), (7.5, 12.5), (15.0, 20.0)].iter().try_for_each(|(from, to)| {
                let ends = level(left + px(*from), left + px(*to));
                area.draw(&PathElement::new(ends, line(color, 1.0, 1.5)))
            })
        }
        Mark::Bar => {
            let corners = [(left, y - px(5.0)), (right, y + px(5.0))];
            area.draw(&Rectangle::new(corners, fill(color, 0.55)))
        }
        Mark::Disc => area.draw(&Circle::new((center, y), px(3.5), fill(color, 0.9))),
        Mark::Diamond => area.draw(&Polygon::new(diamond((center, y), px(4.5)), fill(color, 1.0))),
        Mark::Whisker => {
            let ends = vec![(center, y - px(7.0)), (center, y + px(7.0))];
            area.draw(&PathElement::new(ends, line(color, 0.6, 1.5)))
        }
    }
}

/// The corners of a diamond around a point.
pub(in crate::report) fn diamond((x, y): (i32, i32), reach: i32) -> Vec<(i32, i32)> {
    vec![(x - reach, y), (x, y - reach), (x + reach, y), (x, y + reach)]
}
