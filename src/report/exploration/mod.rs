//! A table on paper before anything is trained on it: what is wrong with it, its numbers, its figures.
//!
//! | figure | shows | left out where |
//! |---|---|---|
//! | `target_distribution` | how often each target occurs, linear and logarithmic | |
//! | `feature_distributions` | how often each value of a feature occurs | |
//! | `target_against_features` | the target over each feature | |
//! | `correlations` | Pearson's correlation of each pair of columns | |
//! | `array_profile` | quartiles, median and mean by detector | features do not share a scale |
//! | `missing_values` | where values are missing | none is |
//! | `outliers` | the distance of each value from the median of its column | no column varies |
//!
//! Invariant: statistics come from the profile; what a figure counts, it counts over all rows, and only
//! points are sampled. The same table gives the same bytes.

mod array_profile;
mod column_table;
mod correlation;
mod feature_distributions;
mod findings;
mod grid;
mod histogram;
mod missing_map;
mod outliers;
mod page;
mod robust_z;
#[cfg(test)]
mod sample_table;
mod shade;
mod table_view;
mod target_against_features;
mod target_distribution;

use std::path::Path;

use rayon::prelude::*;
use table_view::TableView;

use super::ReportError;
use super::plots::Figure;
use super::report_folder::{write, write_figures};
use crate::data::explore::{Finding, Profile};
use crate::data::{Dataset, TableSchema};

/// A table with everything that is known about it.
#[derive(Clone, Debug)]
pub struct Exploration<'a> {
    /// The table.
    pub dataset: &'a Dataset,
    /// Its statistics; the columns are those of the table, in its order.
    pub profile: &'a Profile,
    /// What is wrong or odd about it.
    pub findings: &'a [Finding],
    /// What its columns are stated to hold.
    pub schema: Option<&'a TableSchema>,
    /// Unit of the target, where it is known.
    pub unit: Option<String>,
    /// Version of massay.
    pub version: String,
}

