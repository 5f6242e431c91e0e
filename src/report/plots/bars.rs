//! Horizontal bars with names, each with its uncertainty.

use crate::report::names::told_apart;

use super::axis::Axis;
use super::canvas::{Area, Drawn};
use super::panel::Panel;
use super::style::{INK, MUTED, fill, line};
use super::ticks::Tick;
use plotters::style::RGBColor;

/// Half the thickness of a bar, in steps between bars.
const HALF_BAR: f64 = 0.34;

/// Longest name beside a bar, in characters.
pub(in crate::report) const LONGEST_NAME: usize = 26;

/// Height of a bar with the gap below it, in pixels.
pub(super) const BAR_HEIGHT: usize = 19;

/// One bar.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: f64,
    /// How far off the value may be to either side; 0 where that is not known.
    pub(super) error: f64,
    pub(super) color: RGBColor,
}

/// Draws the bars below each other, the first on top.
pub(super) fn draw_bars(area: &Area<'_>, bars: &[Bar], (heading, x_name): (&str, &str)) -> Drawn {
    let ends = bars.iter().flat_map(|bar| [bar.value - bar.error, bar.value + bar.error]);
    let place = |index: usize| -(index as f64);
    let labels = told_apart(bars.iter().map(|bar| bar.name.as_str()), LONGEST_NAME);
    let tick = |(index, label): (usize, String)| Tick { position: place(index), label };
    let mut ticks: Vec<Tick> = labels.into_iter().enumerate().map(tick).collect();
    // Axes go upwards.
    ticks.reverse();
    let panel = Panel {
        heading: heading.to_owned(),
        x_name: x_name.to_owned(),
        y_name: String::new(),
        x: Axis::from_zero(ends, 5),
        y: Axis::categories(place(bars.len()) + 0.4, 0.6, ticks),
    };
    let mut chart = panel.draw(area)?;
    for (index, bar) in bars.iter().enumerate() {
        let y = place(index);
        chart.bar((0.0, y - HALF_BAR), (bar.value, y + HALF_BAR), fill(bar.color, 0.6))?;
        if bar.error > 0.0 {
            let ends = [(bar.value - bar.error, y), (bar.value + bar.error, y)];
            chart.path(ends, line(INK, 0.7, 1.25))?;
        }
    }
    let (low, high) = chart.ends().y;
    chart.path([(0.0, low), (0.0, high)], line(MUTED, 1.0, 1.25))
}
