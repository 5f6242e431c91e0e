//! Finished runs side by side on paper: their scores, how surely their errors differ, what was set otherwise.
//!
//! | file | what it is |
//! |---|---|
//! | `report.html` | the page |
//! | `report.md` | the same without figures, for a ticket or a repository |
//! | `comparison.json` | the same for a program |
//! | `figures/NAME.svg`, `figures/NAME.png` | `errors` of two runs row by row, or `differences` of several; only where rows are shared |
//!
//! Invariant: what is said of two runs comes from rows that both judged without having seen them.

mod figure;
mod markdown;
mod page;
mod paired_difference;
#[cfg(test)]
mod sample_comparison;
mod text_table;

pub use paired_difference::{PairedDifference, Surety};
pub use text_table::TextTable;

use std::{io, path::Path};

use serde::Serialize;

use super::ReportError;
use super::number_format::significant;
use super::report_folder::{write, write_figures};
use super::run_report::unit_suffix;

/// A finished run among others. Scores are pooled out-of-fold ones, in the target's unit; `None` where they are no
/// finite number.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ComparedRun {
    /// Its name.
    pub run: String,
    /// UTC start time; empty where it is not known.
    pub started: String,
    /// Kind of model, as typed.
    pub kind: String,
    /// The table, as it was named.
    pub data: String,
    /// SHA-256 of the table.
    pub data_sha256: String,
    /// Judged rows, each repeat counted.
    pub rows: usize,
    /// Root mean squared error.
    pub rmse: Option<f64>,
    /// Mean absolute error.
    pub mae: Option<f64>,
    /// Coefficient of determination.
    pub r2: Option<f64>,
    /// Share of targets inside their interval.
    pub coverage: Option<f64>,
    /// The share that is aimed at.
    pub level: Option<f64>,
    /// Mean width of the intervals.
    pub interval_width: Option<f64>,
    /// Mean interval score; smaller is better.
    pub interval_score: Option<f64>,
}

/// A parameter that is not the same in all runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedParameter {
    /// Its name, e.g. `train.epochs`.
    pub key: String,
    /// Its value in each run, in their order; `None` where a run has no such parameter.
    pub values: Vec<Option<String>>,
}

/// Runs side by side; the first is the one that the others are compared with.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// What all of them predict.
    pub target: String,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// The runs, two or more.
    pub runs: Vec<ComparedRun>,
    /// How each other run differs from the first; without those that share no rows with it.
    pub differences: Vec<PairedDifference>,
    /// What was set otherwise.
    pub parameters: Vec<ChangedParameter>,
    /// What the reader must know before trusting the numbers.
    pub notes: Vec<String>,
    /// Version of massay that compares.
    pub version: String,
    /// Absolute errors of the first and the second run on each row that both judged, for the figure.
    #[serde(skip)]
    pub errors: Vec<(f64, f64)>,
}

/// What is written as JSON.
#[derive(Serialize)]
struct Told<'a> {
    verdict: String,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

impl Comparison {
    /// The name of the run that the others are compared with.
    #[must_use]
    pub fn reference(&self) -> &str {
        self.runs.first().map_or("", |run| run.run.as_str())
    }

    /// What to make of it, in a sentence without a full stop; [`Surety`] has the rule.
    #[must_use]
    pub fn verdict(&self) -> String {
        let unit = unit_suffix(&self.unit);
        match &self.differences[..] {
            [] => self.unpaired(&unit),
            [only] if self.runs.len() == 2 => only.sentence(self.reference(), &unit),
            several => {
                let clauses: Vec<String> = several.iter().map(|own| own.clause(&unit)).collect();
                format!("Beside {}: {}", self.reference(), clauses.join("; "))
            }
        }
    }

    fn unpaired(&self, unit: &str) -> String {
        let rmse = |run: &ComparedRun| {
            let shown = run.rmse.map_or_else(|| "–".to_owned(), |own| significant(own, 3));
            format!("{shown}{unit} ({})", run.run)
        };
        let errors: Vec<String> = self.runs.iter().map(rmse).collect();
        format!(
            "No rows are shared, so that nothing tells which is better: RMSE {}",
            errors.join(", ")
        )
    }

    /// All of it as JSON, with the verdict; what is no finite number is `null`.
    ///
    /// # Errors
    /// Never, unless memory runs out.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let told = Told { verdict: self.verdict(), comparison: self };
        Ok(serde_json::to_string_pretty(&told)? + "\n")
    }
}

/// Writes the report into an existing folder.
///
/// # Errors
/// Where a file cannot be written or a figure cannot be drawn.
pub fn write_comparison(comparison: &Comparison, folder: &Path) -> Result<(), ReportError> {
    let figure = figure::draw(comparison)?;
    if let Some(figure) = &figure {
        write_figures(std::slice::from_ref(figure), &folder.join("figures"))?;
    }
    let json = comparison.to_json().map_err(io::Error::from);
    write(&folder.join("comparison.json"), json.map(String::into_bytes))?;
    write(&folder.join("report.md"), Ok(markdown::render(comparison).into_bytes()))?;
    let page = page::render(comparison, figure.as_ref());
    write(&folder.join("report.html"), Ok(page.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sample_comparison::{paired, sample_comparison};

    fn plain(text: &str) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn every_promised_file_is_written() {
        for (n_runs, figure) in [(2, "errors"), (3, "differences")] {
            let folder = tempfile::tempdir().unwrap();
            write_comparison(&sample_comparison(n_runs), folder.path()).unwrap();
            let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(text("report.html").starts_with("<!DOCTYPE html>"));
            assert!(text("report.md").starts_with("# a, b"));
            assert!(text(&format!("figures/{figure}.svg")).starts_with("<svg "));
            let png = folder.path().join(format!("figures/{figure}.png"));
            assert!(std::fs::read(png).unwrap().starts_with(b"\x89PNG"));
            let json: serde_json::Value = serde_json::from_str(&text("comparison.json")).unwrap();
            assert_eq!(json["runs"].as_array().unwrap().len(), n_runs);
            assert!(json["verdict"].is_string() && json.get("errors").is_none());
        }
    }

    #[test]
    fn two_runs_are_told_in_one_sentence() {
        let comparison = sample_comparison(2);
        assert_eq!(
            plain(&comparison.verdict()),
            "b has a clearly smaller error than a: RMSE 9.80 g against 10.7 g, difference −0.900 g \
             (95 %: −1.60 to −0.200)"
        );
    }

    #[test]
    fn several_runs_are_told_side_by_side() {
        let mut comparison = sample_comparison(3);
        comparison.differences[1] = paired("c", (10.6, 10.7), Some((-0.5, 0.3)), None);
        assert_eq!(
            plain(&comparison.verdict()),
            "Beside a: b has a clearly smaller error (RMSE 9.80 g against 10.7 g, difference −0.900 g, \
             95 %: −1.60 to −0.200); c shows no clear difference (RMSE 10.6 g against 10.7 g, \
             difference −0.100 g, 95 %: −0.500 to 0.300)"
        );
    }

    #[test]
    fn runs_without_shared_rows_are_not_ranked() {
        let mut comparison = sample_comparison(2);
        comparison.differences.clear();
        comparison.errors.clear();
        let verdict = plain(&comparison.verdict());
        assert!(verdict.contains("nothing tells which is better"), "{verdict}");
        let folder = tempfile::tempdir().unwrap();
        write_comparison(&comparison, folder.path()).unwrap();
        assert!(!folder.path().join("figures").exists());
    }
}
