//! The page of a comparison.
//!
//! Invariant: every word that comes from a user's file passes through maud's escaping.

use maud::{Markup, html};

use super::{Comparison, TextTable};
use crate::report::number_format::counted;
use crate::report::page::{document, figure_block, prose, warnings};
use crate::report::plots::Figure;

/// What stands below the differences.
pub(super) const DIFFERENCE_NOTE: &str = "RMSE of each run less that of the first, on the rows that both judged without having seen them. The \
     bounds come from drawing containers anew, with both runs on the same draw. Over folds: mean ± standard \
     error, corrected for the training rows that folds share (Nadeau and Bengio, 2003), only where both runs \
     were judged on the same folds. Clear: the bounds leave out zero and the test over folds, where there is \
     one, has p below 0.05 with the same sign. Probable: only the bounds leave out zero.";

/// The whole page.
pub(super) fn render(comparison: &Comparison, figure: Option<&Figure>) -> String {
    let title = format!("{} – massay comparison", title(comparison));
    document(&title, &comparison.version, "", &content(comparison, figure))
}

/// The runs by name, e.g. `a, b and c`.
pub(super) fn title(comparison: &Comparison) -> String {
    let names: Vec<&str> = comparison.runs.iter().map(|run| run.run.as_str()).collect();
    names.join(", ")
}

fn content(comparison: &Comparison, figure: Option<&Figure>) -> Markup {
    let differences = format!("Differences to {}", comparison.reference());
    html! {
        header {
            h1 { (title(comparison)) }
            p.about { (about(comparison)) }
            p.lead { (comparison.verdict()) "." }
        }
        (warnings(&comparison.notes))
        (section("Runs", &comparison.run_table(), ""))
        (section(&differences, &comparison.difference_table(), DIFFERENCE_NOTE))
        @if let Some(figure) = figure {
            section { h2 { "Figure" } (figure_block(figure)) }
        }
        (parameters(comparison))
        footer { "Written by massay " (comparison.version) "." }
    }
}

fn about(comparison: &Comparison) -> Markup {
    html! {
        strong { (comparison.target) @if !comparison.unit.is_empty() { " (" (comparison.unit) ")" } }
        " · " (counted(comparison.runs.len(), "run")) " side by side, compared with "
        strong { (comparison.reference()) }
    }
}

fn parameters(comparison: &Comparison) -> Markup {
    let table = comparison.parameter_table();
    if !table.lines.is_empty() {
        return section("Parameters that differ", &table, "");
    }
    html! { section { h2 { "Parameters that differ" } p { "None." } } }
}

/// A table under its heading; nothing where it has no lines.
fn section(heading: &str, table: &TextTable, note: &str) -> Markup {
    let class = |column: usize| if table.is_number(column) { "number" } else { "" };
    html! {
        @if !table.lines.is_empty() {
            section {
                h2 { (heading) }
                div.scroll tabindex="0" { table {
                    thead { tr { @for (column, name) in table.header.iter().enumerate() {
                        th class=(class(column)) { (name) }
                    } } }
                    tbody { @for cells in &table.lines { tr {
                        @for (column, cell) in cells.iter().enumerate() {
                            @if column == 0 { th scope="row" { (cell) } }
                            @else { td class=(class(column)) { (cell) } }
                        }
                    } } }
                } }
                @if !note.is_empty() { p.note { (prose(note)) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::{figure, sample_comparison::sample_comparison};

    fn page(comparison: &Comparison) -> String {
        render(comparison, figure::draw(comparison).unwrap().as_ref())
    }

    #[test]
    fn verdict_stands_above_the_tables_and_the_figure() {
        let page = page(&sample_comparison(2));
        let at = |what: &str| page.find(what).unwrap();
        assert!(at("b has a clearly smaller error") < at("<table"));
        assert!(at("Differences to a") < at("<svg role") && at("<svg role") < at("model.kind"));
    }

    #[test]
    fn page_escapes_names_and_fetches_nothing() {
        let mut comparison = sample_comparison(2);
        comparison.target = "<script>alert(1)</script>".to_owned();
        comparison.parameters[0].key = "<img src=x>".to_owned();
        comparison.notes = vec!["<b>bold</b>".to_owned()];
        let page = page(&comparison);
        assert!(page.contains("&lt;script&gt;alert(1)"));
        assert!(!["<script", "<img", "<b>", "https://"].iter().any(|tag| page.contains(tag)));
    }

    #[test]
    fn equal_parameters_are_told() {
        let mut comparison = sample_comparison(2);
        comparison.parameters.clear();
        assert!(page(&comparison).contains("<p>None.</p>"));
    }
}
