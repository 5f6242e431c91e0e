//! Ridge regression (Hoerl and Kennard, 1970): a linear function with an L2 penalty.

use faer::{Col, Mat};

use crate::{
    features::Scaler,
    model::{Function, Linear},
};

use super::{
    LearningRows,
    inner_parts::InnerParts,
    penalised::{self, Design},
    similarity::Basis,
};

/// The linear function and, for each row, the prediction of one that has not seen its part.
pub(super) fn fit(data: &LearningRows<'_>) -> Option<(Function, Vec<Option<f64>>)> {
    let scaler = Scaler::fit(data.matrix, data.rows);
    let columns = data.matrix.columns();
    let x = Mat::from_fn(data.rows.len(), columns, |row, column| {
        scaler.scaled(column, data.matrix.row(data.rows[row] as usize)[column])
    });
    let parts = InnerParts::new(data.parts, data.judged);
    // With more columns than rows it is enough to look along the rows.
    let basis = (columns > data.rows.len()).then(|| Basis::new(&(&x * x.transpose()))).flatten();
    let along = |basis: &Basis| &x * (x.transpose() * &basis.map);
    let turned = basis.as_ref().map(along);
    let (targets, weights) = (data.own(data.targets), data.own(data.weights));
    let features = turned.as_ref().unwrap_or(&x);
    let design = Design { features, targets: &targets, weights: &weights };
    let fitted = penalised::fit(&design, &parts)?;
    let slopes: Col<f64> = match &basis {
        None => fitted.coefficients,
        Some(basis) => x.transpose() * (&basis.map * fitted.coefficients),
    };
    let pairs = slopes.iter().zip(&scaler.inverse_deviation);
    let coefficients: Vec<f64> = pairs.map(|(slope, inverse)| slope * inverse).collect();
    let moved = coefficients.iter().zip(&scaler.mean).map(|(slope, mean)| slope * mean);
    let intercept = fitted.intercept - moved.sum::<f64>();
    Some((Function::Linear(Linear { intercept, coefficients }), fitted.inner))
}
