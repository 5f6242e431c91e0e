//! Every trial as a line across its parameters.

use super::{Tuning, TuningTrial, place::Place};
use crate::report::ReportError;
use crate::report::names::fitted;
use crate::report::number_format::significant;
use crate::report::plots::Figure;
use crate::report::plots::axis::Axis;
use crate::report::plots::canvas::{Area, Drawn, sheet};
use crate::report::plots::legend::{LEGEND_HEIGHT, Mark, legend};
use crate::report::plots::panel::{Chart, Panel, Side};
use crate::report::plots::style::{
    BLUE, GRID, INK, MUTED, SMALL_TEXT, VERMILLION, line, px, register_fonts,
};
use crate::report::plots::ticks::Tick;

/// Narrowest figure and narrowest place of an axis, in pixels.
const WIDTH: u32 = 720;
const AXIS_WIDTH: u32 = 104;

const HEIGHT: u32 = 340;

/// The name of the last axis.
const ERROR: &str = "inner RMSE";

/// Draws the figure.
pub(super) fn draw(tuning: &Tuning) -> Result<Figure, ReportError> {
    register_fonts();
    let lines = Lines::new(tuning);
    let width = WIDTH.max((tuning.searched.len() as u32 + 1) * AXIS_WIDTH);
    let svg = sheet((width, HEIGHT + LEGEND_HEIGHT as u32), |area| {
        let entries = [
            (Mark::Line, MUTED, "trial"),
            (Mark::Line, BLUE, "reached the last rung"),
            (Mark::Line, VERMILLION, "winner"),
            (Mark::Line, INK, "parameters as they stand"),
        ];
        lines.draw(&legend(area, &entries)?)
    })?;
    let caption = "Each line is one trial; it crosses each axis at its value and ends at its inner \
                   validation error on the first rung, best at the bottom. Blue lines that keep together \
                   show where good values lie."
        .to_owned();
    Ok(Figure { name: "parallel_coordinates", title: "Trials side by side", caption, svg })
}

/// The trials in the order of drawing, and the axes that they cross.
struct Lines<'a> {
    tuning: &'a Tuning,
    places: Vec<Place<'a>>,
    /// Rank of each trial's error as a share, 0 for the best.
    ranks: Vec<Option<f64>>,
}

impl<'a> Lines<'a> {
    fn new(tuning: &'a Tuning) -> Self {
        let places = (0..tuning.searched.len()).map(|index| Place::new(tuning, index)).collect();
        Self { tuning, places, ranks: ranks(&tuning.trials) }
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let names = self.places.iter().map(Place::name).chain([ERROR]);
        let tick = |(index, name): (usize, &str)| Tick {
            position: index as f64,
            label: fitted(&name.replace('_', " "), px(f64::from(AXIS_WIDTH) - 8.0), SMALL_TEXT),
        };
        let last = self.places.len() as f64;
        let panel = Panel {
            heading: String::new(),
            x_name: String::new(),
            y_name: String::new(),
            x: Axis::categories(-0.35, last + 0.65, names.enumerate().map(tick).collect()),
            y: Axis::categories(-0.04, 1.04, Vec::new()),
        };
        let mut chart = panel.draw(area)?;
        for index in 0..=self.places.len() {
            let x = index as f64;
            chart.path([(x, 0.0), (x, 1.0)], line(MUTED, 1.0, 1.0))?;
        }
        for (trial, style) in self.styled() {
            if let Some(points) = self.points(trial) {
                chart.path(points, style)?;
            }
        }
        self.draw_marks(&mut chart)
    }

    /// The trials with their lines, what matters most on top.
    fn styled(&self) -> Vec<(usize, plotters::style::ShapeStyle)> {
        let tuning = self.tuning;
        let level = |trial: &TuningTrial| match trial.number {
            number if number == tuning.winner => 3,
            0 => 2,
            _ => usize::from(tuning.is_finalist(trial)),
        };
        let style = |trial: &TuningTrial| match level(trial) {
            3 => line(VERMILLION, 1.0, 2.5),
            2 => line(INK, 1.0, 2.0),
            1 => line(BLUE, 0.9, 1.5),
            _ => line(MUTED, 0.35, 1.0),
        };
        let mut order: Vec<&TuningTrial> = tuning.trials.iter().collect();
        order.sort_by_key(|trial| level(trial));
        order.into_iter().map(|trial| (trial.number, style(trial))).collect()
    }

    fn points(&self, trial: usize) -> Option<Vec<(f64, f64)>> {
        let end = (self.places.len() as f64, self.ranks[trial]?);
        let values = self.places.iter().enumerate();
        let mut points: Vec<(f64, f64)> =
            values.map(|(index, place)| (index as f64, place.share(trial))).collect();
        points.push(end);
        Some(points)
    }

    fn draw_marks(&self, chart: &mut Chart<'_>) -> Drawn {
        for (index, place) in self.places.iter().enumerate() {
            for (share, label) in place.marks() {
                chart.path(
                    [(index as f64 - 0.03, share), (index as f64 + 0.03, share)],
                    line(GRID, 1.0, 1.0),
                )?;
                chart.aside(&label, (index as f64, share), Side::Right)?;
            }
        }
        let x = self.places.len() as f64;
        let known = self.tuning.trials.iter().zip(&self.ranks);
        for (trial, rank) in known.filter(|(_, rank)| matches!(rank, Some(0.0 | 1.0))) {
            let label = trial.first_rmse.map(|error| significant(error, 3)).unwrap_or_default();
            chart.aside(&label, (x, rank.unwrap_or(0.0)), Side::Right)?;
        }
        Ok(())
    }
}

/// The rank of each error as a share of all: even where one error is wild.
fn ranks(trials: &[TuningTrial]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = trials
        .iter()
        .filter_map(|trial| Some((trial.number, trial.first_rmse.filter(|e| e.is_finite())?)))
        .collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let last = order.len().saturating_sub(1).max(1) as f64;
    let rank = |trial: &TuningTrial| {
        order.iter().position(|(number, _)| *number == trial.number).map(|rank| rank as f64 / last)
    };
    trials.iter().map(rank).collect()
}
