//! Residuals container by container: whether one is off as a whole.

use std::collections::BTreeMap;

use super::Figure;
use super::axis::Axis;
use super::canvas::sheet;
use super::legend::{Mark, legend};
use super::panel::Panel;
use super::style::{BLUE, MUTED, fill, line};
use super::ticks::Tick;
use crate::evaluate::ScoredRow;
use crate::report::names::abbreviated;
use crate::report::number_format::{counted, significant};
use crate::report::{ReportError, RunReport};

/// Most groups in the figure; of more, those that are farthest off.
const MOST_GROUPS: usize = 60;

/// Longest name below the axis, in characters.
const LONGEST_NAME: usize = 18;

/// Draws the figure; `None` where rows share no groups.
pub(super) fn draw(report: &RunReport) -> Result<Option<Figure>, ReportError> {
    let (Some(effect), Some(name)) = (report.trust.group_effect, &report.data.group) else {
        return Ok(None);
    };
    let groups = chosen(&report.evaluation.rows);
    let all: Vec<f64> = groups.iter().flat_map(|(_, own)| own.iter().copied()).collect();
    let unit = report.data.unit_in_brackets();
    let svg = sheet((720, 340), |area| {
        let rest = legend(
            area,
            &[(Mark::Disc, BLUE, "one row"), (Mark::Whisker, BLUE, "all rows of one group")],
        )?;
        let panel = Panel {
            heading: String::new(),
            x_name: format!("{name}, in the order of its mean residual"),
            y_name: format!("prediction − actual{unit}"),
            x: Axis::categories(-1.0, groups.len() as f64, labels(&groups)),
            y: Axis::linear(all.iter().copied().chain([0.0]), 6),
        };
        let mut chart = panel.draw(&rest)?;
        let (left, right) = chart.ends().x;
        chart.path([(left, 0.0), (right, 0.0)], line(MUTED, 1.0, 1.25))?;
        for (place, (_, own)) in groups.iter().enumerate() {
            let x = place as f64;
            let low = own.iter().copied().fold(f64::INFINITY, f64::min);
            let high = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            chart.path([(x, low), (x, high)], line(BLUE, 0.35, 1.5))?;
            chart.discs(own.iter().map(|residual| (x, *residual)), 2.8, fill(BLUE, 0.8))?;
        }
        Ok(())
    })?;
    let left_out = effect.groups.saturating_sub(groups.len());
    let note = if left_out > 0 {
        format!(" The {} nearest to 0 are not shown.", counted(left_out, report.data.one_unit()))
    } else {
        String::new()
    };
    let alike = match effect.correlation {
        0.5.. => "so measuring one again helps little: what is wrong with it stays wrong",
        _ => "so the mean of several measurements of one is better than each",
    };
    Ok(Some(Figure {
        name: "residuals_by_group",
        title: "Residuals by group",
        caption: format!(
            "Rows of one {name} err with an intraclass correlation of {}, {alike}.{note}",
            significant(effect.correlation, 2)
        ),
        svg,
    }))
}

/// The groups that are shown with their residuals, in the order of their mean.
fn chosen(rows: &[ScoredRow]) -> Vec<(&str, Vec<f64>)> {
    let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.repeat == 0) {
        let residual = row.prediction - row.target;
        if let Some(group) = row.group.as_deref().filter(|_| residual.is_finite()) {
            groups.entry(group).or_default().push(residual);
        }
    }
    let mean = |own: &(&str, Vec<f64>)| own.1.iter().sum::<f64>() / own.1.len() as f64;
    let mut all: Vec<(&str, Vec<f64>)> = groups.into_iter().collect();
    all.sort_by(|a, b| mean(b).abs().total_cmp(&mean(a).abs()));
    all.truncate(MOST_GROUPS);
    all.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
    all
}

/// Names of the outermost groups and of one between: names of all would not stand apart.
fn labels(groups: &[(&str, Vec<f64>)]) -> Vec<Tick> {
    let mut places = vec![0, groups.len() / 2, groups.len().saturating_sub(1)];
    places.dedup();
    let tick = |place: usize| Tick {
        position: place as f64,
        label: abbreviated(groups[place].0, LONGEST_NAME),
    };
    places.into_iter().filter(|place| *place < groups.len()).map(tick).collect()
}
