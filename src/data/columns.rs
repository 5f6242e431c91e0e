//! Which column of a table plays which part.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::DataError;

/// Where the data is and what its columns mean.
///
/// | name | default | effect |
/// |---|---|---|
/// | `path` | `data/simulations.csv` | table to train on |
/// | `target` | `mass` | column to predict |
/// | `group` | `container` | rows that share its value stay on one side of every split; ignored where absent, unless named by hand |
/// | `weight` | none | column that says how much each row counts |
/// | `uncertainty` | none | column with the standard deviation of each target: a row counts by one over its square |
/// | `features` | all other numeric columns | columns to predict from |
/// | `exclude` | none | columns to leave out of them |
/// | `unit` | that of the schema | unit of the target, printed beside it |
/// | `schema` | `schema.toml` beside the table, where there is one | stated units and ranges, and the detector array; `none` for none |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Table to train on.
    pub path: PathBuf,
    /// Column to predict.
    pub target: String,
    /// Column that names the group of a row; empty for none.
    pub group: String,
    /// Column that says how much each row counts; empty for none.
    pub weight: String,
    /// Column with the standard deviation of each target; empty for none.
    pub uncertainty: String,
    /// Columns to predict from; empty for every other numeric column.
    pub features: Vec<String>,
    /// Columns that are no features, where these are not named.
    pub exclude: Vec<String>,
    /// Unit of the target; empty for that of the schema.
    pub unit: String,
    /// The stated schema; empty for `schema.toml` beside the table, `none` for none.
    pub schema: PathBuf,
    /// Whether a table without the group column is refused, because somebody asked for it.
    #[serde(skip)]
    pub group_required: bool,
}

/// The group column that is used without being asked for, where the table has it.
pub(super) const DEFAULT_GROUP: &str = "container";

impl DataConfig {
    /// The file of the schema, where there is one.
    #[must_use]
    pub fn schema_file(&self) -> Option<PathBuf> {
        if self.schema.as_os_str() == "none" {
            return None;
        }
        if !self.schema.as_os_str().is_empty() {
            return Some(self.schema.clone());
        }
        Some(self.path.with_file_name("schema.toml")).filter(|beside| beside.is_file())
    }

    /// Every column that is named.
    fn names(&self) -> impl Iterator<Item = &str> {
        let parts = [&self.target, &self.group, &self.weight, &self.uncertainty];
        parts.into_iter().chain(&self.features).map(String::as_str)
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            path: "data/simulations.csv".into(),
            target: "mass".into(),
            group: DEFAULT_GROUP.into(),
            weight: String::new(),
            uncertainty: String::new(),
            features: Vec::new(),
            exclude: Vec::new(),
            unit: String::new(),
            schema: PathBuf::new(),
            group_required: false,
        }
    }
}

/// The positions in a header of the columns that are used.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ColumnRoles {
    pub(super) target: usize,
    pub(super) group: Option<usize>,
    pub(super) order: Option<usize>,
    pub(super) weight: Option<usize>,
    pub(super) uncertainty: Option<usize>,
    pub(super) features: FeatureChoice,
    pub(super) excluded: Vec<usize>,
}

/// Features named by hand, or every other column that turns out to be numeric.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FeatureChoice {
    Named(Vec<usize>),
    EveryOther,
}

impl ColumnRoles {
    /// Finds the columns of `config` (and the order column, if not empty) in `header`.
    pub(super) fn find(
        config: &DataConfig,
        order_column: &str,
        header: &[String],
        place: &str,
    ) -> Result<Self, DataError> {
        let asked: Vec<&str> = config.names().chain([order_column]).collect();
        let find = |name: &str, role: &str| position(header, (name, role), &asked, place);
        let group = match config.group.as_str() {
            "" => None,
            DEFAULT_GROUP if !config.group_required && !resembles(DEFAULT_GROUP, header) => None,
            name => Some(find(name, "group")?),
        };
        let optional = |name: &str, role: &str| -> Result<Option<usize>, DataError> {
            (!name.is_empty()).then(|| find(name, role)).transpose()
        };
        let roles = Self {
            target: find(&config.target, "target")?,
            group,
            order: optional(order_column, "order")?,
            weight: optional(&config.weight, "weight")?,
            uncertainty: optional(&config.uncertainty, "uncertainty")?,
            features: FeatureChoice::find(&config.features, find)?,
            excluded: config
                .exclude
                .iter()
                .map(|own| find(own, "exclude"))
                .collect::<Result<_, _>>()?,
        };
        roles.refuse_overlap(header, place)?;
        Ok(roles)
    }

