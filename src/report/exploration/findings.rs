//! What was found, worst first: what it is, why it matters, what training does.

use maud::{Markup, html};

use crate::data::explore::{Finding, FindingKind, Severity};
use crate::report::number_format::{count, counted};
use crate::report::page::prose;

/// Most columns that a finding names.
const MOST_COLUMNS: usize = 12;

/// More notes than this are folded away until asked for.
const MOST_OPEN_NOTES: usize = 6;

/// The findings; a calm sentence where there is none.
pub(super) fn section(findings: &[Finding]) -> Markup {
    let of = |severity| findings.iter().filter(move |finding| finding.severity == severity);
    let notes: Vec<&Finding> = of(Severity::Note).collect();
    html! {
        section.findings {
            h2 { "What to know before training" }
            p.summary { (summary(findings)) }
            @for finding in of(Severity::Error).chain(of(Severity::Warning)) { (card(finding)) }
            @if notes.len() > MOST_OPEN_NOTES {
                details {
                    summary { "All " (notes.len()) " notes" }
                    @for finding in notes { (card(finding)) }
                }
            } @else {
                @for finding in notes { (card(finding)) }
            }
        }
    }
}

/// How many findings there are of each severity, in one sentence.
fn summary(findings: &[Finding]) -> String {
    let part = |severity: Severity, noun: &str| {
        let number = findings.iter().filter(|finding| finding.severity == severity).count();
        (number > 0).then(|| counted(number, noun))
    };
    let parts: Vec<String> = [
        part(Severity::Error, "error"),
        part(Severity::Warning, "warning"),
        part(Severity::Note, "note"),
    ]
    .into_iter()
    .flatten()
    .collect();
    match parts.split_last() {
        None => "Nothing in this table stands in the way of training.".to_owned(),
        Some((last, [])) => format!("{last}."),
        Some((last, others)) => format!("{} and {last}.", others.join(", ")),
    }
}

fn card(finding: &Finding) -> Markup {
    let (class, name) = match finding.severity {
        Severity::Error => ("finding error", "Error"),
        Severity::Warning => ("finding warning", "Warning"),
        Severity::Note => ("finding", "Note"),
    };
    html! {
        div class=(class) {
            p.severity { (name) span.kind { (kind(finding.kind)) } }
            p.what { (prose(&finding.what)) }
            p { (prose(&finding.why)) "." }
            p { strong { "In training. " } (prose(&finding.training)) "." }
            @if !finding.columns.is_empty() || !finding.rows.is_empty() {
                p.where { (columns(&finding.columns)) (rows(finding)) }
            }
        }
    }
}

/// The kind in words, e.g. `near duplicates`; in JSON the words are joined by hyphens.
fn kind(kind: FindingKind) -> String {
    let name = serde_json::to_value(kind).unwrap_or_default();
    name.as_str().unwrap_or_default().replace('-', " ")
}

fn columns(names: &[String]) -> Markup {
    let more = names.len().saturating_sub(MOST_COLUMNS);
    html! {
        @match names.len() { 0 => "", 1 => "Column ", _ => "Columns " }
        @for (index, name) in names.iter().take(MOST_COLUMNS).enumerate() {
            @if index > 0 { ", " } code { (name) }
        }
        @if more > 0 { " and " (count(more)) " more" }
    }
}

/// The named rows and how many there are beside them, after the columns.
fn rows(finding: &Finding) -> String {
    if finding.rows.is_empty() {
        return String::new();
    }
    let named: Vec<String> = finding.rows.iter().map(|row| count(*row)).collect();
    let noun = if named.len() == 1 { "row" } else { "rows" };
    let place = if finding.columns.is_empty() { "In" } else { ", in" };
    let more = finding.count.saturating_sub(named.len());
    let more = if more > 0 { format!(" and {} more", count(more)) } else { String::new() };
    format!("{place} {noun} {}{more}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity) -> Finding {
        Finding {
            kind: FindingKind::NearDuplicates,
            severity,
            columns: (0..15).map(|index| format!("det{index}")).collect(),
            rows: vec![3, 17],
            count: 1240,
            what: "what".to_owned(),
            why: "why".to_owned(),
            training: "training".to_owned(),
        }
    }

    #[test]
    fn a_table_without_findings_gets_a_calm_sentence() {
        assert!(section(&[]).into_string().contains("Nothing in this table stands in the way"));
    }

    #[test]
    fn findings_are_counted_and_the_worst_comes_first() {
        let findings = [Severity::Note, Severity::Warning, Severity::Error].map(finding);
        assert_eq!(summary(&findings), "1 error, 1 warning and 1 note.");
        let page = section(&findings).into_string();
        let place = |name: &str| page.find(&format!(">{name}<")).unwrap();
        assert!(place("Error") < place("Warning") && place("Warning") < place("Note"));
    }

    #[test]
    fn rows_and_columns_beyond_the_named_ones_are_counted() {
        let page = card(&finding(Severity::Error)).into_string();
        assert!(page.contains("and 3 more, in rows 3, 17 and 1238 more"), "{page}");
        assert!(page.contains("<code>det11</code> and 3 more") && page.contains("near duplicates"));
    }
}
