//! The one configuration: `params.toml`, overridden key by key.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use toml::Table;

use crate::{
    data::{CrossValidationConfig, DataConfig},
    evaluate::IntervalConfig,
    features::{CleanConfig, FeatureConfig, TargetConfig},
    model::ModelConfig,
    monitor::{LogConfig, MonitorConfig},
    serve::ServeConfig,
    track::TrackConfig,
    train::TrainConfig,
};

use super::{overrides, retrain::RetrainConfig, tune::TuneConfig, validate};

/// Every parameter of a run, each layer's in its own section.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The table and its columns.
    pub data: DataConfig,
    /// The splits.
    pub cv: CrossValidationConfig,
    /// How rows are cleaned.
    pub clean: CleanConfig,
    /// How features are made.
    pub features: FeatureConfig,
    /// How the target is treated.
    pub target: TargetConfig,
    /// The networks.
    pub model: ModelConfig,
    /// The recipe.
    pub train: TrainConfig,
    /// The intervals.
    pub interval: IntervalConfig,
    /// The search of `massay tune`.
    pub tune: TuneConfig,
    /// Where results go.
    pub paths: PathsConfig,
    /// Who is told of a run.
    pub track: TrackConfig,
    /// How the service listens and what it refuses.
    pub serve: ServeConfig,
    /// Where served predictions are kept.
    pub log: LogConfig,
    /// How served rows are compared with those of the training.
    pub monitor: MonitorConfig,
    /// When a model is trained again, and when the new one takes over.
    pub retrain: RetrainConfig,
    /// Keys that were set by hand, e.g. `train.epochs`.
    #[serde(skip)]
    pub given: Vec<String>,
    /// Whether a file was read.
    #[serde(skip)]
    pub is_from_file: bool,
}

/// Where results go.
///
/// | name | default | effect |
/// |---|---|---|
/// | `checkpoints` | `checkpoints` | folder of trained models |
/// | `reports` | `reports` | folder of reports |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PathsConfig {
    /// Folder of trained models.
    pub checkpoints: PathBuf,
    /// Folder of reports.
    pub reports: PathBuf,
}

impl PathsConfig {
    /// The flags that lead to these folders, each after a space; none for the usual ones.
    #[must_use]
    pub fn flags(&self) -> String {
        let usual = Self::default();
        let flag = |name: &str, path: &PathBuf, usual: &PathBuf| {
            let shown = path.display();
            if path == usual { String::new() } else { format!(" --set paths.{name}={shown}") }
        };
        flag("checkpoints", &self.checkpoints, &usual.checkpoints)
            + &flag("reports", &self.reports, &usual.reports)
    }
}

impl Default for PathsConfig {
    fn default() -> Self {
        Self { checkpoints: "checkpoints".into(), reports: "reports".into() }
    }
}

/// What is wrong with the parameters.
#[derive(Debug, Error)]
pub enum ParamsError {
    /// The file cannot be read.
    #[error("{path}: cannot be read", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The text is not TOML, or a value has the wrong type.
    #[error("{place}: {message}")]
    Syntax {
        /// The file or flag.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// There is no such parameter.
    #[error("{place}: there is no parameter `{key}`{hint}")]
    UnknownKey {
        /// The file or flag.
        place: String,
        /// The key.
        key: String,
        /// A hint, with the blank line before it; may be empty.
        hint: String,
    },
    /// A value is out of range.
    #[error("`{key}` = {found}, expected {expected}")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// The range.
        expected: &'static str,
    },
}

/// Keys that the defaults do not show.
const OPTIONAL_KEYS: [&str; 2] = ["target.minimum", "monitor.webhook"];

impl Params {
    /// The file that is read without being named.
    pub const FILE: &str = "params.toml";

    /// Reads the parameters: defaults, then the file (none: `params.toml` where there is one),
    /// then `KEY=VALUE` overrides.
    ///
    /// # Errors
    /// When the file cannot be read, a key is unknown, or a value is of the wrong type or out of
    /// range.
    pub fn load(file: Option<&Path>, sets: &[String]) -> Result<Self, ParamsError> {
        let default = Path::new(Self::FILE);
        Self::load_from(file.or_else(|| default.exists().then_some(default)), sets)
    }

