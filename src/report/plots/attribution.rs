//! Why the worst prediction came out as it did, column by column.

use super::Figure;
use super::bars::{BAR_HEIGHT, Bar, draw_bars};
use super::canvas::sheet;
use super::style::{BLUE, MUTED, VERMILLION};
use crate::evaluate::Explained;
use crate::report::number_format::{counted, significant};
use crate::report::{ReportError, RunReport};

/// Most bars.
const MOST_BARS: usize = 16;

/// Draws the figure.
pub(super) fn draw(report: &RunReport, worst: &Explained) -> Result<Figure, ReportError> {
    let unit = report.data.unit_suffix();
    let mut order: Vec<usize> = (0..worst.contributions.len()).collect();
    let size = |column: &usize| worst.contributions[*column].abs();
    order.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let rest = order.split_off(order.len().min(MOST_BARS));
    let bar = |column: &usize| {
        let value = worst.contributions[*column];
        let name = report.data.features.get(*column).map_or("", String::as_str);
        let own = worst.values[*column].map_or("missing".to_owned(), |own| significant(own, 3));
        Bar {
            name: format!("{name} = {own}"),
            value,
            error: 0.0,
            color: if value < 0.0 { VERMILLION } else { BLUE },
        }
    };
    let mut bars: Vec<Bar> = order.iter().map(bar).collect();
    if !rest.is_empty() {
        bars.push(Bar {
            name: format!("the other {}", counted(rest.len(), "column")),
            value: rest.iter().map(|column| worst.contributions[*column]).sum(),
            error: 0.0,
            color: MUTED,
        });
    }
    let x_name = format!("part of the prediction{}", report.data.unit_in_brackets());
    let svg = sheet((720, (BAR_HEIGHT * bars.len() + 60) as u32), |area| {
        draw_bars(area, &bars, ("", &x_name))
    })?;
    let row = &worst.row;
    let group = row.group.as_deref().map_or_else(String::new, |group| format!(" ({group})"));
    let amount = |value: f64| format!("{}{unit}", significant(value, 3));
    Ok(Figure {
        name: "worst_prediction",
        title: "Why the worst prediction came out as it did",
        caption: format!(
            "Row {}{group}: {} predicted where {} is true. From the mean prediction {} of other rows, each column \
             adds its Shapley value (from sampled orders; Castro, Gómez and Tejada, 2009); together they make the \
             prediction.",
            row.row + 1,
            amount(row.prediction),
            amount(row.target),
            amount(worst.base),
        ),
        svg,
    })
}
