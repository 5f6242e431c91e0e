//! One panel: two named axes, a light grid, and room for the labels.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::element::{Circle, EmptyElement, PathElement, Polygon, Text};
use plotters::prelude::SVGBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{RGBColor, ShapeStyle};

use crate::report::names::fitted;

use super::axis::Axis;
use super::canvas::{Area, Drawn};
use super::legend::diamond;
use super::style::{
    GRID, INK, MUTED, NOTE_TEXT, SMALL_TEXT, TEXT, fill, invisible, line, px, text, text_width,
};

/// Space left of a panel, in pixels.
const MARGIN: f64 = 6.0;

/// A panel before it is drawn.
pub(in crate::report) struct Panel {
    /// Stands above the panel; may be empty.
    pub heading: String,
    /// What the horizontal axis measures, with its unit; may be empty.
    pub x_name: String,
    /// What the vertical axis measures, with its unit; may be empty.
    pub y_name: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
}

impl Panel {
    /// Draws grid, labels and names into `area`; the series go onto what it returns.
    pub(in crate::report) fn draw<'a>(self, area: &Area<'a>) -> Drawn<Chart<'a>> {
        let (left, bottom) = self.label_room();
        let top = px(if self.heading.is_empty() { 8.0 } else { 30.0 });
        let mut builder = ChartBuilder::on(area);
        builder.margin_right(self.right_margin()).margin_top(top).margin_left(px(MARGIN));
        builder.y_label_area_size(left).x_label_area_size(bottom);
        let (width, height) = area.dim_in_pixel();
        // Pages may set a wider font than the one measured here.
        let (wide, high) =
            ((width as i32 - left) * 9 / 10, (height as i32 - bottom - top) * 9 / 10);
        let style = text(INK, TEXT).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw_text(&fitted(&self.heading, wide, TEXT), &style, (left + px(MARGIN), px(18.0)))?;
        let ends = Ends::of(&self.x, &self.y);
        let mut context = builder.build_cartesian_2d(self.x, self.y)?;
        draw_mesh(
            &mut context,
            &fitted(&self.x_name, wide, TEXT),
            &fitted(&self.y_name, high, TEXT),
        )?;
        Ok(Chart { context, ends })
    }

    /// Space for the half of the last label that stands right of the grid.
    fn right_margin(&self) -> i32 {
        let widest = self.x.labels().map(|label| text_width(label, SMALL_TEXT)).max().unwrap_or(0);
        px(14.0).max(widest * 11 / 20 + px(2.0))
    }

    /// Space for the labels left of and below the grid.
    fn label_room(&self) -> (i32, i32) {
        let widest = self.y.labels().map(|label| text_width(label, SMALL_TEXT)).max().unwrap_or(0);
        let name = |name: &str| if name.is_empty() { 0 } else { px(20.0) };
        // Pages may set a wider font than the one measured here.
        let left = widest * 11 / 10 + px(10.0) + name(&self.y_name);
        (left, px(22.0) + name(&self.x_name))
    }
}

/// Where a text stands beside a point.
#[derive(Clone, Copy)]
pub(in crate::report) enum Side {
    Left,
    Right,
}

/// A drawn panel that series can be added to.
pub(in crate::report) struct Chart<'a> {
    context: ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>,
    ends: Ends,
}

/// The corners of a panel in data units.
#[derive(Clone, Copy)]
pub(in crate::report) struct Ends {
    /// Left and right end.
    pub x: (f64, f64),
    /// Lower and upper end.
    pub y: (f64, f64),
}

impl Ends {
    fn of(x: &Axis, y: &Axis) -> Self {
        Self { x: (x.low(), x.high()), y: (y.low(), y.high()) }
    }
}

