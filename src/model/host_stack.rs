//! The networks' mathematics on the CPU, for prediction: what [`MlpStack`](super::MlpStack) computes,
//! laid out for vector units and for their caches.
//!
//! A row's output has the same bits whatever rows stand beside it, and on every CPU that has fused
//! multiplication and addition.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]

use multiversion::multiversion;

use super::{
    Activation, Embedding, InputMap, MemberScaling, MemberWeights, StackShape,
    embedding::MIXED,
    host_layer::Layer,
    host_product::{LANES, PANEL, dot},
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
    /// A periodic embedding; empty without one.
    waves: Vec<Waves>,
    layers: Vec<Layer>,
    activation: Activation,
    /// Weights of the output, padded with zeros to whole vectors.
    output: Vec<f32>,
    bias: f32,
}

/// Rows between two layers, and room for those after the next.
struct Buffers {
    values: Vec<f32>,
    next: Vec<f32>,
    /// Rows as a product takes them.
    packed: Vec<f32>,
}

impl HostStack {
    /// The networks of `members`; `None` where the shape has an ingredient, or the CPU lacks an
    /// instruction, that only the general way knows.
    pub(super) fn new(
        shape: &StackShape,
        members: &[&MemberWeights],
        scaling: &[MemberScaling],
    ) -> Option<Self> {
        if !is_known(shape) {
            return None;
        }
        let pairs = members.iter().zip(scaling);
        let networks: Vec<Network> =
            pairs.map(|(weights, scaling)| Network::new(shape, weights, scaling)).collect();
        let hidden = shape.hidden.iter().map(|width| width.next_multiple_of(PANEL));
        let widest = hidden.chain([shape.layer(0).0, shape.inputs]).max().unwrap_or(1);
        Some(Self { networks, widest })
    }

    /// Outputs `[M, rows]` of the networks; `features` gives each network its rows, row-major.
    pub(super) fn outputs<'a>(
        &self,
        rows: usize,
        features: impl Fn(usize) -> &'a [f32],
    ) -> Vec<f32> {
        let mut outputs = vec![0.0; self.networks.len() * rows];
        let room = || vec![0.0; rows * self.widest + LANES];
        let mut buffers = Buffers { values: room(), next: room(), packed: Vec::new() };
        let parts = outputs.chunks_exact_mut(rows.max(1)).zip(&self.networks).enumerate();
        for (index, (outputs, network)) in parts {
            evaluate(network, features(index), outputs, &mut buffers);
        }
        outputs
    }
}

/// Whether own arithmetic knows all ingredients of the shape, and the CPU has the instructions that it wants.
pub(super) fn is_known(shape: &StackShape) -> bool {
    shape.copies == 1 && shape.embedding != Embedding::Piecewise && multiplies_and_adds()
}

/// Whether multiplying and adding is one instruction; it is a slow function elsewhere.
fn multiplies_and_adds() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("fma")
        && std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    return cfg!(target_arch = "aarch64");
}

impl Network {
    fn new(shape: &StackShape, weights: &MemberWeights, scaling: &MemberScaling) -> Self {
        let mut parts = shape.placed().map(|(_, own)| &weights.0[own]);
        let mut next = || parts.next().unwrap_or(&[]);
        let waves = match shape.embedding {
            Embedding::Pbld => Waves::of_all([next(), next(), next(), next()]),
            _ => Vec::new(),
        };
        let scale = if shape.scaled { next() } else { &[] };
        let layers = (0..shape.hidden.len()).map(|layer| {
            let factors = if layer == 0 { scale } else { &[] };
            let (weights, bias) = (next(), next());
            let slope = if shape.parametric { next() } else { &[] };
            Layer::new(shape.layer(layer), factors, (weights, bias, slope))
        });
        let layers: Vec<Layer> = layers.collect();
        let mut output = next().to_vec();
        if layers.is_empty() {
            output.iter_mut().zip(scale).for_each(|(weight, factor)| *weight *= factor);
        }
        output.resize(output.len().next_multiple_of(LANES), 0.0);
        let bias = next().first().copied().unwrap_or(0.0);
        let inputs = scaling.inputs.clone();
        Self { inputs, waves, layers, activation: shape.activation, output, bias }
    }
}

/// The output of one network for each row of `features`.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma", "x86_64+avx2+fma"))]
fn evaluate(network: &Network, features: &[f32], outputs: &mut [f32], buffers: &mut Buffers) {
    let rows = outputs.len();
    embed(network, features, buffers);
    let mut width = features.len() / rows.max(1);
    if !network.waves.is_empty() {
        width *= MIXED + 1;
    }
    for layer in &network.layers {
        let outputs = layer.bias.len();
        let Buffers { values, next, packed } = buffers;
        layer.apply(&values[..rows * width], &mut next[..rows * outputs], packed);
        layer.activate(network.activation, &mut buffers.next[..rows * outputs]);
        std::mem::swap(&mut buffers.values, &mut buffers.next);
        width = outputs;
    }
    for (row, output) in outputs.iter_mut().enumerate() {
        *output = network.bias + dot(&buffers.values[row * width..], &network.output, width);
    }
}

/// Writes the inputs of the first layer to `buffers.values`.
#[inline(always)]
fn embed(network: &Network, features: &[f32], buffers: &mut Buffers) {
    let columns = network.inputs.centre.len().max(1);
    if network.waves.is_empty() {
        scale(&network.inputs, features, &mut buffers.values);
        return;
    }
    scale(&network.inputs, features, &mut buffers.next);
    let embedded = &mut buffers.values[..features.len() * (MIXED + 1)];
    host_waves::embed(&network.waves, &buffers.next[..features.len()], columns, embedded);
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
    use burn::tensor::Device;

    use super::*;
    use crate::{
        data::Generator,
        model::{InputScaling, MlpStack, StackScaling, stack},
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
            let device = Device::flex();
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
            for embedding in [Embedding::None, Embedding::Pbld] {
                for hidden in [vec![], vec![7], vec![40, 64, 33]] {
                    let ingredients = hidden.len() != 1;
                    let plain = StackShape::plain(5, hidden, activation);
                    let (parametric, scaled) = (ingredients, ingredients);
                    shapes.push(StackShape { parametric, embedding, scaled, ..plain });
                }
            }
        }
        shapes
    }

    #[test]
    fn outputs_equal_those_of_the_general_way() {
        for shape in shapes() {
            let case = Case::new(shape);
            let found = case.host().outputs(ROWS, |_| &case.features);
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
            let all = host.outputs(ROWS, |_| &case.features);
            for (row, features) in case.features.chunks_exact(case.shape.inputs).enumerate() {
                let own = host.outputs(1, |_| features);
                assert_eq!(own, [all[row], all[ROWS + row]]);
            }
        }
    }

    #[test]
    fn shapes_with_other_ingredients_take_the_general_way() {
        let plain = StackShape::plain(3, vec![4], Activation::Relu);
        let shapes = [
            StackShape { copies: 2, ..plain.clone() },
            StackShape { embedding: Embedding::Piecewise, ..plain },
        ];
        for shape in shapes {
            assert!(HostStack::new(&shape, &[], &[]).is_none());
        }
    }
}
