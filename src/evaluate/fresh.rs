//! A labelled table that the model has not seen.

use crate::{
    data::Dataset,
    model::{Prediction, Predictor},
};

use super::{Evaluation, ScoredRow};

/// Judges `predictor` on every row of `dataset`, whose features must be the predictor's.
#[must_use]
pub fn evaluate_fresh(predictor: &Predictor, dataset: &Dataset) -> Evaluation {
    // By name: the table may have its columns in another order than the model.
    let columns: Vec<&[f64]> =
        predictor.columns().iter().filter_map(|name| dataset.column(name)).collect();
    let mut raw = Vec::with_capacity(dataset.rows() * columns.len());
    for row in 0..dataset.rows() {
        raw.extend(columns.iter().map(|column| column[row]));
    }
    let weights = dataset.row_weights(|target| predictor.models.slope(target));
    let scored = |(row, prediction): (usize, Prediction)| ScoredRow {
        row,
        group: dataset.group_name(row),
        repeat: 0,
        fold: 0,
        target: dataset.target[row],
        prediction: prediction.value,
        lower: prediction.lower,
        upper: prediction.upper,
        out_of_domain: prediction.is_out_of_domain(),
        weight: weights[row],
    };
    let rows = predictor.predict(&raw).into_iter().enumerate().map(scored).collect();
    Evaluation::new(rows, predictor.calibration.level, &[])
}
