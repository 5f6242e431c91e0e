//! The tables of a comparison as text, for a page, for Markdown and for a terminal.

use super::{ComparedRun, Comparison, PairedDifference};
use crate::report::number_format::{count, percent, significant};
use crate::report::page::leaderboard::difference;
use crate::report::page::r2_text;
use crate::report::run_report::in_unit;

/// A table of words and numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextTable {
    /// The names of the columns.
    pub header: Vec<String>,
    /// How many of the columns, from the left, are words; the others are numbers.
    pub words: usize,
    /// The lines, each with as many cells as there are columns.
    pub lines: Vec<Vec<String>>,
}

impl TextTable {
    /// Whether a column holds numbers.
    #[must_use]
    pub fn is_number(&self, column: usize) -> bool {
        column >= self.words
    }
}

impl Comparison {
    /// The runs with their scores.
    #[must_use]
    pub fn run_table(&self) -> TextTable {
        let named = |name: &str| in_unit(name, &self.unit);
        let header = [
            "run".to_owned(),
            "started".to_owned(),
            "model".to_owned(),
            "data".to_owned(),
            named("RMSE"),
            named("MAE"),
            "R²".to_owned(),
            "coverage".to_owned(),
            named("interval width"),
            named("interval score"),
            "points".to_owned(),
        ];
        let lines = self.runs.iter().map(run_line).collect();
        TextTable { header: header.to_vec(), words: 4, lines }
    }

    /// The differences to the first run; no lines where no rows are shared.
    #[must_use]
    pub fn difference_table(&self) -> TextTable {
        let named = |name: &str| in_unit(name, &self.unit);
        let header = [
            "run".to_owned(),
            "verdict".to_owned(),
            named("RMSE"),
            in_unit(&format!("RMSE of {}", self.reference()), &self.unit),
            named("difference"),
            "95\u{a0}% bounds".to_owned(),
            "over folds".to_owned(),
            "points".to_owned(),
        ];
        let lines = self.differences.iter().map(difference_line).collect();
        TextTable { header: header.to_vec(), words: 2, lines }
    }

    /// The parameters that are not the same; no lines where all are.
    #[must_use]
    pub fn parameter_table(&self) -> TextTable {
        let names = self.runs.iter().map(|run| run.run.clone());
        let header: Vec<String> = std::iter::once("parameter".to_owned()).chain(names).collect();
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
        let lines = self.parameters.iter().map(|own| {
            std::iter::once(own.key.clone()).chain(own.values.iter().map(shown)).collect()
        });
        TextTable { words: header.len(), lines: lines.collect(), header }
    }
}

fn run_line(run: &ComparedRun) -> Vec<String> {
    let number = |value: Option<f64>| shown(value, |value| significant(value, 3));
    let coverage = shown(run.coverage, |own| percent(own, 1));
    let aim = run.level.map(|level| format!(" (aim {})", percent(level, 0))).unwrap_or_default();
    let hash = run.data_sha256.get(..8).unwrap_or(&run.data_sha256);
    vec![
        run.run.clone(),
        shown(run.started.get(..16), |time| time.replace('T', " ")),
        run.kind.clone(),
        format!("{} {hash}", run.data),
        number(run.rmse),
        number(run.mae),
        shown(run.r2, r2_text),
        coverage + &aim,
        number(run.interval_width),
        number(run.interval_score),
        count(run.rows),
    ]
}

fn difference_line(own: &PairedDifference) -> Vec<String> {
    vec![
        own.run.clone(),
        own.verdict().to_owned(),
        significant(own.rmse, 3),
        significant(own.reference_rmse, 3),
        significant(own.difference, 3),
        own.bounds_text(),
        shown(own.folds, |folds| format!("{}, p {:.3}", difference(folds), folds.p_value)),
        count(own.rows),
    ]
}

/// A value in words; a dash where there is none.
fn shown<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), show)
}

#[cfg(test)]
mod tests {
    use crate::report::comparison::sample_comparison::sample_comparison;

    #[test]
    fn every_line_has_a_cell_for_every_column() {
        let comparison = sample_comparison(3);
        let tables =
            [comparison.run_table(), comparison.difference_table(), comparison.parameter_table()];
        for (table, n_lines) in tables.iter().zip([3, 2, 1]) {
            assert_eq!(table.lines.len(), n_lines);
            assert!(table.lines.iter().all(|line| line.len() == table.header.len()));
        }
        assert!(tables[0].is_number(4) && !tables[0].is_number(3) && !tables[2].is_number(3));
    }

    #[test]
    fn scores_carry_their_unit_and_missing_ones_a_dash() {
        let table = sample_comparison(2).run_table();
        assert_eq!(table.header[4], "RMSE (g)");
        let line = table.lines[0].join("|").replace('\u{a0}', " ");
        let expected = "a|2026-01-01 00:00|ensemble|data/masses.csv 00000000|10.7|7.49|0.970|\
                        91.0 % (aim 90 %)|40.0|–|104";
        assert_eq!(line, expected);
    }
}
