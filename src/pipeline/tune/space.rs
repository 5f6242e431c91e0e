//! The space that trials are drawn from.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{
    super::{Params, ParamsError, overrides},
    parameter::{Range, TUNABLE},
    trial::Trial,
};

/// Places that are looked at for one trial more before a space counts as exhausted.
const MOST_REPEATS: usize = 50;

/// The search of `massay tune`.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `trials` | 24 | 2..=1000 | sets of parameters that are tried, the parameters as they stand among them |
/// | `keep` | 3 | 2..=10 | one of so many trials goes on to the next rung |
/// | `space` | around the recipe | | `PARAMETER = { low, high, log }`, or a list of choices |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TuneConfig {
    /// Trials.
    pub trials: usize,
    /// One of so many trials goes on to the next rung.
    pub keep: usize,
    /// The declared space; empty for the usual one.
    pub space: Table,
}

impl Default for TuneConfig {
    fn default() -> Self {
        Self { trials: 24, keep: 3, space: Table::new() }
    }
}

/// The parameters of a search by name, each with the values it may take.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Space(pub(super) Vec<(String, Range)>);

impl Space {
    /// The space that is declared; with no parameter where none is.
    ///
    /// # Errors
    /// When a parameter is unknown, cannot be tuned or has no range.
    pub(in super::super) fn declared(space: &Table) -> Result<Self, ParamsError> {
        let mut found = Vec::new();
        collect(space, "", &mut found)?;
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self(found))
    }

    /// The declared space, or the usual one around `params`.
    ///
    /// # Errors
    /// As [`Self::declared`].
    pub(super) fn of(params: &Params) -> Result<Self, ParamsError> {
        let declared = Self::declared(&params.tune.space)?;
        if declared.0.is_empty() { Ok(Self::around(params)) } else { Ok(declared) }
    }

    /// What is most often worth searching for a multilayer perceptron on a table, about the ranges of
    /// `TabArena`'s search for `RealMLP` (Erickson et al., 2025) relative to the recipe, with smaller
    /// networks.
    fn around(params: &Params) -> Self {
        let between = |low: f64, high: f64, is_logarithmic| Range::Between {
            low,
            high,
            is_logarithmic,
            is_whole: false,
        };
        let widths: [&[i64]; 4] = [&[64, 64], &[128, 128], &[128, 128, 128], &[256, 256]];
        let hidden = |widths: &&[i64]| Value::from(widths.to_vec());
        let embeddings = ["none", "pbld"].map(|name| Value::String(name.to_owned()));
        let (rate, decay) = (params.train.learning_rate, params.train.weight_decay);
        let decay = if decay > 0.0 { decay } else { 0.01 };
        let ranges = [
            ("model.dropout", between(0.0, 0.5, false)),
            ("model.embedding", Range::OneOf(embeddings.to_vec())),
            ("model.hidden", Range::OneOf(widths.iter().map(hidden).collect())),
            ("model.linear_skip", Range::OneOf([false, true].map(Value::Boolean).to_vec())),
            ("train.beta_2", between(0.9, 0.999, false)),
            ("train.learning_rate", between(0.1 * rate, (2.0 * rate).min(1.0), true)),
            ("train.weight_decay", between(0.05 * decay, (2.5 * decay).min(10.0), true)),
        ];
        Self(ranges.map(|(name, range)| (name.to_owned(), range)).to_vec())
    }

    /// Draws trials: first the parameters as they stand, then an Owen-scrambled Sobol sequence (Owen,
    /// 1995; Burley, 2020), which fills the space more evenly than independent draws (Bergstra and
    /// Bengio, 2012). Fewer than asked for where the space does not have as many.
    ///
    /// # Errors
    /// When a value of the space is of the wrong type or out of range.
    pub(super) fn trials(&self, params: &Params) -> Result<Vec<Trial>, ParamsError> {
        let mut trials = vec![Trial::untouched(params, self)];
        let mut place = 0;
        let mut repeats = 0;
        while trials.len() < params.tune.trials && repeats < MOST_REPEATS {
            let draw = |(dimension, (name, range)): (usize, &(String, Range))| {
                let seed = params.train.seed as u32;
                let share = sobol_burley::sample(place, dimension as u32, seed);
                (name.clone(), range.at(f64::from(share)))
            };
            let values: Vec<(String, Value)> = self.0.iter().enumerate().map(draw).collect();
            place += 1;
            if trials.iter().any(|trial| trial.values == values) {
                repeats += 1;
                continue;
            }
            repeats = 0;
            trials.push(Trial::new(trials.len(), values, params)?);
        }
        Ok(trials)
    }
}