    /// The defaults, then `KEY=VALUE` overrides.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn without_file(sets: &[String]) -> Result<Self, ParamsError> {
        Self::load_from(None, sets)
    }

    fn load_from(file: Option<&Path>, sets: &[String]) -> Result<Self, ParamsError> {
        let mut table = match file {
            None => Table::new(),
            Some(path) => read_table(path)?,
        };
        overrides::expand_shorthand(&mut table);
        let place = file.map_or_else(|| "--set".to_owned(), |path| path.display().to_string());
        let mut params = typed(&table, &place)?;
        for set in sets {
            overrides::apply(&mut table, set)?;
            params = typed(&table, &format!("--set {set}"))?;
        }
        params.given = overrides::keys(&table);
        params.is_from_file = file.is_some();
        params.check()?;
        // No limit, which JSON has no number for.
        params.target.minimum = params.target.minimum.filter(|minimum| minimum.is_finite());
        Ok(params)
    }

    /// The same parameters with `KEY=VALUE` for every key that was not set by hand.
    ///
    /// # Errors
    /// When a value is of the wrong type or out of range.
    pub(super) fn with<'a>(
        &self,
        sets: impl IntoIterator<Item = &'a &'a str>,
    ) -> Result<Self, ParamsError> {
        let is_free = |set: &&str| {
            let key = set.split('=').next().unwrap_or_default();
            !self.given.iter().any(|given| given == key)
        };
        self.with_all(sets.into_iter().copied().filter(is_free))
    }

    /// The same parameters with every `KEY=VALUE`.
    ///
    /// # Errors
    /// When a value is of the wrong type or out of range.
    pub(super) fn with_all<'a>(
        &self,
        sets: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ParamsError> {
        let mut table = Table::try_from(self).unwrap_or_default();
        for set in sets {
            overrides::apply(&mut table, set)?;
        }
        let (given, is_from_file) = (self.given.clone(), self.is_from_file);
        let params = Self { given, is_from_file, ..typed(&table, "parameters")? };
        params.check()?;
        Ok(params)
    }

    /// Checks the range of every parameter.
    ///
    /// # Errors
    /// When a value is out of range.
    pub fn check(&self) -> Result<(), ParamsError> {
        validate::check(self)
    }

    /// All parameters as TOML text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }
}

fn read_table(path: &Path) -> Result<Table, ParamsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ParamsError::Read { path: path.to_owned(), source })?;
    text.parse().map_err(|error: toml::de::Error| ParamsError::Syntax {
        place: path.display().to_string(),
        message: error.to_string().trim_end().to_owned(),
    })
}

/// The parameters in `table`; what is wrong is blamed on `place`.
fn typed(table: &Table, place: &str) -> Result<Params, ParamsError> {
    refuse_unknown_keys(table, place)?;
    table.clone().try_into().map_err(|error: toml::de::Error| {
        let message = error.to_string().trim_end().replace('\n', " ");
        let message = [
            ("expected usize", "expected a whole number"),
            ("expected u64", "expected a whole number"),
            ("expected f64", "expected a number"),
            ("expected a sequence", "expected a list such as [64, 64] or [\"one\", \"other\"]"),
        ]
        .iter()
        .fold(message, |message, (rust, plain)| message.replace(rust, plain));
        ParamsError::Syntax { place: place.to_owned(), message }
    })
}

fn refuse_unknown_keys(table: &Table, place: &str) -> Result<(), ParamsError> {
    let defaults = Table::try_from(Params::default()).unwrap_or_default();
    let known: Vec<String> =
        overrides::keys(&defaults).into_iter().chain(OPTIONAL_KEYS.map(str::to_owned)).collect();
    // The space names parameters itself and is read where it is checked.
    let is_known = |key: &String| {
        known.contains(key) || defaults.contains_key(key) || key.starts_with("tune.space.")
    };
    match overrides::keys(table).into_iter().find(|key| !is_known(key)) {
        None => Ok(()),
        Some(key) => Err(overrides::unknown(place, &key, &known)),
    }
}
