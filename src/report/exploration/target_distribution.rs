//! The distribution of the target, by differences and by ratios.

use super::grid::WIDTH;
use super::histogram::Histogram;
use super::table_view::{Scale, TableView};
use crate::report::ReportError;
use crate::report::number_format::significant;
use crate::report::plots::Figure;
use crate::report::plots::canvas::sheet;
use crate::report::plots::style::px;

/// Most bars of a histogram.
const MOST_BINS: usize = 60;

/// Skewness from which a distribution is called lopsided.
const LOPSIDED: f64 = 1.0;

/// Draws the figure; the logarithmic half only where every target is positive.
pub(super) fn draw(view: &TableView<'_>) -> Result<Figure, ReportError> {
    let target = &view.target;
    let has_ratios = target.range.is_some_and(|(low, _)| low > 0.0);
    let axes = || (target.label(), "rows".to_owned());
    let linear = Histogram::new(target, Scale::Linear, MOST_BINS);
    let svg = sheet((WIDTH, 300), |area| {
        if !has_ratios {
            return linear.draw(area, &|_| String::new(), axes());
        }
        let (left, right) = area.split_horizontally(px(f64::from(WIDTH) / 2.0));
        linear.draw(&left, &|_| "linear scale".to_owned(), axes())?;
        let ratios = Histogram::new(target, Scale::Logarithmic, MOST_BINS);
        ratios.draw(&right, &|_| "logarithmic scale".to_owned(), axes())
    })?;
    let (name, title) = ("target_distribution", "Distribution of the target");
    Ok(Figure { name, title, caption: caption(view, has_ratios), svg })
}

fn caption(view: &TableView<'_>, has_ratios: bool) -> String {
    let profile = view.target.profile;
    let (Some(low), Some(median), Some(high)) = (profile.minimum, profile.median, profile.maximum)
    else {
        return "The target has no values.".to_owned();
    };
    let unit = view.target.unit.map(|unit| format!("\u{a0}{unit}")).unwrap_or_default();
    let amount = |value: f64| format!("{}{unit}", significant(value, 3));
    let is_lopsided = profile.skewness.is_some_and(|skewness| skewness.abs() > LOPSIDED);
    let advice = match (is_lopsided, has_ratios) {
        (true, true) => {
            " One long tail on the left-hand plot that is gone on the right-hand one speaks for \
             training on the logarithm."
        }
        (true, false) => " One long tail means few examples of extreme targets.",
        _ => "",
    };
    format!(
        "From {} to {}, median {}. Look for gaps and thin ends: a model knows little about targets \
         that it has rarely seen.{advice}",
        amount(low),
        amount(high),
        amount(median)
    )
}
