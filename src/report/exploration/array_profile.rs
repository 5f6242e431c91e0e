//! The signal along the detector array: quartiles, median and mean of each detector.

use super::grid::WIDTH;
use super::table_view::{Column, TableView};
use crate::report::ReportError;
use crate::report::plots::Figure;
use crate::report::plots::axis::Axis;
use crate::report::plots::canvas::{Drawn, sheet};
use crate::report::plots::legend::{LEGEND_HEIGHT, Mark, legend};
use crate::report::plots::panel::{Chart, Panel};
use crate::report::plots::style::{
    BLUE, GRID, ORANGE, SMALL_TEXT, fill, line, px, register_fonts, text_width,
};
use crate::report::plots::ticks::Tick;

/// Fewest features that make an array.
const FEWEST: usize = 3;

/// Ratio of the largest to the smallest median up to which features share a scale.
const WIDEST_RATIO: f64 = 1000.0;

/// Distance between rings, in detectors.
const RING_GAP: f64 = 0.8;

/// Half the width of a detector's band, in detectors.
const HALF_BAND: f64 = 0.4;

/// Room for the detectors' names, in pixels.
const NAME_ROOM: f64 = 620.0;

/// Narrowest shortened name that still says something, in pixels.
const NARROWEST_NAME: f64 = 44.0;

/// Room between two names, in pixels.
const NAME_GAP: f64 = 6.0;

/// One detector: its place on the axis and its statistics.
struct Detector<'a> {
    place: f64,
    ring: usize,
    column: &'a Column<'a>,
    mean: f64,
    quartiles: (f64, f64),
    median: f64,
}

/// Draws the figure; `None` where the features do not share a scale.
pub(super) fn draw(view: &TableView<'_>) -> Result<Option<Figure>, ReportError> {
    let detectors = detectors(view);
    if !share_a_scale(&detectors) {
        return Ok(None);
    }
    register_fonts();
    let svg = sheet((WIDTH, 340 + LEGEND_HEIGHT as u32), |area| {
        let entries = [
            (Mark::Bar, BLUE, "middle half of the rows"),
            (Mark::Line, BLUE, "median"),
            (Mark::Diamond, ORANGE, "mean"),
        ];
        let rest = legend(area, &entries)?;
        let mut chart = panel(view, &detectors).draw(&rest)?;
        draw_rings(&mut chart, &detectors)
    })?;
    let (name, title) = ("array_profile", "Signal by detector");
    Ok(Some(Figure { name, title, caption: caption(view), svg }))
}

/// The features in the order of the table, or of the stated rings with gaps between them.
fn detectors<'a>(view: &'a TableView<'a>) -> Vec<Detector<'a>> {
    let all = vec![(0..view.features.len()).collect()];
    let rings = if view.rings.is_empty() { &all } else { &view.rings };
    let places = rings.iter().enumerate().flat_map(|(ring, members): (usize, &Vec<usize>)| {
        members.iter().map(move |member| (ring, *member))
    });
    let places = places.enumerate();
    let detector = |(index, (ring, member)): (usize, (usize, usize))| {
        Detector::new(&view.features[member], index as f64 + ring as f64 * RING_GAP, ring)
    };
    places.filter_map(detector).collect()
}

impl<'a> Detector<'a> {
    /// `None` where the column has no values.
    fn new(column: &'a Column<'a>, place: f64, ring: usize) -> Option<Self> {
        let profile = column.profile;
        Some(Self {
            place,
            ring,
            column,
            mean: profile.mean?,
            quartiles: (profile.lower_quartile?, profile.upper_quartile?),
            median: profile.median?,
        })
    }
}

