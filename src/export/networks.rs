//! The networks of a fold as one stack.

use std::ops::Range;

use crate::model::{Activation, MemberScaling, MemberWeights, ParameterShape, StackShape};

use super::{
    embedding::embedded,
    graph::{Element, Graph, Value},
    preprocessing::Features,
    regressors::mapped,
};

/// One parameter of all networks of a fold.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) members: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Member by member, row-major.
    pub(super) values: Vec<f32>,
}

/// The networks of one fold.
#[derive(Clone, Copy)]
pub(super) struct FoldNetworks<'a> {
    pub(super) shape: &'a StackShape,
    pub(super) members: &'a [MemberWeights],
    pub(super) scaling: &'a [MemberScaling],
}

impl FoldNetworks<'_> {
    fn parameters(&self) -> Vec<Parameter> {
        let cut = |(parameter, own): (ParameterShape, Range<usize>)| {
            let values =
                self.members.iter().flat_map(|member| member.0[own.clone()].iter().copied());
            Parameter {
                members: self.members.len(),
                rows: parameter.rows,
                columns: parameter.columns,
                values: values.collect(),
                name: parameter.name,
            }
        };
        self.shape.placed().map(cut).collect()
    }
}

/// The transformed targets `[N, M]` that the networks give for the features of their fold.
pub(super) fn transformed(
    graph: &mut Graph,
    features: &Features,
    networks: FoldNetworks<'_>,
) -> Value {
    let outputs = outputs(graph, features, networks);
    let scaling = networks.scaling;
    let size = [1, scaling.len()];
    let deviations: Vec<f64> = scaling.iter().map(|own| own.target_deviation).collect();
    let means: Vec<f64> = scaling.iter().map(|own| own.target_mean).collect();
    let (deviations, means) = (graph.double(&size, &deviations), graph.double(&size, &means));
    let scaled = graph.op("Mul", &[&outputs, &deviations]);
    let targets = graph.op("Add", &[&scaled, &means]);
    let Some(linear) = linear_parts(graph, features, scaling) else { return targets };
    graph.op("Add", &[&targets, &linear])
}

/// What the linear models of the networks add, `[N, M]`; `None` where they have none.
fn linear_parts(
    graph: &mut Graph,
    features: &Features,
    scaling: &[MemberScaling],
) -> Option<Value> {
    let linear: Option<Vec<_>> = scaling.iter().map(|own| own.linear.as_ref()).collect();
    let linear = linear?;
    let slopes: Vec<f64> = (0..features.width)
        .flat_map(|feature| linear.iter().map(move |own| own.coefficients[feature]))
        .collect();
    let intercepts: Vec<f64> = linear.iter().map(|own| own.intercept).collect();
    let slopes = graph.double(&[features.width, linear.len()], &slopes);
    let intercepts = graph.double(&[1, linear.len()], &intercepts);
    let sums = graph.op("MatMul", &[&features.double, &slopes]);
    Some(graph.op("Add", &[&sums, &intercepts]))
}

/// The networks' own outputs `[N, M]`, in double precision.
fn outputs(graph: &mut Graph, features: &Features, networks: FoldNetworks<'_>) -> Value {
    let (shape, members) = (networks.shape, networks.members.len());
    let maps: Vec<_> = networks.scaling.iter().map(|own| &own.inputs).collect();
    let inputs = mapped(graph, features, &maps);
    let inputs = graph.reshape(&inputs, &[members as i64, -1, features.width as i64]);
    let parameters = networks.parameters();
    let count = parameters.iter().filter(|own| own.name.starts_with("embedding.")).count();
    let (embedding, mut rest) = parameters.split_at(count);
    let mut values = embedded(graph, (shape.embedding, shape.inputs), &inputs, embedding);
    if shape.scaled {
        let scale = graph.float(&[members, 1, rest[0].columns], &rest[0].values);
        values = graph.op("Mul", &[&values, &scale]);
        rest = &rest[1..];
    }
    // From here on `[M, copies, N, width]`.
    let axes = graph.integers(&[1]);
    let mut values = graph.op("Unsqueeze", &[&values, &axes]);
    for layer in 0..shape.depth() {
        let prefix = format!("layer{layer}.");
        let own: Vec<&Parameter> =
            rest.iter().filter(|own| own.name.starts_with(&prefix)).collect();
        values = self::layer(graph, shape, &values, (layer, &own));
    }
    let mean = graph.reduce("ReduceMean", &values, 1);
    let flat = graph.reshape(&mean, &[members as i64, -1]);
    let turned = graph.transpose(&flat, &[1, 0]);
    graph.cast(&turned, Element::Double)
}

