//! The mean of sub-models, each of which has left out one inner part.

use super::boosting::fit_boostings;
use super::decision_tree::fit_decision_trees;
use super::forest::fit_forests;
use super::forest_settings::{Cut, FEW_TREES, MOST_TREES};
use super::{Stream, Table};
use crate::model::TreeEnsemble;
use crate::train::regressors::LearningRows;
use crate::train::regressors::inner_parts::InnerParts;

/// The kinds of tree learners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TreeKind {
    /// One tree per sub-model.
    DecisionTree,
    /// A random forest.
    RandomForest,
    /// Extremely randomised trees.
    ExtraTrees,
    /// A part of as many of them.
    FewExtraTrees,
    /// Gradient boosting.
    Boosting,
}

/// A fitted model and what its sub-models say about rows that they have not seen.
#[derive(Clone, Debug)]
pub(crate) struct Fitted {
    /// The mean of the sub-models.
    pub model: TreeEnsemble,
    /// For each entry of `rows` the prediction of the sub-model that has not seen its part;
    /// `None` for parts that are not judged.
    pub inner: Vec<Option<f64>>,
}

/// Fits one sub-model per judged part on the rows outside of it and averages them.
///
/// Settings (leaf sizes, columns, rounds) are the same for all sub-models and minimise the error
/// pooled over the judged parts. The same seed and stream give the same bits at any thread count.
#[must_use]
pub(crate) fn fit_bagged(
    kind: TreeKind,
    data: LearningRows<'_>,
    seed: u64,
    stream: &[u64],
) -> Fitted {
    let table = gather(&data);
    let parts = InnerParts::new(data.parts, data.judged);
    let stream = Stream::new(seed, stream);
    let models = match kind {
        TreeKind::DecisionTree => fit_decision_trees(&table, &parts),
        TreeKind::RandomForest => fit_forests(&table, &parts, (Cut::Best, MOST_TREES), &stream),
        TreeKind::ExtraTrees => fit_forests(&table, &parts, (Cut::Random, MOST_TREES), &stream),
        TreeKind::FewExtraTrees => fit_forests(&table, &parts, (Cut::Random, FEW_TREES), &stream),
        TreeKind::Boosting => fit_boostings(&table, &parts, &stream),
    };
    let inner = parts.predictions(&table, &models);
    Fitted { model: TreeEnsemble::mean(&models), inner }
}

fn gather(data: &LearningRows<'_>) -> Table {
    let pick = |values: &[f64]| data.rows.iter().map(|row| values[*row as usize]).collect();
    Table::new(data.matrix.gather(data.rows), pick(data.targets), pick(data.weights))
}
