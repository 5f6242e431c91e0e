//! What becomes of each feature before the first layer of a network.

use std::f32::consts::PI;

use crate::model::{BINS, Embedding};

use super::{
    graph::{Graph, Value},
    networks::Parameter,
};

/// The embedded features `[M, N, width]` of features `[M, N, inputs]`.
pub(super) fn embedded(
    graph: &mut Graph,
    (embedding, inputs): (Embedding, usize),
    features: &Value,
    parameters: &[Parameter],
) -> Value {
    let by_feature = |graph: &mut Graph, index: usize| {
        let own = &parameters[index];
        graph.float(&[own.members, inputs, own.rows / inputs, own.columns], &own.values)
    };
    match embedding {
        Embedding::None => features.clone(),
        Embedding::Pbld => {
            let [frequency, phase, mixture, shift] = [0, 1, 2, 3].map(|i| by_feature(graph, i));
            let turn = graph.scalar_float(2.0 * PI);
            let turned = graph.op("Mul", &[features, &turn]);
            let x = column(graph, &turned, inputs);
            let angles = graph.op("Mul", &[&x, &frequency]);
            let angles = graph.op("Add", &[&angles, &phase]);
            let waves = graph.op("Cos", &[&angles]);
            let mixed = graph.op("MatMul", &[&waves, &mixture]);
            let mixed = graph.op("Add", &[&mixed, &shift]);
            let mixed = flat(graph, &mixed, inputs * parameters[3].columns);
            graph.concat(&[&mixed, features], 2)
        }
        Embedding::Piecewise => {
            let [left, inverse, slope, shift, mixture] =
                [0, 1, 2, 3, 4].map(|i| by_feature(graph, i));
            let x = column(graph, features, inputs);
            let shares = graph.op("Sub", &[&x, &left]);
            let shares = graph.op("Mul", &[&shares, &inverse]);
            let shares = bounded(graph, &shares);
            let line = graph.op("Mul", &[&x, &slope]);
            let line = graph.op("Add", &[&line, &shift]);
            let bins = graph.op("MatMul", &[&shares, &mixture]);
            let sum = graph.op("Add", &[&line, &bins]);
            flat(graph, &sum, inputs * parameters[2].columns)
        }
    }
}

/// Shares of bins within 0 and 1, but the outermost go on for ever.
fn bounded(graph: &mut Graph, shares: &Value) -> Value {
    let mut low = vec![0.0_f32; BINS];
    let mut high = vec![1.0_f32; BINS];
    (low[0], high[BINS - 1]) = (f32::NEG_INFINITY, f32::INFINITY);
    let (low, high) = (graph.float(&[BINS], &low), graph.float(&[BINS], &high));
    let shares = graph.op("Max", &[shares, &low]);
    graph.op("Min", &[&shares, &high])
}

/// `[M, N, inputs]` as `[M, inputs, N, 1]`.
fn column(graph: &mut Graph, features: &Value, inputs: usize) -> Value {
    let turned = graph.transpose(features, &[0, 2, 1]);
    graph.reshape(&turned, &[0, inputs as i64, -1, 1])
}

/// `[M, inputs, N, own]` as `[M, N, width]`, all numbers of a feature side by side.
fn flat(graph: &mut Graph, embedded: &Value, width: usize) -> Value {
    let turned = graph.transpose(embedded, &[0, 2, 1, 3]);
    graph.reshape(&turned, &[0, 0, width as i64])
}