/// Whether no quartile is negative and most medians lie within a few decades.
fn share_a_scale(detectors: &[Detector<'_>]) -> bool {
    let medians = || detectors.iter().map(|one| one.median).filter(|median| *median > 0.0);
    let high = medians().fold(0.0, f64::max);
    let low = medians().fold(f64::INFINITY, f64::min);
    let none_negative = detectors.iter().all(|one| one.quartiles.0 >= 0.0 && one.mean >= 0.0);
    none_negative
        && medians().count() >= FEWEST.max(detectors.len() / 2)
        && high / low <= WIDEST_RATIO
}

fn panel(view: &TableView<'_>, detectors: &[Detector<'_>]) -> Panel {
    let unit = view.features.first().and_then(|feature| feature.unit);
    let is_common = view.features.iter().all(|feature| feature.unit == unit);
    let unit = unit.filter(|_| is_common).map(|unit| format!(" ({unit})")).unwrap_or_default();
    let last = detectors.last().map_or(0.0, |detector| detector.place);
    Panel {
        // Makes room above the plot, where the rings are named.
        heading: if view.rings.len() > 1 { "\u{a0}".to_owned() } else { String::new() },
        x_name: String::new(),
        y_name: format!("signal{unit}"),
        x: Axis::categories(-0.7, last + 0.7, name_ticks(detectors)),
        y: signal_axis(detectors),
    }
}

/// The names below the axis, shortened, and every n-th where they would still touch.
fn name_ticks(detectors: &[Detector<'_>]) -> Vec<Tick> {
    let widest = detectors
        .iter()
        .map(|one| text_width(&one.column.profile.name, SMALL_TEXT))
        .max()
        .unwrap_or(0);
    let widest = f64::from(widest) / f64::from(px(1.0)) + NAME_GAP;
    let share = NAME_ROOM / detectors.len().max(1) as f64;
    let stride = (NARROWEST_NAME.min(widest) / share).ceil().max(1.0) as usize;
    let room = share * stride as f64 - NAME_GAP;
    let shown = detectors.iter().step_by(stride);
    shown
        .map(|one| Tick { position: one.place, label: one.column.short_name("", room, SMALL_TEXT) })
        .collect()
}

/// Spans everything that is drawn.
fn signal_axis(detectors: &[Detector<'_>]) -> Axis {
    let values = detectors.iter().flat_map(|one| [one.quartiles.0, one.quartiles.1, one.mean]);
    let positive: Vec<f64> = values.filter(|value| *value > 0.0).collect();
    let fitting = Axis::fitting(&positive, 5);
    if fitting.is_logarithmic() { fitting } else { Axis::from_zero(positive, 5) }
}

fn draw_rings(chart: &mut Chart<'_>, detectors: &[Detector<'_>]) -> Drawn {
    let (low, high) = chart.ends().y;
    let rings: Vec<&[Detector<'_>]> =
        detectors.chunk_by(|left, right| left.ring == right.ring).collect();
    for (index, ring) in rings.iter().enumerate() {
        draw_ring(chart, ring)?;
        let (first, last) = (ring[0].place, ring[ring.len() - 1].place);
        if index > 0 {
            let between = first - f64::midpoint(1.0, RING_GAP);
            chart.dashes((between, low), (between, high), GRID)?;
        }
        if rings.len() > 1 {
            let name = format!("ring {}", ring[0].ring + 1);
            chart.note(&name, (f64::midpoint(first, last), high))?;
        }
    }
    Ok(())
}

fn draw_ring(chart: &mut Chart<'_>, ring: &[Detector<'_>]) -> Drawn {
    // Steps rather than slopes: between two detectors there is nothing that was measured.
    for one in ring {
        let (left, right) = (one.place - HALF_BAND, one.place + HALF_BAND);
        chart.bar((left, one.quartiles.0), (right, one.quartiles.1), fill(BLUE, 0.3))?;
        chart.path([(left, one.median), (right, one.median)], line(BLUE, 1.0, 2.0))?;
    }
    chart.path(ring.iter().map(|one| (one.place, one.mean)), line(ORANGE, 0.8, 1.25))?;
    chart.diamonds(ring.iter().map(|one| (one.place, one.mean)), 3.5, fill(ORANGE, 1.0))
}

fn caption(view: &TableView<'_>) -> String {
    let order = if view.rings.is_empty() {
        "in the order of the table"
    } else {
        "ring by ring, in the order of their angles"
    };
    format!(
        "The detectors {order}. Detectors that stand alike should see alike: look for one that is far \
         below its neighbours (dead or shielded), for a band without height (stuck), and for a mean far \
         above the band (a few very strong rows)."
    )
}
