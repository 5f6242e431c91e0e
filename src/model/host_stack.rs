//! The networks' mathematics on the CPU, for prediction: what [`MlpStack`](super::MlpStack) computes,
//! laid out for vector units and for their caches.
//!
//! A row's output has the same bits whatever rows stand beside it, and on every CPU that has fused
//! multiplication and addition.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]

use multiversion::multiversion;

use super::{
    Activation, Embedding, InputMap, MemberScaling, MemberWeights, StackShape,
    embedding::{MIXED, PIECEWISE_WIDTH},
    host_bins,
    host_layer::Layer,
    host_product::{LANES, PANEL, dot, multiplies_and_adds},
    host_waves::{self, Waves},
};

/// Networks of one shape.
#[derive(Clone, Debug)]
pub(super) struct HostStack {
    networks: Vec<Network>,
    /// Most numbers of a row between two layers.
    widest: usize,
}

/// One network with the scaling of its inputs.
#[derive(Clone, Debug)]
struct Network {
    inputs: InputMap,
    embedding: HostEmbedding,
    layers: Vec<Layer>,
    activation: Activation,
    /// Of each copy: weights of the output, padded with zeros to whole vectors, and its bias.
    outputs: Vec<(Vec<f32>, f32)>,
}

#[derive(Clone, Debug)]
enum HostEmbedding {
    None,
    Waves(Vec<Waves>),
    Bins([Vec<f32>; 5]),
}

/// Rows between two layers, and room for those after the next.
struct Buffers {
    /// What the first layer is given.
    embedded: Vec<f32>,
    values: Vec<f32>,
    next: Vec<f32>,
    /// Rows as a product takes them.
    packed: Vec<f32>,
}

impl HostStack {
    /// The networks of `members`; `None` where the CPU lacks an instruction that this wants.
    pub(super) fn new(
        shape: &StackShape,
        members: &[&MemberWeights],
        scaling: &[MemberScaling],
    ) -> Option<Self> {
        if !multiplies_and_adds() {
            return None;
        }
        let pairs = members.iter().zip(scaling);
        let networks: Vec<Network> =
            pairs.map(|(weights, scaling)| Network::new(shape, weights, scaling)).collect();
        let hidden = shape.hidden.iter().map(|width| width.next_multiple_of(PANEL));
        let widest = hidden.chain([shape.layer(0).0, shape.inputs]).max().unwrap_or(1);
        Some(Self { networks, widest })
    }

    /// Outputs `[M, rows]` of the networks; `features` gives each network its rows, row-major, or `None` where nobody
    /// asks it: its outputs are 0 then.
    pub(super) fn outputs<'a>(
        &self,
        rows: usize,
        features: impl Fn(usize) -> Option<&'a [f32]>,
    ) -> Vec<f32> {
        let mut outputs = vec![0.0; self.networks.len() * rows];
        let room = || vec![0.0; rows * self.widest + LANES];
        let (embedded, values, next) = (room(), room(), room());
        let mut buffers = Buffers { embedded, values, next, packed: Vec::new() };
        let parts = outputs.chunks_exact_mut(rows.max(1)).zip(&self.networks).enumerate();
        for (index, (outputs, network)) in parts {
            if let Some(features) = features(index) {
                evaluate(network, features, outputs, &mut buffers);
            }
        }
        outputs
    }
}

impl Network {
    fn new(shape: &StackShape, weights: &MemberWeights, scaling: &MemberScaling) -> Self {
        let mut parts = shape.placed().map(|(_, own)| &weights.0[own]);
        let mut next = || parts.next().unwrap_or(&[]);
        let embedding = match shape.embedding {
            Embedding::None => HostEmbedding::None,
            Embedding::Pbld => HostEmbedding::Waves(Waves::of_all(std::array::from_fn(|_| next()))),
            Embedding::Piecewise => HostEmbedding::Bins(std::array::from_fn(|_| next().to_vec())),
        };
        let scale = if shape.scaled { next() } else { &[] };
        let has_factors = shape.copies > 1;
        let layers = (0..shape.hidden.len()).map(|layer| {
            let scale = if layer == 0 { scale } else { &[] };
            let input = if has_factors { next() } else { &[] };
            let weights = next();
            let output = if has_factors { next() } else { &[] };
            let bias = next();
            let slope = if shape.parametric { next() } else { &[] };
            Layer::new(shape.layer(layer), (scale, input, output), (weights, bias, slope))
        });
        let layers: Vec<Layer> = layers.collect();
        let (weights, biases) = (next(), next());
        let output = |(weights, bias): (&[f32], &f32)| {
            let mut weights = weights.to_vec();
            if layers.is_empty() {
                weights.iter_mut().zip(scale).for_each(|(weight, factor)| *weight *= factor);
            }
            weights.resize(weights.len().next_multiple_of(LANES), 0.0);
            (weights, *bias)
        };
        let inputs = shape.layer(shape.hidden.len()).0;
        let outputs = weights.chunks_exact(inputs).zip(biases).map(output).collect();
        let (inputs, activation) = (scaling.inputs.clone(), shape.activation);
        Self { inputs, embedding, layers, activation, outputs }
    }
}

