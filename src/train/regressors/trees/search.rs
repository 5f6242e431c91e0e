//! What a tree grower asks of a way to find splits.

use super::sums::Sums;

/// A cut of one node's rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Split {
    pub(crate) column: usize,
    /// The last bin that goes left.
    pub(crate) bin: u8,
    pub(crate) threshold: f32,
    /// By how much the squared loss falls.
    pub(crate) gain: f64,
    pub(crate) left: Sums,
}

/// A way to find the split of a node.
pub(crate) trait SplitSearch {
    /// What a node keeps for its children (histograms, or nothing).
    type Memory: Default;

    /// The memory of the root.
    fn begin(&mut self, _rows: &[u32]) -> Self::Memory {
        Self::Memory::default()
    }

    /// The memories of two children, made from their parent's.
    fn divide(
        &mut self,
        _parent: Self::Memory,
        _left: &[u32],
        _right: &[u32],
    ) -> (Self::Memory, Self::Memory) {
        (Self::Memory::default(), Self::Memory::default())
    }

    /// The best split that the limits allow.
    fn best(&mut self, rows: &[u32], total: Sums, memory: &Self::Memory) -> Option<Split>;

    /// Takes back a memory that is not needed any more.
    fn release(&mut self, _memory: Self::Memory) {}
}
