//! Trees laid out for walks through many of them at once.

use super::Tree;

/// Trees that are walked abreast: none waits for the comparison of another, and no branch depends on a row.
const ABREAST: usize = 8;

/// Rows that go through one tree before any goes through the next: they stay in the nearest cache too.
const BLOCK: usize = 128;

/// A node of 12 bytes. Rows at or below the threshold go to `left`, the others to the node after it.
///
/// A leaf leads to itself whatever is compared: its threshold is NaN, which nothing is at or below, and `left` the
/// place before its own.
#[derive(Clone, Copy, Debug)]
struct Node {
    feature: u32,
    threshold: f32,
    left: u32,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        let bits = |node: &Self| (node.feature, node.threshold.to_bits(), node.left);
        bits(self) == bits(other)
    }
}

impl Node {
    fn is_leaf(&self) -> bool {
        self.threshold.is_nan()
    }
}

/// The nodes of all trees, one tree after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Walks {
    nodes: Vec<Node>,
    values: Vec<f32>,
    roots: Vec<u32>,
}

impl Walks {
    /// Of sound trees.
    pub(super) fn of(trees: impl IntoIterator<Item = Tree>) -> Self {
        let mut walks = Self::default();
        trees.into_iter().for_each(|tree| walks.push(&tree));
        walks.nodes.shrink_to_fit();
        walks.values.shrink_to_fit();
        walks
    }

    fn push(&mut self, tree: &Tree) {
        debug_assert!(tree.is_consistent(usize::MAX), "{tree:?}");
        let root = self.nodes.len() as u32;
        self.roots.push(root);
        self.values.extend_from_slice(&tree.value);
        self.nodes.extend((0..tree.nodes()).map(|place| {
            if tree.is_leaf(place) {
                let before = (root + place as u32).wrapping_sub(1);
                return Node { feature: 0, threshold: f32::NAN, left: before };
            }
            let (feature, threshold) = (tree.feature[place] as u32, tree.threshold[place]);
            Node { feature, threshold, left: root + tree.left[place] }
        }));
    }

    /// The trees again.
    pub(super) fn trees(&self) -> impl Iterator<Item = Tree> + '_ {
        let ends = self.roots.iter().skip(1).copied().chain([self.nodes.len() as u32]);
        self.roots.iter().zip(ends).map(|(root, end)| self.tree(*root, end))
    }

    fn tree(&self, root: u32, end: u32) -> Tree {
        let own = root as usize..end as usize;
        let mut tree = Tree::default();
        for (node, value) in self.nodes[own.clone()].iter().zip(&self.values[own]) {
            let place = tree.push_leaf(f64::from(*value)) as usize;
            if !node.is_leaf() {
                tree.feature[place] = node.feature as i32;
                tree.threshold[place] = node.threshold;
                tree.left[place] = node.left - root;
            }
        }
        tree
    }

    /// Whether rows of `columns` features have whatever is asked for.
    pub(super) fn fit(&self, columns: usize) -> bool {
        self.nodes.iter().all(|node| node.is_leaf() || (node.feature as usize) < columns)
    }

    /// The sum of the leaves that `row` falls into, in the order of the trees.
    pub(super) fn sum(&self, row: &[f32]) -> f64 {
        let mut sum = 0.0;
        // A leaf asks for nothing, and there may be no feature.
        let value = |_, feature: u32| row.get(feature as usize).copied().unwrap_or(0.0);
        for roots in self.roots.chunks(ABREAST) {
            let mut places = [roots[0]; ABREAST];
            places[..roots.len()].copy_from_slice(roots);
            self.walk(&mut places, value);
            for place in &places[..roots.len()] {
                sum += f64::from(self.values[*place as usize]);
            }
        }
        sum
    }

    /// [`Self::sum`] of some rows. Several rows walk through one tree, whose nodes stay in the nearest cache, and no
    /// longer one row through several trees.
    pub(super) fn sums(&self, rows: &[&[f32]]) -> Vec<f64> {
        rows.chunks(BLOCK).flat_map(|rows| self.block(rows)).collect()
    }

    fn block(&self, rows: &[&[f32]]) -> Vec<f64> {
        if rows.len() < ABREAST {
            return rows.iter().map(|row| self.sum(row)).collect();
        }
        let groups: Vec<Vec<f32>> = rows.chunks(ABREAST).map(side_by_side).collect();
        let mut sums = vec![0.0; rows.len()];
        for root in &self.roots {
            for (group, sums) in groups.iter().zip(sums.chunks_mut(ABREAST)) {
                let mut places = [*root; ABREAST];
                self.walk(&mut places, |row, feature| {
                    group.get(feature as usize * ABREAST + row).copied().unwrap_or(0.0)
                });
                for (sum, place) in sums.iter_mut().zip(places) {
                    *sum += f64::from(self.values[place as usize]);
                }
            }
        }
        sums
    }

    /// Goes on to leaves from all places; `value` gives the feature that one of them asks for.
    #[inline]
    fn walk(&self, places: &mut [u32; ABREAST], value: impl Fn(usize, u32) -> f32) {
        loop {
            let mut moved = 0;
            for (lane, place) in places.iter_mut().enumerate() {
                let node = &self.nodes[*place as usize];
                let is_left = value(lane, node.feature) <= node.threshold;
                let next = node.left.wrapping_add(u32::from(!is_left));
                moved |= next ^ *place;
                *place = next;
            }
            if moved == 0 {
                return;
            }
        }
    }
}

/// The features of up to [`ABREAST`] rows, `[features, ABREAST]`.
fn side_by_side(rows: &[&[f32]]) -> Vec<f32> {
    let features = rows.first().map_or(0, |row| row.len());
    let mut values = vec![0.0; features * ABREAST];
    for (lane, row) in rows.iter().enumerate() {
        for (feature, value) in row.iter().enumerate() {
            values[feature * ABREAST + lane] = *value;
        }
    }
    values
}
