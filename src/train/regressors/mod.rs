//! Learners of models that are not networks: ridge, kernels, neighbours, trees.
//!
//! Each of them fits on the training rows of one fold and says besides what a model that has not
//! seen a row's inner part predicts for the row.
//!
//! Invariant: such a prediction never depends on the targets of its own part but through the few
//! settings that are chosen by the error pooled over all parts.

mod all_folds;
mod arrays;
mod inner_parts;
mod kernel;
mod learning_rows;
mod neighbours;
mod penalised;
mod ridge;
mod similarity;
mod trees;

use crate::{
    data::Generator,
    model::{FittedRegressor, Function, Linear, RegressorKind},
};

pub use all_folds::{RegressorHooks, fit_regressors};
pub(super) use arrays::{Array, from_arrays, read, to_arrays};
pub(super) use inner_parts::count_of;
pub use learning_rows::LearningRows;
use trees::{TreeKind, fit_bagged};

/// A fitted model and what it would say of rows that it had not seen.
#[derive(Clone, Debug, PartialEq)]
pub struct InnerJudged {
    /// The model.
    pub model: FittedRegressor,
    /// For each training row the prediction of the transformed target by a model that has not seen
    /// the row's inner part; `None` for parts that are not judged.
    pub inner: Vec<Option<f64>>,
}

/// Fits a regressor of `kind`; `stream` addresses its random numbers.
#[must_use]
pub fn fit_regressor(
    kind: RegressorKind,
    data: LearningRows<'_>,
    seed: u64,
    stream: &[u64],
) -> InnerJudged {
    let generator = Generator::new(seed, stream);
    let fit = |own: &LearningRows<'_>| match kind {
        RegressorKind::Ridge => ridge::fit(own),
        RegressorKind::Kernel => kernel::fit(own, generator, kernel::Effort::Full),
        RegressorKind::Neighbours => neighbours::fit(own, generator),
        RegressorKind::Tree => Some(bagged(TreeKind::DecisionTree, *own, seed, stream)),
        RegressorKind::Forest => Some(bagged(TreeKind::RandomForest, *own, seed, stream)),
        RegressorKind::ExtraTrees => Some(bagged(TreeKind::ExtraTrees, *own, seed, stream)),
        RegressorKind::Boosting => Some(bagged(TreeKind::Boosting, *own, seed, stream)),
    };
    standardised(kind, &data, fit)
}

/// What `fit` learns of the targets in standard units.
fn standardised(
    kind: RegressorKind,
    data: &LearningRows<'_>,
    fit: impl FnOnce(&LearningRows<'_>) -> Option<(Function, Vec<Option<f64>>)>,
) -> InnerJudged {
    let (mean, deviation) = moments(data);
    let standard: Vec<f64> = data.targets.iter().map(|y| (y - mean) / deviation).collect();
    let fitted = fit(&LearningRows { targets: &standard, ..*data });
    // Where nothing can be solved, the mean is what is known.
    let (function, inner) = fitted.unwrap_or_else(|| {
        let coefficients = vec![0.0; data.matrix.columns()];
        (Function::Linear(Linear { intercept: 0.0, coefficients }), vec![None; data.rows.len()])
    });
    let model = FittedRegressor { kind, function, target_mean: mean, target_deviation: deviation };
    let inner = inner.into_iter().map(|value| value.map(|value| mean + deviation * value));
    InnerJudged { model, inner: inner.collect() }
}

/// A kernel regression chosen among few kernels, on few landmarks: a cheap judge of features.
#[must_use]
pub fn fit_quick_kernel(data: LearningRows<'_>, seed: u64, stream: &[u64]) -> FittedRegressor {
    let quick = |own: &LearningRows<'_>| {
        kernel::fit(own, Generator::new(seed, stream), kernel::Effort::Quick)
    };
    standardised(RegressorKind::Kernel, &data, quick).model
}

/// Extra trees, fewer than where they predict the target itself.
#[must_use]
pub fn fit_few_trees(data: LearningRows<'_>, seed: u64, stream: &[u64]) -> InnerJudged {
    standardised(RegressorKind::ExtraTrees, &data, |own| {
        Some(bagged(TreeKind::FewExtraTrees, *own, seed, stream))
    })
}

/// A linear function of the features, by ridge regression.
#[must_use]
pub fn fit_linear(data: &LearningRows<'_>) -> Linear {
    let (mean, _) = moments(data);
    match ridge::fit(data) {
        Some((Function::Linear(linear), _)) => linear,
        _ => Linear { intercept: mean, coefficients: vec![0.0; data.matrix.columns()] },
    }
}

fn bagged(
    kind: TreeKind,
    data: LearningRows<'_>,
    seed: u64,
    stream: &[u64],
) -> (Function, Vec<Option<f64>>) {
    let fitted = fit_bagged(kind, data, seed, stream);
    (Function::Trees(fitted.model), fitted.inner)
}

/// Weighted mean and standard deviation of the training targets; a deviation of 1 where there is
/// none.
fn moments(data: &LearningRows<'_>) -> (f64, f64) {
    let (targets, weights) = (data.own(data.targets), data.own(data.weights));
    let total: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let mean = targets.iter().zip(&weights).map(|(y, w)| w * y).sum::<f64>() / total;
    let squares = targets.iter().zip(&weights).map(|(y, w)| w * (y - mean).powi(2));
    let deviation = (squares.sum::<f64>() / total).sqrt();
    (mean, if deviation > 0.0 { deviation } else { 1.0 })
}
