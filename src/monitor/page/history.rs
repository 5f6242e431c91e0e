//! What else answers, and what was decided.

use maud::{Markup, html};

use crate::{
    monitor::{MonitorReport, ShadowReport},
    report::{counted, percent, significant},
};

use super::unit;

pub(super) fn section(report: &MonitorReport) -> Markup {
    html! {
        @if let Some(own) = &report.shadow { (shadow(report, own)) }
        @if !report.milestones.is_empty() {
            section {
                h2 { "What was decided" }
                ul.milestones { @for own in report.milestones.iter().rev() {
                    li { time { (own.time.replace('T', " ").replace('Z', " UTC")) } " " (own.what) }
                } }
            }
        }
    }
}

fn shadow(report: &MonitorReport, own: &ShadowReport) -> Markup {
    let unit = unit(report);
    html! { section {
        h2 { "The shadow " (own.version) }
        p {
            "Asked the same " (counted(own.rows, "row")) " it differs by "
            (significant(own.mean_absolute_difference, 3)) (unit) " on average ("
            (significant(own.mean_difference, 2)) (unit) " with its sign), and lies outside of the served interval "
            "for " (percent(own.beyond_interval, 1)) " of them. Nobody is answered by it."
        }
        @if let Some((served, shadow)) = &own.scores {
            div.scroll tabindex="0" { table {
                thead { tr {
                    th { "on rows with a true value" }
                    th.number { "rows" }
                    th.number { "RMSE" }
                    th.number { "MAE" }
                    th.number { "bias" }
                    th.number { "coverage" }
                } }
                tbody {
                    @for (name, scores) in [(&report.model.version, served), (&own.version, shadow)] { tr {
                        th scope="row" { (name) }
                        td.number { (scores.rows) }
                        td.number { (significant(scores.rmse, 4)) (unit) }
                        td.number { (significant(scores.mae, 4)) (unit) }
                        td.number { (significant(scores.bias, 3)) (unit) }
                        td.number { (percent(scores.coverage, 1)) }
                    } }
                }
            } }
        }
    } }
}
