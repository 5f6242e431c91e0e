//! A model for the script of a page: the graph of its ONNX file as JSON, its large weights in few bits.

use std::{io::Write, ops::Range};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::ZlibEncoder};
use rayon::prelude::*;
use serde_json::{Map, Value as Json, json};

use crate::{
    data::Generator,
    features::{FeatureMatrix, PerFold},
    model::{
        Backend, LayerValues, MemberWeights, ParameterShape, Prediction, Reference, StackShape,
    },
    train::Checkpoint,
};

use super::{
    compensated::round_compensated,
    graph::Element,
    model::graph_of,
    packed::{SHORTEST_ROW, exact, rounded},
    schema::{AttributeProto, NodeProto, TensorProto},
};

/// Bits of the weights of large layers that are tried.
const BITS: Range<u32> = 7..17;

/// Bits that most models come to.
const USUAL_BITS: u32 = 11;

/// Bits of the parameters between them, which are few.
const FEW_BITS: Range<u32> = 14..23;

/// How far rounding may move a prediction or a bound, relative to its size.
const TOLERANCE: f64 = 7e-5;

/// Rows that weights are rounded for, and as many others that the rounding is judged on.
const ROWS: usize = 400;

/// Models with more text before it is compressed are not tried.
const LONGEST_JSON: usize = 20_000_000;

/// Floats of all networks together that are worth packing.
const MANY: usize = 1024;

/// Numbers that are written as text.
const FEW: usize = 64;

/// A model that a page can compute.
#[derive(Clone, Debug, PartialEq)]
pub struct PageModel {
    /// Columns, steps and constants as JSON, compressed with zlib, in base64.
    pub text: String,
    /// The largest difference to the model itself, of a prediction or a bound, over rows that the checkpoint keeps:
    /// relative to its size, or to a tenth of the mean size where it is nearer to 0.
    pub error: f64,
}

/// The model of `checkpoint` for a page, with as few bits as keep the predictions; `None` where no number of bits
/// does, or a prediction is no number.
#[must_use]
pub fn page_model(checkpoint: &Checkpoint, backend: &Backend) -> Option<PageModel> {
    if checkpoint.members.is_empty() {
        return finished(checkpoint, 0.0);
    }
    let mut rounding = Rounding::new(checkpoint, backend);
    let close = |members: &Vec<MemberWeights>| rounding.error(members.clone()) <= TOLERANCE / 3.0;
    let few = FEW_BITS.rev().map(|bits| rounding.few(bits)).take_while(close).last()?;
    rounding.checkpoint.members = few;
    let (members, error) = rounding.fewest()?;
    finished(&Checkpoint { members, ..checkpoint.clone() }, error)
}

/// The model as text, where there is any hope that a page has room for it.
fn finished(checkpoint: &Checkpoint, error: f64) -> Option<PageModel> {
    let json = json_of(checkpoint);
    if json.len() > LONGEST_JSON {
        return None;
    }
    Some(PageModel { text: compressed(json.as_bytes())?, error })
}

/// A model whose networks are rounded.
struct Rounding<'a> {
    checkpoint: Checkpoint,
    backend: &'a Backend,
    /// Raw rows that the rounding is judged on.
    judged: Vec<f64>,
    /// What the model says of them before anything is rounded.
    exact: Vec<Prediction>,
    /// The rows that weights are rounded for, as the networks of each fold see them before they are scaled.
    features: PerFold<FeatureMatrix>,
}

impl<'a> Rounding<'a> {
    fn new(checkpoint: &Checkpoint, backend: &'a Backend) -> Self {
        let judged = neighbours(&checkpoint.reference, 1);
        let rows = neighbours(&checkpoint.reference, 2);
        let preprocessors = &checkpoint.manifest.preprocessors;
        Self {
            exact: checkpoint.predictor(backend).predict(&judged),
            features: preprocessors.map(|own| own.transform_rows(&rows)),
            checkpoint: checkpoint.clone(),
            backend,
            judged,
        }
    }

    /// The largest change of a prediction or a bound by these networks.
    fn error(&self, members: Vec<MemberWeights>) -> f64 {
        let own = Checkpoint { members, ..self.checkpoint.clone() };
        difference(&self.exact, &own.predictor(self.backend).predict(&self.judged))
    }

    /// The networks with the parameters between the large layers in `bits` bits.
    fn few(&self, bits: u32) -> Vec<MemberWeights> {
        let shape = &self.checkpoint.manifest.shape;
        let bits = |own: &ParameterShape| {
            let is_few = own.columns >= SHORTEST_ROW && large_layer(shape, own).is_none();
            is_few.then_some(bits)
        };
        let bits: Vec<Option<u32>> = shape.parameters().iter().map(bits).collect();
        self.checkpoint.members.iter().map(|own| rounded(own, shape, &bits)).collect()
    }

