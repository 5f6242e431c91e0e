//! One regression tree, as large as the inner parts allow.

use rayon::prelude::*;

use super::exhaustive_search::ExhaustiveSearch;
use super::grower::grow;
use super::sums::WeightedTarget;
use super::{Limits, Stream, Table};
use crate::model::{Tree, TreeEnsemble};
use crate::train::regressors::inner_parts::InnerParts;

/// Most leaves of a tree whose size is chosen.
const MOST_LEAVES: usize = 512;

/// Leaf sizes that are compared.
const MIN_LEAVES: [usize; 4] = [2, 5, 10, 20];

/// A regression tree on `rows` of `table` (Breiman, Friedman, Olshen, Stone 1984), grown with
/// the largest gain first.
#[must_use]
pub(super) fn fit_decision_tree(table: &Table, rows: &[u32], limits: Limits) -> TreeEnsemble {
    let base = table.mean(rows);
    let pairs = table.targets.iter().zip(&table.weights);
    let targets: Vec<WeightedTarget> =
        pairs.map(|(target, weight)| WeightedTarget::new(target - base, *weight)).collect();
    // All columns are looked at; their random order only decides between equal gains.
    let generator = Stream::new(0, &[]).generator();
    let mut search = ExhaustiveSearch::new(&table.binned, &targets, limits, 1.0, generator);
    let rows = table.weighty(rows);
    let tree = grow(&table.binned, &targets, limits, rows, &mut search).tree;
    TreeEnsemble::new(base, [tree])
}

/// The trees of all parts for one leaf size, and their best common number of splits.
struct Candidate {
    models: Vec<TreeEnsemble>,
    splits: usize,
    error: f64,
}

/// The sub-models, one tree per inner part: the leaf size and the one number of leaves with the
/// least error pooled over the parts.
pub(crate) fn fit_decision_trees(table: &Table, parts: &InnerParts) -> Vec<TreeEnsemble> {
    let candidates = MIN_LEAVES.iter().map(|min_leaf| candidate(table, parts, *min_leaf));
    let best = candidates.reduce(|best, next| if next.error < best.error { next } else { best });
    best.map_or_else(Vec::new, |best| {
        best.models.iter().map(|model| first_splits(model, best.splits)).collect()
    })
}

fn candidate(table: &Table, parts: &InnerParts, min_leaf: usize) -> Candidate {
    let leaves = MOST_LEAVES.min(table.rows() / min_leaf).max(1);
    let limits = Limits { leaves, min_leaf, ..Limits::default() };
    let fit = |rows: &Vec<u32>| fit_decision_tree(table, rows, limits);
    let models: Vec<TreeEnsemble> = parts.training.par_iter().map(fit).collect();
    let mut errors = vec![0.0; leaves];
    for (model, held) in models.iter().zip(&parts.held) {
        add_errors(&mut errors, table, model, held);
    }
    let best = (0..errors.len()).min_by(|a, b| errors[*a].total_cmp(&errors[*b]));
    let splits = best.unwrap_or(0);
    Candidate { models, splits, error: errors.get(splits).copied().unwrap_or(0.0) }
}

/// Adds to `errors[s]` the squared error on `held` of the tree's first `s` splits.
fn add_errors(errors: &mut [f64], table: &Table, model: &TreeEnsemble, held: &[u32]) {
    for tree in model.trees() {
        for row in held {
            add_path(errors, &tree, table.features(*row), |value| {
                table.squared_error(*row, model.base + value)
            });
        }
    }
}

/// A row's prediction changes only with the splits on its path: split `s` made the nodes
/// `2 s + 1` and `2 s + 2`, so a node predicts from its own split on up to its children's.
fn add_path(errors: &mut [f64], tree: &Tree, row: &[f32], error: impl Fn(f64) -> f64) {
    let (mut node, mut from) = (0, 0);
    loop {
        let child = (!tree.is_leaf(node)).then(|| tree.child(node, row));
        let until = child.map_or(errors.len(), |child| child.div_ceil(2));
        let now = error(f64::from(tree.value[node]));
        errors[from..until].iter_mut().for_each(|sum| *sum += now);
        let Some(child) = child else { return };
        (node, from) = (child, until);
    }
}

fn first_splits(model: &TreeEnsemble, splits: usize) -> TreeEnsemble {
    TreeEnsemble::new(model.base, model.trees().map(|tree| tree.first_splits(splits)))
}
