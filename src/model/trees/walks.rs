//! Trees laid out for walks through many of them at once.

use super::Tree;

/// Trees that are walked abreast: none waits for the comparison of another, and no branch depends on a row.
const ABREAST: usize = 8;

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
        for roots in self.roots.chunks(ABREAST) {
            let mut places = [roots[0]; ABREAST];
            places[..roots.len()].copy_from_slice(roots);
            while self.step(&mut places, row) {}
            for place in &places[..roots.len()] {
                sum += f64::from(self.values[*place as usize]);
            }
        }
        sum
    }

    /// Goes a step in every tree; whether any has moved.
    fn step(&self, places: &mut [u32; ABREAST], row: &[f32]) -> bool {
        let mut moved = 0;
        for place in places {
            let node = &self.nodes[*place as usize];
            // A leaf asks for nothing, and there may be no feature.
            let value = row.get(node.feature as usize).copied().unwrap_or(0.0);
            let [left, right] = node.children;
            let next = std::hint::select_unpredictable(value <= node.threshold, left, right);
            moved |= next ^ *place;
            *place = next;
        }
        moved != 0
    }
}
