//! The tables at the end of a job.

use std::{fmt::Write as _, path::Path};

use crate::{
    evaluate::{FoldScores, Leaderboard, RangeScores, Scores},
    pipeline::Finished,
    report::{DataSummary, RunReport, abbreviated},
};

/// Most characters of a name before its scores.
const WIDEST_NAME: usize = 48;

/// The scores of a training.
pub(super) fn of_training(finished: &Finished) -> String {
    let report = &finished.report;
    let several = report.evaluation.folds.iter().any(|fold| fold.repeat > 0);
    let fold_name = |fold: &FoldScores| {
        let repeat = if several { format!("repeat {} ", fold.repeat) } else { String::new() };
        format!("{repeat}fold {}", fold.fold)
    };
    let folds = report.evaluation.folds.iter().map(|fold| (fold_name(fold), &fold.scores));
    let mut lines: Vec<(String, &Scores)> = folds.collect();
    lines.push(("pooled".to_owned(), &report.evaluation.pooled));
    lines.extend(report.baseline.iter().map(|own| (own.name.clone(), &own.scores)));
    let leakage = report.leakage.as_ref().zip(report.data.group.as_ref());
    lines.extend(leakage.map(|(own, _)| {
        let (name, scores) = if own.is_forced {
            ("folds by group", &own.by_group)
        } else {
            ("folds by row", &own.by_row)
        };
        (name.to_owned(), scores)
    }));
    let mut text = score_table(&report.data, report.evaluation.level, &lines);
    if let Some((leakage, group)) = leakage {
        let _ = writeln!(text, "\nleakage    {}", leakage.sentence(group));
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
    let name = |range: &RangeScores| format!("{} to {}", short(range.low), short(range.high));
    let ranges = report.evaluation.ranges.iter().map(|range| (name(range), &range.scores));
    let mut lines = vec![("all rows".to_owned(), &report.evaluation.pooled)];
    lines.extend(ranges);
    let mut text = score_table(&report.data, report.evaluation.level, &lines);
    text += &warnings(&report.warnings);
    let _ = writeln!(text, "\nreport {}", folder.join("report.html").display());
    text
}

fn warnings(warnings: &[String]) -> String {
    let line = |own: &String| ["\nwarning: ", own, "\n"].concat();
    warnings.iter().map(line).collect()
}

/// Scores with their names, below each other.
fn score_table(data: &DataSummary, level: f64, lines: &[(String, &Scores)]) -> String {
    let target = &data.target;
    let of = data.unit.as_ref().map_or(target.clone(), |unit| format!("{target} in {unit}"));
    let names = std::iter::once(&of).chain(lines.iter().map(|(name, _)| name));
    let names: Vec<String> = names.map(|name| abbreviated(name, WIDEST_NAME)).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let (width, coverage) = (longest.max(18), format!("coverage of {:.0} %", 100.0 * level));
    let mut text = format!(
        "\n{:<width$}{:>6}{:>11}{:>11}{:>11}{:>9}{coverage:>19}\n",
        names[0], "rows", "MSE", "RMSE", "MAE", "R2"
    );
    for (name, (_, scores)) in names[1..].iter().zip(lines) {
        let r2 = scores.r2.map_or_else(|| "-".to_owned(), r2_text);
        let coverage = format!("{:.1} %", 100.0 * scores.coverage);
        let [mse, rmse, mae] = [scores.mse, scores.rmse, scores.mae].map(short);
        let _ = writeln!(
            text,
            "{name:<width$}{:>6}{mse:>11}{rmse:>11}{mae:>11}{r2:>9}{coverage:>19}",
            scores.rows
        );
    }
    text
}

/// A number with four significant digits.
pub(super) fn short(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e6).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let digits = 3 - (magnitude.log10().floor() as i32).min(3);
    format!("{value:.*}", digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_significant_digits() {
        let numbers = [0.0, 0.001_012_4, 0.012_344, -0.543_21, 1.0, 12.345, 123_456.0];
        let texts = ["0", "0.001012", "0.01234", "-0.5432", "1.000", "12.35", "123456"];
        assert_eq!(numbers.map(short), texts);
        assert_eq!([1.0e-5, 2.5e7].map(short), ["1.000e-5", "2.500e7"]);
    }
}