    /// The networks with as few bits for the weights of large layers as keep the predictions, and their error.
    fn fewest(&self) -> Option<(Vec<MemberWeights>, f64)> {
        let rounded = |bits: u32| {
            let members = self.large(bits);
            let error = self.error(members.clone());
            tracing::debug!("weights in {bits} bits move predictions by {error:.1e}");
            (error <= TOLERANCE).then_some((members, error))
        };
        let usual = rounded(USUAL_BITS);
        if usual.is_none() {
            return (USUAL_BITS + 1..BITS.end).find_map(rounded);
        }
        let fewer = (BITS.start..USUAL_BITS).rev().map_while(rounded).last();
        fewer.or(usual)
    }

    /// The networks with the weights of large layers in `bits` bits.
    fn large(&self, bits: u32) -> Vec<MemberWeights> {
        let members = &self.checkpoint.members;
        let per_fold = members.len() / self.checkpoint.blends.len().max(1);
        let round = |(index, member): (usize, &MemberWeights)| {
            let scaling = &self.checkpoint.manifest.scaling[index];
            let features = self.features.get(index / per_fold);
            let mut inputs = Vec::with_capacity(features.values().len());
            (0..features.rows())
                .for_each(|row| scaling.inputs.scale(features.row(row), &mut inputs));
            self.round_member(member.clone(), &inputs, bits)
        };
        members.par_iter().enumerate().map(round).collect()
    }

    /// A network with the weights of its large layers in `bits` bits, layer by layer for what the layers before it
    /// now give.
    fn round_member(&self, mut member: MemberWeights, inputs: &[f32], bits: u32) -> MemberWeights {
        let shape = &self.checkpoint.manifest.shape;
        for (parameter, own) in shape.placed() {
            let Some(layer) = large_layer(shape, &parameter) else { continue };
            let given = LayerValues::of(shape, &member, inputs, layer).given;
            round_compensated(&mut member.0[own], parameter.rows, &given, bits);
        }
        member
    }
}

/// The layer whose weights a parameter is, where it is a large matrix that all inputs pass.
fn large_layer(shape: &StackShape, parameter: &ParameterShape) -> Option<usize> {
    let is_matrix = shape.copies == 1 && parameter.columns >= SHORTEST_ROW;
    let name = |layer: &usize| parameter.name == format!("layer{layer}.weight");
    (0..shape.depth()).find(name).filter(|_| is_matrix)
}

/// Known rows, and rows in which one or two values come from another one: what somebody may ask for who moves a
/// slider.
fn neighbours(reference: &Reference, seed: u64) -> Vec<f64> {
    let rows: Vec<&[f64]> = reference.rows().take(ROWS / 2).collect();
    let mut generator = Generator::new(seed, &[]);
    let mut all: Vec<f64> = rows.concat();
    while !rows.is_empty() && all.len() < ROWS * reference.columns {
        let mut row = rows[generator.below(rows.len())].to_vec();
        for _ in 0..2 {
            let column = generator.below(row.len());
            row[column] = rows[generator.below(rows.len())][column];
        }
        all.extend(row);
    }
    all
}

/// Compressed with zlib, in base64: browsers read both.
fn compressed(bytes: &[u8]) -> Option<String> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    Some(STANDARD.encode(encoder.finish().ok()?))
}

/// The largest relative difference of predictions and bounds.
fn difference(exact: &[Prediction], others: &[Prediction]) -> f64 {
    let parts: [fn(&Prediction) -> f64; 3] = [|own| own.value, |own| own.lower, |own| own.upper];
    let largest = |part: fn(&Prediction) -> f64| {
        let mean = exact.iter().map(|own| part(own).abs()).sum::<f64>() / exact.len() as f64;
        let pairs = exact.iter().zip(others);
        let off = pairs.map(|(own, other)| match (part(own) - part(other)).abs() {
            0.0 => 0.0,
            change => change / part(own).abs().max(0.1 * mean),
        });
        // A comparison with NaN is false: what is no number must count as far off.
        off.fold(0.0, |most, own| if own <= most { most } else { own })
    };
    parts.into_iter().map(largest).fold(0.0, |most, own| if own <= most { most } else { own })
}

