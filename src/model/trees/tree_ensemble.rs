//! A sum of regression trees on a constant.

use serde::{Deserialize, Serialize};

use super::Tree;
use crate::model::Regressor;

/// Trees whose predictions add up: `base + sum of the leaf values`.
///
/// A forest is stored the same way: its leaf values are divided by the number of trees beforehand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TreeEnsemble {
    /// The prediction without any tree.
    pub base: f64,
    /// The trees.
    pub trees: Vec<Tree>,
}

impl TreeEnsemble {
    /// The ensemble that predicts `base` plus the mean of `trees`.
    #[must_use]
    pub fn forest(base: f64, trees: Vec<Tree>) -> Self {
        let share = 1.0 / trees.len().max(1) as f64;
        Self { base, trees: trees.into_iter().map(|tree| tree.scaled(share)).collect() }
    }

    /// The ensemble that predicts the mean of the predictions of `ensembles`.
    #[must_use]
    pub fn mean(ensembles: Vec<Self>) -> Self {
        let share = 1.0 / ensembles.len().max(1) as f64;
        let base = ensembles.iter().map(|ensemble| ensemble.base * share).sum();
        let trees = ensembles.into_iter().flat_map(|ensemble| ensemble.trees);
        Self { base, trees: trees.map(|tree| tree.scaled(share)).collect() }
    }

    /// Whether the base is finite and every tree is sound for rows of `columns` features.
    #[must_use]
    pub fn is_consistent(&self, columns: usize) -> bool {
        self.base.is_finite() && self.trees.iter().all(|tree| tree.is_consistent(columns))
    }
}

impl Regressor for TreeEnsemble {
    fn predict(&self, row: &[f32]) -> f64 {
        self.base + self.trees.iter().map(|tree| tree.predict(row)).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(value: f64) -> Tree {
        let mut tree = Tree::default();
        tree.push_leaf(value);
        tree
    }

    #[test]
    fn mean_of_ensembles_predicts_the_mean() {
        let first = TreeEnsemble::forest(1.0, vec![constant(2.0), constant(4.0)]);
        let second = TreeEnsemble { base: 0.0, trees: vec![constant(8.0)] };
        assert_eq!(first.predict(&[]), 4.0);
        assert_eq!(TreeEnsemble::mean(vec![first, second]).predict(&[]), 6.0);
    }

    #[test]
    fn ensemble_with_a_damaged_tree_is_refused() {
        let mut ensemble = TreeEnsemble { base: 0.0, trees: vec![constant(1.0), constant(2.0)] };
        assert!(ensemble.is_consistent(0));
        ensemble.trees[1].feature[0] = 0;
        assert!(!ensemble.is_consistent(0));
        assert!(!TreeEnsemble { base: f64::NAN, trees: Vec::new() }.is_consistent(0));
    }
}
