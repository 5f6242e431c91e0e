//! The principal components of a block.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{Columns, FittedBlock, in_standard_units, standard_units};

/// Share of the variance that the kept components explain.
const EXPLAINED: f64 = 0.99;

/// `pcK`: principal components of the standardised columns, in falling order of variance, as many as
/// explain 99 % of it. The largest loading of each is positive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PrincipalComponents {
    pub(crate) of: Box<FittedBlock>,
    /// Mean and one over the standard deviation of each column.
    pub(crate) units: Vec<(f64, f64)>,
    /// Loadings of each component.
    pub(crate) loadings: Vec<Vec<f64>>,
}

impl PrincipalComponents {
    pub(super) fn fit(of: Box<FittedBlock>, width: usize, rows: &[f64]) -> Self {
        let columns = of.by_column(width, rows);
        let units: Vec<(f64, f64)> = columns.iter().map(|column| standard_units(column)).collect();
        let count = columns.first().map_or(0, Vec::len);
        let standard = DMatrix::from_fn(count, columns.len(), |row, column| {
            (columns[column][row] - units[column].0) * units[column].1
        });
        let covariance = standard.tr_mul(&standard) / count.max(1) as f64;
        Self { of, units, loadings: loadings(covariance) }
    }
}

/// The leading eigenvectors of a covariance.
fn loadings(covariance: DMatrix<f64>) -> Vec<Vec<f64>> {
    let whole = covariance.trace();
    let decomposed = covariance.symmetric_eigen();
    let mut order: Vec<usize> = (0..decomposed.eigenvalues.len()).collect();
    order.sort_by(|a, b| decomposed.eigenvalues[*b].total_cmp(&decomposed.eigenvalues[*a]));
    let mut explained = 0.0;
    let mut kept = Vec::new();
    for index in order {
        // At least one, so that a block never vanishes.
        if explained >= EXPLAINED * whole && !kept.is_empty() {
            break;
        }
        explained += decomposed.eigenvalues[index];
        let vector = decomposed.eigenvectors.column(index);
        let largest =
            vector.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
        kept.push(vector.iter().map(|loading| loading * largest.signum()).collect());
    }
    kept
}

impl Columns for PrincipalComponents {
    fn names(&self, _: &[String]) -> Vec<String> {
        (1..=self.loadings.len()).map(|component| format!("pc{component}")).collect()
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        let inner = in_standard_units(&self.of, &self.units, row);
        let product =
            |loadings: &Vec<f64>| loadings.iter().zip(&inner).map(|(l, x)| l * x).sum::<f64>();
        values.extend(self.loadings.iter().map(product));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::{FeatureBlock, Layout};

    fn fitted(width: usize, rows: &[f64]) -> FittedBlock {
        let layout = Layout::plain(width);
        FittedBlock::fit(&FeatureBlock::Pca(Box::new(FeatureBlock::Raw)), &layout, rows)
    }

    #[test]
    fn components_equal_those_of_scikit_learn() {
        let rows = [1.0, 2.0, 0.5, 2.0, 1.0, 0.1, 3.0, 5.0, 0.9, 4.0, 3.0, 0.2, 5.0, 6.0, 0.7];
        let mut values = Vec::new();
        fitted(3, &rows).append(&[4.0, 8.0, 0.5], &mut values);
        // sklearn.decomposition.PCA on StandardScaler's rows; signs by the largest loading.
        for (value, expected) in values.iter().zip(EXPECTED) {
            assert!((value - expected).abs() < 1e-9, "{values:?}");
        }
        assert_eq!(values.len(), EXPECTED.len());
    }

    const EXPECTED: [f64; 2] = [2.058_798_928_345_962_7, 0.436_695_431_332_948_47];

    #[test]
    fn copies_and_constants_add_no_component() {
        let rows: Vec<f64> =
            (0..20).flat_map(|row| [f64::from(row), f64::from(-3 * row), 7.0]).collect();
        let mut values = Vec::new();
        fitted(3, &rows).append(&[19.0, -57.0, 7.0], &mut values);
        assert_eq!(values.len(), 1);
        assert!(values[0] > 0.0);
    }
}
