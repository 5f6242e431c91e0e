//! What a forest is made of, and which makes are compared.

use super::Limits;
use super::columns::share;

/// How the trees of a forest cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// At the best threshold, on rows drawn with replacement: a random forest (Breiman 2001).
    Best,
    /// At one random threshold per column, on all rows: extra trees (Geurts, Ernst, Wehenkel 2006).
    Random,
}

/// The rows that a tree of a random forest sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RowDraw {
    /// As many draws with replacement as there are rows (Breiman 1996): 63 % of them.
    Bootstrap,
    /// A fraction in `(0, 1]`, without replacement (Bühlmann and Yu 2002).
    Fraction(f64),
}

/// A forest's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ForestSettings {
    /// How its trees cut.
    pub cut: Cut,
    /// Number of trees.
    pub trees: usize,
    /// The fraction of the columns that each node looks at, in `(0, 1]`.
    pub columns: f64,
    /// The rows of each tree where the cut is the best; random cuts see all.
    pub rows: RowDraw,
    /// Limits of each tree.
    pub limits: Limits,
}

/// Most trees of a forest that predicts the target.
pub(crate) const MOST_TREES: usize = 200;

/// Most trees of a forest of which less is asked: every row that is predicted walks through all of them.
pub(crate) const FEW_TREES: usize = 100;

/// How many trees each sub-model grows: to compare settings, and in the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForestBudget {
    pub(crate) probe: usize,
    pub(crate) trees: usize,
}

impl ForestBudget {
    /// `most` trees in all sub-models together, fewer for large tables, where a tree costs
    /// `rows log rows` and the mean of a hundred is as good; a part of them to compare settings.
    pub(crate) fn new(rows: usize, models: usize, most: usize) -> Self {
        let (rows, models) = (rows.max(1), models.max(1));
        let trees = (1_800_000 / rows).clamp(100, most).div_ceil(models);
        Self { probe: (150_000 / rows).clamp(12, 200).div_ceil(models).min(trees), trees }
    }
}

impl ForestSettings {
    /// Plain trees for a table of `rows` rows: all columns, full depth but for large tables, whose
    /// models would fill gigabytes. A part is left out already, so that trees on 80 % of the other
    /// rows see about as many as a bootstrap of all.
    pub(crate) fn plain(cut: Cut, trees: usize, rows: usize) -> Self {
        let limits = Limits { min_leaf: smallest_leaf(rows), ..Limits::default() };
        Self { cut, trees, columns: 1.0, rows: RowDraw::Fraction(0.8), limits }
    }

    /// The same with other column fractions, where they mean another number of `columns`.
    pub(crate) fn other_columns(self, columns: usize) -> Vec<Self> {
        let mut fractions = vec![1.0, 0.6, 1.0 / 3.0];
        fractions.dedup_by_key(|fraction| share(columns, *fraction));
        fractions.into_iter().skip(1).map(|columns| Self { columns, ..self }).collect()
    }

    /// The same with fewer and more rows per tree, where rows are drawn at all.
    pub(crate) fn other_rows(self) -> Vec<Self> {
        match self.cut {
            Cut::Best => [RowDraw::Bootstrap, RowDraw::Fraction(0.95)]
                .map(|rows| Self { rows, ..self })
                .to_vec(),
            Cut::Random => Vec::new(),
        }
    }

    /// The same with larger leaves, which smooth noisy targets.
    pub(crate) fn larger_leaves(self, rows: usize) -> Vec<Self> {
        let fits = |size: &usize| 4 * size <= rows && *size > smallest_leaf(rows);
        let sizes = [3, 7, 20].into_iter().filter(fits);
        let with = |min_leaf| Self { limits: Limits { min_leaf, ..self.limits }, ..self };
        sizes.map(with).collect()
    }
}

/// Fewest rows in a leaf for a table of `rows` rows: a tree has at most some thousands of leaves.
fn smallest_leaf(rows: usize) -> usize {
    (rows / 3_000).max(1)
}
