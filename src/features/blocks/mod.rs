//! Feature blocks, fitted: each type computes its columns from one cleaned row.
//!
//! Invariant: a block sees one row at a time; what it knows of others was fitted on training rows.

mod components;
mod logarithm;
mod normal_scores;
mod pairs;
mod rings;
mod row_patterns;

use serde::{Deserialize, Serialize};

use super::{FeatureBlock, Layout};

pub(crate) use components::PrincipalComponents;
pub(crate) use logarithm::Log1p;
pub(crate) use normal_scores::NormalScores;
pub(crate) use pairs::Pairs;
pub(crate) use rings::{RingAsymmetries, RingSums, Sorted};
pub(crate) use row_patterns::{Ratios, Raw, Shares, Summary, Total};

/// Some columns of features, as a function of one cleaned row.
trait Columns {
    /// Names of the columns; `raw` names the columns of a cleaned row.
    fn names(&self, raw: &[String]) -> Vec<String>;

    /// Appends the columns of `row` to `values`.
    fn append(&self, row: &[f64], values: &mut Vec<f64>);
}

/// A feature block with everything it learned from training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "block", rename_all = "snake_case")]
pub(crate) enum FittedBlock {
    Raw(Raw),
    Total(Total),
    Summary(Summary),
    Shares(Shares),
    Ratios(Ratios),
    Sorted(Sorted),
    RingSums(RingSums),
    RingAsymmetries(RingAsymmetries),
    Log1p(Log1p),
    Normal(NormalScores),
    Pairs(Pairs),
    Pca(PrincipalComponents),
}

impl FittedBlock {
    /// Fits `block` on the cleaned `rows`, row-major, `layout.columns` to a row.
    pub(super) fn fit(block: &FeatureBlock, layout: &Layout, rows: &[f64]) -> Self {
        let inner = |of: &FeatureBlock| Box::new(Self::fit(of, layout, rows));
        match block {
            FeatureBlock::Raw => Self::Raw(Raw {}),
            FeatureBlock::Total => Self::Total(Total { columns: layout.detectors() }),
            FeatureBlock::Summary => Self::Summary(Summary { columns: layout.detectors() }),
            FeatureBlock::Shares => Self::Shares(Shares { columns: layout.detectors() }),
            FeatureBlock::Ratios => Self::Ratios(Ratios::new(layout)),
            FeatureBlock::Sorted => Self::Sorted(Sorted { rings: layout.rings.clone() }),
            FeatureBlock::RingSums => Self::RingSums(RingSums { rings: layout.rings.clone() }),
            FeatureBlock::RingAsymmetries => {
                Self::RingAsymmetries(RingAsymmetries { rings: layout.rings.clone() })
            }
            FeatureBlock::Log1p(of) => Self::Log1p(Log1p { of: inner(of) }),
            FeatureBlock::Normal(of) => {
                Self::Normal(NormalScores::fit(inner(of), layout.columns, rows))
            }
            FeatureBlock::Pairs(of) => Self::Pairs(Pairs::fit(inner(of), layout.columns, rows)),
            FeatureBlock::Pca(of) => {
                Self::Pca(PrincipalComponents::fit(inner(of), layout.columns, rows))
            }
        }
    }

    /// Names of its columns; `raw` names the columns of a cleaned row.
    pub(super) fn names(&self, raw: &[String]) -> Vec<String> {
        self.columns().names(raw)
    }

    /// Appends its columns of `row` to `values`.
    pub(super) fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        self.columns().append(row, values);
    }

    /// Its columns of many rows, by column, shape `[columns][rows]`.
    pub(in crate::features) fn by_column(&self, width: usize, rows: &[f64]) -> Vec<Vec<f64>> {
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut values = Vec::new();
        for row in rows.chunks_exact(width.max(1)) {
            values.clear();
            self.append(row, &mut values);
            columns.resize_with(values.len(), Vec::new);
            columns.iter_mut().zip(&values).for_each(|(column, value)| column.push(*value));
        }
        columns
    }

    fn columns(&self) -> &dyn Columns {
        match self {
            Self::Raw(block) => block,
            Self::Total(block) => block,
            Self::Summary(block) => block,
            Self::Shares(block) => block,
            Self::Ratios(block) => block,
            Self::Sorted(block) => block,
            Self::RingSums(block) => block,
            Self::RingAsymmetries(block) => block,
            Self::Log1p(block) => block,
            Self::Normal(block) => block,
            Self::Pairs(block) => block,
            Self::Pca(block) => block,
        }
    }
}

/// The columns of a block in a row, in the standard units of each.
fn in_standard_units(of: &FittedBlock, units: &[(f64, f64)], row: &[f64]) -> Vec<f64> {
    let mut values = Vec::new();
    of.append(row, &mut values);
    for (value, (mean, inverse)) in values.iter_mut().zip(units) {
        *value = (*value - mean) * inverse;
    }
    values
}

/// The columns of a block in a row.
#[cfg(test)]
fn columns_of(block: &dyn Columns, row: &[f64]) -> Vec<f64> {
    let mut values = Vec::new();
    block.append(row, &mut values);
    values
}

/// Mean and one over the population standard deviation (0 where it vanishes) of a column.
fn standard_units(column: &[f64]) -> (f64, f64) {
    let count = column.len().max(1) as f64;
    let mean = column.iter().map(|value| value / count).sum::<f64>();
    let largest = column.iter().map(|value| (value - mean).abs()).fold(0.0, f64::max);
    if largest <= 1e-12 * mean.abs() || !largest.is_finite() || largest < 1e-300 {
        return (mean, 0.0);
    }
    // Over the largest deviation first: squares of huge or tiny numbers leave the number range.
    let squares = column.iter().map(|value| ((value - mean) / largest).powi(2)).sum::<f64>();
    (mean, 1.0 / (largest * (squares / count).sqrt()))
}
