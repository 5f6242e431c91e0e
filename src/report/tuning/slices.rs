//! The error of every trial against each of its parameters.

use super::{Tuning, place::Place};
use crate::report::ReportError;
use crate::report::number_format::significant;
use crate::report::plots::Figure;
use crate::report::plots::axis::Axis;
use crate::report::plots::canvas::{Area, Drawn, sheet};
use crate::report::plots::legend::{LEGEND_HEIGHT, Mark, legend};
use crate::report::plots::panel::Panel;
use crate::report::plots::style::{BLUE, INK, VERMILLION, fill, px, register_fonts};

const WIDTH: u32 = 720;
const HEIGHT: u32 = 210;

/// Panels side by side.
const COLUMNS: usize = 2;

/// Draws the figure.
pub(super) fn draw(tuning: &Tuning) -> Result<Figure, ReportError> {
    register_fonts();
    let errors = Errors::new(tuning);
    let lines = tuning.searched.len().div_ceil(COLUMNS).max(1);
    let svg = sheet((WIDTH, LEGEND_HEIGHT as u32 + lines as u32 * HEIGHT), |area| {
        let entries = [
            (Mark::Disc, BLUE, "trial"),
            (Mark::Diamond, VERMILLION, "winner"),
            (Mark::Diamond, INK, "parameters as they stand"),
        ];
        let rest = legend(area, &entries)?;
        let places = rest.split_evenly((lines, COLUMNS));
        places
            .iter()
            .zip(0..tuning.searched.len())
            .try_for_each(|(area, index)| draw_panel(area, tuning, (index, &errors)))
    })?;
    Ok(Figure { name: "slices", title: "Error by parameter", caption: errors.caption(), svg })
}

fn draw_panel(area: &Area<'_>, tuning: &Tuning, (index, errors): (usize, &Errors)) -> Drawn {
    let place = Place::new(tuning, index);
    let is_first = index.is_multiple_of(COLUMNS);
    let panel = Panel {
        heading: place.name().to_owned(),
        x_name: String::new(),
        y_name: if is_first { "inner RMSE (sd)".to_owned() } else { String::new() },
        x: place.axis(5).thinned(px(250.0)),
        y: Axis::linear(errors.drawn.iter().flatten().copied(), 4),
    };
    let mut chart = panel.draw(area)?;
    let point = |trial: usize| Some((place.of(trial), errors.drawn[trial]?));
    let others = (1..tuning.trials.len()).filter(|trial| *trial != tuning.winner);
    chart.discs(others.filter_map(point), 3.0, fill(BLUE, 0.7))?;
    chart.diamonds(point(0), 5.0, fill(INK, 1.0))?;
    chart.diamonds(point(tuning.winner), 5.0, fill(VERMILLION, 1.0))
}

/// The errors as they are drawn.
struct Errors {
    drawn: Vec<Option<f64>>,
    /// What lies above is drawn there.
    limit: Option<f64>,
}

impl Errors {
    /// Wild errors would leave no room for the others: far beyond the third quartile (Tukey, 1977).
    fn new(tuning: &Tuning) -> Self {
        let known = tuning.trials.iter().filter_map(|trial| trial.first_rmse);
        let mut sorted: Vec<f64> = known.filter(|error| error.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let quartile = |part: usize| sorted.get(sorted.len() * part / 4).copied().unwrap_or(1.0);
        let fence = quartile(3) + 3.0 * (quartile(3) - quartile(1));
        let limit = sorted.last().is_some_and(|largest| *largest > fence).then_some(fence);
        let drawn = |error: Option<f64>| {
            let error = error.filter(|error| error.is_finite())?;
            Some(error.min(limit.unwrap_or(f64::INFINITY)))
        };
        Self { drawn: tuning.trials.iter().map(|trial| drawn(trial.first_rmse)).collect(), limit }
    }

    fn caption(&self) -> String {
        let cut = self.limit.map_or_else(String::new, |limit| {
            format!(" Errors above {} are drawn there.", significant(limit, 3))
        });
        format!(
            "Each point is one trial as the first rung judged it: the mean inner validation error over all \
             searches, in standard deviations of the target. A slope or a valley is a parameter that \
             matters; a level cloud is one that does not. The winner was picked on the last rung, by more networks.{cut}"
        )
    }
}
