//! The tables at the end of a job.

use std::{fmt::Write as _, path::Path};

use crate::{
    evaluate::{Leaderboard, Scores},
    pipeline::Finished,
    report::{DataSummary, RunReport},
};

/// The scores of a training.
pub(super) fn of_training(finished: &Finished) -> String {
    let report = &finished.report;
    let mut text = header(&report.data, report.evaluation.level);
    let several = report.evaluation.folds.iter().any(|fold| fold.repeat > 0);
    for fold in &report.evaluation.folds {
        let name = if several {
            format!("repeat {} fold {}", fold.repeat, fold.fold)
        } else {
            format!("fold {}", fold.fold)
        };
        text += &line(&name, &fold.scores);
    }
    text += &line("pooled", &report.evaluation.pooled);
    if let Some(baseline) = &report.baseline {
        text += &line(&baseline.name, &baseline.scores);
    }
    if let Some((leakage, group)) = report.leakage.as_ref().zip(report.data.group.as_ref()) {
        let other = if leakage.is_forced {
            line("folds by group", &leakage.by_group)
        } else {
            line("folds by row", &leakage.by_row)
        };
        let _ = writeln!(text, "{other}\nleakage    {}", leakage.sentence(group));
    }
    if let Some(board) = &report.leaderboard {
        text += &leaderboard(board);
    }
    if !report.features.choice.is_empty() {
        let _ = writeln!(text, "features   {}", report.features.choice);
    }
    text += &warnings(&finished.warnings);
    let _ = writeln!(text, "\ncheckpoint {}", finished.checkpoint.display());
    let _ = writeln!(text, "report     {}", finished.report_folder.join("report.html").display());
    text
}

/// Every model on the same folds, best first.
fn leaderboard(leaderboard: &Leaderboard) -> String {
    format!("{}{}\n", board(leaderboard, true), leaderboard.sentence())
}

/// The lines of a leaderboard, with the weights of the models where they have any.
pub(super) fn board(board: &Leaderboard, is_weighed: bool) -> String {
    let weight_column = |text: &str| if is_weighed { format!("{text:>9}") } else { String::new() };
    let mut text = format!(
        "\n{:<18}{:>11}{:>11}{:>9}{}   RMSE less that of {}, fold by fold\n",
        "model",
        "RMSE",
        "MAE",
        "R2",
        weight_column("weight"),
        board.deployed
    );
    for entry in &board.entries {
        let r2 = entry.r2.map_or_else(|| "-".to_owned(), r2_text);
        let (rmse, mae) = (short(entry.rmse), short(entry.mae));
        let weight = weight_column(&format!("{:.0} %", 100.0 * entry.weight));
        let _ = write!(text, "{:<18}{rmse:>11}{mae:>11}{r2:>9}{weight}", entry.model);
        if let Some(own) = entry.difference {
            let sign = if own.mean < 0.0 { "-" } else { "+" };
            let mean = short(own.mean.abs());
            let _ =
                write!(text, "   {sign}{mean} ± {}, {}", short(own.standard_error), own.verdict());
        }
        text.push('\n');
    }
    text
}

/// R² in at most eight characters.
fn r2_text(r2: f64) -> String {
    let text = if r2 <= -100.0 { format!("{r2:.2e}") } else { format!("{r2:.4}") };
    // What rounds to 0 has no sign.
    if text == "-0.0000" { "0.0000".to_owned() } else { text }
}

/// The scores on a table that the model has not seen.
pub(super) fn of_evaluation(report: &RunReport, folder: &Path) -> String {
    let mut text = header(&report.data, report.evaluation.level);
    text += &line("all rows", &report.evaluation.pooled);
    for range in &report.evaluation.ranges {
        let name = format!("{} to {}", short(range.low), short(range.high));
        text += &line(&name, &range.scores);
    }
    text += &warnings(&report.warnings);
    let _ = writeln!(text, "\nreport {}", folder.join("report.html").display());
    text
}

fn warnings(warnings: &[String]) -> String {
    let line = |own: &String| ["\nwarning: ", own, "\n"].concat();
    warnings.iter().map(line).collect()
}

fn header(data: &DataSummary, level: f64) -> String {
    let target = &data.target;
    let of = data.unit.as_ref().map_or(target.clone(), |unit| format!("{target} in {unit}"));
    let coverage = format!("coverage of {:.0} %", 100.0 * level);
    format!(
        "\n{of:<18}{:>6}{:>11}{:>11}{:>11}{:>9}{coverage:>19}\n",
        "rows", "MSE", "RMSE", "MAE", "R2"
    )
}

fn line(name: &str, scores: &Scores) -> String {
    let r2 = scores.r2.map_or_else(|| "-".to_owned(), r2_text);
    let coverage = format!("{:.1} %", 100.0 * scores.coverage);
    let numbers = [scores.mse, scores.rmse, scores.mae].map(short);
    format!(
        "{name:<18}{:>6}{:>11}{:>11}{:>11}{r2:>9}{coverage:>19}\n",
        scores.rows, numbers[0], numbers[1], numbers[2]
    )
}

/// A number with four significant digits.
pub(super) fn short(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-3..1e6).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let digits = if magnitude < 1.0 { 4 } else { 3 - (magnitude.log10().floor() as i32).min(3) };
    format!("{value:.*}", digits as usize)
}
