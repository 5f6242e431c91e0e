//! What an exploration prints: the columns in numbers, then what was found.

use std::fmt::Write as _;

use crate::{
    data::explore::{ColumnProfile, Finding, Profile, Severity},
    pipeline::Explored,
    report::told_apart,
};

use super::summary::short;

/// Findings of one kind that are printed at most.
const MOST_ALIKE: usize = 10;

/// Longest column name that is shown whole.
const NAME_WIDTH: usize = 18;

/// The summary of a table.
pub(super) fn of(explored: &Explored) -> String {
    let mut text = header(&explored.dataset.path, &explored.profile);
    text += &columns(&explored.profile);
    text += "\n";
    text += &findings(&explored.findings);
    if let Some(file) = &explored.schema_file {
        let _ = writeln!(text, "schema {}", file.display());
    }
    let _ = writeln!(text, "report {}", explored.folder.join("report.html").display());
    text
}

fn header(path: &str, profile: &Profile) -> String {
    let features = profile.columns.len() - 1;
    let mut text = format!(
        "{path}: {} rows, {features} feature{}",
        profile.rows,
        if features == 1 { "" } else { "s" }
    );
    match &profile.groups {
        Some(groups) => {
            let _ = write!(
                text,
                ", {} group{} of `{}` ({} with several rows, the largest with {})",
                groups.groups,
                if groups.groups == 1 { "" } else { "s" },
                groups.column,
                groups.repeated,
                groups.largest
            );
        }
        None => text += ", no group column",
    }
    text + "\n\n"
}

fn columns(profile: &Profile) -> String {
    let widths = profile.columns.iter().map(|column| label(column).chars().count());
    let width = widths.max().unwrap_or(0).clamp(6, NAME_WIDTH);
    let mut text = format!(
        "{:<width$} {:>7} {:>7} {:>8} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>6} {:>8} {:>9}\n",
        "column",
        "missing",
        "zeros",
        "distinct",
        "mean",
        "std",
        "min",
        "25 %",
        "median",
        "75 %",
        "max",
        "skew",
        "Pearson",
        "Spearman"
    );
    let names: Vec<String> = profile.columns.iter().map(label).collect();
    let names = told_apart(names.iter().map(String::as_str), width);
    for (column, name) in profile.columns.iter().zip(names) {
        text += &line(column, &format!("{name:<width$}"));
    }
    text
}

fn line(column: &ColumnProfile, name: &str) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), short);
    let fixed = |value: Option<f64>, decimals: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
    };
    let mut text =
        format!("{name} {:>7} {:>7} {:>8}", column.missing, column.zeros, column.distinct);
    for value in [
        column.mean,
        column.deviation,
        column.minimum,
        column.lower_quartile,
        column.median,
        column.upper_quartile,
        column.maximum,
    ] {
        let _ = write!(text, " {:>10}", number(value));
    }
    // Adding zero takes the sign off a zero.
    let skewness = column.skewness.map(|skewness| (skewness * 10.0).round() / 10.0 + 0.0);
    let skewness = skewness.map(|skewness| skewness.clamp(-9999.0, 9999.0));
    let [pearson, spearman] = [column.pearson, column.spearman].map(|value| fixed(value, 3));
    let _ = writeln!(text, " {:>6} {pearson:>8} {spearman:>9}", fixed(skewness, 1));
    text
}

/// Name and unit of a column.
fn label(column: &ColumnProfile) -> String {
    let name = &column.name;
    column.unit.as_ref().map_or_else(|| name.clone(), |unit| format!("{name} in {unit}"))
}

fn findings(findings: &[Finding]) -> String {
    let mut text = String::new();
    if findings.is_empty() {
        text += "nothing found\n";
    }
    let mut left = 0;
    for alike in findings.chunk_by(|a, b| a.kind == b.kind) {
        left += alike.len().saturating_sub(MOST_ALIKE);
        for finding in alike.iter().take(MOST_ALIKE) {
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let _ = writeln!(text, "{severity}: {}", finding.what);
            let _ = writeln!(text, "    training: {}", finding.training);
        }
    }
    if left > 0 {
        let _ = writeln!(text, "and {left} more of these kinds, which are in the report");
    }
    text + "\n"
}
