//! The summary of every numeric column, and how the columns go together.

use rayon::prelude::*;
use serde::Serialize;

use crate::data::{Dataset, Groups, TableSchema};

use super::{
    correlation::{Ranked, pearson_matrix},
    statistics::{Moments, distinct, quantile},
};

/// A table in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Profile {
    /// Rows.
    pub rows: usize,
    /// Groups, where there is a group column.
    pub groups: Option<GroupProfile>,
    /// The target, then the features in the order of the table.
    pub columns: Vec<ColumnProfile>,
    /// Pearson correlations of `columns`, shape `[columns][columns]`; `None` where one of the two does
    /// not vary or they share fewer than three rows. Over the rows that have both.
    pub pearson: Vec<Vec<Option<f64>>>,
}

/// How rows share groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupProfile {
    /// The group column.
    pub column: String,
    /// Distinct groups.
    pub groups: usize,
    /// Groups with more than one row.
    pub repeated: usize,
    /// Rows of the largest group.
    pub largest: usize,
}

/// The part that a column plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnRole {
    /// What is predicted.
    Target,
    /// What it is predicted from.
    Feature,
}

/// One column in numbers. Statistics are over the rows that have a value; `None` where there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// Its part.
    pub role: ColumnRole,
    /// Its unit, where it is stated.
    pub unit: Option<String>,
    /// Rows without a value.
    pub missing: usize,
    /// Values that are exactly 0.
    pub zeros: usize,
    /// Different values.
    pub distinct: usize,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation of the sample (divided by n - 1).
    pub deviation: Option<f64>,
    /// Smallest value.
    pub minimum: Option<f64>,
    /// Lower quartile, by linear interpolation.
    pub lower_quartile: Option<f64>,
    /// Median.
    pub median: Option<f64>,
    /// Upper quartile, by linear interpolation.
    pub upper_quartile: Option<f64>,
    /// Largest value.
    pub maximum: Option<f64>,
    /// Skewness (third standardised moment of the population, `scipy.stats.skew`).
    pub skewness: Option<f64>,
    /// Pearson's correlation with the target.
    pub pearson: Option<f64>,
    /// Spearman's rank correlation with the target.
    pub spearman: Option<f64>,
}

impl Profile {
    /// Computes the profile of `dataset`, with the units of `schema`; missing values are `NaN`.
    /// `on_column` is called, from several threads, as each column is done.
    #[must_use]
    pub fn new(
        dataset: &Dataset,
        schema: Option<&TableSchema>,
        on_column: &(dyn Fn() + Sync),
    ) -> Self {
        let columns = columns_of(dataset);
        let values: Vec<&[f64]> = columns.iter().map(|column| column.2).collect();
        let pearson = pearson_matrix(&values);
        let target = Ranked::new(&dataset.target);
        let describe = |(index, &(name, role, values)): (usize, &(&str, ColumnRole, &[f64]))| {
            let unit = schema.and_then(|schema| schema.column(name)).map(|stated| &stated.unit);
            let ranked = Ranked::new(values);
            let spearman = Ranked::spearman((values, &ranked), (&dataset.target, &target));
            let mut column = ColumnProfile::new(name, role, values.len(), &ranked.sorted);
            column.unit = unit.filter(|unit| !unit.is_empty()).cloned();
            (column.pearson, column.spearman) = (pearson[0][index], spearman);
            on_column();
            column
        };
        let columns = columns.par_iter().enumerate().map(describe).collect();
        let groups = dataset.groups.as_ref().map(GroupProfile::new);
        Self { rows: dataset.rows(), groups, columns, pearson }
    }

    /// Gives the target its unit, where none is stated in the schema; an empty `unit` is none.
    pub fn state_target_unit(&mut self, unit: &str) {
        if let Some(target) = self.columns.first_mut().filter(|_| !unit.is_empty()) {
            target.unit.get_or_insert_with(|| unit.to_owned());
        }
    }
}

