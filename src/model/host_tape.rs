//! The networks' mathematics on the CPU while they learn: what [`forward`](super::stack::forward) computes, and the
//! gradient of it, in passes over memory that stays in the caches.
//!
//! One definition serves both: [`MlpStack`](super::MlpStack) states it in tensors; a test holds outputs and gradients
//! here to its values for every layer kind.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]

use std::ops::Range;

use multiversion::multiversion;

use super::{
    Activation, Embedding, StackShape,
    embedding::{MIXED, PIECEWISE_WIDTH},
    host_activation::{Kept, activate, masked},
    host_bins,
    host_copies::{add, add_columns, add_up, multiply},
    host_product::{Left, Room, add_product, dot, multiplies_and_adds, transpose},
    host_waves::{Waves, embed, embed_back},
};

/// Where each parameter stands among the weights of a network.
#[derive(Clone, Debug)]
struct Places {
    embedding: EmbeddingPlaces,
    scale: Option<Range<usize>>,
    layers: Vec<LayerPlaces>,
}

#[derive(Clone, Debug)]
enum EmbeddingPlaces {
    None,
    /// Frequency, phase, mixture and shift.
    Waves([Range<usize>; 4]),
    /// Left ends, inverse widths, slope, shift and mixture.
    Bins([Range<usize>; 5]),
}

#[derive(Clone, Debug)]
struct LayerPlaces {
    inputs: usize,
    outputs: usize,
    weight: Range<usize>,
    /// One bias for each copy and output.
    bias: Range<usize>,
    slope: Option<Range<usize>>,
    /// Factors of each copy on inputs and on outputs; none where there is one copy.
    factors: Option<[Range<usize>; 2]>,
}

/// A network that learns: its values between two layers for some rows, and the way back through them.
#[derive(Clone, Debug)]
pub(crate) struct HostTape {
    inputs: usize,
    copies: usize,
    activation: Activation,
    places: Places,
    /// What the embedding gives, `[rows, width]`.
    embedded: Vec<f32>,
    /// What the first layer is given, `[copies * rows, width]`.
    scaled: Vec<f32>,
    layers: Vec<Kept>,
    outputs: Vec<f32>,
    /// Slopes by what a layer gives, and by what it is given.
    back: [Vec<f32>; 2],
    turned: Vec<f32>,
    room: Room,
}

impl HostTape {
    /// For networks of `shape`; `None` where the CPU lacks an instruction that this wants.
    pub(crate) fn new(shape: &StackShape) -> Option<Self> {
        if !multiplies_and_adds() {
            return None;
        }
        Some(Self {
            inputs: shape.inputs,
            copies: shape.copies,
            activation: shape.activation,
            places: Places::of(shape),
            embedded: Vec::new(),
            scaled: Vec::new(),
            layers: vec![Kept::default(); shape.hidden.len()],
            outputs: Vec::new(),
            back: [Vec::new(), Vec::new()],
            turned: Vec::new(),
            room: Room::default(),
        })
    }

    /// Outputs `[copies * rows]` of the network with `weights` for scaled features `[rows, inputs]`. `masks`, one for
    /// each hidden layer or none, are multiplied onto the hidden values `[copies * rows, width]`.
    pub(crate) fn outputs(
        &mut self,
        weights: &[f32],
        features: &[f32],
        masks: &[&[f32]],
    ) -> &[f32] {
        forward(self, (weights, features), masks, self.layers.len());
        &self.outputs
    }

    /// What layer `last` is given and what it makes of that before its nonlinearity, `[copies * rows, width]` each.
    pub(crate) fn layer_values(
        &mut self,
        weights: &[f32],
        features: &[f32],
        last: usize,
    ) -> (&[f32], &[f32]) {
        forward(self, (weights, features), &[], last);
        let given = if last == 0 { &self.scaled } else { &self.layers[last - 1].values };
        (given, self.layers.get(last).map_or(&self.outputs, |kept| &kept.values))
    }

    /// Adds to `gradient` what the last outputs' `slopes [copies * rows]` make of each weight; `weights` and `features`
    /// are those of these outputs.
    pub(crate) fn add_gradient(
        &mut self,
        (weights, features): (&[f32], &[f32]),
        slopes: &[f32],
        gradient: &mut [f32],
    ) {
        backward(self, (weights, features), slopes, gradient);
    }
}