impl Chart<'_> {
    /// The panel's corners.
    pub(in crate::report) fn ends(&self) -> Ends {
        self.ends
    }

    /// Where a point lies on the sheet, in drawing units.
    pub(in crate::report) fn place(&self, point: (f64, f64)) -> (i32, i32) {
        self.context.plotting_area().map_coordinate(&point)
    }

    /// A line through `points`.
    pub(in crate::report) fn path(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        style: ShapeStyle,
    ) -> Drawn {
        let points: Vec<(f64, f64)> = points.into_iter().collect();
        self.context.draw_series([PathElement::new(points, style)])?;
        Ok(())
    }

    /// A filled shape with the given corners.
    pub(in crate::report) fn polygon(
        &mut self,
        corners: Vec<(f64, f64)>,
        style: ShapeStyle,
    ) -> Drawn {
        self.context.draw_series([Polygon::new(corners, style)])?;
        Ok(())
    }

    /// A filled rectangle from one corner to the other.
    pub(in crate::report) fn bar(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        style: ShapeStyle,
    ) -> Drawn {
        self.polygon(vec![from, (to.0, from.1), to, (from.0, to.1)], style)
    }

    /// A disc of a radius in pixels at each point.
    pub(in crate::report) fn discs(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        radius: f64,
        style: ShapeStyle,
    ) -> Drawn {
        let discs = points.into_iter().map(|point| Circle::new(point, px(radius), style));
        self.context.draw_series(discs)?;
        Ok(())
    }

    /// A diamond of a radius in pixels at each point.
    pub(in crate::report) fn diamonds(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        radius: f64,
        style: ShapeStyle,
    ) -> Drawn {
        let diamonds = points.into_iter().map(|point| {
            EmptyElement::at(point) + Polygon::new(diamond((0, 0), px(radius)), style)
        });
        self.context.draw_series(diamonds)?;
        Ok(())
    }

    /// A dashed line from one point to another.
    pub(in crate::report) fn dashes(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        color: RGBColor,
    ) -> Drawn {
        let area = self.context.plotting_area();
        let pieces = dash_pieces(area.map_coordinate(&from), area.map_coordinate(&to));
        let (screen, style) = (area.use_screen_coord(), line(color, 1.0, 1.5));
        pieces.iter().try_for_each(|piece| screen.draw(&PathElement::new(*piece, style)))
    }

    /// A small text that stands on a point.
    pub(in crate::report) fn note(&mut self, label: &str, at: (f64, f64)) -> Drawn {
        let style = text(INK, NOTE_TEXT).pos(Pos::new(HPos::Center, VPos::Bottom));
        let note = EmptyElement::at(at) + Text::new(label.to_owned(), (0, -px(1.0)), style);
        self.context.draw_series([note])?;
        Ok(())
    }

    /// A small text beside a point, clear of a mark of a few pixels.
    pub(in crate::report) fn aside(&mut self, label: &str, at: (f64, f64), side: Side) -> Drawn {
        let (anchor, shift) = match side {
            Side::Left => (HPos::Right, -px(7.0)),
            Side::Right => (HPos::Left, px(7.0)),
        };
        let style = text(INK, NOTE_TEXT).pos(Pos::new(anchor, VPos::Center));
        let aside = EmptyElement::at(at) + Text::new(label.to_owned(), (shift, 0), style);
        self.context.draw_series([aside])?;
        Ok(())
    }

    /// Whether a note is narrower than a stretch of the horizontal axis.
    pub(in crate::report) fn has_room_for(&self, label: &str, stretch: f64) -> bool {
        let area = self.context.plotting_area();
        let (low, _) = self.ends.y;
        let place = |x: f64| area.map_coordinate(&(x, low)).0;
        text_width(label, NOTE_TEXT) + px(2.0)
            < place(self.ends.x.0 + stretch) - place(self.ends.x.0)
    }
}

fn draw_mesh(
    context: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<Axis, Axis>>,
    x_name: &str,
    y_name: &str,
) -> Drawn {
    let has_categories = context.as_coord_spec().x_spec().is_categorical();
    let has_rows = context.as_coord_spec().y_spec().is_categorical();
    let mut mesh = context.configure_mesh();
    if has_categories {
        mesh.disable_x_mesh();
    }
    if has_rows {
        mesh.disable_y_mesh();
    }
    mesh.bold_line_style(line(GRID, 1.0, 1.0)).light_line_style(invisible());
    mesh.axis_style(line(MUTED, 1.0, 1.0)).set_all_tick_mark_size(px(4.0));
    mesh.label_style(text(MUTED, SMALL_TEXT)).axis_desc_style(text(INK, TEXT));
    if !x_name.is_empty() {
        mesh.x_desc(x_name);
    }
    if !y_name.is_empty() {
        mesh.y_desc(y_name);
    }
    mesh.draw()
}

/// The drawn parts of a dashed line between two points.
fn dash_pieces(start: (i32, i32), end: (i32, i32)) -> Vec<[(i32, i32); 2]> {
    let (across, down) = (f64::from(end.0 - start.0), f64::from(end.1 - start.1));
    let length = across.hypot(down);
    let at = |distance: f64| {
        let share = if length > 0.0 { (distance / length).min(1.0) } else { 0.0 };
        (start.0 + (across * share) as i32, start.1 + (down * share) as i32)
    };
    let (dash, period) = (f64::from(px(5.0)), f64::from(px(9.0)));
    let n_dashes = (length / period).ceil() as usize;
    (0..n_dashes)
        .map(|index| index as f64 * period)
        .map(|from| [at(from), at(from + dash)])
        .collect()
}

/// A disc or bar style for the points of a crowd: the more there are, the fainter each.
pub(in crate::report) fn crowd_style(color: RGBColor, n_points: usize) -> (f64, ShapeStyle) {
    match n_points {
        0..=300 => (3.2, fill(color, 0.75)),
        301..=1000 => (2.5, fill(color, 0.6)),
        _ => (2.0, fill(color, 0.5)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_cover_a_line_without_leaving_it() {
        let pieces = dash_pieces((0, 0), (0, 400));
        assert!(pieces.len() > 5 && pieces.iter().flatten().all(|(x, y)| *x == 0 && *y <= 400));
        assert!(dash_pieces((3, 3), (3, 3)).is_empty());
    }
}
