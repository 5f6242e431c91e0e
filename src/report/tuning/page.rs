//! The page of a search.
//!
//! Invariant: every word that comes from a user's file passes through maud's escaping.

use maud::{Markup, html};

use super::{Tuning, TuningFold, TuningTrial};
use crate::report::number_format::{counted, significant};
use crate::report::page::leaderboard::difference;
use crate::report::page::{document, figure_block, provenance, r2_text, warnings};
use crate::report::plots::Figure;

/// The whole page.
pub(super) fn render(tuning: &Tuning, figures: &[Figure]) -> String {
    let title = format!("{} – massay tuning", tuning.name);
    document(&title, &tuning.provenance.version, "", &content(tuning, figures))
}

fn content(tuning: &Tuning, figures: &[Figure]) -> Markup {
    html! {
        header {
            h1 { (tuning.name) }
            p.about { (about(tuning)) }
            p.lead { (tuning.sentence()) "." }
        }
        (warnings(&tuning.warnings))
        (comparison(tuning))
        (winner(tuning))
        (by_fold(tuning))
        section {
            h2 { "Figures" }
            @for figure in figures { (figure_block(figure)) }
        }
        (trials(tuning))
        (provenance::section(&tuning.data, &tuning.provenance))
        footer { "Written by massay " (tuning.provenance.version) "." }
    }
}

fn about(tuning: &Tuning) -> Markup {
    let data = &tuning.data;
    html! {
        strong { (data.target_label()) } " predicted from "
        (counted(data.features.len(), "feature")) " · " (counted(data.rows, "row")) " · "
        (counted(tuning.trials.len(), "trial")) " of "
        (counted(tuning.searched.len(), "parameter")) " of the networks"
    }
}

/// The search beside the parameters as they stand, on rows that neither has seen.
fn comparison(tuning: &Tuning) -> Markup {
    let unit = tuning.data.unit_in_brackets();
    html! {
        section {
            h2 { "Is it worth it?" }
            p {
                "The whole search was repeated within the training rows of each fold, and its winner \
                 judged by the rows that the fold holds out. These are the errors to expect of networks \
                 with parameters found in this way."
            }
            div.scroll tabindex="0" { table {
                thead { tr {
                    th { "networks" }
                    th.number { "RMSE" (unit) }
                    th.number { "MAE" (unit) }
                    th.number { "R²" }
                    th.number { "RMSE less that of tuned" }
                    th.meaning { "verdict" }
                } }
                tbody { @for entry in &tuning.board.entries { tr {
                    th scope="row" { (entry.model) }
                    td.number { (significant(entry.rmse, 4)) }
                    td.number { (significant(entry.mae, 4)) }
                    td.number { (entry.r2.map_or_else(|| "–".to_owned(), r2_text)) }
                    td.number { (entry.difference.map_or_else(|| "–".to_owned(), difference)) }
                    td.meaning { (entry.difference.map_or("", |own| own.verdict())) }
                } } }
            } }
            p.note {
                "Differences are means over the folds ± their standard error, corrected for the training \
                 rows that folds share (Nadeau and Bengio, 2003)."
            }
        }
    }
}

fn by_fold(tuning: &Tuning) -> Markup {
    let rmse = |model: &str, index: usize| {
        let entry = tuning.board.entry(model);
        let value = entry.and_then(|entry| entry.fold_rmse.get(index).copied());
        value.map_or_else(|| "–".to_owned(), |value| significant(value, 4))
    };
    let several = tuning.folds.iter().any(|fold| fold.repeat > 0);
    let name = |fold: &TuningFold| {
        if several {
            format!("repeat {} fold {}", fold.repeat, fold.fold)
        } else {
            format!("fold {}", fold.fold)
        }
    };
    html! { section {
        h2 { "By fold" }
        div.scroll tabindex="0" { table {
            thead { tr {
                th { "held out" }
                th.number { "trial that won" }
                th.number { "RMSE tuned" }
                th.number { "RMSE untuned" }
            } }
            tbody { @for (index, fold) in tuning.folds.iter().enumerate() { tr {
                th scope="row" { (name(fold)) }
                td.number { (fold.winner) }
                td.number { (rmse(Tuning::TUNED, index)) }
                td.number { (rmse(Tuning::UNTUNED, index)) }
            } } }
        } }
    } }
}

fn winner(tuning: &Tuning) -> Markup {
    let wins = tuning.trials[tuning.winner].wins;
    let folds = counted(tuning.folds.len(), "fold");
    html! {
        section {
            h2 { "The winner" }
            p {
                "Trial " (tuning.winner) " won the search within all rows"
                @if tuning.winner == 0 { " – the parameters as they stand" }
                ", and that within the training rows of " (wins) " of " (folds) ". "
                code { "params.toml" } " beside this page holds its parameters; "
                code { "massay train --params FILE" } " trains with them."
            }
            pre { code { (tuning.parameters.trim_end()) } }
        }
    }
}

fn trials(tuning: &Tuning) -> Markup {
    let mut order: Vec<&TuningTrial> = tuning.trials.iter().collect();
    order.sort_by(|a, b| {
        let rmse = |trial: &TuningTrial| trial.rmse.unwrap_or(f64::INFINITY);
        b.rung.cmp(&a.rung).then(rmse(a).total_cmp(&rmse(b)))
    });
    let rungs: Vec<String> = tuning
        .rungs
        .iter()
        .map(|(trials, networks)| {
            format!("{} of {}", counted(*trials, "trial"), counted(*networks, "network"))
        })
        .collect();
    html! {
        section {
            h2 { "Trials" }
            p {
                "Successive halving on " (counted(tuning.rungs.len(), "rung")) ": "
                (rungs.join(", then ")) ". Errors are inner validation RMSE in standard deviations of the \
                 target: trials are picked by them, so the best of many is too good to be expected again."
            }
            div.scroll tabindex="0" { table {
                thead { tr {
                    th.number { "trial" }
                    @for searched in &tuning.searched { th.number { (short(&searched.name)) } }
                    th.number { "first rung" }
                    th.number { "last rung" }
                    th.number { "error there" }
                    th.number { "folds won" }
                } }
                tbody { @for trial in order { (line(tuning, trial)) } }
            } }
        }
    }
}

fn line(tuning: &Tuning, trial: &TuningTrial) -> Markup {
    let error = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |e| significant(e, 3));
    let mark = match trial.number {
        number if number == tuning.winner => " ★",
        0 => " (as they stand)",
        _ => "",
    };
    html! { tr {
        th.number scope="row" { (trial.number) (mark) }
        @for value in &trial.values { td.number { (value) } }
        td.number { (error(trial.first_rmse)) }
        td.number { (trial.rung + 1) }
        td.number { (error(trial.rmse)) }
        td.number { (trial.wins) }
    } }
}

/// A parameter without its section.
fn short(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).replace('_', " ")
}
