//! k nearest neighbours, k chosen by rows that were left out.

use rayon::prelude::*;

use crate::{
    data::Generator,
    model::{Function, InputScaling, Neighbours},
    train::inputs::fit_inputs,
};

use super::{LearningRows, inner_parts::InnerParts};

/// Numbers of neighbours that are tried.
const COUNTS: [usize; 8] = [1, 2, 3, 5, 8, 13, 25, 50];

/// Known rows at most.
const MOST_POINTS: usize = 20_000;

/// Rows that judge the number of neighbours at most.
const MOST_JUDGES: usize = 3000;

/// The neighbours and, for each row, the prediction of those outside of its part.
pub(super) fn fit(
    data: &LearningRows<'_>,
    mut generator: Generator,
) -> Option<(Function, Vec<Option<f64>>)> {
    let mut order: Vec<u32> = (0..data.rows.len() as u32).collect();
    generator.shuffle(&mut order);
    order.truncate(MOST_POINTS);
    let inputs = fit_inputs(InputScaling::Standard, data.matrix, data.rows);
    let pick = |values: &[f64]| -> Vec<f64> {
        order.iter().map(|place| values[data.rows[*place as usize] as usize]).collect()
    };
    let points = data.mapped(&inputs, &order);
    let (targets, weights) = (pick(data.targets), pick(data.weights));
    let mut model = Neighbours { inputs, points, targets, weights, count: 1 };
    let parts = InnerParts::new(data.parts, data.judged);
    let judges: Vec<u32> = parts.held.concat();
    let columns = data.matrix.columns();
    let predictions = |place: &u32| -> Vec<f64> {
        let x = data.mapped(&model.inputs, &[*place]);
        let own = data.parts[*place as usize];
        let is_other = |point: usize| data.parts[order[point] as usize] != own;
        let nearest = model.nearest(&x[..columns], COUNTS[COUNTS.len() - 1], is_other);
        COUNTS.iter().map(|count| model.mean(&nearest[..nearest.len().min(*count)])).collect()
    };
    let predicted: Vec<Vec<f64>> = judges.par_iter().map(predictions).collect();
    let error = |choice: usize| -> f64 {
        let pairs = judges.iter().zip(&predicted).take(MOST_JUDGES);
        let term = |(place, predicted): (&u32, &Vec<f64>)| {
            let row = data.rows[*place as usize] as usize;
            data.weights[row] * (data.targets[row] - predicted[choice]).powi(2)
        };
        pairs.map(term).sum()
    };
    let best = (0..COUNTS.len()).min_by(|a, b| error(*a).total_cmp(&error(*b)))?;
    let mut inner = vec![None; data.rows.len()];
    for (place, predicted) in judges.iter().zip(&predicted) {
        inner[*place as usize] = Some(predicted[best]);
    }
    model.count = COUNTS[best].min(model.targets.len());
    Some((Function::Neighbours(model), inner))
}
