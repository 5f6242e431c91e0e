//! The out-of-fold numbers of a trained model, computed anew from its parts.

use crate::{
    data::{Dataset, FoldPlan},
    model::Predictor,
};

use super::{ScoredRow, out_of_fold::scored_rows};

/// Judges every row by what `predictor` has of the fold that held it out. `plan` must be the plan that it was
/// trained on, and the features of `dataset` must be the predictor's, in its order.
#[must_use]
pub fn reproduce(predictor: &Predictor, dataset: &Dataset, plan: &FoldPlan) -> Vec<ScoredRow> {
    let matrices = predictor.preprocessors.map(|own| own.transform_columns(&dataset.features));
    let models = &predictor.models;
    let values: Vec<Vec<(f64, f64)>> = models
        .map_rows(&matrices, |_, own| own.iter().map(|own| (own.value, own.spread)).collect());
    let held_out = |pick: &dyn Fn(&(f64, f64)) -> f64| -> Vec<Vec<f64>> {
        let splits = plan.splits.iter().enumerate();
        splits
            .map(|(fold, split)| {
                split.held_out.iter().map(|row| pick(&values[*row as usize][fold])).collect()
            })
            .collect()
    };
    let (predictions, spreads) = (held_out(&|own| own.0), held_out(&|own| own.1));
    let parts = (models.folds.as_slice(), &predictor.calibration);
    let weights = dataset.row_weights(|target| models.slope(target));
    scored_rows((dataset, plan, &weights), parts, (&predictions, &spreads), None)
}