/// Gathers the ranges in `table`, whose names begin with `prefix`.
fn collect(
    table: &Table,
    prefix: &str,
    found: &mut Vec<(String, Range)>,
) -> Result<(), ParamsError> {
    for (key, value) in table {
        let name = format!("{prefix}{key}");
        if TUNABLE.contains(&name.as_str()) {
            let range = Range::read(value).map_err(|found| no_range(&name, &found))?;
            found.push((name, range));
            continue;
        }
        match value {
            Value::Table(inner) if is_section(&name) => {
                collect(inner, &format!("{name}."), found)?;
            }
            _ => return Err(not_tunable(&name)),
        }
    }
    Ok(())
}

fn is_section(name: &str) -> bool {
    TUNABLE.iter().any(|key| key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// The error for a parameter that is none, or that no search may vary.
fn not_tunable(name: &str) -> ParamsError {
    let all = overrides::keys(&Table::try_from(Params::default()).unwrap_or_default());
    let place = "tune.space".to_owned();
    if !all.iter().any(|key| key == name) {
        return overrides::unknown(&place, name, &TUNABLE.map(str::to_owned));
    }
    let message = format!(
        "`{name}` is not a parameter that can be searched, expected one of {}",
        TUNABLE.map(|key| format!("`{key}`")).join(", ")
    );
    ParamsError::Syntax { place, message }
}

fn no_range(name: &str, found: &str) -> ParamsError {
    let message = format!(
        "`{name}` = {found}, expected a range such as {{ low = 0.01, high = 0.1, log = true }} or a \
         list of choices"
    );
    ParamsError::Syntax { place: "tune.space".to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(space: &str) -> Params {
        let space = space.parse().unwrap();
        Params { tune: TuneConfig { space, ..TuneConfig::default() }, ..Params::default() }
    }

    #[test]
    fn trials_are_the_same_for_a_seed_and_start_with_what_stands() {
        let mut params = params("");
        let space = Space::of(&params).unwrap();
        let trials = space.trials(&params).unwrap();
        assert_eq!(trials.len(), 24);
        assert_eq!(trials[0].params.train, params.train);
        assert_eq!(trials[0].params.model, params.model);
        assert_eq!(trials, space.trials(&params).unwrap());
        params.train.seed += 1;
        assert_ne!(trials[1..], space.trials(&params).unwrap()[1..]);
    }

    #[test]
    fn every_range_is_covered_evenly() {
        let params = Params {
            tune: TuneConfig { trials: 257, ..params("").tune },
            ..params("train.learning_rate = { low = 0.001, high = 0.1, log = true }")
        };
        let space = "train.learning_rate = { low = 0.001, high = 0.1, log = true }";
        let params =
            Params { tune: TuneConfig { space: space.parse().unwrap(), ..params.tune }, ..params };
        let trials = Space::of(&params).unwrap().trials(&params).unwrap();
        let rates = trials[1..].iter().map(|trial| trial.params.train.learning_rate);
        let below = rates.filter(|rate| *rate < 0.01).count();
        // A Sobol sequence of a power of two halves every interval; rounding moves one at most.
        assert!((127..=129).contains(&below), "{below}");
    }

    #[test]
    fn a_space_of_few_choices_is_tried_once_through() {
        let params = params("model.linear_skip = [false, true]\nmodel.hidden = [[8], [4, 4]]");
        let trials = Space::of(&params).unwrap().trials(&params).unwrap();
        // Four in the space, and the parameters as they stand.
        assert_eq!(trials.len(), 5);
    }

    #[test]
    fn what_cannot_be_tuned_is_refused_by_name() {
        let error = |space: &str| Space::of(&params(space)).unwrap_err().to_string();
        assert!(
            error("train.seed = [1, 2]").contains("`train.seed` is not a parameter that can be")
        );
        let similar = error("train.learning_rates = [1, 2]");
        assert!(similar.contains("did you mean `train.learning_rate`?"), "{similar}");
        assert!(error("train.epochs = 3").contains("`train.epochs` = 3, expected a range"));
        let params = params("model.dropout = [0.1, 7.0]");
        let wrong = Space::of(&params).unwrap().trials(&params).unwrap_err().to_string();
        assert!(wrong.contains("model.dropout"), "{wrong}");
    }
}
