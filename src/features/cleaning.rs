//! What raw values become before features are made of them.

use serde::{Deserialize, Serialize};

use super::{CleanConfig, MissingRule};
use crate::data::explore::median;

/// Fills missing values and drops dead columns, by what the training rows hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cleaning {
    /// What is known of each raw column.
    pub(crate) columns: Vec<CleanColumn>,
}

/// What is known of one raw column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CleanColumn {
    /// Stands in for a missing value: the median of the training rows that have one, where missing
    /// values are filled. In a dead column, its usual value.
    pub(crate) fill: f64,
    /// Whether some training row lacks it, so that an indicator tells the networks.
    indicator: bool,
    /// Whether it is dropped: every row then has its most frequent value.
    pub(crate) dead: bool,
}

impl Cleaning {
    /// Fits on `rows` of raw `columns`, shape `[columns][all rows]`, `NaN` where a value is missing.
    pub(super) fn fit(config: &CleanConfig, columns: &[Vec<f64>], rows: &[u32]) -> Self {
        let column = |column: &Vec<f64>| CleanColumn::fit(config, column, rows);
        Self { columns: columns.iter().map(column).collect() }
    }

    /// Cleans a row in place.
    pub(super) fn apply(&self, row: &mut [f64]) {
        for (value, column) in row.iter_mut().zip(&self.columns) {
            if column.dead || value.is_nan() {
                *value = column.fill;
            }
        }
    }

    /// The columns that have an indicator.
    pub(crate) fn indicators(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().enumerate().filter(|(_, column)| column.indicator).map(|(i, _)| i)
    }

    /// The columns that are dropped.
    pub(super) fn dead(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().enumerate().filter(|(_, column)| column.dead).map(|(i, _)| i)
    }
}

impl CleanColumn {
    fn fit(config: &CleanConfig, column: &[f64], rows: &[u32]) -> Self {
        let of_rows = || rows.iter().map(|row| column[*row as usize]);
        let fills = config.missing == MissingRule::Median;
        let indicator = fills && of_rows().any(f64::is_nan);
        let present = || of_rows().filter(|value| !value.is_nan());
        let usual = dead_value(present(), config.dead_share);
        // Where nothing is to be filled, folds that agree in the rest share their features.
        let filled = || if fills { median(&mut present().collect::<Vec<_>>()) } else { None };
        Self { fill: usual.or_else(filled).unwrap_or(0.0), indicator, dead: usual.is_some() }
    }
}

/// The commonest of the values, where it makes up at least `share` of them.
fn dead_value(values: impl Iterator<Item = f64> + Clone, share: f64) -> Option<f64> {
    let first = values.clone().next().unwrap_or(0.0);
    if values.clone().all(|value| value == first) {
        return Some(first);
    }
    if share >= 1.0 {
        return None;
    }
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let longest = sorted.chunk_by(|a, b| a == b).max_by_key(|same| same.len())?;
    (longest.len() as f64 >= share * sorted.len() as f64).then(|| longest[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(config: &CleanConfig, column: &[f64], rows: &[u32]) -> CleanColumn {
        CleanColumn::fit(config, column, rows)
    }

    #[test]
    fn a_missing_value_becomes_the_median_of_the_training_rows_and_is_indicated() {
        let config = CleanConfig { missing: MissingRule::Median, ..Default::default() };
        let column = [1.0, f64::NAN, 3.0, 10.0, 1e9];
        let cleaning = Cleaning::fit(&config, &[column.to_vec()], &[0, 1, 2, 3]);
        let mut row = [f64::NAN];
        cleaning.apply(&mut row);
        assert_eq!(row, [3.0]);
        assert_eq!(cleaning.indicators().collect::<Vec<_>>(), [0]);
        assert!(!fitted(&config, &column, &[0, 2, 3]).indicator);
        assert_eq!(fitted(&config, &column, &[0, 2]).fill, 2.0);
    }

    #[test]
    fn a_column_is_dead_from_the_stated_share_of_equal_values() {
        let column: Vec<f64> =
            (0..20).map(|row| if row < 18 { 7.0 } else { f64::from(row) }).collect();
        let rows: Vec<u32> = (0..20).collect();
        let share = |dead_share: f64| CleanConfig { dead_share, ..Default::default() };
        assert!(fitted(&share(0.9), &column, &rows).dead);
        assert!(!fitted(&share(0.95), &column, &rows).dead);
        assert!(fitted(&share(1.0), &column, &rows[..18]).dead);
        let cleaning = Cleaning::fit(&share(0.9), &[column], &rows);
        let mut row = [19.0];
        cleaning.apply(&mut row);
        assert_eq!((row, cleaning.dead().count()), ([7.0], 1));
    }

    #[test]
    fn a_column_without_any_value_is_dead() {
        let config = CleanConfig { missing: MissingRule::Median, ..Default::default() };
        assert!(fitted(&config, &[f64::NAN; 4], &[0, 1, 2, 3]).dead);
    }
}
