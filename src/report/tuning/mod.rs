//! A search for parameters on paper: what was tried, what it gave, and how good a choice it is.
//!
//! | file | what it is |
//! |---|---|
//! | `report.html` | the page |
//! | `figures/NAME.svg`, `figures/NAME.png` | `slices` and `parallel_coordinates` |
//! | `trials.csv` | every trial with its parameters and errors |
//! | `tuning.json` | the same, with the scores of the search itself |
//!
//! Invariant: the page tells the score of the search from rows that it has not seen, never the error
//! by which the winner was picked.

mod page;
mod parallel;
mod place;
#[cfg(test)]
mod sample_tuning;
mod slices;

use std::{io, path::Path};

use serde::{Deserialize, Serialize};

use super::report_folder::{write, write_figures};
use super::{DataSummary, Provenance, ReportError};
use crate::evaluate::{Difference, Leaderboard};

/// A finished search for parameters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tuning {
    /// Name of the report.
    pub name: String,
    /// The data.
    pub data: DataSummary,
    /// The parameters that were searched.
    pub searched: Vec<Searched>,
    /// What was tried; the first are the parameters as they stand.
    pub trials: Vec<TuningTrial>,
    /// Trials that reached each rung, at most, and networks of each on it.
    pub rungs: Vec<(usize, usize)>,
    /// The winner within the training rows of each fold.
    pub folds: Vec<TuningFold>,
    /// The winner within all rows.
    pub winner: usize,
    /// The search beside the parameters as they stand, on rows that neither has seen.
    pub board: Leaderboard,
    /// The winner's parameters as a file that `train` takes.
    pub parameters: String,
    /// Things the reader must know before trusting the numbers, worst first.
    pub warnings: Vec<String>,
    /// Where the numbers come from.
    pub provenance: Provenance,
}

/// A parameter that was searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    /// Its name.
    pub name: String,
    /// Whether it is a number of a range, and not one of a list.
    pub is_number: bool,
    /// Whether it was drawn on a logarithmic scale.
    pub is_logarithmic: bool,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// A number.
    Number(f64),
    /// Anything else.
    Text(String),
}

/// One set of parameters that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningTrial {
    /// 0 for the parameters as they stand.
    pub number: usize,
    /// Its values, in the order of the parameters.
    pub values: Vec<Setting>,
    /// Mean inner validation RMSE on the first rung over all searches, in standard deviations of the
    /// (transformed) target; `None` where a network diverged at once.
    pub first_rmse: Option<f64>,
    /// The last rung that it reached in the search within all rows, from 0.
    pub rung: usize,
    /// Inner validation RMSE there.
    pub rmse: Option<f64>,
    /// Folds whose search it won.
    pub wins: usize,
}

/// The search within the training rows of one fold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningFold {
    /// Repeat of the cross-validation, from 0.
    pub repeat: usize,
    /// Fold, from 0.
    pub fold: usize,
    /// The trial that won.
    pub winner: usize,
    /// Its inner validation RMSE there, by which it won.
    pub rmse: Option<f64>,
}

impl Tuning {
    /// The name of the search's result on the board.
    pub const TUNED: &str = "tuned";
    /// The name of the parameters as they stand on the board.
    pub const UNTUNED: &str = "untuned";

    /// What the search gains over the parameters as they stand: the RMSE of these less its own.
    #[must_use]
    pub fn gain(&self) -> Option<Difference> {
        self.board.entry(Self::UNTUNED).and_then(|entry| entry.difference)
    }

    /// What to make of it, in a sentence without a full stop.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        match self.gain() {
            Some(gain) if gain.is_clear() && gain.mean > 0.0 => {
                "Tuning helps: it clearly lowers the error on rows that the search has not seen"
            }
            Some(gain) if gain.is_clear() => {
                "Tuning hurts: the parameters as they stand clearly do better on rows that the search \
                 has not seen"
            }
            _ => {
                "Tuning makes no clear difference on rows that the search has not seen: the parameters \
                 as they stand are as good a choice"
            }
        }
    }

    /// Whether a trial was judged on the last rung of the search within all rows.
    fn is_finalist(&self, trial: &TuningTrial) -> bool {
        trial.rung + 1 == self.rungs.len()
    }
}

/// Writes the report into an existing folder.
///
/// # Errors
/// Where a file cannot be written or a figure cannot be drawn.
pub fn write_tuning(tuning: &Tuning, folder: &Path) -> Result<(), ReportError> {
    let figures = [slices::draw(tuning)?, parallel::draw(tuning)?];
    write_figures(&figures, &folder.join("figures"))?;
    let json = serde_json::to_vec_pretty(tuning).map_err(io::Error::from);
    write(&folder.join("tuning.json"), json)?;
    write(&folder.join("trials.csv"), trials_csv(tuning))?;
    write(&folder.join("report.html"), Ok(page::render(tuning, &figures).into_bytes()))
}

/// `trials.csv`: one line per trial; cells of what is not known are empty.
fn trials_csv(tuning: &Tuning) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = tuning.searched.iter().map(|searched| searched.name.as_str());
    let columns = ["first_rung_rmse", "rung", "rmse", "wins"];
    writer.write_record(["trial"].into_iter().chain(names).chain(columns))?;
    for trial in &tuning.trials {
        let known = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let mut record = vec![trial.number.to_string()];
        record.extend(trial.values.iter().map(ToString::to_string));
        record.extend([
            known(trial.first_rmse),
            trial.rung.to_string(),
            known(trial.rmse),
            trial.wins.to_string(),
        ]);
        writer.write_record(&record)?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

impl std::fmt::Display for Setting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sample_tuning::sample_tuning;

    #[test]
    fn every_promised_file_is_written() {
        let folder = tempfile::tempdir().unwrap();
        write_tuning(&sample_tuning(24), folder.path()).unwrap();
        let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text("report.html").starts_with("<!DOCTYPE html>"));
        for name in ["slices", "parallel_coordinates"] {
            assert!(text(&format!("figures/{name}.svg")).starts_with("<svg "));
            let png = folder.path().join(format!("figures/{name}.png"));
            assert!(std::fs::read(png).unwrap().starts_with(b"\x89PNG"));
        }
        let read: Tuning = serde_json::from_str(&text("tuning.json")).unwrap();
        assert_eq!(read.trials, sample_tuning(24).trials);
        let lines: Vec<String> = text("trials.csv").lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 25);
        assert!(lines[0].starts_with("trial,model.hidden,train.learning_rate,first_rung_rmse"));
    }

    #[test]
    fn trials_that_diverged_and_single_values_draw() {
        let mut tuning = sample_tuning(9);
        for trial in &mut tuning.trials[2..5] {
            (trial.first_rmse, trial.rmse) = (None, None);
        }
        tuning.trials[1].first_rmse = Some(1e9);
        slices::draw(&tuning).unwrap();
        parallel::draw(&tuning).unwrap();
        for trial in &mut tuning.trials {
            trial.values = vec![Setting::Text("[8]".to_owned()), Setting::Number(0.1)];
        }
        for figure in [slices::draw(&tuning).unwrap(), parallel::draw(&tuning).unwrap()] {
            assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf"));
        }
    }

    #[test]
    fn a_search_that_gains_nothing_is_told() {
        let mut tuning = sample_tuning(9);
        assert!(tuning.sentence().starts_with("Tuning helps"));
        for entry in &mut tuning.board.entries {
            if let Some(difference) = &mut entry.difference {
                difference.p_value = 0.4;
            }
        }
        assert!(tuning.sentence().contains("no clear difference"));
    }
}
