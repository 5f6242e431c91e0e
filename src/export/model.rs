//! A whole checkpoint as one graph.

use prost::Message;

use crate::{
    features::TargetTransform,
    model::{Blend, FoldTarget, Spread},
    train::Checkpoint,
};

use super::{
    graph::{Graph, ML_DOMAIN, Value},
    interval,
    networks::{self, FoldNetworks},
    preprocessing::{Features, features},
    regressors,
    schema::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto},
};

/// Name of the input.
pub const INPUT: &str = "inputs";

/// Names of the outputs.
pub const ONNX_OUTPUTS: [&str; 3] = ["prediction", "lower", "upper"];

/// Versions of the format and of the operators; runtimes since 2022 know them.
const IR_VERSION: i64 = 8;
const OPERATORS: i64 = 17;
const ML_OPERATORS: i64 = 3;

/// The bytes of an ONNX file of `checkpoint`; `facts` say where it comes from and travel with it.
///
/// A raw row that misses a value which the model cannot fill gives `NaN`.
#[must_use]
pub fn onnx_model(checkpoint: &Checkpoint, facts: &[(String, String)]) -> Vec<u8> {
    let version = |domain: &str, version| OperatorSetIdProto {
        domain: Some(domain.to_owned()),
        version: Some(version),
    };
    let fact = |(key, value): &(String, String)| StringStringEntryProto {
        key: Some(key.clone()),
        value: Some(value.clone()),
    };
    let target = &checkpoint.manifest.schema.target;
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("massay".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        doc_string: Some(format!("Predicts {target} with an interval from raw rows.")),
        graph: Some(graph_of(checkpoint)),
        opset_import: vec![version("", OPERATORS), version(ML_DOMAIN, ML_OPERATORS)],
        metadata_props: facts.iter().map(fact).collect(),
    };
    model.encode_to_vec()
}

/// The graph from raw rows to predictions.
pub(super) fn graph_of(checkpoint: &Checkpoint) -> GraphProto {
    let mut graph = Graph::default();
    let raw = Graph::input(INPUT);
    let columns = checkpoint.manifest.preprocessors.get(0).inputs().len();
    let answers = answers(&mut graph, &raw, checkpoint);
    for (answer, name) in answers.iter().zip(ONNX_OUTPUTS) {
        let answer = refused(&mut graph, &raw, answer, checkpoint);
        graph.output(&answer, name);
    }
    let outputs = ONNX_OUTPUTS.map(|name| (name, 1));
    graph.finish("massay", &[(INPUT, columns)], &outputs)
}

/// Prediction, lower and upper bound, `[N, 1]` each.
fn answers(graph: &mut Graph, raw: &Value, checkpoint: &Checkpoint) -> [Value; 3] {
    let manifest = &checkpoint.manifest;
    let features = manifest.preprocessors.map(|own| features(graph, raw, own));
    let folds = &manifest.folds;
    let mut values = Vec::new();
    let mut places = Vec::new();
    for (index, (fold, blend)) in folds.iter().zip(&checkpoint.blends).enumerate() {
        let features = features.get(index);
        let networks = fold_networks(checkpoint, index);
        let value = blended(graph, features, (fold, blend), networks);
        let transformed = match fold.transform {
            TargetTransform::None => value.clone(),
            TargetTransform::Log => graph.op("Log", &[&value]),
        };
        places.push((transformed, spread(graph, features, &blend.spread)));
        values.push(value);
    }
    let all = graph.concat(&values.iter().collect::<Vec<_>>(), 1);
    let prediction = graph.reduce("ReduceMean", &all, 1);
    let (lower, upper) = interval::bounds(graph, &manifest.calibration, &places);
    let lower = own_scale(graph, &folds[0], &lower);
    let upper = own_scale(graph, &folds[0], &upper);
    let lower = graph.op("Min", &[&lower, &prediction]);
    let upper = graph.op("Max", &[&upper, &prediction]);
    [prediction, lower, upper]
}

