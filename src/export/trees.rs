//! Sums of regression trees.

use crate::model::{Tree, TreeEnsemble};

use super::{
    graph::{Element, Graph, ML_DOMAIN, Value, doubles, integer, integers, word, words},
    preprocessing::Features,
};

/// The nodes of all trees in flat lists, as the operator wants them.
#[derive(Default)]
struct Nodes {
    trees: Vec<i64>,
    places: Vec<i64>,
    features: Vec<i64>,
    thresholds: Vec<f64>,
    modes: Vec<&'static str>,
    left: Vec<i64>,
    right: Vec<i64>,
    leaf_trees: Vec<i64>,
    leaf_places: Vec<i64>,
    leaf_values: Vec<f64>,
}

impl Nodes {
    fn add(&mut self, index: usize, tree: &Tree) {
        for node in 0..tree.nodes() {
            let is_leaf = tree.is_leaf(node);
            self.trees.push(index as i64);
            self.places.push(node as i64);
            self.modes.push(if is_leaf { "LEAF" } else { "BRANCH_LEQ" });
            self.features.push(i64::from(tree.feature[node].max(0)));
            self.thresholds.push(f64::from(tree.threshold[node]));
            self.left.push(if is_leaf { 0 } else { i64::from(tree.left[node]) });
            self.right.push(if is_leaf { 0 } else { i64::from(tree.left[node]) + 1 });
            if is_leaf {
                self.leaf_trees.push(index as i64);
                self.leaf_places.push(node as i64);
                self.leaf_values.push(f64::from(tree.value[node]));
            }
        }
    }
}

/// The sum `[N, 1]` of `ensemble` for the features of a fold: thresholds are compared in double precision,
/// which holds those of single precision exactly.
pub(super) fn sum(graph: &mut Graph, features: &Features, ensemble: &TreeEnsemble) -> Value {
    let mut nodes = Nodes::default();
    ensemble.trees().enumerate().for_each(|(index, tree)| nodes.add(index, &tree));
    let base = graph.scalar(ensemble.base);
    if nodes.trees.is_empty() {
        let zero = graph.scalar(0.0);
        let nothing = graph.op("Mul", &[&features.double, &zero]);
        let nothing = graph.sum(&nothing, 1);
        return graph.op("Add", &[&nothing, &base]);
    }
    let zeros = vec![0; nodes.leaf_values.len()];
    let attributes = vec![
        integers("nodes_treeids", &nodes.trees),
        integers("nodes_nodeids", &nodes.places),
        integers("nodes_featureids", &nodes.features),
        doubles("nodes_values_as_tensor", &nodes.thresholds),
        words("nodes_modes", &nodes.modes),
        integers("nodes_truenodeids", &nodes.left),
        integers("nodes_falsenodeids", &nodes.right),
        integers("target_treeids", &nodes.leaf_trees),
        integers("target_nodeids", &nodes.leaf_places),
        integers("target_ids", &zeros),
        doubles("target_weights_as_tensor", &nodes.leaf_values),
        integer("n_targets", 1),
        word("aggregate_function", "SUM"),
    ];
    let [sum] = graph.node(ML_DOMAIN, "TreeEnsembleRegressor", &[&features.double], attributes);
    // The operator gives single precision.
    let sum = graph.cast(&sum, Element::Double);
    graph.op("Add", &[&sum, &base])
}
