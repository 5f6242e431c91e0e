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
    embedding::MIXED,
    host_activation::{Kept, activate, masked},
    host_product::{Left, Room, add_product, dot, transpose},
    host_stack::is_known,
    host_waves::{Waves, embed, embed_back},
};

/// Where each parameter stands among the weights of a network.
#[derive(Clone, Debug)]
struct Places {
    /// Frequency, phase, mixture and shift of a periodic embedding.
    waves: Option<[Range<usize>; 4]>,
    scale: Option<Range<usize>>,
    layers: Vec<LayerPlaces>,
}

#[derive(Clone, Debug)]
struct LayerPlaces {
    inputs: usize,
    outputs: usize,
    weight: Range<usize>,
    bias: Range<usize>,
    slope: Option<Range<usize>>,
}

/// A network that learns: its values between two layers for some rows, and the way back through them.
#[derive(Clone, Debug)]
pub(crate) struct HostTape {
    inputs: usize,
    activation: Activation,
    places: Places,
    /// What the embedding gives, `[rows, width]`.
    embedded: Vec<f32>,
    /// What the first layer is given.
    scaled: Vec<f32>,
    layers: Vec<Kept>,
    outputs: Vec<f32>,
    /// Slopes by what a layer gives, and by what it is given.
    back: [Vec<f32>; 2],
    turned: Vec<f32>,
    room: Room,
}

