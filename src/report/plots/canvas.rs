//! The sheet that a figure is drawn on.

use std::io;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::prelude::SVGBackend;

use super::style::{UNITS, register_fonts};

/// What drawing returns.
pub(in crate::report) type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<io::Error>>;

/// A rectangle of the sheet, in drawing units.
pub(in crate::report) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The SVG that `draw` leaves on an empty sheet of a size in pixels.
pub(in crate::report) fn sheet(
    (width, height): (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> Drawn<String> {
    register_fonts();
    let units = UNITS.unsigned_abs();
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (width * units, height * units));
        let root = root.into_drawing_area();
        draw(&root)?;
        root.present()?;
    }
    Ok(svg)
}
