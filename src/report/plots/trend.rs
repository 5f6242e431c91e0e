//! The error from run to run.

use super::Figure;
use super::axis::Axis;
use super::canvas::sheet;
use super::legend::{Mark, legend};
use super::panel::{Panel, Side};
use super::style::{BLUE, TEXT, VERMILLION, fill, line, px};
use super::ticks::Tick;
use crate::report::names::fitted;
use crate::report::{PastRun, ReportError, RunReport};

/// Most runs in the figure, the newest.
const MOST_RUNS: usize = 40;

/// Most runs that all stand with their names.
const MOST_NAMES: usize = 8;

/// Width of the figure, in pixels.
const WIDTH: f64 = 720.0;

/// Draws the figure; `None` for a single run.
pub(super) fn draw(report: &RunReport) -> Result<Option<Figure>, ReportError> {
    let is_same = |run: &&PastRun| run.data_sha256 == report.data.sha256;
    let all: Vec<&PastRun> = report.milestones.runs.iter().filter(is_same).collect();
    let runs = &all[all.len().saturating_sub(MOST_RUNS)..];
    if runs.len() < 2 {
        return Ok(None);
    }
    let unit = report.data.unit_in_brackets();
    let svg = sheet((WIDTH as u32, 300), |area| {
        let rest =
            legend(area, &[(Mark::Disc, BLUE, "a run"), (Mark::Diamond, VERMILLION, "this run")])?;
        let panel = Panel {
            heading: String::new(),
            x_name: "runs, the newest on the right".to_owned(),
            y_name: format!("RMSE{unit}"),
            x: Axis::categories(-0.7, runs.len() as f64 - 0.3, ticks(runs)),
            y: Axis::from_zero(runs.iter().map(|run| run.rmse), 5),
        };
        let mut chart = panel.draw(&rest)?;
        let points = || runs.iter().enumerate().map(|(place, run)| (place as f64, run));
        chart.path(points().map(|(x, run)| (x, run.rmse)), line(BLUE, 0.5, 1.5))?;
        let others = points().filter(|(_, run)| run.name != report.name);
        chart.discs(others.map(|(x, run)| (x, run.rmse)), 3.5, fill(BLUE, 0.9))?;
        let own = points().filter(|(_, run)| run.name == report.name);
        chart.diamonds(own.map(|(x, run)| (x, run.rmse)), 5.0, fill(VERMILLION, 1.0))?;
        points().filter(|(_, run)| run.champion).try_for_each(|(x, run)| {
            let side = if x > runs.len() as f64 / 2.0 { Side::Left } else { Side::Right };
            chart.aside("champion", (x, run.rmse), side)
        })
    })?;
    Ok(Some(Figure {
        name: "trend",
        title: "The error from run to run",
        caption:
            "Runs on this table, the oldest first: only those can be compared by their error alone."
                .to_owned(),
        svg,
    }))
}

/// The names of the runs as far as there is room, of the first and the last at least.
fn ticks(runs: &[&PastRun]) -> Vec<Tick> {
    let tick = |place: usize| Tick {
        position: place as f64,
        label: fitted(&runs[place].name, px(WIDTH * 0.8) / runs.len().min(MOST_NAMES) as i32, TEXT),
    };
    if runs.len() > MOST_NAMES {
        return vec![tick(0), tick(runs.len() - 1)];
    }
    (0..runs.len()).map(tick).collect()
}
