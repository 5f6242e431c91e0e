//! One finished figure, in the forms that a page, a browser and a slide need.

use std::sync::Arc;

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::style::{FONT, FONT_FAMILY, UNITS, colors_to_classes, stylesheet};
use crate::report::ReportError;

/// Pixels of the PNG per pixel of the page.
const PNG_SCALE: f32 = 2.0;

/// Fonts that pages prefer.
const PAGE_FONTS: &str = "system-ui,sans-serif";

/// A drawing with its words.
#[derive(Debug)]
pub(in crate::report) struct Figure {
    /// Name of its files, without ending.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// One or two sentences that say how to read it.
    pub caption: String,
    /// The drawing in light colours, `UNITS` units per pixel.
    pub svg: String,
}

impl Figure {
    /// The drawing for the page: it follows the page's font and colours.
    pub(in crate::report) fn inline_svg(&self) -> String {
        let (head, body) = self.parts();
        let opening = format!("<svg role=\"img\" aria-label=\"{}\" viewBox", self.title);
        format!("{opening}{}{}", after(head, " viewBox"), slim(body))
    }

    /// The drawing as a file: its colours follow the reader's light or dark mode.
    pub(in crate::report) fn standalone_svg(&self) -> String {
        let (head, body) = self.parts();
        let (width, height) = self.size();
        let style = format!(
            "svg{{background:#fff}}text{{font-family:{PAGE_FONTS}}}{}\
             @media screen and (prefers-color-scheme:dark){{svg{{background:#15181D}}}}",
            stylesheet()
        );
        format!(
            "<svg width=\"{width}\" height=\"{height}\" viewBox{}<title>{}</title><style>{style}</style>{}",
            after(head, " viewBox"),
            self.title,
            slim(body)
        )
    }

    /// The drawing as a PNG file on white, two pixels per pixel of the page.
    pub(in crate::report) fn png(&self) -> Result<Vec<u8>, ReportError> {
        let fail = |reason: String| ReportError::Pixels { figure: self.name, reason };
        let tree = parse(&self.svg).map_err(|error| fail(error.to_string()))?;
        let scale = PNG_SCALE / UNITS as f32;
        let size = tree.size().to_int_size().scale_by(scale);
        let mut pixels = size
            .and_then(|size| Pixmap::new(size.width(), size.height()))
            .ok_or_else(|| fail("its size is impossible".to_owned()))?;
        pixels.fill(Color::WHITE);
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
        pixels.encode_png().map_err(|error| fail(error.to_string()))
    }

    /// The opening tag and what follows it.
    fn parts(&self) -> (&str, &str) {
        let end = self.svg.find('>').map_or(0, |position| position + 1);
        self.svg.split_at(end)
    }

    /// Width and height in pixels of the page.
    fn size(&self) -> (u32, u32) {
        let units = UNITS.unsigned_abs();
        let read = |name: &str| {
            let digits = after(&self.svg, name).split('"').nth(1).unwrap_or_default();
            digits.parse::<u32>().unwrap_or_default() / units
        };
        (read("width="), read("height="))
    }
}

/// What follows the first `mark` in `text`.
fn after<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or("", |(_, rest)| rest)
}

/// The body of a drawing with classes for colours and without what is the default anyway.
fn slim(body: &str) -> String {
    let font = format!(" font-family=\"{FONT_FAMILY}\"");
    [" opacity=\"1\"", " stroke=\"none\"", " stroke-width=\"0\"", font.as_str()]
        .iter()
        .fold(colors_to_classes(body), |svg, excess| svg.replace(excess, ""))
}

/// Parses a drawing with the embedded font alone.
pub(in crate::report) fn parse(svg: &str) -> Result<Tree, resvg::usvg::Error> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family("Noto Sans");
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    Tree::from_str(svg, &options)
}
