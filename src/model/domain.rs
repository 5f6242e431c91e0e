//! The rows that a model knows: their joint distance, stated ranges, and which values may be missing.

use serde::{Deserialize, Serialize};

use crate::features::{FeatureMatrix, Preprocessor};

use super::{DomainGuard, Oddness};

/// Tells rows that are unlike the training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    /// From raw columns to the features that the distance is measured in.
    pub preprocessor: Preprocessor,
    /// The distance.
    pub guard: DomainGuard,
    /// Smallest and largest value that each raw column can have, as stated in its schema.
    pub limits: Vec<[Option<f64>; 2]>,
    /// Whether each raw column lacked values in training; elsewhere a missing value is unheard of.
    pub may_be_missing: Vec<bool>,
}

impl Domain {
    /// Whether each column of `matrix` lacks a value in some row.
    #[must_use]
    pub fn missing_columns(matrix: &FeatureMatrix) -> Vec<bool> {
        let mut missing = vec![false; matrix.columns()];
        for row in matrix.values().chunks_exact(matrix.columns().max(1)) {
            missing.iter_mut().zip(row).for_each(|(missing, value)| *missing |= value.is_nan());
        }
        missing
    }

    /// Whether every part is of the size that the others need.
    #[must_use]
    pub fn is_consistent(&self, columns: usize) -> bool {
        self.preprocessor.is_consistent()
            && self.preprocessor.inputs().len() == columns
            && self.guard.is_consistent(self.preprocessor.width())
            && self.limits.len() == columns
            && self.may_be_missing.len() == columns
    }

    /// The columns at fault in a raw row that is unlike the training data, worst first; none where
    /// it is like them.
    #[must_use]
    pub fn columns_at_fault(&self, raw: &[f64]) -> Vec<usize> {
        let mut columns: Vec<usize> = self.impossible_columns(raw).collect();
        let features = self.preprocessor.transform_rows(raw);
        if self.guard.is_outside(features.row(0)) {
            let odd = self.guard.columns_at_fault(features.row(0));
            columns.extend(odd.into_iter().filter(|column| {
                // A missing value is no deviation; where it is unheard of it was named already.
                !raw[*column].is_nan() && !self.is_impossible(*column, raw[*column])
            }));
        }
        columns
    }

    /// Columns of a raw row whose value is beyond what the schema states, or missing where none ever was.
    pub fn impossible_columns<'a>(&'a self, raw: &'a [f64]) -> impl Iterator<Item = usize> + 'a {
        (0..raw.len()).filter(|column| self.is_impossible(*column, raw[*column]))
    }

    /// How unlike the training rows a raw row is, all columns together and each given the others. A missing
    /// value counts as the mean.
    #[must_use]
    pub fn oddness(&self, raw: &[f64]) -> Oddness {
        let features = self.preprocessor.transform_rows(raw);
        self.guard.oddness(features.row(0))
    }

    /// Whether the distance is measured in logarithms of the columns.
    #[must_use]
    pub fn is_logarithmic(&self) -> bool {
        self.preprocessor.outputs().any(|name| name.starts_with("log1p("))
    }

    /// Whether a column cannot have this value.
    fn is_impossible(&self, column: usize, value: f64) -> bool {
        let [minimum, maximum] = self.limits[column];
        (value.is_nan() && !self.may_be_missing[column])
            || minimum.is_some_and(|minimum| value < minimum)
            || maximum.is_some_and(|maximum| value > maximum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{features::RawRows, model::Strangeness};

    fn domain(columns: &[Vec<f64>], limits: Vec<[Option<f64>; 2]>) -> Domain {
        let names: Vec<String> = (0..columns.len()).map(|index| format!("x{index}")).collect();
        let rows: Vec<u32> = (0..columns[0].len() as u32).collect();
        let raw = RawRows { names: &names, columns, rows: &rows };
        let preprocessor = Preprocessor::plain(false, raw);
        let matrix = preprocessor.transform_columns(columns);
        let mut guard = DomainGuard::fit(&matrix, &rows);
        guard.settle([Strangeness { distance: 4.0, excess: 0.0, moved: false }; 100].iter(), 0.01);
        let may_be_missing = Domain::missing_columns(&matrix);
        Domain { preprocessor, guard, limits, may_be_missing }
    }

    #[test]
    fn stated_limits_and_unheard_of_gaps_are_at_fault() {
        let mut generator = crate::data::Generator::new(3, &[]);
        let mut columns: Vec<Vec<f64>> =
            (0..2).map(|_| (0..200).map(|_| generator.normal()).collect()).collect();
        columns[1][7] = f64::NAN;
        let domain = domain(&columns, vec![[Some(-2.0), None], [None, Some(2.0)]]);
        assert!(domain.columns_at_fault(&[0.3, -0.2]).is_empty());
        assert!(domain.columns_at_fault(&[0.3, f64::NAN]).is_empty());
        assert_eq!(domain.columns_at_fault(&[f64::NAN, 0.0]), [0]);
        assert_eq!(domain.columns_at_fault(&[-2.1, 2.1]), [0, 1]);
        assert_eq!(domain.columns_at_fault(&[9.0, 0.0]), [0]);
    }

    #[test]
    fn a_constant_that_becomes_another_is_at_fault_in_every_unit() {
        let mut generator = crate::data::Generator::new(4, &[]);
        for size in [1e-9, 1.0, 7e5] {
            let varied = (0..200).map(|_| generator.normal()).collect();
            let domain = domain(&[varied, vec![size; 200]], vec![[None; 2]; 2]);
            assert!(domain.columns_at_fault(&[0.3, size]).is_empty());
            assert_eq!(domain.columns_at_fault(&[0.3, 1.001 * size]), [1]);
            assert_eq!(domain.columns_at_fault(&[0.3, 0.0]), [1]);
        }
    }
}
