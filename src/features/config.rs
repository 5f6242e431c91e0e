//! How rows are cleaned and turned into features.

use serde::{Deserialize, Serialize};

use super::FeatureBlock;

/// How features are made.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `set` | `["raw"]` | `"auto"`, or a list of [`FeatureBlock`]s | what the networks see |
/// | `augment` | `false` | | trains on each row once more under every symmetry of the detector array |
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureConfig {
    /// What the networks see.
    pub set: FeatureSet,
    /// Whether the symmetries of the detector array make further training rows.
    pub augment: bool,
}

/// The feature blocks of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SetText", into = "SetText")]
pub enum FeatureSet {
    /// The best of several sets for each fold, by cross-validation within its training rows.
    Auto,
    /// These blocks, side by side.
    Blocks(Vec<FeatureBlock>),
}

impl Default for FeatureSet {
    fn default() -> Self {
        Self::Blocks(vec![FeatureBlock::Raw])
    }
}

/// A set as it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected \"auto\" or a list such as [\"log1p(raw)\", \"shares\"]")]
enum SetText {
    Name(String),
    Blocks(Vec<String>),
}

impl TryFrom<SetText> for FeatureSet {
    type Error = String;

    fn try_from(text: SetText) -> Result<Self, String> {
        // Parsed here and not by serde, whose untagged enums lose what was wrong.
        match text {
            SetText::Name(name) if name == "auto" => Ok(Self::Auto),
            SetText::Name(name) => Ok(Self::Blocks(vec![name.parse()?])),
            SetText::Blocks(names) if names.is_empty() => {
                Err("expected at least one block, e.g. [\"raw\"]".to_owned())
            }
            SetText::Blocks(names) => {
                names.iter().map(|name| name.parse()).collect::<Result<_, _>>().map(Self::Blocks)
            }
        }
    }
}

impl From<FeatureSet> for SetText {
    fn from(set: FeatureSet) -> Self {
        match set {
            FeatureSet::Auto => Self::Name("auto".to_owned()),
            FeatureSet::Blocks(blocks) => {
                Self::Blocks(blocks.into_iter().map(String::from).collect())
            }
        }
    }
}

/// How rows are cleaned; everything is fitted on the training rows of each fold.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `missing` | `refuse` | `refuse`, `median` | a missing value is an error, or becomes the median, and columns that lacked values get an indicator |
/// | `duplicates` | `keep` | `keep`, `drop` | whether a fold trains on one of several equal rows only, and on none that it is judged on |
/// | `clip` | 0 | 0 (none), 1 to 100 | bound of features in robust deviations, approached smoothly: `z / sqrt(1 + (z / clip)^2)`, `z = (x - median) / IQR` |
/// | `dead_share` | 1 | 0.5 to 1 | a column is dropped (held at that value) where one value fills at least this share of the rows |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CleanConfig {
    /// What becomes of missing values.
    pub missing: MissingRule,
    /// What becomes of equal rows.
    pub duplicates: DuplicateRule,
    /// Bound of features in robust deviations; 0 for none.
    pub clip: f64,
    /// Share of equal values from which a column is dead.
    pub dead_share: f64,
}

impl Default for CleanConfig {
    fn default() -> Self {
        Self {
            missing: MissingRule::Refuse,
            duplicates: DuplicateRule::Keep,
            clip: 0.0,
            dead_share: 1.0,
        }
    }
}

/// What becomes of missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MissingRule {
    /// The table is refused.
    #[default]
    Refuse,
    /// The median of the training rows stands in, and an indicator says so.
    Median,
}

/// What becomes of training rows that are equal in every column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicateRule {
    /// All are learned from.
    #[default]
    Keep,
    /// One of them is learned from, none where one of them is judged.
    Drop,
}
