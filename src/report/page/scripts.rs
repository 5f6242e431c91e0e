//! What the page can do where scripts run: points that say what they are, and a panel that predicts.
//!
//! Invariant: without scripts nothing is missing but these two.

use maud::{Markup, PreEscaped, html};
use serde::Serialize;

use crate::report::plots::agreement::{HoverPoint, NAME};
use crate::report::{RunReport, WhatIf};

const MODEL: &str = include_str!("model.js");
const PANEL: &str = include_str!("what_if.js");
const HOVER: &str = include_str!("hover.js");

/// Style of the panel and of what points say.
pub(super) const STYLE: &str = include_str!("what_if.css");

/// Place of the panel, which its script fills and shows; where there is no model for it, what else predicts.
pub(super) fn panel(report: &RunReport, what_if: Option<&WhatIf>) -> Markup {
    html! {
        @if what_if.is_none() && report.insights.is_some() {
            p.note {
                "This page does not predict by itself: its model is too large for a page, is not here any more, or \
                 fills missing values. " code { "massay serve --checkpoint checkpoints/" (report.name) }
                " has a page that does."
            }
        }
        @if what_if.is_some() {
            section.part id="what-if-panel" hidden {
                h2 { "What if a value had been another?" }
            }
        }
    }
}

/// The data and the scripts, at the end of the page.
pub(super) fn all(what_if: Option<&WhatIf>, hover: &[HoverPoint]) -> Markup {
    #[derive(Serialize)]
    struct Points<'a> {
        points: &'a [HoverPoint],
    }
    html! {
        @if let Some(own) = what_if {
            script type="application/json" id="what-if" { (PreEscaped(json(own))) }
            script type="text/plain" id="model" { (PreEscaped(&own.model)) }
            script { (PreEscaped(MODEL)) (PreEscaped(PANEL)) }
        }
        @if !hover.is_empty() {
            script.hover type="application/json" data-figure=(NAME) {
                (PreEscaped(json(&Points { points: hover })))
            }
            script { (PreEscaped(HOVER)) }
        }
    }
}

/// JSON that cannot end the element it stands in, whatever its texts hold.
fn json(value: &impl Serialize) -> String {
    // What cannot be written as JSON cannot be in these types.
    serde_json::to_string(value).unwrap_or_default().replace('<', "\\u003c")
}
