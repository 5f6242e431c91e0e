//! A sum of regression trees on a constant.

use super::{Tree, walks::Walks};
use crate::model::Regressor;

/// Trees whose predictions add up: `base + sum of the leaf values`.
///
/// A forest is stored the same way: its leaf values are divided by the number of trees beforehand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TreeEnsemble {
    /// The prediction without any tree.
    pub base: f64,
    walks: Walks,
}

impl TreeEnsemble {
    /// The ensemble that predicts `base` plus the sum of `trees`, each of which must be sound.
    #[must_use]
    pub fn new(base: f64, trees: impl IntoIterator<Item = Tree>) -> Self {
        Self { base, walks: Walks::of(trees) }
    }

    /// The same of trees that were read; `None` where one is not sound.
    #[must_use]
    pub fn read(base: f64, trees: Vec<Tree>) -> Option<Self> {
        let is_sound = trees.iter().all(|tree| tree.is_consistent(usize::MAX));
        is_sound.then(|| Self::new(base, trees))
    }

    /// The ensemble that predicts `base` plus the mean of `trees`.
    #[must_use]
    pub fn forest(base: f64, trees: Vec<Tree>) -> Self {
        let share = 1.0 / trees.len().max(1) as f64;
        Self::new(base, trees.into_iter().map(|tree| tree.scaled(share)))
    }

    /// The ensemble that predicts the mean of the predictions of `ensembles`.
    #[must_use]
    pub fn mean(ensembles: &[Self]) -> Self {
        let share = 1.0 / ensembles.len().max(1) as f64;
        let base = ensembles.iter().map(|ensemble| ensemble.base * share).sum();
        let trees = ensembles.iter().flat_map(Self::trees);
        Self::new(base, trees.map(|tree| tree.scaled(share)))
    }

    /// The trees.
    pub fn trees(&self) -> impl Iterator<Item = Tree> + '_ {
        self.walks.trees()
    }

    /// Whether the base is finite and every tree asks only for the `columns` features of a row.
    #[must_use]
    pub fn is_consistent(&self, columns: usize) -> bool {
        self.base.is_finite() && self.walks.fit(columns)
    }
}

impl Regressor for TreeEnsemble {
    fn predict(&self, row: &[f32]) -> f64 {
        self.base + self.walks.sum(row)
    }

    fn predict_rows(&self, rows: &[&[f32]]) -> Vec<f64> {
        let mut values = self.walks.sums(rows);
        for value in &mut values {
            *value += self.base;
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    fn constant(value: f64) -> Tree {
        let mut tree = Tree::default();
        tree.push_leaf(value);
        tree
    }

    #[test]
    fn mean_of_ensembles_predicts_the_mean() {
        let first = TreeEnsemble::forest(1.0, vec![constant(2.0), constant(4.0)]);
        let second = TreeEnsemble::new(0.0, vec![constant(8.0)]);
        assert_eq!(first.predict(&[]), 4.0);
        assert_eq!(TreeEnsemble::mean(&[first, second]).predict(&[]), 6.0);
    }

    /// A tree of a chain of splits, each of which sends what is larger on.
    fn chain(depth: usize, columns: usize, generator: &mut Generator) -> Tree {
        let mut tree = constant(generator.normal());
        for split in 0..depth {
            let place = 2 * split;
            for child in 1..=2 {
                tree.push_leaf(generator.normal() + f64::from(child));
            }
            tree.feature[place] = generator.below(columns) as i32;
            tree.threshold[place] = generator.normal() as f32 - 1.0;
            tree.left[place] = place as u32 + 1;
        }
        tree
    }

    #[test]
    fn trees_walked_abreast_predict_what_each_of_them_does() {
        let mut generator = Generator::new(4, &[]);
        for count in [0, 1, 7, 8, 21] {
            let trees: Vec<Tree> =
                (0..count).map(|tree| chain(tree % 9, 3, &mut generator)).collect();
            let ensemble = TreeEnsemble::new(0.5, trees.clone());
            assert!(ensemble.is_consistent(3));
            assert_eq!(ensemble.trees().collect::<Vec<Tree>>(), trees);
            let row = |missing: usize, generator: &mut Generator| {
                let mut row: Vec<f32> = (0..3).map(|_| generator.normal() as f32).collect();
                if let Some(value) = row.get_mut(missing) {
                    *value = f32::NAN;
                }
                row
            };
            let rows: Vec<Vec<f32>> = (0..20).map(|own| row(own, &mut generator)).collect();
            let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            let own = |row: &&[f32]| -> f64 {
                0.5 + trees.iter().map(|tree| tree.predict(row)).sum::<f64>()
            };
            let expected: Vec<f64> = rows.iter().map(own).collect();
            let alone: Vec<f64> = rows.iter().map(|row| ensemble.predict(row)).collect();
            assert_eq!(alone, expected);
            for several in [1, 3, 8, 20] {
                let parts = rows.chunks(several).flat_map(|rows| ensemble.predict_rows(rows));
                assert_eq!(parts.collect::<Vec<f64>>(), expected);
            }
        }
    }

    #[test]
    fn ensemble_with_a_damaged_tree_is_refused() {
        let trees = vec![constant(1.0), chain(1, 2, &mut Generator::new(1, &[]))];
        let sound = TreeEnsemble::read(0.0, trees.clone()).unwrap();
        assert!(sound.is_consistent(2) && !sound.is_consistent(0));
        assert!(!TreeEnsemble::new(f64::NAN, Vec::new()).is_consistent(0));
        let mut damaged = trees;
        damaged[1].left[0] = 7;
        assert!(TreeEnsemble::read(0.0, damaged).is_none());
    }
}
