//! From raw rows to the features of a fold.

use crate::features::Preprocessor;

use super::{
    blocks,
    graph::{Element, Graph, Value},
};

/// The features of one fold.
#[derive(Clone, Debug)]
pub(super) struct Features {
    /// `[N, features]` in single precision, as models see them.
    pub(super) single: Value,
    /// The same numbers in double precision.
    pub(super) double: Value,
    /// Number of features.
    pub(super) width: usize,
}

/// Adds what `preprocessor` does to raw rows `[N, columns]`.
pub(super) fn features(graph: &mut Graph, raw: &Value, preprocessor: &Preprocessor) -> Features {
    let cleaned = cleaned(graph, raw, preprocessor);
    let mut parts: Vec<Value> = preprocessor
        .blocks
        .iter()
        .map(|block| blocks::columns(graph, &cleaned, preprocessor.inputs.len(), block).0)
        .collect();
    parts.extend(indicators(graph, raw, preprocessor));
    let unscaled = graph.concat(&parts.iter().collect::<Vec<_>>(), 1);
    let scaled = scaled(graph, &unscaled, preprocessor);
    let single = graph.cast(&scaled, Element::Float);
    let single = widened(graph, single, preprocessor);
    let double = graph.cast(&single, Element::Double);
    Features { single, double, width: preprocessor.width }
}

/// Missing values filled, dead columns held.
fn cleaned(graph: &mut Graph, raw: &Value, preprocessor: &Preprocessor) -> Value {
    let Some(cleaning) = &preprocessor.cleaning else { return raw.clone() };
    let columns = &cleaning.columns;
    let fill: Vec<f64> = columns.iter().map(|column| column.fill).collect();
    let fill = graph.double(&[1, columns.len()], &fill);
    let missing = graph.op("IsNaN", &[raw]);
    let filled = graph.op("Where", &[&missing, &fill, raw]);
    if !columns.iter().any(|column| column.dead) {
        return filled;
    }
    let dead: Vec<f64> = columns.iter().map(|column| f64::from(u8::from(column.dead))).collect();
    let dead = graph.double(&[1, columns.len()], &dead);
    let half = graph.scalar(0.5);
    let dead = graph.op("Greater", &[&dead, &half]);
    graph.op("Where", &[&dead, &fill, &filled])
}

/// 1 where a value is missing, for the columns that tell.
fn indicators(graph: &mut Graph, raw: &Value, preprocessor: &Preprocessor) -> Option<Value> {
    let cleaning = preprocessor.cleaning.as_ref()?;
    let places: Vec<usize> = cleaning.indicators().collect();
    if places.is_empty() {
        return None;
    }
    let told = graph.columns(raw, &places);
    let missing = graph.op("IsNaN", &[&told]);
    Some(graph.cast(&missing, Element::Double))
}

/// Shifted, scaled and clipped as the output columns say.
fn scaled(graph: &mut Graph, values: &Value, preprocessor: &Preprocessor) -> Value {
    let outputs = &preprocessor.outputs;
    let size = [1, outputs.len()];
    let half_shift: Vec<f64> = outputs.iter().map(|output| 0.5 * output.shift).collect();
    let scale: Vec<f64> = outputs.iter().map(|output| output.scale).collect();
    let (half_shift, scale) = (graph.double(&size, &half_shift), graph.double(&size, &scale));
    let (half, two) = (graph.scalar(0.5), graph.scalar(2.0));
    let halved = graph.op("Mul", &[values, &half]);
    let moved = graph.op("Sub", &[&halved, &half_shift]);
    let parts = graph.op("Div", &[&moved, &scale]);
    let mut z = graph.op("Mul", &[&parts, &two]);
    if outputs.iter().any(|output| output.bound.is_some()) {
        let bound: Vec<f64> =
            outputs.iter().map(|output| output.bound.unwrap_or(f64::INFINITY)).collect();
        z = smooth(graph, &z, (&size, &bound));
    }
    let (low, high) = (graph.double(&[], &[-1e6]), graph.double(&[], &[1e6]));
    graph.op("Clip", &[&z, &low, &high])
}

/// `z / sqrt(1 + (z / bound)^2)`, and the bound itself for huge z.
fn smooth(graph: &mut Graph, z: &Value, (size, bound): (&[usize], &[f64])) -> Value {
    let bound = graph.double(size, bound);
    let (one, huge) = (graph.scalar(1.0), graph.scalar(1e100));
    let ratio = graph.op("Div", &[z, &bound]);
    let square = graph.op("Mul", &[&ratio, &ratio]);
    let square = graph.op("Add", &[&square, &one]);
    let root = graph.op("Sqrt", &[&square]);
    let smooth = graph.op("Div", &[z, &root]);
    let size = graph.op("Abs", &[z]);
    let is_huge = graph.op("Greater", &[&size, &huge]);
    let sign = graph.op("Sign", &[z]);
    let end = graph.op("Mul", &[&bound, &sign]);
    graph.op("Where", &[&is_huge, &end, &smooth])
}

/// Columns of zeros up to the width that all folds share.
fn widened(graph: &mut Graph, features: Value, preprocessor: &Preprocessor) -> Value {
    let missing = preprocessor.width - preprocessor.outputs.len();
    if missing == 0 {
        return features;
    }
    let pads = graph.integers(&[0, 0, 0, missing as i64]);
    graph.op("Pad", &[&features, &pads])
}
