//! The distribution of each feature, as small multiples.

use super::grid::{Grid, WIDTH};
use super::histogram::Histogram;
use super::table_view::{Scale, TableView};
use crate::report::ReportError;
use crate::report::number_format::counted;
use crate::report::plots::Figure;
use crate::report::plots::canvas::sheet;
use crate::report::plots::style::{TEXT, register_fonts};

/// Most features that get a panel.
pub(super) const MOST_PANELS: usize = 30;

/// Most bars of a histogram.
const MOST_BINS: usize = 24;

/// Draws the figure.
pub(super) fn draw(view: &TableView<'_>) -> Result<Figure, ReportError> {
    register_fonts();
    let chosen = view.strongest(MOST_PANELS);
    let grid = Grid::new(view, &chosen, &(view.rows / 4).to_string());
    let mut has_zeros = false;
    let svg = sheet((WIDTH, grid.height()), |area| {
        grid.draw(area, "rows", |area, index| {
            let column = &view.features[index];
            let histogram = Histogram::new(column, column.scale, MOST_BINS);
            has_zeros |= histogram.zeros > 0;
            let unit = column.unit.map(|unit| format!(" ({unit})")).unwrap_or_default();
            let tail = unit + if column.range.is_none() { ": empty" } else { "" };
            let heading = |room: f64| column.short_name(&tail, room, TEXT);
            histogram.draw(area, &heading, (String::new(), String::new()))
        })
    })?;
    let (name, title) = ("feature_distributions", "Distribution of each feature");
    Ok(Figure { name, title, caption: caption(view, &chosen, has_zeros), svg })
}

fn caption(view: &TableView<'_>, chosen: &[usize], has_zeros: bool) -> String {
    let by_ratios = |index: &usize| view.features[*index].scale == Scale::Logarithmic;
    let scale = match chosen.iter().filter(|index| by_ratios(index)).count() {
        0 => "",
        n_ratios if n_ratios == chosen.len() => " The horizontal axes are logarithmic.",
        _ => " The horizontal axis is logarithmic where the values span decades.",
    };
    let zeros = if has_zeros { " The orange bar at the left counts zeros." } else { "" };
    format!(
        "Columns of one kind should look alike. Look for a lonely bar far from the others, a spike at \
         one value (a detector that is stuck or saturated) and two humps (two kinds of rows).{scale}\
         {zeros}{}",
        left_out(view, chosen.len())
    )
}

/// What a caption adds where not every feature is drawn.
pub(super) fn left_out(view: &TableView<'_>, shown: usize) -> String {
    match view.features.len() - shown {
        0 => String::new(),
        more => format!(
            " Shown: the {shown} features with the strongest rank correlation with the target; {} not \
             shown.",
            counted(more, "further feature")
        ),
    }
}
