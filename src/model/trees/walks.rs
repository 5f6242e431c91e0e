//! Trees laid out for walks through many of them at once.

use super::Tree;

/// Trees that are walked abreast: none waits for the comparison of another, and no branch depends on a row.
const ABREAST: usize = 8;

/// Rows that go through one tree before any goes through the next: they stay in the nearest cache too.
const BLOCK: usize = 128;

/// A node; a leaf leads to itself.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Node {
    feature: u32,
    threshold: f32,
    /// Where rows at or below the threshold go, and the others.
    children: [u32; 2],
}

/// The nodes of all trees, one tree after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Walks {
    nodes: Vec<Node>,
    values: Vec<f32>,
    roots: Vec<u32>,
}

impl Walks {
    /// Of trees; of unsound ones, which predict nothing, there are none.
    pub(super) fn of(trees: &[Tree]) -> Self {
        let mut walks = Self::default();
        if !trees.iter().all(|tree| tree.is_consistent(usize::MAX)) {
            return walks;
        }
        for tree in trees {
            let root = walks.nodes.len() as u32;
            walks.roots.push(root);
            walks.values.extend_from_slice(&tree.value);
            walks.nodes.extend((0..tree.nodes()).map(|place| {
                let itself = place as u32;
                let [left, right] = if tree.is_leaf(place) {
                    [itself; 2]
                } else {
                    [tree.left[place], tree.right[place]]
                };
                Node {
                    feature: tree.feature[place].max(0) as u32,
                    threshold: tree.threshold[place],
                    children: [root + left, root + right],
                }
            }));
        }
        walks
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
                let [left, right] = node.children;
                let is_left = value(lane, node.feature) <= node.threshold;
                let next = std::hint::select_unpredictable(is_left, left, right);
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
