//! Shades of a palette colour that stand for numbers, and the key that explains them.
//!
//! A shade is an opacity over the page, so that zero is the page itself on light and dark pages alike.

use plotters::element::{PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{RGBColor, ShapeStyle};

use crate::report::plots::canvas::{Area, Drawn};
use crate::report::plots::legend::LEGEND_HEIGHT;
use crate::report::plots::style::{
    BLUE, INK, MUTED, SMALL_TEXT, VERMILLION, fill, line, px, text, text_width,
};

/// Opacity of the strongest shade: text in a cell stays readable on light and dark pages.
const STRONGEST: f64 = 0.62;

/// Size of a sample in a key, in pixels.
const SAMPLE: f64 = 18.0;

/// The shade of a correlation: vermillion below zero, blue above, of the same strength at the same
/// distance from zero.
pub(super) fn diverging(correlation: f64) -> ShapeStyle {
    let color = if correlation < 0.0 { VERMILLION } else { BLUE };
    shade(color, correlation.abs())
}

/// The shade of a share from 0 to 1, in hundredths so that neighbours can be merged.
pub(super) fn shade(color: RGBColor, share: f64) -> ShapeStyle {
    fill(color, (share.clamp(0.0, 1.0) * STRONGEST * 100.0).round() / 100.0)
}

/// `svg` with edges on whole pixels: neighbours would show the page between them.
pub(super) fn with_crisp_edges(svg: &str) -> String {
    svg.replacen(" xmlns=", " shape-rendering=\"crispEdges\" xmlns=", 1)
}

/// Draws a key, samples from left to right with a word before and after each run of them, and returns
/// the area below.
pub(super) fn key<'a>(area: &Area<'a>, runs: &[(&str, Vec<ShapeStyle>)]) -> Drawn<Area<'a>> {
    let (strip, rest) = area.split_vertically(px(LEGEND_HEIGHT));
    let (middle, mut left) = (px(LEGEND_HEIGHT / 2.0), px(8.0));
    for (label, samples) in runs {
        let style = text(INK, SMALL_TEXT).pos(Pos::new(HPos::Left, VPos::Center));
        strip.draw(&Text::new(*label, (left, middle), style))?;
        left += text_width(label, SMALL_TEXT) * 11 / 10 + px(8.0);
        for sample in samples {
            let corners = [(left, middle - px(7.0)), (left + px(SAMPLE), middle + px(7.0))];
            strip.draw(&Rectangle::new(corners, *sample))?;
            strip.draw(&PathElement::new(outline(corners), line(MUTED, 0.4, 0.75)))?;
            left += px(SAMPLE);
        }
        left += px(if samples.is_empty() { 14.0 } else { 8.0 });
    }
    Ok(rest)
}

/// The closed line around a rectangle.
fn outline([(left, top), (right, bottom)]: [(i32, i32); 2]) -> Vec<(i32, i32)> {
    vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_of_opposite_sign_are_equally_strong() {
        for correlation in [0.01, 0.3, 0.77, 1.0] {
            let (plus, minus) = (diverging(correlation).color, diverging(-correlation).color);
            assert_eq!(plus.3, minus.3);
            assert_eq!((plus.0, plus.1, plus.2), (BLUE.0, BLUE.1, BLUE.2));
            assert_eq!((minus.0, minus.1, minus.2), (VERMILLION.0, VERMILLION.1, VERMILLION.2));
        }
        assert_eq!(diverging(0.0).color.3, 0.0);
    }
}