/// The output of one network for each row of `features`, the mean over its copies.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma", "x86_64+avx2+fma"))]
fn evaluate(network: &Network, features: &[f32], outputs: &mut [f32], buffers: &mut Buffers) {
    let rows = outputs.len();
    let embedded = embed(network, features, buffers);
    let Buffers { embedded: first, values, next, packed } = buffers;
    for (copy, (weights, bias)) in network.outputs.iter().enumerate() {
        let (mut given, mut width) = (&*first, embedded / rows.max(1));
        for layer in &network.layers {
            let outputs = &mut next[..rows * layer.width()];
            layer.apply(copy, &given[..rows * width], outputs, packed);
            layer.activate(network.activation, outputs);
            std::mem::swap(values, next);
            (given, width) = (&*values, layer.width());
        }
        for (row, output) in outputs.iter_mut().enumerate() {
            *output += bias + dot(&given[row * width..], weights, width);
        }
    }
    if network.outputs.len() > 1 {
        let share = 1.0 / network.outputs.len() as f32;
        for output in outputs.iter_mut() {
            *output *= share;
        }
    }
}

/// Writes the inputs of the first layer to `buffers.embedded`; returns how many they are.
#[inline(always)]
fn embed(network: &Network, features: &[f32], buffers: &mut Buffers) -> usize {
    let columns = network.inputs.centre.len().max(1);
    let Buffers { embedded, next: scaled, .. } = buffers;
    match &network.embedding {
        HostEmbedding::None => {
            scale(&network.inputs, features, embedded);
            features.len()
        }
        HostEmbedding::Waves(waves) => {
            scale(&network.inputs, features, scaled);
            let count = features.len() * (MIXED + 1);
            host_waves::embed(waves, &scaled[..features.len()], columns, &mut embedded[..count]);
            count
        }
        HostEmbedding::Bins(own) => {
            scale(&network.inputs, features, scaled);
            let count = features.len() * PIECEWISE_WIDTH;
            let parameters = own.each_ref().map(Vec::as_slice);
            host_bins::embed(parameters, &scaled[..features.len()], &mut embedded[..count]);
            count
        }
    }
}

#[inline(always)]
fn scale(map: &InputMap, features: &[f32], scaled: &mut [f32]) {
    let columns = map.centre.len().max(1);
    for (own, scaled) in features.chunks_exact(columns).zip(scaled.chunks_exact_mut(columns)) {
        map.write_scaled(own, scaled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        data::Generator,
        model::{Backend, InputScaling, MlpStack, StackScaling, stack},
    };

    const ROWS: usize = 31;

    struct Case {
        shape: StackShape,
        members: Vec<MemberWeights>,
        scaling: Vec<MemberScaling>,
        features: Vec<f32>,
    }

    impl Case {
        fn new(shape: StackShape) -> Self {
            let mut generator = Generator::new(3, &[]);
            let mut draw = |count: usize, factor: f64| -> Vec<f32> {
                (0..count).map(|_| (factor * generator.normal()) as f32).collect()
            };
            let members = (0..2).map(|_| MemberWeights(draw(shape.size(), 0.4))).collect();
            let scaling = (0..2).map(|_| MemberScaling {
                inputs: InputMap {
                    scaling: InputScaling::Robust,
                    centre: draw(shape.inputs, 0.5),
                    inverse_scale: draw(shape.inputs, 1.0),
                },
                linear: None,
                target_mean: 0.0,
                target_deviation: 1.0,
            });
            let scaling = scaling.collect();
            let features = draw(ROWS * shape.inputs, 2.0);
            Self { shape, members, scaling, features }
        }

        fn host(&self) -> HostStack {
            let members: Vec<_> = self.members.iter().collect();
            HostStack::new(&self.shape, &members, &self.scaling)
                .expect("a CPU with FMA and AVX2, or aarch64")
        }

        /// What the general way gives.
        fn expected(&self) -> Vec<f32> {
            let device = Backend::host().device;
            let members: Vec<_> = self.members.iter().collect();
            let features = self.features.clone();
            let features = stack::tensor(features, [1, ROWS, self.shape.inputs], &device);
            let inputs = StackScaling::new(self.scaling.iter(), &device).apply(features);
            stack::host(MlpStack::new(&self.shape, &members, &device).predict(inputs))
        }
    }

    fn shapes() -> Vec<StackShape> {
        use Activation::{Gelu, Mish, Relu, Silu, Tanh};
        let mut shapes = Vec::new();
        for activation in [Relu, Gelu, Silu, Mish, Tanh] {
            for embedding in [Embedding::None, Embedding::Pbld, Embedding::Piecewise] {
                for (hidden, copies) in [
                    (vec![], 1),
                    (vec![7], 1),
                    (vec![40, 64, 33], 1),
                    (vec![], 3),
                    (vec![40, 9], 2),
                ] {
                    let ingredients = hidden.len() != 1;
                    let plain = StackShape::plain(5, hidden, activation);
                    let (parametric, scaled) = (ingredients, ingredients);
                    shapes.push(StackShape { parametric, embedding, scaled, copies, ..plain });
                }
            }
        }
        shapes
    }

    #[test]
    fn outputs_equal_those_of_the_general_way() {
        for shape in shapes() {
            let case = Case::new(shape);
            let found = case.host().outputs(ROWS, |_| Some(&case.features));
            let expected = case.expected();
            assert_eq!(found.len(), expected.len());
            let largest = expected.iter().map(|value| value.abs()).fold(1.0, f32::max);
            for (found, expected) in found.iter().zip(&expected) {
                let error = (found - expected).abs();
                assert!(error < 1e-5 * largest, "{:?}: {found} {expected}", case.shape);
            }
        }
    }

    #[test]
    fn a_row_has_the_same_output_whatever_stands_beside_it() {
        for shape in shapes() {
            let case = Case::new(shape);
            let host = case.host();
            let all = host.outputs(ROWS, |_| Some(&case.features));
            for (row, features) in case.features.chunks_exact(case.shape.inputs).enumerate() {
                let own = host.outputs(1, |_| Some(features));
                assert_eq!(own, [all[row], all[ROWS + row]]);
            }
        }
    }
}