impl HostTape {
    /// For networks of `shape`; `None` where the shape has an ingredient, or the CPU lacks an instruction, that only
    /// the general way knows.
    pub(crate) fn new(shape: &StackShape) -> Option<Self> {
        if !is_known(shape) {
            return None;
        }
        Some(Self {
            inputs: shape.inputs,
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

    /// Outputs `[rows]` of the network with `weights` for scaled features `[rows, inputs]`. `masks`, one for each
    /// hidden layer or none, are multiplied onto the hidden values `[rows, width]`.
    pub(crate) fn outputs(
        &mut self,
        weights: &[f32],
        features: &[f32],
        masks: &[&[f32]],
    ) -> &[f32] {
        forward(self, weights, features, masks);
        &self.outputs
    }

    /// Adds to `gradient` what the last outputs' `slopes [rows]` make of each weight; `weights` and `features` are those
    /// of these outputs.
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
        let waves = (shape.embedding == Embedding::Pbld).then(|| [next(), next(), next(), next()]);
        let scale = shape.scaled.then(&mut next);
        let layers = (0..shape.depth()).map(|layer| {
            let (inputs, outputs) = shape.layer(layer);
            let (weight, bias) = (next(), next());
            let is_hidden = layer + 1 < shape.depth();
            let slope = (shape.parametric && is_hidden).then(&mut next);
            LayerPlaces { inputs, outputs, weight, bias, slope }
        });
        let layers = layers.collect();
        Self { waves, scale, layers }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma", "x86_64+avx2+fma"))]
fn forward(tape: &mut HostTape, weights: &[f32], features: &[f32], masks: &[&[f32]]) {
    let HostTape { places, layers, room, .. } = tape;
    let rows = features.len() / tape.inputs.max(1);
    tape.embedded.clear();
    match &places.waves {
        None => tape.embedded.extend_from_slice(features),
        Some(own) => {
            let waves = Waves::of_all(own.clone().map(|place| &weights[place]));
            tape.embedded.resize(features.len() * (MIXED + 1), 0.0);
            embed(&waves, features, tape.inputs, &mut tape.embedded);
        }
    }
    tape.scaled.clear();
    tape.scaled.extend_from_slice(&tape.embedded);
    if let Some(scale) = &places.scale {
        let scale = &weights[scale.clone()];
        for row in tape.scaled.chunks_exact_mut(scale.len()) {
            row.iter_mut().zip(scale).for_each(|(value, scale)| *value *= scale);
        }
    }
    let mut values = &tape.scaled;
    let (hidden, last) = places.layers.split_at(layers.len());
    for (layer, (own, kept)) in hidden.iter().zip(layers).enumerate() {
        kept.values.clear();
        for _ in 0..rows {
            kept.values.extend_from_slice(&weights[own.bias.clone()]);
        }
        let left = Left::plain(values, own.inputs);
        let sizes = [rows, own.inputs, own.outputs];
        add_product(left, &weights[own.weight.clone()], sizes, &mut kept.values, room);
        let slope = own.slope.as_ref().map(|place| &weights[place.clone()]);
        activate(tape.activation, own.outputs, slope, kept);
        if let Some(mask) = masks.get(layer) {
            masked(mask, kept);
        }
        values = &kept.values;
    }
    tape.outputs.clear();
    for own in last {
        let (weight, bias) = (&weights[own.weight.clone()], weights[own.bias.start]);
        for row in values.chunks_exact(own.inputs) {
            tape.outputs.push(bias + dot(row, weight, own.inputs));
        }
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
        let weight = &weights[own.weight.clone()];
        for (row, slope) in inputs.chunks_exact(own.inputs).zip(slopes) {
            add_scaled(&mut gradient[own.weight.clone()], row, *slope);
            gradient[own.bias.start] += slope;
            wanted.extend(weight.iter().map(|weight| weight * slope));
        }
    }
    for layer in (0..hidden.len()).rev() {
        let own = &hidden[layer];
        std::mem::swap(given, wanted);
        let kept = &layers[layer];
        if let Some(place) = &own.slope {
            add_columns(given, Some(&kept.excess), &mut gradient[place.clone()]);
        }
        given.iter_mut().zip(&kept.slopes).for_each(|(value, slope)| *value *= slope);
        add_columns(given, None, &mut gradient[own.bias.clone()]);
        let inputs = if layer == 0 { &tape.scaled } else { &layers[layer - 1].values };
        let sizes = [own.inputs, rows, own.outputs];
        let left = Left::turned(inputs, own.inputs);
        add_product(left, given, sizes, &mut gradient[own.weight.clone()], room);
        if layer == 0 && places.scale.is_none() && places.waves.is_none() {
            return;
        }
        transpose(&weights[own.weight.clone()], [own.inputs, own.outputs], turned);
        wanted.clear();
        wanted.resize(rows * own.inputs, 0.0);
        let sizes = [rows, own.outputs, own.inputs];
        add_product(Left::plain(given, own.outputs), turned, sizes, wanted, room);
    }
    if let Some(place) = &places.scale {
        add_columns(wanted, Some(&tape.embedded), &mut gradient[place.clone()]);
        let scale = &weights[place.clone()];
        for row in wanted.chunks_exact_mut(scale.len()) {
            row.iter_mut().zip(scale).for_each(|(value, scale)| *value *= scale);
        }
    }
    if let Some(places) = &places.waves {
        embed_back((places, weights), (features, tape.inputs), wanted, gradient);
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

/// Adds each column of `values`, or of their products with `factors`, to its sum.
#[inline(always)]
fn add_columns(values: &[f32], factors: Option<&[f32]>, sums: &mut [f32]) {
    let width = sums.len();
    match factors {
        None => values.chunks_exact(width).for_each(|row| {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }),
        Some(factors) => {
            for (row, factors) in values.chunks_exact(width).zip(factors.chunks_exact(width)) {
                for ((sum, value), factor) in sums.iter_mut().zip(row).zip(factors) {
                    *sum = value.mul_add(*factor, *sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::*;
    use crate::{
        data::Generator,
        model::{MemberWeights, MlpStack, stack},
    };

    const ROWS: usize = 31;

    fn shapes() -> Vec<StackShape> {
        use Activation::{Gelu, Mish, Relu, Silu, Tanh};
        let mut shapes = Vec::new();
        for activation in [Relu, Gelu, Silu, Mish, Tanh] {
            for embedding in [Embedding::None, Embedding::Pbld] {
                for hidden in [vec![], vec![7], vec![40, 64, 33]] {
                    for ingredients in [false, true] {
                        let plain = StackShape::plain(5, hidden.clone(), activation);
                        let (parametric, scaled) = (ingredients, ingredients);
                        shapes.push(StackShape { parametric, embedding, scaled, ..plain });
                    }
                }
            }
        }
        shapes
    }

    struct Case {
        shape: StackShape,
        weights: MemberWeights,
        features: Vec<f32>,
        slopes: Vec<f32>,
        masks: Vec<Vec<f32>>,
    }

    impl Case {
        fn new(shape: StackShape) -> Self {
            let mut generator = Generator::new(3, &[]);
            let mut draw = |count: usize, factor: f64| -> Vec<f32> {
                (0..count).map(|_| (factor * generator.normal()) as f32).collect()
            };
            let weights = MemberWeights(draw(shape.size(), 0.3));
            let features = draw(ROWS * shape.inputs, 1.5);
            let slopes = draw(ROWS, 1.0);
            let kept = |value: f32| if value > -0.5 { 1.25 } else { 0.0 };
            let mut mask = |width: &usize| draw(ROWS * width, 1.0).into_iter().map(kept).collect();
            let masks = shape.hidden.iter().map(&mut mask).collect();
            Self { shape, weights, features, slopes, masks }
        }

        /// Outputs and gradient in the general way.
        fn expected(&self) -> (Vec<f32>, Vec<f32>) {
            let device = Device::flex();
            let stack = MlpStack::new(&self.shape, &[&self.weights], &device);
            let parameters: Vec<Tensor<3>> =
                stack.parameters.into_iter().map(|own| own.autodiff().require_grad()).collect();
            let size = [1, ROWS, self.shape.inputs];
            let features = stack::tensor(self.features.clone(), size, &device).autodiff();
            let mask = |(mask, width): (&Vec<f32>, &usize)| {
                stack::tensor(mask.clone(), [1, ROWS, *width], &device).autodiff()
            };
            let masks: Vec<Tensor<3>> =
                self.masks.iter().zip(&self.shape.hidden).map(mask).collect();
            let outputs = stack::forward(&self.shape, &parameters, features, &masks);
            let slopes = stack::tensor(self.slopes.clone(), [1, ROWS, 1], &device).autodiff();
            let gradients = (outputs.clone() * slopes).sum().backward();
            let gradient =
                parameters.iter().flat_map(|own| stack::host(own.grad(&gradients).unwrap()));
            (stack::host(outputs.inner()), gradient.collect())
        }
    }

    /// Asserts that numbers are equal to 1e-5 of the largest.
    fn assert_close(found: &[f32], expected: &[f32], shape: &StackShape) {
        assert_eq!(found.len(), expected.len());
        let largest = expected.iter().map(|value| value.abs()).fold(1.0, f32::max);
        for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() < 1e-5 * largest,
                "{shape:?} {place}: {found} {expected}"
            );
        }
    }

    #[test]
    fn outputs_and_gradients_equal_those_of_automatic_differentiation() {
        for shape in shapes() {
            let case = Case::new(shape);
            let (outputs, gradient) = case.expected();
            let mut tape = HostTape::new(&case.shape).unwrap();
            let masks: Vec<&[f32]> = case.masks.iter().map(Vec::as_slice).collect();
            let found = tape.outputs(&case.weights.0, &case.features, &masks).to_vec();
            assert_close(&found, &outputs, &case.shape);
            let mut sums = vec![0.0; gradient.len()];
            tape.add_gradient((&case.weights.0, &case.features), &case.slopes, &mut sums);
            assert_close(&sums, &gradient, &case.shape);
        }
    }

    #[test]
    fn what_is_not_a_number_stays_none() {
        for shape in shapes().into_iter().filter(|shape| !shape.hidden.is_empty()) {
            let case = Case::new(shape);
            let mut tape = HostTape::new(&case.shape).unwrap();
            let features = vec![f32::NAN; case.shape.inputs];
            assert!(tape.outputs(&case.weights.0, &features, &[])[0].is_nan(), "{:?}", case.shape);
        }
    }

    #[test]
    fn gradients_of_blocks_of_rows_add_up() {
        for shape in shapes() {
            let case = Case { masks: Vec::new(), ..Case::new(shape) };
            let mut tape = HostTape::new(&case.shape).unwrap();
            let mut sums = [vec![0.0; case.shape.size()], vec![0.0; case.shape.size()]];
            for (sums, rows) in sums.iter_mut().zip([ROWS, 13]) {
                let blocks = case.features.chunks(rows * case.shape.inputs);
                for (features, slopes) in blocks.zip(case.slopes.chunks(rows)) {
                    tape.outputs(&case.weights.0, features, &[]);
                    tape.add_gradient((&case.weights.0, features), slopes, sums);
                }
            }
            assert_close(&sums[1], &sums[0], &case.shape);
        }
    }

    #[test]
    fn shapes_with_other_ingredients_take_the_general_way() {
        let plain = StackShape::plain(3, vec![4], Activation::Relu);
        assert!(HostTape::new(&StackShape { copies: 2, ..plain.clone() }).is_none());
        assert!(HostTape::new(&StackShape { embedding: Embedding::Piecewise, ..plain }).is_none());
    }
}
