//! Regression trees that predict: plain data, no training.
//!
//! Invariant: a tree for which `is_consistent` holds ends every walk within its number of nodes.

mod tree;
mod tree_ensemble;
mod walks;

pub use tree::Tree;
pub use tree_ensemble::TreeEnsemble;
