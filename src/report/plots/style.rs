//! The look of every figure: colours by role, text sizes, line widths.
//!
//! Colours follow Okabe and Ito (2008), which people with any colour vision tell apart. A figure is
//! drawn in the light colours; its stylesheet gives each colour its dark counterpart.

use plotters::style::{
    Color, FontStyle, IntoFont, RGBAColor, RGBColor, ShapeStyle, TextStyle, register_font,
};

/// Drawing units per pixel of the page: plotters places things on whole units.
pub(in crate::report) const UNITS: i32 = 4;

/// Size of tick labels and legends, in pixels.
pub(in crate::report) const SMALL_TEXT: f64 = 12.0;

/// Size of numbers inside a panel, in pixels.
pub(in crate::report) const NOTE_TEXT: f64 = 11.0;

/// Size of axis names and panel headings, in pixels.
pub(in crate::report) const TEXT: f64 = 13.0;

/// Text.
pub(in crate::report) const INK: RGBColor = RGBColor(0x1F, 0x24, 0x2B);
/// Tick labels and reference lines.
pub(in crate::report) const MUTED: RGBColor = RGBColor(0x5B, 0x64, 0x70);
/// Grid lines.
pub(in crate::report) const GRID: RGBColor = RGBColor(0xE4, 0xE7, 0xEB);
/// Predictions, validation losses.
pub(in crate::report) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// What stands out: rows unlike the training data, chosen epochs.
pub(in crate::report) const VERMILLION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
/// Training losses, fitted curves.
pub(in crate::report) const ORANGE: RGBColor = RGBColor(0xE6, 0x9F, 0x00);

/// The embedded font: SIL Open Font Licence 1.1, see `assets/fonts`.
pub(in crate::report) const FONT: &[u8] =
    include_bytes!("../../../assets/fonts/NotoSans-Regular.ttf");

/// Family under which figures ask for their font.
pub(in crate::report) const FONT_FAMILY: &str = "sans-serif";

/// Height of a line of the embedded font over its nominal size (ascent plus descent of the font).
const LINE_HEIGHT: f64 = 1.492;

/// plotters' own ratio of a text's height to the font size that it writes into an SVG.
const PLOTTERS_HEIGHT: f64 = 1.24;

/// A colour's class in the stylesheet, its light value as plotters writes it, its dark value.
const PALETTE: [(&str, RGBColor, &str); 6] = [
    ("ink", INK, "#E6E9ED"),
    ("muted", MUTED, "#A3ACB8"),
    ("grid", GRID, "#333A44"),
    ("blue", BLUE, "#56B4E9"),
    ("vermillion", VERMILLION, "#FF8A3D"),
    ("orange", ORANGE, "#F0B429"),
];

/// Makes the embedded font known to plotters, which measures text with it.
pub(in crate::report) fn register_fonts() {
    // A font that does not parse would fail the tests; then every measurement reports it again.
    let _ = register_font(FONT_FAMILY, FontStyle::Normal, FONT);
}

/// `pixels` in drawing units.
pub(in crate::report) fn px(pixels: f64) -> i32 {
    (pixels * f64::from(UNITS)).round() as i32
}

/// A line of `pixels` width.
pub(in crate::report) fn line(color: RGBColor, opacity: f64, pixels: f64) -> ShapeStyle {
    ShapeStyle { color: color.mix(opacity), filled: false, stroke_width: px(pixels) as u32 }
}

/// A filled shape.
pub(in crate::report) fn fill(color: RGBColor, opacity: f64) -> ShapeStyle {
    ShapeStyle { color: color.mix(opacity), filled: true, stroke_width: 0 }
}

/// Nothing at all, for parts of plotters' mesh that are not wanted.
pub(in crate::report) fn invisible() -> ShapeStyle {
    ShapeStyle { color: RGBAColor(0, 0, 0, 0.0), filled: false, stroke_width: 0 }
}

/// Text of a size in pixels.
pub(in crate::report) fn text(color: RGBColor, pixels: f64) -> TextStyle<'static> {
    let font = (FONT_FAMILY, f64::from(UNITS) * pixels * PLOTTERS_HEIGHT).into_font();
    TextStyle { color: color.to_backend_color(), ..TextStyle::from(font) }
}

/// Width of a text in drawing units.
pub(in crate::report) fn text_width(label: &str, pixels: f64) -> i32 {
    let font = (FONT_FAMILY, f64::from(UNITS) * pixels * LINE_HEIGHT).into_font();
    font.box_size(label).map_or(0, |(width, _)| width as i32)
}

/// The CSS of every figure's colours, light and, on dark screens, dark.
pub(in crate::report) fn stylesheet() -> String {
    let light: String = PALETTE.iter().map(|(name, color, _)| rules(name, &hex(*color))).collect();
    let dark: String = PALETTE.iter().map(|(name, _, color)| rules(name, color)).collect();
    format!("{light}@media screen and (prefers-color-scheme:dark){{{dark}}}")
}

/// `svg` with its colours replaced by classes of the stylesheet.
pub(in crate::report) fn colors_to_classes(svg: &str) -> String {
    PALETTE.iter().fold(svg.to_owned(), |svg, (name, color, _)| {
        let color = hex(*color);
        svg.replace(&format!("fill=\"{color}\""), &format!("class=\"f-{name}\""))
            .replace(&format!("stroke=\"{color}\""), &format!("class=\"s-{name}\""))
    })
}

fn rules(name: &str, color: &str) -> String {
    format!(".f-{name}{{fill:{color}}}.s-{name}{{stroke:{color}}}")
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_font_is_found_and_measures_text() {
        register_fonts();
        let narrow = text_width("i", TEXT);
        assert!(narrow > 0 && text_width("mmmm", TEXT) > 8 * narrow);
    }

    #[test]
    fn every_palette_colour_has_a_dark_counterpart() {
        let css = stylesheet();
        for (name, color, dark) in PALETTE {
            assert!(css.contains(&format!(".f-{name}{{fill:{}}}", hex(color))));
            assert!(css.contains(&format!(".f-{name}{{fill:{dark}}}")));
        }
    }
}
