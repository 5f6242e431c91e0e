//! The page of a report: one HTML file with its figures inside, which fetches nothing.
//!
//! Invariant: every word that comes from a user's file passes through maud's escaping.

mod approach;
mod insights;
pub(super) mod leaderboard;
mod milestones;
mod preparation;
mod prose;
pub(super) mod provenance;
mod score_tables;
mod scripts;
mod verdict;
mod worst;

pub(super) use prose::{capitalised, prose};
pub(super) use verdict::r2_text;
pub use verdict::verdict;
pub(super) use worst::{reasons, resolved};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::conclusions::conclusions;
use super::number_format::counted;
use super::plots::{Figure, Figures, stylesheet};
use super::{RunReport, WhatIf};

/// The page's layout; figures bring their own colours.
const STYLE: &str = include_str!("page.css");

/// The whole page.
pub(super) fn render(report: &RunReport, figures: &Figures, what_if: Option<&WhatIf>) -> String {
    let title = format!("{} – massay report", report.name);
    let content = content(report, figures, what_if);
    document(&title, &report.provenance.version, scripts::STYLE, &content)
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

fn content(report: &RunReport, figures: &Figures, what_if: Option<&WhatIf>) -> Markup {
    html! {
        header {
            h1 { (report.name) }
            p.about { (about(report)) }
            (verdict::lead(report))
        }
        (warnings(&report.warnings))
        (verdict::numbers(report))
        section id="conclusions" {
            h2 { "Conclusions" }
            ul.conclusions { @for sentence in conclusions(report) { li { (sentence) } } }
        }
        (contents(report, what_if))
        (approach::part(report))
        (results(report, figures))
        (insights::part(report, figures))
        (scripts::panel(report, what_if))
        (milestones::part(report, figures))
        (provenance::section(&report.data, &report.provenance))
        (provenance::configuration(report))
        footer { "Written by massay " (report.provenance.version) "." }
        (scripts::all(what_if, &figures.hover))
    }
}

/// Where the parts of the page are.
fn contents(report: &RunReport, what_if: Option<&WhatIf>) -> Markup {
    let parts = [
        ("approach", "Approach", report.is_cross_validated()),
        ("results", "Results", true),
        ("insights", "Insights", report.insights.is_some()),
        ("what-if-panel", "What if", what_if.is_some()),
        ("milestones", "Milestones", milestones::is_there(report)),
        ("provenance", "Provenance", true),
    ];
    html! {
        nav.contents aria-label="Parts of this page" {
            @for (id, name, _) in parts.iter().filter(|part| part.2) { a href={ "#" (id) } { (name) } }
        }
    }
}

/// Scores and errors, pooled, by fold, by value, by row.
fn results(report: &RunReport, figures: &Figures) -> Markup {
    let figure = |name: &str| insights::figure(figures, name);
    html! {
        section.part id="results" {
            h2 { "Results" }
            (score_tables::overall(report))
            (leaderboard::section(report))
            (figure("predicted_against_actual"))
            (figure("residuals"))
            (score_tables::by_range(report))
            (figure("relative_error"))
            (figure("residual_distribution"))
            (figure("residuals_by_group"))
            (figure("calibration"))
            (worst::section(report))
            (score_tables::by_fold(report))
            (figure("scores_by_fold"))
            (figure("loss"))
        }
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
        figure id={ "figure-" (figure.name) } {
            h3 { (figure.title) }
            div.drawing tabindex="0" { (PreEscaped(figure.inline_svg())) }
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
        render(report, &draw_figures(report).unwrap(), None)
    }

    #[test]
    fn page_escapes_column_names() {
        let mut report = sample_report(40, 4);
        report.data.target = "<script>alert(1)</script>".to_owned();
        report.data.features = vec!["a\"><img src=x>".to_owned()];
        report.warnings = vec!["<b>bold</b>".to_owned()];
        let page = page(&report);
        assert!(page.contains("&lt;script&gt;alert(1)"));
        assert!(!["<script>alert", "<img", "<b>"].iter().any(|tag| page.contains(tag)));
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
