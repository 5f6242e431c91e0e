//! A table of numbers with a target, ready to be split.

use std::{collections::HashMap, sync::Arc};

use super::{
    DataConfig, DataError, Name, Names,
    columns::ColumnRoles,
    dataset_reader::Columns,
    table::{Block, Table},
};

/// Rows with a target, features and, where the table has them, groups and an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Path the rows came from.
    pub path: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Name of the target column.
    pub target_name: String,
    /// Target of each row, shape `[rows]`.
    pub target: Vec<f64>,
    /// Names of the feature columns.
    pub feature_names: Vec<String>,
    /// Features by column, shape `[features][rows]`; `NaN` where a value is missing and missing values
    /// are kept.
    pub features: Vec<Vec<f64>>,
    /// How much each row counts, where a column says so.
    pub weights: Option<Vec<f64>>,
    /// Standard deviation of each target, where a column says so.
    pub uncertainty: Option<Vec<f64>>,
    /// Groups, where there is a group column.
    pub groups: Option<Groups>,
    /// Rank of each row in time, where an order column was named.
    pub order: Option<Vec<u32>>,
    /// Columns without numbers, which are not used.
    pub text: Vec<Groups>,
}

/// What becomes of cells without a value: empty, or `NA`, `NaN`, `null` in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingCells {
    /// The table is refused.
    Refuse,
    /// They become `NaN` in features; the target must be there.
    KeepInFeatures,
    /// They become `NaN` in the target as well, to look at a table that cannot be trained on.
    Keep,
}

/// Which rows belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    /// Name of the group column.
    pub column: String,
    /// Group of each row, an index into `names`.
    pub ids: Vec<u32>,
    /// Distinct values, in order of first appearance.
    pub names: Arc<Names>,
}

impl Groups {
    /// The groups of the chosen rows, numbered anew in order of appearance.
    #[must_use]
    pub fn gather(&self, rows: &[u32]) -> Self {
        let mut known: HashMap<u32, u32> = HashMap::new();
        let mut names = Names::default();
        let mut number = |id: u32| {
            *known.entry(id).or_insert_with(|| {
                names.push(self.names.get(id as usize));
                names.len() as u32 - 1
            })
        };
        let ids = rows.iter().map(|row| number(self.ids[*row as usize])).collect();
        Self { column: self.column.clone(), ids, names: Arc::new(names) }
    }

    /// Whether any group has more than one row.
    #[must_use]
    pub fn repeat(&self) -> bool {
        self.names.len() < self.ids.len()
    }
}

impl Dataset {
    /// Reads the table that `config` describes; `order_column` may be empty.
    ///
    /// # Errors
    /// When the file cannot be read, is malformed or lacks a named column.
    pub fn read(
        config: &DataConfig,
        order_column: &str,
        missing: MissingCells,
    ) -> Result<Self, DataError> {
        let mut table = Table::open(&config.path)?;
        let place = format!("{}:1", config.path.display());
        let header = table.header().to_vec();
        let roles = ColumnRoles::find(config, order_column, &header, &place)?;
        let empty = || Columns::new(&roles, &header, missing);
        let mut columns = empty();
        columns.reserve(table.expected_rows());
        let read = |block: &Block| {
            let mut own = empty();
            own.reserve(block.most_rows());
            block.rows(|row| {
                own.push(row);
                Ok(())
            })?;
            Ok(own)
        };
        table.read_blocks(read, |next| {
            columns.append(next);
            Ok::<_, DataError>(())
        })?;
        let dataset = columns.finish(&config.path, &header, table.finish()?)?;
        dataset.refuse_unusable()?;
        Ok(dataset)
    }

    /// The features of the chosen rows, row-major.
    #[must_use]
    pub fn raw_rows(&self, rows: &[u32]) -> Vec<f64> {
        let row = |own: u32| self.features.iter().map(move |column| column[own as usize]);
        rows.iter().flat_map(|own| row(*own)).collect()
    }