    /// Refuses a column that has two parts.
    fn refuse_overlap(&self, header: &[String], place: &str) -> Result<(), DataError> {
        let refuse = |index: usize, what: &str, hint: &str| {
            let found = format!("column `{}` is {what}", header[index]);
            Err(DataError::malformed(place, found, "each column in one part", hint))
        };
        let others =
            [(self.group, "group"), (self.weight, "weight"), (self.uncertainty, "uncertainty")];
        if let Some((_, part)) = others.iter().find(|(index, _)| *index == Some(self.target)) {
            let hint = format!("name another column as `data.{part}`, or none");
            return refuse(self.target, &format!("the target and also the {part}"), &hint);
        }
        let FeatureChoice::Named(features) = &self.features else { return Ok(()) };
        let twice = |(at, index): &(usize, &usize)| features[..*at].contains(index);
        if let Some((_, &index)) = features.iter().enumerate().find(twice) {
            return refuse(index, "a feature twice", "name it once in `data.features`");
        }
        if let Some(&index) = features.iter().find(|index| self.excluded.contains(index)) {
            return refuse(index, "a feature and also left out", "take it out of `data.exclude`");
        }
        let taken = [Some(self.target), self.group, self.weight, self.uncertainty];
        match features.iter().find(|index| taken.contains(&Some(**index))) {
            None => Ok(()),
            Some(&index) => {
                let what = "a feature and also the target, the group or a weight";
                refuse(index, what, "take it out of `data.features`")
            }
        }
    }

    /// Whether every row's value of column `index` may become a feature.
    pub(super) fn may_be_feature(&self, index: usize) -> bool {
        match &self.features {
            FeatureChoice::Named(features) => features.contains(&index),
            FeatureChoice::EveryOther => {
                let others = [self.group, self.order, self.weight, self.uncertainty];
                let is_free = index != self.target && !others.contains(&Some(index));
                is_free && !self.excluded.contains(&index)
            }
        }
    }
}

impl FeatureChoice {
    fn find(
        names: &[String],
        find: impl Fn(&str, &str) -> Result<usize, DataError>,
    ) -> Result<Self, DataError> {
        if names.is_empty() {
            return Ok(Self::EveryOther);
        }
        names.iter().map(|name| find(name, "feature")).collect::<Result<_, _>>().map(Self::Named)
    }
}

/// Whether a column has this name, or would have it but for its case.
fn resembles(name: &str, header: &[String]) -> bool {
    header.iter().any(|column| column.eq_ignore_ascii_case(name))
}

/// Where the column is; another one that is `asked` for as well is not what was meant.
fn position(
    header: &[String],
    (name, role): (&str, &str),
    asked: &[&str],
    place: &str,
) -> Result<usize, DataError> {
    header.iter().position(|column| column == name).ok_or_else(|| {
        let free = header.iter().map(String::as_str).filter(|column| !asked.contains(column));
        let hint = match nearest(name, free) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None if header.len() == 1 => {
                "there is one column only; the delimiter must be `,`, `;` or a tab".to_owned()
            }
            None => format!("the columns are {}", in_backticks(header)),
        };
        let key = if role == "order" { "cv.order_column" } else { role };
        DataError::malformed(
            place,
            format!("there is no column `{name}`"),
            match role {
                "feature" => "all features".to_owned(),
                "exclude" => "every column that is left out".to_owned(),
                role => format!("the {role} column"),
            },
            format!("{hint} (set it with `{key}`)", key = key_of(key)),
        )
    })
}

fn key_of(role: &str) -> String {
    match role {
        "feature" => "data.features".to_owned(),
        "target" | "group" | "weight" | "uncertainty" | "exclude" => format!("data.{role}"),
        other => other.to_owned(),
    }
}

/// Up to twelve names in backticks, and whether there are more.
#[must_use]
pub fn in_backticks(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > 12 { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// The known name most similar to `name`, if one is similar at all (Jaro and Winkler).
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let similarity =
        |other: &str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    known
        .into_iter()
        .map(|other| (similarity(other), other))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}
