//! Growth of one tree, split by split.

use super::search::{Split, SplitSearch};
use super::sums::{Sums, WeightedTarget};
use super::{BinnedMatrix, Limits};
use crate::model::Tree;

/// A grown tree and where its training rows ended.
pub(crate) struct GrownTree {
    pub(crate) tree: Tree,
    /// The training rows, sorted by leaf.
    pub(crate) rows: Vec<u32>,
    /// For each leaf its node and its span in `rows`.
    pub(crate) leaves: Vec<(u32, std::ops::Range<usize>)>,
}

/// A node that may still be split.
struct OpenNode<M> {
    node: u32,
    span: std::ops::Range<usize>,
    depth: usize,
    total: Sums,
    split: Split,
    memory: M,
}

/// A node just made, not yet examined.
struct NewNode<M> {
    node: u32,
    span: std::ops::Range<usize>,
    depth: usize,
    total: Sums,
    memory: M,
}

struct Grower<'a, S: SplitSearch> {
    binned: &'a BinnedMatrix,
    limits: Limits,
    search: &'a mut S,
    grown: GrownTree,
    open: Vec<OpenNode<S::Memory>>,
    scratch: Vec<u32>,
}

/// Grows a tree on `rows`: best split first when the number of leaves is limited (so that the
/// first splits are those of every smaller tree), else depth first, which is kinder to caches.
pub(crate) fn grow<S: SplitSearch>(
    binned: &BinnedMatrix,
    targets: &[WeightedTarget],
    limits: Limits,
    rows: Vec<u32>,
    search: &mut S,
) -> GrownTree {
    let mut total = Sums::default();
    for row in &rows {
        total.add(targets[*row as usize]);
    }
    let grown = GrownTree { tree: Tree::default(), rows, leaves: Vec::new() };
    let mut grower =
        Grower { binned, limits, search, grown, open: Vec::new(), scratch: Vec::new() };
    grower.plant(total);
    let mut leaves = 1;
    while let Some(node) = grower.next() {
        leaves += 1;
        grower.divide(node, leaves < limits.leaves);
        if leaves >= limits.leaves {
            break;
        }
    }
    grower.finish()
}

impl<S: SplitSearch> Grower<'_, S> {
    fn plant(&mut self, total: Sums) {
        let node = self.grown.tree.push_leaf(total.value(self.limits.l2));
        let span = 0..self.grown.rows.len();
        if self.limits.leaves > 1 && self.may_split(&span, 0) {
            let memory = self.search.begin(&self.grown.rows);
            self.examine(NewNode { node, span, depth: 0, total, memory });
        } else {
            self.grown.leaves.push((node, span));
        }
    }

    fn may_split(&self, span: &std::ops::Range<usize>, depth: usize) -> bool {
        span.len() >= 2 * self.limits.min_leaf.max(1) && depth < self.limits.depth
    }

    fn next(&mut self) -> Option<OpenNode<S::Memory>> {
        if self.limits.leaves == usize::MAX {
            return self.open.pop();
        }
        let gain = |place: &usize| self.open[*place].split.gain;
        let best = (0..self.open.len()).max_by(|a, b| gain(a).total_cmp(&gain(b)))?;
        Some(self.open.swap_remove(best))
    }

    /// Opens a node that has a split, closes one that has none.
    fn examine(&mut self, new: NewNode<S::Memory>) {
        let NewNode { node, span, depth, total, memory } = new;
        let split = if self.may_split(&span, depth) {
            self.search.best(&self.grown.rows[span.clone()], total, &memory)
        } else {
            None
        };
        if let Some(split) = split {
            self.open.push(OpenNode { node, span, depth, total, split, memory });
        } else {
            self.close(node, span, memory);
        }
    }

    fn close(&mut self, node: u32, span: std::ops::Range<usize>, memory: S::Memory) {
        self.search.release(memory);
        self.grown.leaves.push((node, span));
    }

    /// Makes the two children of `parent`; looks for their splits where `further`.
    fn divide(&mut self, parent: OpenNode<S::Memory>, further: bool) {
        let OpenNode { node, span, depth, total, split, memory } = parent;
        let middle = span.start + self.partition(span.clone(), &split);
        let (low, high) = (span.start..middle, middle..span.end);
        let right_total = total - split.left;
        let (left, right) = self.link(node, &split, right_total);
        let depth = depth + 1;
        if !further || !(self.may_split(&low, depth) || self.may_split(&high, depth)) {
            self.search.release(memory);
            self.grown.leaves.extend([(left, low), (right, high)]);
            return;
        }
        let rows = &self.grown.rows;
        let memories = self.search.divide(memory, &rows[low.clone()], &rows[high.clone()]);
        self.examine(NewNode {
            node: left,
            span: low,
            depth,
            total: split.left,
            memory: memories.0,
        });
        self.examine(NewNode {
            node: right,
            span: high,
            depth,
            total: right_total,
            memory: memories.1,
        });
    }

    fn link(&mut self, node: u32, split: &Split, right: Sums) -> (u32, u32) {
        let tree = &mut self.grown.tree;
        let children = (
            tree.push_leaf(split.left.value(self.limits.l2)),
            tree.push_leaf(right.value(self.limits.l2)),
        );
        let node = node as usize;
        tree.feature[node] = split.column as i32;
        tree.threshold[node] = split.threshold;
        tree.left[node] = children.0;
        children
    }

    /// Moves the left rows of `span` before the right ones, in order; gives their number.
    fn partition(&mut self, span: std::ops::Range<usize>, split: &Split) -> usize {
        let bins = self.binned.column(split.column);
        let rows = &mut self.grown.rows[span];
        self.scratch.resize(rows.len().max(self.scratch.len()), 0);
        let (mut left, mut right) = (0, 0);
        for place in 0..rows.len() {
            // Both are written and one is kept: the side is hard to predict for a branch.
            let row = rows[place];
            let goes_left = bins[row as usize] <= split.bin;
            rows[left] = row;
            self.scratch[right] = row;
            left += usize::from(goes_left);
            right += usize::from(!goes_left);
        }
        rows[left..].copy_from_slice(&self.scratch[..right]);
        left
    }

    fn finish(mut self) -> GrownTree {
        for OpenNode { node, span, memory, .. } in std::mem::take(&mut self.open) {
            self.close(node, span, memory);
        }
        self.grown
    }
}
