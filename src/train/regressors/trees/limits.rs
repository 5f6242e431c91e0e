//! Where a tree stops growing.

/// Limits of one tree.
///
/// | name | range | effect |
/// |---|---|---|
/// | `leaves` | 1.. | most leaves; the split with the largest gain comes first |
/// | `depth` | 0.. | most splits between the root and a leaf |
/// | `min_leaf` | 1.. | fewest rows in a leaf |
/// | `min_gain` | 0.. | a split must lower the squared loss by more than this |
/// | `l2` | 0.. | pulls leaf values to zero: `sum / (weight + l2)` |
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    /// Most leaves.
    pub leaves: usize,
    /// Greatest depth.
    pub depth: usize,
    /// Fewest rows in a leaf.
    pub min_leaf: usize,
    /// Smallest gain of a split.
    pub min_gain: f64,
    /// L2 penalty on leaf values.
    pub l2: f64,
}

impl Default for Limits {
    /// No limit at all: one row to a leaf.
    fn default() -> Self {
        Self { leaves: usize::MAX, depth: usize::MAX, min_leaf: 1, min_gain: 0.0, l2: 0.0 }
    }
}