impl Places {
    fn of(shape: &StackShape) -> Self {
        let mut places = shape.placed().map(|(_, own)| own);
        let mut next = || places.next().unwrap_or_default();
        let embedding = match shape.embedding {
            Embedding::None => EmbeddingPlaces::None,
            Embedding::Pbld => EmbeddingPlaces::Waves(std::array::from_fn(|_| next())),
            Embedding::Piecewise => EmbeddingPlaces::Bins(std::array::from_fn(|_| next())),
        };
        let scale = shape.scaled.then(&mut next);
        let layers = (0..shape.depth()).map(|layer| {
            let (inputs, outputs) = shape.layer(layer);
            let is_hidden = layer + 1 < shape.depth();
            let has_factors = shape.copies > 1 && is_hidden;
            let by_input = has_factors.then(&mut next);
            let weight = next();
            let by_output = has_factors.then(&mut next);
            let factors = by_input.zip(by_output).map(|(input, output)| [input, output]);
            let bias = next();
            let slope = (shape.parametric && is_hidden).then(&mut next);
            LayerPlaces { inputs, outputs, weight, bias, slope, factors }
        });
        let layers = layers.collect();
        Self { embedding, scale, layers }
    }

    /// Whether something learns before the first layer.
    fn begin_early(&self) -> bool {
        self.scale.is_some() || !matches!(self.embedding, EmbeddingPlaces::None)
    }
}

/// Computes all layers up to the affine map of `last_layer`.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma", "x86_64+avx2+fma"))]
fn forward(
    tape: &mut HostTape,
    (weights, features): (&[f32], &[f32]),
    masks: &[&[f32]],
    last_layer: usize,
) {
    begin(tape, weights, features);
    let HostTape { places, layers, room, .. } = tape;
    let rows = features.len() / tape.inputs.max(1) * tape.copies;
    let mut values = &tape.scaled;
    let (hidden, last) = places.layers.split_at(layers.len());
    for (layer, (own, kept)) in hidden.iter().zip(layers).enumerate() {
        let (weight, bias) = (&weights[own.weight.clone()], &weights[own.bias.clone()]);
        let sizes = [rows, own.inputs, own.outputs];
        kept.values.clear();
        if let Some([by_input, by_output]) = &own.factors {
            kept.given.clone_from(values);
            multiply(&mut kept.given, &weights[by_input.clone()], own.inputs);
            kept.values.resize(rows * own.outputs, 0.0);
            let left = Left::plain(&kept.given, own.inputs);
            add_product(left, weight, sizes, &mut kept.values, room);
            kept.products.clone_from(&kept.values);
            multiply(&mut kept.values, &weights[by_output.clone()], own.outputs);
            add(&mut kept.values, bias, own.outputs);
        } else {
            (0..rows).for_each(|_| kept.values.extend_from_slice(bias));
            add_product(Left::plain(values, own.inputs), weight, sizes, &mut kept.values, room);
        }
        if layer == last_layer {
            return;
        }
        let slope = own.slope.as_ref().map(|place| &weights[place.clone()]);
        activate(tape.activation, own.outputs, slope, kept);
        if let Some(mask) = masks.get(layer) {
            masked(mask, kept);
        }
        values = &kept.values;
    }
    tape.outputs.clear();
    for own in last {
        let parts = values.chunks_exact((rows / tape.copies * own.inputs).max(1));
        let copies = weights[own.weight.clone()].chunks_exact(own.inputs);
        for ((part, weight), bias) in parts.zip(copies).zip(&weights[own.bias.clone()]) {
            for row in part.chunks_exact(own.inputs) {
                tape.outputs.push(bias + dot(row, weight, own.inputs));
            }
        }
    }
}

