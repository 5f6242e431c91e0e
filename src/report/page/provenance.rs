//! Where the numbers come from: data, code, machine, parameters.

use maud::{Markup, html};

use crate::report::number_format::{count, significant};
use crate::report::{DataSummary, Provenance, RunReport};

/// The provenance table.
pub(in crate::report) fn section(data: &DataSummary, run: &Provenance) -> Markup {
    html! {
        section id="provenance" {
            h2 { "Provenance" }
            div.scroll tabindex="0" { table.facts {
                tbody {
                    @for (name, value) in data_facts(data).into_iter().chain(run_facts(run)) {
                        tr { th scope="row" { (name) } td { (value) } }
                    }
                }
            } }
        }
    }
}

/// The resolved parameters.
pub(super) fn configuration(report: &RunReport) -> Markup {
    html! {
        @if !report.params.is_empty() {
            section {
                h2 { "Configuration" }
                details {
                    summary { "All parameters" }
                    pre { code { (report.params) } }
                }
            }
        }
    }
}

fn data_facts(data: &DataSummary) -> Vec<(&'static str, Markup)> {
    let mut facts = vec![
        ("data", html! { code { (data.path) } }),
        ("SHA-256", html! { code.hash { (data.sha256) } }),
        ("rows", html! { (count(data.rows)) }),
    ];
    if let (Some(group), Some(groups)) = (&data.group, data.groups) {
        facts.push(("groups", html! { (count(groups)) ", by column " code { (group) } }));
    }
    facts.push((
        "target",
        html! { code { (data.target) } @if let Some(unit) = &data.unit { ", in " (unit) } },
    ));
    facts.push(("features", names(&data.features)));
    if !data.skipped.is_empty() {
        facts.push(("columns left out", names(&data.skipped)));
    }
    facts
}

fn run_facts(run: &Provenance) -> Vec<(&'static str, Markup)> {
    let commit = match &run.git {
        None => "not in a git repository".to_owned(),
        Some(git) if git.dirty => format!("{}, with changes", git.commit),
        Some(git) => git.commit.clone(),
    };
    vec![
        ("run", html! { code.hash { (run.run_id) } }),
        ("seed", html! { (run.seed) }),
        ("backend", html! { (run.backend) " on " (run.hardware) }),
        ("started", html! { (run.started) }),
        ("duration", html! { (duration(run.seconds)) }),
        ("git commit", html! { code.hash { (commit) } }),
        ("massay", html! { (run.version) }),
    ]
}

/// Column names, each as code.
fn names(columns: &[String]) -> Markup {
    html! {
        @for (index, column) in columns.iter().enumerate() {
            @if index > 0 { ", " } code { (column) }
        }
    }
}

/// Seconds in the units that people count in.
fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..100 => format!("{} s", significant(seconds, 3)),
        100..6000 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_use_the_units_of_their_size() {
        assert_eq!(duration(12.34), "12.3 s");
        assert_eq!(duration(754.0), "12 min 34 s");
        assert_eq!(duration(7384.0), "2 h 3 min");
    }
}
