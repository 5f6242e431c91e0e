//! A binary regression tree in flat arrays.

use serde::{Deserialize, Serialize};

/// The mark of a leaf in [`Tree::feature`].
const LEAF: i32 = -1;

/// A regression tree (Breiman, Friedman, Olshen, Stone 1984); every array has one entry per node.
///
/// Node 0 is the root; the two children of a node come after it, the right one next to the left. A row goes left
/// where `row[feature] <= threshold`, else right; so a value that is not a number goes right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// The column that a node asks for; -1 in a leaf.
    pub feature: Vec<i32>,
    /// The largest value that goes left.
    pub threshold: Vec<f32>,
    /// The node for rows at or below the threshold.
    pub left: Vec<u32>,
    /// The prediction of a leaf; an inner node holds what it would predict as a leaf.
    pub value: Vec<f32>,
}

impl Tree {
    /// The number of nodes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.feature.len()
    }

    /// The number of leaves.
    #[must_use]
    pub fn leaves(&self) -> usize {
        self.feature.iter().filter(|feature| **feature < 0).count()
    }

    /// Adds a leaf and gives its index.
    pub fn push_leaf(&mut self, value: f64) -> u32 {
        let index = self.nodes() as u32;
        self.feature.push(LEAF);
        self.threshold.push(0.0);
        self.left.push(0);
        self.value.push(value as f32);
        index
    }

    /// Whether `node` is a leaf.
    #[must_use]
    pub fn is_leaf(&self, node: usize) -> bool {
        self.feature[node] < 0
    }

    /// The child of the inner node `node` that `row` goes to.
    #[must_use]
    pub fn child(&self, node: usize, row: &[f32]) -> usize {
        let goes_left = row[self.feature[node] as usize] <= self.threshold[node];
        self.left[node] as usize + usize::from(!goes_left)
    }

    /// The value of the leaf that `row` falls into.
    #[must_use]
    pub fn predict(&self, row: &[f32]) -> f64 {
        let mut node = 0;
        while !self.is_leaf(node) {
            node = self.child(node, row);
        }
        f64::from(self.value[node])
    }

    /// The tree with every value multiplied by `factor`.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        for value in &mut self.value {
            *value = (f64::from(*value) * factor) as f32;
        }
        self
    }

    /// The tree of the first `splits` splits, for a tree whose children were added in pairs, one
    /// pair per split, so that split `s` (from 0) made the nodes `2 s + 1` and `2 s + 2`.
    #[must_use]
    pub fn first_splits(mut self, splits: usize) -> Self {
        let kept = (2 * splits + 1).min(self.nodes());
        self.feature.truncate(kept);
        self.threshold.truncate(kept);
        self.left.truncate(kept);
        self.value.truncate(kept);
        for node in 0..kept {
            if !self.is_leaf(node) && self.left[node] as usize >= kept {
                self.feature[node] = LEAF;
            }
        }
        self
    }

    /// Whether the arrays fit together and `columns`, children come after their parents (so that
    /// no walk is endless), and every value is finite: the check for a tree read from a file.
    #[must_use]
    pub fn is_consistent(&self, columns: usize) -> bool {
        let nodes = self.nodes();
        let lengths = [self.threshold.len(), self.left.len(), self.value.len()];
        nodes > 0
            && lengths.iter().all(|length| *length == nodes)
            && self.value.iter().all(|value| value.is_finite())
            && (0..nodes).all(|node| self.is_leaf(node) || self.is_sound_split(node, columns))
    }

    fn is_sound_split(&self, node: usize, columns: usize) -> bool {
        let left = self.left[node] as usize;
        (self.feature[node] as usize) < columns
            && !self.threshold[node].is_nan()
            && (node + 1..self.nodes().saturating_sub(1)).contains(&left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stump() -> Tree {
        let mut tree = Tree::default();
        for value in [0.5, 1.0, 2.0] {
            tree.push_leaf(value);
        }
        tree.feature[0] = 1;
        tree.threshold[0] = 3.0;
        tree.left[0] = 1;
        tree
    }

    #[test]
    fn value_on_the_threshold_goes_left_and_a_missing_value_right() {
        let tree = stump();
        assert_eq!(tree.predict(&[9.0, 3.0]), 1.0);
        assert_eq!(tree.predict(&[0.0, 3.1]), 2.0);
        assert_eq!(tree.predict(&[0.0, f32::NAN]), 2.0);
    }

    #[test]
    fn damaged_trees_are_refused() {
        assert!(stump().is_consistent(2));
        assert!(!stump().is_consistent(1), "column out of range");
        assert!(!Tree::default().is_consistent(2), "no node");
        let damage: [fn(&mut Tree); 7] = [
            |tree| tree.left[0] = 0,
            |tree| tree.left[0] = 2,
            |tree| tree.value[1] = f32::INFINITY,
            |tree| tree.threshold[0] = f32::NAN,
            |tree| _ = tree.value.pop(),
            |tree| _ = tree.left.pop(),
            |tree| tree.feature[2] = 0,
        ];
        for (case, hurt) in damage.iter().enumerate() {
            let mut tree = stump();
            hurt(&mut tree);
            assert!(!tree.is_consistent(2), "case {case}");
        }
    }

    #[test]
    fn no_split_leaves_the_root() {
        let root = stump().first_splits(0);
        assert_eq!((root.nodes(), root.predict(&[])), (1, 0.5));
        assert_eq!(stump().first_splits(1), stump());
    }
}
