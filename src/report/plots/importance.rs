//! What each column is worth: the error without it, and the error with its values from elsewhere.

use super::Figure;
use super::bars::{BAR_HEIGHT, Bar, draw_bars};
use super::canvas::sheet;
use super::legend::{Entry, LEGEND_HEIGHT, Mark, legend};
use super::style::{BLUE, ORANGE, px};
use crate::evaluate::{DroppedColumn, Importance, Insights, Retraining};
use crate::report::number_format::{counted, significant};
use crate::report::{ReportError, RunReport};

/// Most bars of a panel.
const MOST_BARS: usize = 24;

const ENTRIES: [Entry; 2] =
    [(Mark::Bar, BLUE, "one column"), (Mark::Bar, ORANGE, "several columns together")];

/// Draws the figure.
pub(super) fn draw(report: &RunReport, insights: &Insights) -> Result<Figure, ReportError> {
    let dropped = report.retraining.as_ref().map(dropped).unwrap_or_default();
    let permuted = permuted(insights, &dropped);
    let has_sets = permuted.iter().chain(&dropped).any(|bar| bar.color == ORANGE);
    let bars = permuted.len().max(dropped.len());
    let height = (BAR_HEIGHT * bars + 80) as u32 + if has_sets { LEGEND_HEIGHT as u32 } else { 0 };
    let unit = report.data.unit_in_brackets();
    let x_name = format!("increase of the RMSE{unit}");
    let svg = sheet((720, height), |area| {
        let rest = if has_sets { legend(area, &ENTRIES)? } else { area.clone() };
        let high = |bars: usize| px((BAR_HEIGHT * bars + 76) as f64);
        if dropped.is_empty() {
            let (area, _) = rest.split_vertically(high(permuted.len()));
            return draw_bars(&area, &permuted, ("", &x_name));
        }
        let (left, right) = rest.split_horizontally(px(360.0));
        let (left, _) = left.split_vertically(high(dropped.len()));
        let (right, _) = right.split_vertically(high(permuted.len()));
        draw_bars(&left, &dropped, ("trained without it", &x_name))?;
        draw_bars(&right, &permuted, ("values permuted", &x_name))
    })?;
    Ok(Figure {
        name: "importance",
        title: "What each column is worth",
        caption: caption(report, insights),
        svg,
    })
}

/// The columns in the order in which they stand in `beside`, so that both panels read across; the others after them.
fn permuted(insights: &Insights, beside: &[Bar]) -> Vec<Bar> {
    let bar = |own: &Importance| Bar {
        name: own.set.name.clone(),
        value: own.rmse_increase,
        error: own.standard_error,
        color: if own.set.columns.len() > 1 { ORANGE } else { BLUE },
    };
    let mut bars: Vec<Bar> = insights.sets.iter().chain(&insights.columns).map(bar).collect();
    let place = |own: &Bar| beside.iter().position(|other| other.name == own.name);
    bars.sort_by_key(|own| place(own).unwrap_or(beside.len()));
    bars.truncate(MOST_BARS);
    bars
}

fn dropped(retraining: &Retraining) -> Vec<Bar> {
    let bar = |own: &DroppedColumn| Bar {
        name: own.set.name.clone(),
        value: own.difference.mean,
        error: own.difference.standard_error,
        color: if own.set.columns.len() > 1 { ORANGE } else { BLUE },
    };
    let (sets, single): (Vec<&DroppedColumn>, Vec<&DroppedColumn>) =
        retraining.dropped.iter().partition(|own| own.set.columns.len() > 1);
    sets.into_iter().chain(single).map(bar).take(MOST_BARS).collect()
}

fn caption(report: &RunReport, insights: &Insights) -> String {
    let unit = report.data.unit_suffix();
    let chosen = match insights.passed_over() {
        0 => String::new(),
        _ => format!(
            "; asked of those {} of {} whose values move predictions most",
            insights.columns.len(),
            counted(insights.all_columns, "column")
        ),
    };
    let permuted = format!(
        "held-out predictions with the values of a column taken from other {}, of the same fold where it holds \
         several, which move as a whole; bars show the mean over permutations ± its standard error ({}{chosen})",
        report.data.units(),
        counted(insights.rows, "row")
    );
    match &report.retraining {
        None => format!(
            "How much worse {permuted}. A column whose information others have too is worth little here, though all \
             of them together may be worth much."
        ),
        Some(own) => format!(
            "Left: trained anew without the column{}, against the same with every column (RMSE {}{unit}); \
             ± the standard error of the difference, corrected for shared training rows. Right: {permuted}. What \
             others can stand in for is worth little on the left.",
            own.networks(),
            significant(own.rmse, 3)
        ),
    }
}
