//! Ridge regression (Hoerl and Kennard, 1970): a linear function with an L2 penalty.

use faer::Mat;

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
    let x = |row: usize, column: usize| {
        scaler.scaled(column, data.matrix.row(data.rows[row] as usize)[column])
    };
    let parts = InnerParts::new(data.parts, data.judged);
    let (targets, weights) = (data.own(data.targets), data.own(data.weights));
    let (targets, weights) = (&targets[..], &weights[..]);
    let along = if columns > data.rows.len() { along_rows(data, x) } else { None };
    let (fitted, slopes) = if let Some(Along { basis, features, x }) = along {
        let feature = |row, column| features[(row, column)];
        let design = Design { columns: features.ncols(), feature, targets, weights };
        let fitted = penalised::fit(&design, &parts)?;
        let slopes = x.transpose() * (&basis.map * &fitted.coefficients);
        (fitted, slopes)
    } else {
        let design = Design { columns, feature: x, targets, weights };
        let fitted = penalised::fit(&design, &parts)?;
        let slopes = fitted.coefficients.clone();
        (fitted, slopes)
    };
    let pairs = slopes.iter().zip(&scaler.inverse_deviation);
    let coefficients: Vec<f64> = pairs.map(|(slope, inverse)| slope * inverse).collect();
    let moved = coefficients.iter().zip(&scaler.mean).map(|(slope, mean)| slope * mean);
    let intercept = fitted.intercept - moved.sum::<f64>();
    Some((Function::Linear(Linear { intercept, coefficients }), fitted.inner))
}

/// Features in a basis of the rows.
struct Along {
    basis: Basis,
    /// Shape `[rows, directions]`.
    features: Mat<f64>,
    /// Shape `[rows, columns]`.
    x: Mat<f64>,
}

/// With more columns than rows it is enough to look along the rows.
fn along_rows(data: &LearningRows<'_>, x: impl Fn(usize, usize) -> f64) -> Option<Along> {
    let x = Mat::from_fn(data.rows.len(), data.matrix.columns(), x);
    let basis = Basis::new(&(&x * x.transpose()))?;
    let features = &x * (x.transpose() * &basis.map);
    Some(Along { basis, features, x })
}