fn json_of(checkpoint: &Checkpoint) -> String {
    let graph = graph_of(checkpoint);
    let steps: Vec<Json> = graph.node.iter().map(step).collect();
    let constants: Map<String, Json> = graph
        .initializer
        .iter()
        .map(|own| (own.name.clone().unwrap_or_default(), constant(own)))
        .collect();
    let columns = checkpoint.manifest.preprocessors.get(0).inputs();
    json!({ "columns": columns, "steps": steps, "constants": constants }).to_string()
}

/// `[operator, inputs, outputs, attributes]`.
fn step(node: &NodeProto) -> Json {
    let attributes: Map<String, Json> = node
        .attribute
        .iter()
        .map(|own| (own.name.clone().unwrap_or_default(), attribute(own)))
        .collect();
    json!([node.op_type, node.input, node.output, attributes])
}

fn attribute(own: &AttributeProto) -> Json {
    if let Some(tensor) = &own.t {
        return constant(tensor);
    }
    if let Some(number) = own.i {
        return json!(number);
    }
    if let Some(word) = &own.s {
        return json!(String::from_utf8_lossy(word));
    }
    if !own.strings.is_empty() {
        // The modes of the nodes of trees: leaves, and comparisons of one kind.
        let leaves: Vec<u8> = own.strings.iter().map(|mode| u8::from(mode == b"LEAF")).collect();
        return json!({ "type": "uint8", "dims": [leaves.len()], "raw": STANDARD.encode(leaves) });
    }
    if own.ints.len() <= FEW {
        return json!(own.ints);
    }
    whole(&own.ints, &[own.ints.len() as i64])
}

/// Whole numbers, as text where they are few, else each less the one before it: lists of positions compress well so.
fn whole(values: &[i64], dims: &[i64]) -> Json {
    if values.len() <= FEW {
        return json!({ "type": "int64", "dims": dims, "values": values });
    }
    let before = std::iter::once(&0).chain(values);
    let steps = values.iter().zip(before).map(|(own, before)| (own - before) as i32);
    let bytes: Vec<u8> = steps.flat_map(i32::to_le_bytes).collect();
    json!({ "type": "int64", "dims": dims, "steps": STANDARD.encode(bytes) })
}

/// Numbers in double precision; in single precision where that holds them.
fn doubles(values: Vec<f64>, dims: &[i64]) -> Json {
    if values.len() <= FEW {
        let values: Vec<Json> = values.into_iter().map(number).collect();
        return json!({ "type": "double", "dims": dims, "values": values });
    }
    if values.iter().all(|own| f64::from(*own as f32) == *own) {
        let bytes: Vec<u8> = values.iter().flat_map(|own| (*own as f32).to_le_bytes()).collect();
        return json!({ "type": "double", "dims": dims, "single": STANDARD.encode(bytes) });
    }
    let bytes: Vec<u8> = values.iter().flat_map(|own| own.to_le_bytes()).collect();
    json!({ "type": "double", "dims": dims, "raw": STANDARD.encode(bytes) })
}

/// A constant with its type and shape; floats that were rounded in as many bits as they need.
fn constant(own: &TensorProto) -> Json {
    let raw = own.raw_data.as_deref().unwrap_or_default();
    let kind = own.data_type.unwrap_or_default();
    let columns = own.dims.last().copied().unwrap_or(1) as usize;
    if kind == Element::Int64 as i32 {
        return whole(&words(raw).map(i64::from_le_bytes).collect::<Vec<_>>(), &own.dims);
    }
    if kind == Element::Double as i32 {
        return doubles(words(raw).map(f64::from_le_bytes).collect(), &own.dims);
    }
    let values: Vec<f32> = words(raw).map(f32::from_le_bytes).collect();
    let is_large = values.len() >= MANY && columns >= SHORTEST_ROW;
    let packed = is_large.then(|| exact(&values, columns, BITS.start..FEW_BITS.end)).flatten();
    let Some((bits, packed)) = packed else {
        return json!({ "type": "float", "dims": own.dims, "raw": STANDARD.encode(raw) });
    };
    let steps: Vec<u8> = packed.steps.iter().flat_map(|step| step.to_le_bytes()).collect();
    json!({
        "type": "float", "dims": own.dims, "bits": bits, "block": columns,
        "scales": STANDARD.encode(steps), "packed": STANDARD.encode(packed.bytes(bits)),
    })
}

/// Little-endian numbers of `N` bytes each.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.chunks_exact(N).filter_map(|word| word.try_into().ok())
}

/// A number, or its name where JSON has none for it.
fn number(value: f64) -> Json {
    match value {
        _ if value.is_nan() => json!("nan"),
        f64::INFINITY => json!("inf"),
        f64::NEG_INFINITY => json!("-inf"),
        _ => json!(value),
    }
}