/// What the first layer is given.
#[inline(always)]
fn begin(tape: &mut HostTape, weights: &[f32], features: &[f32]) {
    let HostTape { places, embedded, scaled, .. } = tape;
    embedded.clear();
    match &places.embedding {
        EmbeddingPlaces::None => embedded.extend_from_slice(features),
        EmbeddingPlaces::Waves(own) => {
            let waves = Waves::of_all(own.clone().map(|place| &weights[place]));
            embedded.resize(features.len() * (MIXED + 1), 0.0);
            embed(&waves, features, tape.inputs, embedded);
        }
        EmbeddingPlaces::Bins(own) => {
            embedded.resize(features.len() * PIECEWISE_WIDTH, 0.0);
            host_bins::embed(own.clone().map(|place| &weights[place]), features, embedded);
        }
    }
    scaled.clear();
    scaled.extend_from_slice(embedded);
    if let Some(scale) = &places.scale {
        multiply(scaled, &weights[scale.clone()], scale.len());
    }
    for _ in 1..tape.copies {
        scaled.extend_from_within(..embedded.len());
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma", "x86_64+avx2+fma"))]
fn backward(
    tape: &mut HostTape,
    (weights, features): (&[f32], &[f32]),
    slopes: &[f32],
    gradient: &mut [f32],
) {
    let HostTape { places, layers, room, turned, back: [given, wanted], .. } = tape;
    let rows = slopes.len();
    let (hidden, last) = places.layers.split_at(layers.len());
    wanted.clear();
    for own in last {
        let inputs = layers.last().map_or(&tape.scaled, |kept| &kept.values);
        let parts = inputs.chunks_exact((rows / tape.copies * own.inputs).max(1));
        let parts = parts.zip(slopes.chunks_exact((rows / tape.copies).max(1)));
        for (copy, (inputs, slopes)) in parts.enumerate() {
            let place = own.weight.start + copy * own.inputs;
            let place = place..place + own.inputs;
            let weight = &weights[place.clone()];
            for (row, slope) in inputs.chunks_exact(own.inputs).zip(slopes) {
                add_scaled(&mut gradient[place.clone()], row, *slope);
                gradient[own.bias.start + copy] += slope;
                wanted.extend(weight.iter().map(|weight| weight * slope));
            }
        }
    }
    for layer in (0..hidden.len()).rev() {
        let own = &hidden[layer];
        std::mem::swap(given, wanted);
        let kept = &layers[layer];
        if let Some(place) = &own.slope {
            add_columns(given, Some(&kept.excess), &mut gradient[place.clone()], own.outputs);
        }
        given.iter_mut().zip(&kept.slopes).for_each(|(value, slope)| *value *= slope);
        add_columns(given, None, &mut gradient[own.bias.clone()], own.outputs);
        let values = if layer == 0 { &tape.scaled } else { &layers[layer - 1].values };
        let mut inputs = values;
        if let Some([_, place]) = &own.factors {
            add_columns(given, Some(&kept.products), &mut gradient[place.clone()], own.outputs);
            multiply(given, &weights[place.clone()], own.outputs);
            inputs = &kept.given;
        }
        let sizes = [own.inputs, rows, own.outputs];
        let left = Left::turned(inputs, own.inputs);
        add_product(left, given, sizes, &mut gradient[own.weight.clone()], room);
        if layer == 0 && own.factors.is_none() && !places.begin_early() {
            return;
        }
        transpose(&weights[own.weight.clone()], [own.inputs, own.outputs], turned);
        wanted.clear();
        wanted.resize(rows * own.inputs, 0.0);
        let sizes = [rows, own.outputs, own.inputs];
        add_product(Left::plain(given, own.outputs), turned, sizes, wanted, room);
        if let Some([place, _]) = &own.factors {
            add_columns(wanted, Some(values), &mut gradient[place.clone()], own.inputs);
            multiply(wanted, &weights[place.clone()], own.inputs);
        }
    }
    add_up(wanted, tape.copies);
    if let Some(place) = &places.scale {
        add_columns(wanted, Some(&tape.embedded), &mut gradient[place.clone()], place.len());
        multiply(wanted, &weights[place.clone()], place.len());
    }
    match &places.embedding {
        EmbeddingPlaces::None => {}
        EmbeddingPlaces::Waves(own) => {
            embed_back((own, weights), (features, tape.inputs), wanted, gradient);
        }
        EmbeddingPlaces::Bins(own) => {
            host_bins::embed_back((own, weights), features, wanted, gradient);
        }
    }
}

/// `sums + factor values`.
#[inline(always)]
fn add_scaled(sums: &mut [f32], values: &[f32], factor: f32) {
    // A loop: `mul_add` in a closure may be compiled without the instructions of its caller.
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = value.mul_add(factor, *sum);
    }
}

#[cfg(test)]
mod tests;