fn fold_networks(checkpoint: &Checkpoint, fold: usize) -> FoldNetworks<'_> {
    let count = checkpoint.members.len() / checkpoint.blends.len();
    let own = fold * count..(fold + 1) * count;
    FoldNetworks {
        shape: &checkpoint.manifest.shape,
        members: &checkpoint.members[own.clone()],
        scaling: &checkpoint.manifest.scaling[own],
    }
}

/// The weighted mean of a fold's models, on the target's own scale.
fn blended(
    graph: &mut Graph,
    features: &Features,
    (fold, blend): (&FoldTarget, &Blend),
    networks: FoldNetworks<'_>,
) -> Value {
    let mut parts = Vec::new();
    if blend.networks > 0.0 {
        let targets = networks::transformed(graph, features, networks);
        parts.push((blend.networks, combined(graph, fold, &targets)));
    }
    for (weight, regressor) in &blend.regressors {
        let target = regressors::transformed(graph, features, regressor);
        parts.push((*weight, combined(graph, fold, &target)));
    }
    let mut weighted = Vec::new();
    for (weight, value) in &parts {
        let weight = graph.scalar(*weight);
        weighted.push(graph.op("Mul", &[value, &weight]));
    }
    let all = graph.concat(&weighted.iter().collect::<Vec<_>>(), 1);
    graph.sum(&all, 1)
}

/// The mean of transformed targets `[N, any]` on the target's own scale.
fn combined(graph: &mut Graph, fold: &FoldTarget, targets: &Value) -> Value {
    let mut targets = targets.clone();
    if let Some([low, high]) = fold.clamp {
        let (low, high) = (graph.double(&[], &[low]), graph.double(&[], &[high]));
        targets = graph.op("Clip", &[&targets, &low, &high]);
    }
    if fold.transform == TargetTransform::Log {
        targets = graph.op("Exp", &[&targets]);
    }
    let mean = graph.reduce("ReduceMean", &targets, 1);
    limited(graph, fold, &mean)
}

/// A transformed value on the target's own scale.
fn own_scale(graph: &mut Graph, fold: &FoldTarget, value: &Value) -> Value {
    let value = match fold.transform {
        TargetTransform::None => value.clone(),
        TargetTransform::Log => graph.op("Exp", &[value]),
    };
    limited(graph, fold, &value)
}

/// No lower than the target's physical limit.
fn limited(graph: &mut Graph, fold: &FoldTarget, value: &Value) -> Value {
    let Some(minimum) = fold.minimum else { return value.clone() };
    let minimum = graph.scalar(minimum);
    graph.op("Max", &[value, &minimum])
}

/// How far off a fold expects to be, `[N, 1]` or the same for all rows.
fn spread(graph: &mut Graph, features: &Features, spread: &Spread) -> Value {
    match spread {
        Spread::Constant(spread) => graph.double(&[1, 1], &[*spread]),
        Spread::Model { regressor, floor } => {
            let own = regressors::transformed(graph, features, regressor);
            let floor = graph.scalar(*floor);
            graph.op("Max", &[&own, &floor])
        }
    }
}

/// `NaN` where a row misses a value and the model was not taught what to do about that: massay refuses
/// such a row.
fn refused(graph: &mut Graph, raw: &Value, answer: &Value, checkpoint: &Checkpoint) -> Value {
    if checkpoint.missing_cells() != crate::data::MissingCells::Refuse {
        return answer.clone();
    }
    let zero = graph.scalar(0.0);
    let nothing = graph.op("IsNaN", &[raw]);
    let nothing = graph.cast(&nothing, super::graph::Element::Double);
    let count = graph.sum(&nothing, 1);
    let is_whole = graph.op("Equal", &[&count, &zero]);
    let unknown = graph.scalar(f64::NAN);
    graph.op("Where", &[&is_whole, answer, &unknown])
}