/// Draws a figure, or nothing where there is nothing to show.
type Draw = fn(&TableView<'_>) -> Result<Option<Figure>, ReportError>;

/// The figures in reading order.
const FIGURES: [Draw; 7] = [
    |view| target_distribution::draw(view).map(Some),
    |view| feature_distributions::draw(view).map(Some),
    |view| target_against_features::draw(view).map(Some),
    |view| correlation::draw(view).map(Some),
    array_profile::draw,
    missing_map::draw,
    outliers::draw,
];

/// Writes `report.html` and `figures/NAME.{svg,png}` into an existing folder.
///
/// # Errors
///
/// Where a file cannot be written or a figure cannot be drawn.
pub fn write_exploration(exploration: &Exploration<'_>, folder: &Path) -> Result<(), ReportError> {
    let figures = draw_figures(exploration)?;
    write_figures(&figures, &folder.join("figures"))?;
    write(&folder.join("report.html"), Ok(page::render(exploration, &figures).into_bytes()))
}

/// Every figure that the table has something to show in; none where its profile has no target.
fn draw_figures(exploration: &Exploration<'_>) -> Result<Vec<Figure>, ReportError> {
    let Some(view) = TableView::new(exploration) else { return Ok(Vec::new()) };
    let figures: Result<Vec<Option<Figure>>, ReportError> =
        FIGURES.par_iter().map(|draw| draw(&view)).collect();
    Ok(figures?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Instant;

    use super::sample_table::SampleTable;
    use super::*;
    use crate::report::plots::figure::parse;

    /// Draws every figure, parses it as a file and as part of the page, and returns their names.
    fn drawn(table: &SampleTable) -> Vec<&'static str> {
        let exploration = table.exploration();
        let figures = draw_figures(&exploration).unwrap();
        for figure in &figures {
            for svg in [&figure.svg, &figure.standalone_svg()] {
                parse(svg).unwrap_or_else(|error| panic!("{}: {error}", figure.name));
                assert!(!svg.contains("NaN"), "{}", figure.name);
            }
        }
        let page = page::render(&exploration, &figures);
        assert!(!page.contains("NaN") && page.len() < 3_000_000, "{}", page.len());
        figures.iter().map(|figure| figure.name).collect()
    }

    fn page(table: &SampleTable) -> String {
        let exploration = table.exploration();
        page::render(&exploration, &draw_figures(&exploration).unwrap())
    }

    /// A table of the given features over a target that rises from 1.
    fn table(features: &[&[f64]]) -> SampleTable {
        let target = (1..=features[0].len()).map(|row| row as f64).collect();
        let named = features.iter().enumerate();
        SampleTable::new(
            named.map(|(index, values)| (format!("x{index}"), values.to_vec())).collect(),
            target,
        )
    }

    #[test]
    fn the_shipped_data_gets_every_promised_file() {
        let sample = SampleTable::shipped().in_rings(5).with_findings();
        let folder = tempfile::tempdir().unwrap();
        write_exploration(&sample.exploration(), folder.path()).unwrap();
        let names = [
            "target_distribution",
            "feature_distributions",
            "target_against_features",
            "correlations",
            "array_profile",
            "outliers",
        ];
        for name in names {
            let file = folder.path().join("figures").join(name);
            let svg = fs::read_to_string(file.with_extension("svg")).unwrap();
            assert!(svg.starts_with("<svg "));
            assert!(fs::read(file.with_extension("png")).unwrap().starts_with(b"\x89PNG"));
        }
        assert_eq!(drawn(&sample), names);
        let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && page.matches("<figure ").count() == 6);
    }

    #[test]
    fn page_escapes_column_names() {
        let name = "a\"><img src=x>&\u{1}".to_owned();
        let sample = SampleTable::new(vec![(name, vec![1.0, 2.0, 3.0])], vec![1.0, 2.0, 4.0]);
        let page = page(&sample.with_findings());
        assert!(page.contains("&gt;&lt;img src=x&gt;&amp;"));
        assert!(!["<script", "<img"].iter().any(|tag| page.contains(tag)));
    }

    #[test]
    fn page_fetches_nothing() {
        let page = page(&SampleTable::grown(60, 6)).replace("http://www.w3.org/2000/svg", "");
        assert!(page.contains("<svg role=\"img\""));
        assert!(
            !["http://", "https://", "<link", "src=", "url(", "<script", "@import"]
                .iter()
                .any(|fetch| page.contains(fetch))
        );
    }

    #[test]
    fn findings_stand_above_numbers_and_figures() {
        let page = page(&SampleTable::grown(60, 6).with_findings());
        let finding = page.find("reads zero in 12").unwrap();
        assert!(finding < page.find("<table").unwrap() && finding < page.find("<figure").unwrap());
    }

    #[test]
    fn constant_empty_and_odd_columns_draw() {
        let nan = f64::NAN;
        let rows: &[&[f64]] = &[
            &[3.0; 6],
            &[nan; 6],
            &[0.0, 0.0, 0.0, 0.0, 1.0, nan],
            &[1e-300, 1.0, 1e300, -1e300, 2.0, 0.0],
            &[f64::INFINITY, 1.0, 2.0, 3.0, nan, 4.0],
            &[0.0, 0.1, 3.0, 500.0, 40.0, 7.0],
        ];
        assert!(drawn(&table(rows)).contains(&"missing_values"));
        for column in rows {
            drawn(&table(&[column]));
        }
    }

    #[test]
    fn one_row_and_an_empty_target_draw() {
        drawn(&table(&[&[5.0]]));
        drawn(&table(&[&[f64::NAN]]));
        let missing = vec![f64::NAN; 3];
        drawn(&SampleTable::new(vec![("x".to_owned(), vec![1.0, 2.0, 3.0])], missing));
        drawn(&SampleTable::new(vec![("x".to_owned(), Vec::new())], Vec::new()));
    }

    #[test]
    fn further_features_are_counted() {
        let sample = SampleTable::grown(50, 130);
        drawn(&sample);
        let page = page(&sample);
        assert!(page.contains("100 further features not shown"));
        assert!(page.contains("30 further features of weaker rank correlation"));
    }

    #[test]
    fn a_million_rows_draw_soon_and_stay_small() {
        let sample = SampleTable::grown(1_000_000, 15).in_rings(5);
        let start = Instant::now();
        let size = page(&sample).len();
        let seconds = start.elapsed().as_secs_f64();
        assert!(size < 2_500_000, "{size}");
        // Under 2 s on two idle cores; test machines are busy and slower.
        assert!(seconds < 20.0, "{seconds}");
    }
}
