//! How the numbers came about: data, features, model, folds, each with the parameter that says so.

use maud::{Markup, html};
use toml::{Table, Value};

use super::preparation;
use crate::report::number_format::{count, counted};
use crate::report::{BOTH_SIDES, RunReport};

/// What is said of a run, and the parameters that it comes from.
const RECIPE: [(&str, &[&str]); 9] = [
    ("folds", &["cv.folds", "cv.repeats", "cv.split_by"]),
    ("target", &["target.transform", "target.minimum"]),
    ("cleaning", &["clean.missing", "clean.clip", "clean.dead_share"]),
    ("features", &["features.set", "features.augment"]),
    ("model", &["model.kind"]),
    (
        "networks",
        &["model.members", "model.hidden", "model.activation", "model.embedding", "model.dropout"],
    ),
    (
        "training",
        &[
            "train.recipe",
            "train.epochs",
            "train.batch_size",
            "train.learning_rate",
            "train.schedule",
            "train.weight_decay",
            "train.loss",
        ],
    ),
    ("intervals", &["interval.level"]),
    ("seed", &["train.seed"]),
];

/// The part of the page; nothing for an evaluation, which trains nothing.
pub(super) fn part(report: &RunReport) -> Markup {
    if !report.is_cross_validated() {
        return html! {};
    }
    let params: Table = report.params.parse().unwrap_or_default();
    html! {
        section.part id="approach" {
            h2 { "Approach" }
            p { (data(report)) }
            div.scroll tabindex="0" { table.facts {
                                tbody {
                    @for (name, keys) in RECIPE {
                        @let known = known(&params, keys);
                        @if !known.is_empty() { tr {
                            th scope="row" { (name) }
                            td { @for (index, (key, value)) in known.iter().enumerate() {
                                @if index > 0 { ", " } span.parameter { code { (key) } " " (value) }
                            } }
                        } }
                    }
                }
            } }
            p.note { "All parameters stand under Configuration; " code { "params.toml" } " and "
                code { "--set" } " change them." }
            (preparation::section(report))
            (preparation::leakage(report))
        }
    }
}

fn data(report: &RunReport) -> Markup {
    let data = &report.data;
    let version: String = data.sha256.chars().take(12).collect();
    html! {
        (counted(data.rows, "row")) " of " code { (data.path) } " (SHA-256 " code { (version) } "…"
        @if let Some(dvc) = &data.dvc { ", DVC " code { (dvc) } }
        ")"
        @if let (Some(group), Some(groups)) = (&data.group, data.groups) {
            ", from " (count(groups)) " of " code { (group) }
            ", whose rows stay on one side of every split" @if report.warnings.iter().any(|own| own.contains(BOTH_SIDES)) { " unless a warning above says otherwise" }
        }
        ". Every row was predicted by models that had not seen it; what cleans, scales, chooses features, stops the \
         training and weighs the models was fitted on training rows only."
    }
}

/// The parameters of `keys` that are set, with their values.
fn known<'a>(params: &Table, keys: &[&'a str]) -> Vec<(&'a str, String)> {
    let value = |key: &&'a str| {
        let (section, name) = key.split_once('.')?;
        let value = params.get(section)?.get(name)?;
        Some((*key, text(value)))
    };
    keys.iter().filter_map(value).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