    /// The chosen rows, in their order, as a table of their own.
    #[must_use]
    pub fn gather(&self, rows: &[u32]) -> Self {
        let chosen = |values: &[f64]| rows.iter().map(|row| values[*row as usize]).collect();
        Self {
            path: self.path.clone(),
            sha256: self.sha256.clone(),
            target_name: self.target_name.clone(),
            target: chosen(&self.target),
            feature_names: self.feature_names.clone(),
            features: self.features.iter().map(|column| chosen(column)).collect(),
            weights: self.weights.as_ref().map(|weights| chosen(weights)),
            uncertainty: self.uncertainty.as_ref().map(|own| chosen(own)),
            groups: self.groups.as_ref().map(|groups| groups.gather(rows)),
            order: self.order.as_ref().map(|o| rows.iter().map(|row| o[*row as usize]).collect()),
            text: self.text.iter().map(|column| column.gather(rows)).collect(),
        }
    }

    /// How much each row counts, with mean 1: its weight over the variance of its target, where the
    /// target is learned in a space whose slope by the target is `slope`.
    #[must_use]
    pub fn row_weights(&self, slope: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut all = self.weights.clone().unwrap_or_else(|| vec![1.0; self.rows()]);
        if let Some(uncertainty) = &self.uncertainty {
            for ((weight, own), target) in all.iter_mut().zip(uncertainty).zip(&self.target) {
                *weight /= (own * slope(*target)).powi(2);
            }
        }
        // Only ratios count, and the sum of large weights may leave the range of numbers.
        let largest = all.iter().copied().fold(0.0, f64::max);
        if largest > 0.0 {
            for weight in &mut all {
                *weight /= largest;
            }
        }
        let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
        all.iter().map(|weight| weight / mean).collect()
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.target.len()
    }

    /// The values of the target or of a feature; `None` where there is no such column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        if name == self.target_name {
            return Some(&self.target);
        }
        let position = self.feature_names.iter().position(|feature| feature == name)?;
        self.features.get(position).map(Vec::as_slice)
    }

    /// The group of each row; every row its own group where there is no group column.
    #[must_use]
    pub fn group_ids(&self) -> Vec<u32> {
        match &self.groups {
            Some(groups) => groups.ids.clone(),
            None => (0..self.rows() as u32).collect(),
        }
    }

    /// Names of the columns without numbers, which are not used.
    #[must_use]
    pub fn skipped(&self) -> Vec<String> {
        self.text.iter().map(|column| column.column.clone()).collect()
    }

    /// The name of the group of `row`, where there are groups.
    #[must_use]
    pub fn group_name(&self, row: usize) -> Option<Name> {
        self.groups.as_ref().map(|groups| Name::new(&groups.names, groups.ids[row]))
    }

    fn refuse_unusable(&self) -> Result<(), DataError> {
        let refuse = |found: String, expected: &str, hint: &str| {
            Err(DataError::malformed(&self.path, found, expected, hint))
        };
        if self.features.is_empty() {
            let found = format!("no numeric column besides the target `{}`", self.target_name);
            return refuse(
                found,
                "at least one feature",
                "check `data.target` and `data.features`",
            );
        }
        Ok(())
    }

    /// Refuses a target that there is nothing to learn about.
    ///
    /// # Errors
    /// When every row has the same target.
    pub fn refuse_constant_target(&self) -> Result<(), DataError> {
        if self.target.iter().any(|value| *value != self.target[0]) {
            return Ok(());
        }
        let found = format!("column `{}` is {} in every row", self.target_name, self.target[0]);
        let (expected, hint) = ("a target that varies", "check `data.target`");
        Err(DataError::malformed(&self.path, found, expected, hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathered_groups_are_numbered_anew() {
        let names = Arc::new(Names::from_iter(["a", "b", "c"]));
        let groups = Groups { column: "g".to_owned(), ids: vec![0, 1, 2, 1, 0], names };
        let gathered = groups.gather(&[4, 2, 0]);
        assert_eq!(gathered.ids, [0, 1, 0]);
        assert_eq!(gathered.names.iter().collect::<Vec<_>>(), ["a", "c"]);
    }
}
