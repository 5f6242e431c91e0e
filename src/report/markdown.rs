//! The report as Markdown, for repositories and pull requests: what a reader must know, with links to the figures.

use std::fmt::Write as _;

use super::RunReport;
use super::conclusions::{bounds_text, conclusions};
use super::number_format::{percent, significant};
use super::page::{r2_text, reasons, resolved, verdict};
use super::plots::Figures;

/// The text of `report.md`.
pub(super) fn markdown(report: &RunReport, figures: &Figures) -> String {
    let mut text = format!("# {}\n\n", escaped(&report.name));
    let own = &report.evaluation;
    let lead =
        verdict(&own.pooled, own.level, &report.data.unit_suffix(), report.baseline.as_ref());
    let _ = writeln!(text, "{}\n", escaped(&lead));
    if !report.warnings.is_empty() {
        text += "**Before you trust these numbers**\n\n";
        for warning in &report.warnings {
            // Warnings mark names with backticks themselves.
            let _ = writeln!(text, "- {}", warning.replace('|', "\\|"));
        }
        text.push('\n');
    }
    text += &scores(report);
    text += "## Conclusions\n\n";
    for sentence in conclusions(report) {
        let _ = writeln!(text, "- {}", escaped(&sentence));
    }
    text += &worst(report);
    text += "\n## Figures\n\n";
    for figure in &figures.all {
        let _ = writeln!(
            text,
            "![{}](figures/{}.png)\n\n{}\n",
            figure.title,
            figure.name,
            escaped(&figure.caption)
        );
    }
    let run = &report.provenance;
    let _ = writeln!(
        text,
        "---\n\nRun `{}`, {} on {}, seed {}; data `{}`, SHA-256 `{}`; massay {}.",
        run.run_id,
        run.started,
        run.backend,
        run.seed,
        report.data.path,
        report.data.sha256,
        run.version
    );
    text
}

/// The pooled scores with their bounds.
fn scores(report: &RunReport) -> String {
    let (own, unit) = (&report.evaluation.pooled, report.data.unit_suffix());
    let bounds = report.trust.bounds.as_ref();
    let mut text = "| measure | model | bounds |\n|---|---:|---|\n".to_owned();
    let mut line = |name: &str, value: String, bounds: Option<String>| {
        let _ = writeln!(text, "| {name} | {value} | {} |", bounds.unwrap_or_default());
    };
    let amount = |value: f64| format!("{}{unit}", significant(value, 3));
    let share = |value: f64| percent(value, 1);
    line("RMSE", amount(own.rmse), bounds.map(|b| bounds_text(b.rmse, b.confidence, amount)));
    line("MAE", amount(own.mae), bounds.map(|b| bounds_text(b.mae, b.confidence, amount)));
    let r2 = bounds.and_then(|b| Some(bounds_text(b.r2?, b.confidence, r2_text)));
    line("R²", own.r2.map_or_else(|| "–".to_owned(), r2_text), r2);
    line("bias", amount(own.bias), bounds.map(|b| bounds_text(b.bias, b.confidence, amount)));
    let name = format!("coverage of {}", percent(report.evaluation.level, 0));
    line(&name, share(own.coverage), bounds.map(|b| bounds_text(b.coverage, b.confidence, share)));
    text.push('\n');
    text
}

/// The worst predictions.
fn worst(report: &RunReport) -> String {
    let Some(insights) = report.insights.as_ref().filter(|own| !own.worst.is_empty()) else {
        return String::new();
    };
    let unit = report.data.unit_in_brackets();
    let mut text = format!(
        "\n## The worst predictions\n\n| row | {} | actual{unit} | predicted{unit} | interval{unit} | what moved it most |\n\
         |---:|---|---:|---:|---|---|\n",
        escaped(report.data.group.as_deref().unwrap_or("fold"))
    );
    for own in &insights.worst {
        let row = &own.row;
        let number = |value: f64| resolved(row, value);
        let group = row.group.as_deref().map_or_else(|| row.fold.to_string(), escaped);
        let _ = writeln!(
            text,
            "| {} | {group} | {} | {} | {} to {} | {} |",
            row.row + 1,
            number(row.target),
            number(row.prediction),
            number(row.lower),
            number(row.upper),
            escaped(&reasons(report, own))
        );
    }
    text
}

/// Text whose marks are no Markdown.
fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\`*_{}[]<>#|".contains(character) {
            result.push('\\');
        }
        result.push(if character.is_control() { ' ' } else { character });
    }
    result
}