/// One layer with its nonlinearity; the last has none.
fn layer(
    graph: &mut Graph,
    shape: &StackShape,
    values: &Value,
    (layer, parameters): (usize, &[&Parameter]),
) -> Value {
    let find = |name: &str| {
        let matches = |own: &&&Parameter| own.name == format!("layer{layer}.{name}");
        parameters.iter().find(matches).copied()
    };
    let per_copy = |graph: &mut Graph, own: &Parameter| {
        graph.float(&[own.members, own.rows, 1, own.columns], &own.values)
    };
    let is_output = layer + 1 == shape.depth();
    let mut values = values.clone();
    if let Some(input) = find("input") {
        let input = per_copy(graph, input);
        values = graph.op("Mul", &[&values, &input]);
    }
    if let Some(weight) = find("weight") {
        values = if is_output && shape.copies > 1 {
            let weight = per_copy(graph, weight);
            let product = graph.op("Mul", &[&values, &weight]);
            graph.sum(&product, 3)
        } else {
            let size = [weight.members, 1, weight.rows, weight.columns];
            let weight = graph.float(&size, &weight.values);
            graph.op("MatMul", &[&values, &weight])
        };
    }
    if let Some(output) = find("output") {
        let output = per_copy(graph, output);
        values = graph.op("Mul", &[&values, &output]);
    }
    if let Some(bias) = find("bias") {
        let bias = per_copy(graph, bias);
        values = graph.op("Add", &[&values, &bias]);
    }
    if is_output {
        return values;
    }
    let active = activated(graph, shape.activation, &values);
    let Some(slope) = find("slope") else { return active };
    let slope = per_copy(graph, slope);
    let change = graph.op("Sub", &[&active, &values]);
    let change = graph.op("Mul", &[&change, &slope]);
    graph.op("Add", &[&values, &change])
}

fn activated(graph: &mut Graph, activation: Activation, x: &Value) -> Value {
    match activation {
        Activation::Relu => graph.op("Relu", &[x]),
        Activation::Tanh => graph.op("Tanh", &[x]),
        Activation::Silu => {
            let gate = graph.op("Sigmoid", &[x]);
            graph.op("Mul", &[x, &gate])
        }
        Activation::Gelu => {
            let root = graph.scalar_float(std::f32::consts::FRAC_1_SQRT_2);
            let (one, half) = (graph.scalar_float(1.0), graph.scalar_float(0.5));
            let scaled = graph.op("Mul", &[x, &root]);
            let error = graph.op("Erf", &[&scaled]);
            let twice = graph.op("Add", &[&error, &one]);
            let share = graph.op("Mul", &[&twice, &half]);
            graph.op("Mul", &[x, &share])
        }
        Activation::Mish => {
            let (largest, two) = (graph.scalar_float(20.0), graph.scalar_float(2.0));
            let limited = graph.op("Min", &[x, &largest]);
            let power = graph.op("Exp", &[&limited]);
            let above = graph.op("Add", &[&power, &two]);
            let n = graph.op("Mul", &[&power, &above]);
            let whole = graph.op("Add", &[&n, &two]);
            let share = graph.op("Div", &[&n, &whole]);
            graph.op("Mul", &[x, &share])
        }
    }
}
