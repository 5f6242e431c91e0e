//! Interval bounds from the folds' predictions, their spreads and the out-of-fold residuals.

use crate::model::{Calibration, FoldResiduals};

use super::graph::{Element, Graph, Value, integer};

/// The lower and upper bound `[N, 1]` in the space of learning, where each fold predicts
/// `(value, spread)`, `[N, 1]` each.
pub(super) fn bounds(
    graph: &mut Graph,
    calibration: &Calibration,
    folds: &[(Value, Value)],
) -> (Value, Value) {
    let upper = quantile(graph, calibration, folds);
    let mirrored: Vec<(Value, Value)> =
        folds.iter().map(|(value, spread)| (graph.op("Neg", &[value]), spread.clone())).collect();
    let lower = quantile(graph, calibration, &mirrored);
    (graph.op("Neg", &[&lower]), upper)
}

/// The smallest `value + spread residual` at or below which the required weight lies.
fn quantile(graph: &mut Graph, calibration: &Calibration, folds: &[(Value, Value)]) -> Value {
    let repeats = calibration.repeats as f64;
    let weights: Vec<f64> = calibration.folds.iter().flat_map(FoldResiduals::weights).collect();
    let units = weights.iter().sum::<f64>() / repeats;
    let Some(required) = Calibration::required_weight(calibration.level, units) else {
        let zero = graph.scalar(0.0);
        let endless = graph.scalar(f64::INFINITY);
        let nothing = graph.op("Mul", &[&folds[0].0, &zero]);
        return graph.op("Add", &[&nothing, &endless]);
    };
    let place = |graph: &mut Graph, residuals: &[f64], (value, spread): &(Value, Value)| {
        let residuals = graph.double(&[1, residuals.len()], residuals);
        let off = graph.op("Mul", &[&residuals, spread]);
        graph.op("Add", &[&off, value])
    };
    let places: Vec<Value> = calibration
        .folds
        .iter()
        .zip(folds)
        .map(|(fold, own)| place(graph, fold.residuals(), own))
        .collect();
    let places = graph.concat(&places.iter().collect::<Vec<_>>(), 1);
    let count = graph.integers(&[weights.len() as i64]);
    let ascending = vec![integer("axis", 1), integer("largest", 0)];
    let [sorted, order] = graph.node("", "TopK", &[&places, &count], ascending);
    let weights = graph.double(&[weights.len()], &weights);
    let weights = graph.op("Gather", &[&weights, &order]);
    let axis = graph.integers(&[1]);
    let up_to = graph.op("CumSum", &[&weights, &axis]);
    let required = graph.scalar(required * repeats - 1e-6);
    let is_enough = graph.op("GreaterOrEqual", &[&up_to, &required]);
    let is_enough = graph.cast(&is_enough, Element::Int32);
    let first = graph.op_with("ArgMax", &[&is_enough], vec![integer("axis", 1)]);
    graph.op_with("GatherElements", &[&sorted, &first], vec![integer("axis", 1)])
}
