//! How gradient boosting takes its steps, and which ways are compared.

use super::Limits;

/// Settings of gradient boosting.
///
/// | name | range | effect |
/// |---|---|---|
/// | `rounds` | 0.. | number of trees |
/// | `learning_rate` | 0..1 | how much of each tree is added; smaller is smoother and slower |
/// | `rows` | 0..1 | fraction of the rows that each tree sees (Friedman 2002) |
/// | `columns` | 0..1 | fraction of the columns that each tree sees |
/// | `limits` | | of each tree |
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BoostingSettings {
    /// Number of trees.
    pub rounds: usize,
    /// Shrinkage of each tree.
    pub learning_rate: f64,
    /// Fraction of rows per tree.
    pub rows: f64,
    /// Fraction of columns per tree.
    pub columns: f64,
    /// Limits of each tree.
    pub limits: Limits,
}

impl BoostingSettings {
    /// The ways that are compared on a table of `rows` rows.
    pub(crate) fn compared(rows: usize) -> Vec<Self> {
        let learning_rate = if rows < 2500 { 0.05 } else { 0.1 };
        let way = |leaves: usize, min_leaf: usize, columns: f64| Self {
            rounds: 1000,
            learning_rate,
            rows: 0.7,
            columns,
            limits: Limits { leaves, min_leaf, l2: 1.0, ..Limits::default() },
        };
        if rows < 2500 {
            vec![way(8, 4, 0.7), way(3, 4, 0.7), way(24, 10, 0.7)]
        } else {
            vec![way(31, 10, 0.7), way(8, 10, 0.7)]
        }
    }
}