/// Name, part and values of the target, then of the features.
pub(super) fn columns_of(dataset: &Dataset) -> Vec<(&str, ColumnRole, &[f64])> {
    let target = (dataset.target_name.as_str(), ColumnRole::Target, dataset.target.as_slice());
    let features = dataset.feature_names.iter().zip(&dataset.features);
    let features =
        features.map(|(name, values)| (name.as_str(), ColumnRole::Feature, values.as_slice()));
    std::iter::once(target).chain(features).collect()
}

impl GroupProfile {
    fn new(groups: &Groups) -> Self {
        let mut rows = vec![0_usize; groups.names.len()];
        groups.ids.iter().for_each(|id| rows[*id as usize] += 1);
        Self {
            column: groups.column.clone(),
            groups: rows.len(),
            repeated: rows.iter().filter(|rows| **rows > 1).count(),
            largest: rows.iter().copied().max().unwrap_or(0),
        }
    }
}

impl ColumnProfile {
    fn new(name: &str, role: ColumnRole, rows: usize, sorted: &[f64]) -> Self {
        let moments = Moments::of(sorted);
        let below = |limit: f64| sorted.partition_point(|value| *value < limit);
        Self {
            name: name.to_owned(),
            role,
            unit: None,
            missing: rows - sorted.len(),
            zeros: sorted.partition_point(|value| *value <= 0.0) - below(0.0),
            distinct: distinct(sorted),
            mean: moments.mean,
            deviation: moments.deviation,
            minimum: sorted.first().copied(),
            lower_quartile: quantile(sorted, 0.25),
            median: quantile(sorted, 0.5),
            upper_quartile: quantile(sorted, 0.75),
            maximum: sorted.last().copied(),
            skewness: moments.skewness,
            pearson: None,
            spearman: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::data::{ColumnSchema, Names};

    fn table() -> Dataset {
        let names = Arc::new(Names::from_iter(["a", "b"]));
        Dataset {
            path: "made".to_owned(),
            sha256: String::new(),
            target_name: "mass".to_owned(),
            target: vec![1.0, 2.0, 4.0, 8.0],
            feature_names: vec!["det1".to_owned(), "flat".to_owned()],
            features: vec![vec![0.0, f64::NAN, -0.0, 3.0], vec![5.0; 4]],
            weights: None,
            uncertainty: None,
            groups: Some(Groups { column: "drum".to_owned(), ids: vec![0, 1, 0, 0], names }),
            order: None,
            text: Vec::new(),
        }
    }

    #[test]
    fn every_column_is_counted_and_described() {
        let stated = ColumnSchema { name: "det1".into(), unit: "1/s".into(), ..Default::default() };
        let schema = TableSchema { columns: vec![stated], array: None };
        let calls = AtomicUsize::new(0);
        let count = || {
            calls.fetch_add(1, Ordering::Relaxed);
        };
        let profile = Profile::new(&table(), Some(&schema), &count);
        assert_eq!((profile.rows, calls.into_inner()), (4, 3));
        let [mass, det1, flat] = &profile.columns[..] else { panic!("three columns") };
        assert_eq!((mass.role, det1.role), (ColumnRole::Target, ColumnRole::Feature));
        assert_eq!((det1.missing, det1.zeros, det1.distinct), (1, 2, 2));
        assert_eq!((det1.unit.as_deref(), mass.unit.as_deref()), (Some("1/s"), None));
        assert_eq!((mass.mean, mass.pearson, mass.spearman), (Some(3.75), Some(1.0), Some(1.0)));
        assert_eq!((flat.deviation, flat.skewness, flat.pearson), (Some(0.0), None, None));
        // Rows 1, 3 and 4: masses 1, 4, 8 against 0, 0, 3.
        let expected = 11.0 / (6.0_f64 * 74.0 / 3.0).sqrt();
        assert!((det1.pearson.unwrap() - expected).abs() < 1e-10);
        assert!((det1.spearman.unwrap() - 0.75_f64.sqrt()).abs() < 1e-10);
        assert_eq!(profile.pearson[2], [None; 3]);
    }

    #[test]
    fn groups_are_counted() {
        let groups = Profile::new(&table(), None, &|| ()).groups.unwrap();
        assert_eq!((groups.groups, groups.repeated, groups.largest), (2, 1, 3));
    }
}
