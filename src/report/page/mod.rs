//! The page of a report: one HTML file with its figures inside, without scripts or links to fetch.
//!
//! Invariant: every word that comes from a user's file passes through maud's escaping.

pub(super) mod leaderboard;
mod preparation;
mod prose;
pub(super) mod provenance;
mod score_tables;
mod verdict;

pub(super) use prose::prose;
pub(super) use verdict::r2_text;
pub use verdict::verdict;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::RunReport;
use super::number_format::counted;
use super::plots::{Figure, stylesheet};

/// The page's layout; figures bring their own colours.
const STYLE: &str = include_str!("page.css");

/// The whole page.
pub(super) fn render(report: &RunReport, figures: &[Figure]) -> String {
    let title = format!("{} – massay report", report.name);
    document(&title, &report.provenance.version, "", &content(report, figures))
}

/// A page in the house style: `style` is added to the style sheet, `content` is the body.
pub(crate) fn document(title: &str, version: &str, style: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content={ "massay " (version) };
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(style)) (PreEscaped(stylesheet())) }
            }
            body { main { (content) } }
        }
    };
    page.into_string()
}

fn content(report: &RunReport, figures: &[Figure]) -> Markup {
    html! {
        header {
            h1 { (report.name) }
            p.about { (about(report)) }
            (verdict::lead(report))
        }
        (warnings(&report.warnings))
        (verdict::numbers(report))
        (score_tables::overall(report))
        (leaderboard::section(report))
        (preparation::leakage(report))
        section {
            h2 { "Figures" }
            @for figure in figures { (figure_block(figure)) }
        }
        (score_tables::by_range(report))
        (score_tables::by_fold(report))
        (preparation::section(report))
        (provenance::section(&report.data, &report.provenance))
        (provenance::configuration(report))
        footer { "Written by massay " (report.provenance.version) "." }
    }
}

/// What was predicted from what, and how it was judged.
fn about(report: &RunReport) -> Markup {
    let data = &report.data;
    let groups = data.groups.map(|groups| format!(", {}", counted(groups, "group")));
    html! {
        strong { (data.target_label()) } " predicted from "
        (counted(data.features.len(), "feature")) " · "
        (counted(data.rows, "row")) @if let Some(groups) = groups { (groups) } " · "
        (judged(report))
    }
}

fn judged(report: &RunReport) -> String {
    let folds = &report.evaluation.folds;
    let Some(first) = folds.first() else {
        return "judged on rows that the model has never seen".to_owned();
    };
    let n_folds = folds.iter().filter(|fold| fold.repeat == first.repeat).count();
    match folds.len() / n_folds.max(1) {
        0 | 1 => format!("cross-validated in {}", counted(n_folds, "fold")),
        n_repeats => {
            format!("cross-validated in {}, {n_repeats} times over", counted(n_folds, "fold"))
        }
    }
}

/// What the reader must know first.
pub(super) fn warnings(warnings: &[String]) -> Markup {
    html! {
        @if !warnings.is_empty() {
            section.warnings role="note" {
                h2 { "Before you trust these numbers" }
                ul { @for warning in warnings { li { (prose(warning)) } } }
            }
        }
    }
}

/// A figure under its title, above its caption.
pub(super) fn figure_block(figure: &Figure) -> Markup {
    html! {
        figure {
            h3 { (figure.title) }
            div.drawing { (PreEscaped(figure.inline_svg())) }
            figcaption { (figure.caption) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plots::draw_figures;
    use crate::report::sample_report::sample_report;

    fn page(report: &RunReport) -> String {
        render(report, &draw_figures(report).unwrap())
    }

    #[test]
    fn page_escapes_column_names() {
        let mut report = sample_report(40, 4);
        report.data.target = "<script>alert(1)</script>".to_owned();
        report.data.features = vec!["a\"><img src=x>".to_owned()];
        report.warnings = vec!["<b>bold</b>".to_owned()];
        let page = page(&report);
        assert!(page.contains("&lt;script&gt;alert(1)"));
        assert!(!["<script", "<img", "<b>"].iter().any(|tag| page.contains(tag)));
    }

    #[test]
    fn page_fetches_nothing() {
        let page = page(&sample_report(40, 4));
        assert!(page.contains("<svg role=\"img\""));
        assert!(
            !["http://", "https://", "<link", "src=", "url("]
                .iter()
                .any(|fetch| page.replace("http://www.w3.org/2000/svg", "").contains(fetch))
        );
    }

    #[test]
    fn page_of_unseen_rows_speaks_of_no_folds() {
        let mut report = sample_report(40, 4);
        report.evaluation.folds.clear();
        report.history.clear();
        report.baseline = None;
        let page = page(&report);
        assert!(page.contains("never seen") && !page.contains("By fold"));
    }

    #[test]
    fn warnings_stand_above_the_tables() {
        let mut report = sample_report(40, 4);
        report.warnings = vec!["folds leak".to_owned()];
        let page = page(&report);
        assert!(page.find("Folds leak").unwrap() < page.find("<table").unwrap());
    }
}
