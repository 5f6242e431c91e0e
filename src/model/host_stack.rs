//! The networks' mathematics on the CPU, for prediction: what [`MlpStack`](super::MlpStack) computes,
//! laid out for vector units and for their caches.
//!
//! A row's output has the same bits whatever rows stand beside it, and on every CPU that has fused
//! multiplication and addition.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]

use multiversion::multiversion;

use super::{
    Activation, Embedding, InputMap, MemberScaling, MemberWeights, StackShape,
    embedding::{FREQUENCIES, MIXED},
    vector_math,
};

/// Numbers that the widest vector unit handles at once; narrower ones take several steps.
const LANES: usize = 16;

/// Vectors of a matrix's columns that are computed together.
const VECTORS: usize = 2;

/// Columns of a matrix that stand together in memory.
const PANEL: usize = VECTORS * LANES;

/// Rows that are computed together: with their sums in registers, each weight is read once for all.
pub(super) const TALL: usize = 12;

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
    waves: Option<Waves>,
    layers: Vec<Layer>,
    activation: Activation,
    /// Weights of the output, padded with zeros to whole vectors.
    output: Vec<f32>,
    bias: f32,
}

/// A periodic embedding, feature by feature.
#[derive(Clone, Debug)]
struct Waves {
    frequency: Vec<f32>,
    phase: Vec<f32>,
    /// `[features, MIXED, FREQUENCIES]`.
    mixture: Vec<f32>,
    /// `[features, MIXED]`.
    shift: Vec<f32>,
}

/// A hidden layer; its outputs are padded with zeros to whole panels.
#[derive(Clone, Debug)]
struct Layer {
    inputs: usize,
    /// Panel by panel, each `[inputs, PANEL]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    slope: Vec<f32>,
}

/// Rows between two layers, and room for those after the next.
struct Buffers {
    values: Vec<f32>,
    next: Vec<f32>,
}

impl HostStack {
    /// The networks of `members`; `None` where the shape has an ingredient, or the CPU lacks an
    /// instruction, that only the general way knows.
    pub(super) fn new(
        shape: &StackShape,
        members: &[&MemberWeights],
        scaling: &[MemberScaling],
    ) -> Option<Self> {
        if shape.copies > 1 || shape.embedding == Embedding::Piecewise || !multiplies_and_adds() {
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
        let mut buffers = Buffers { values: room(), next: room() };
        let parts = outputs.chunks_exact_mut(rows.max(1)).zip(&self.networks).enumerate();
        for (index, (outputs, network)) in parts {
            evaluate(network, features(index), outputs, &mut buffers);
        }
        outputs
    }
}

/// Whether multiplying and adding is one instruction; it is a slow function elsewhere.
fn multiplies_and_adds() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return cfg!(target_arch = "aarch64");
}

impl Network {
    fn new(shape: &StackShape, weights: &MemberWeights, scaling: &MemberScaling) -> Self {
        let mut start = 0;
        let mut parts = shape.parameters().into_iter().map(|parameter| {
            let own = start..start + parameter.size();
            start = own.end;
            &weights.0[own]
        });
        let mut next = || parts.next().unwrap_or(&[]);
        let waves = (shape.embedding == Embedding::Pbld)
            .then(|| Waves::new([next(), next(), next(), next()]));
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

impl Waves {
    fn new([frequency, phase, mixture, shift]: [&[f32]; 4]) -> Self {
        let turned = mixture.chunks_exact(FREQUENCIES * MIXED).flat_map(|own| {
            (0..MIXED).flat_map(|column| own.iter().skip(column).step_by(MIXED).copied())
        });
        Self {
            frequency: frequency.to_vec(),
            phase: phase.to_vec(),
            mixture: turned.collect(),
            shift: shift.to_vec(),
        }
    }
}

impl Layer {
    /// A layer of `weights [inputs, outputs]`, whose inputs are multiplied by `factors` before.
    fn new(
        (inputs, outputs): (usize, usize),
        factors: &[f32],
        (weights, bias, slope): (&[f32], &[f32], &[f32]),
    ) -> Self {
        let padded = outputs.next_multiple_of(PANEL);
        let mut panels = vec![0.0; inputs * padded];
        for (position, weight) in weights.iter().enumerate() {
            let (row, column) = (position / outputs, position % outputs);
            let panel = column / PANEL * inputs * PANEL;
            let factor = factors.get(row).copied().unwrap_or(1.0);
            panels[panel + row * PANEL + column % PANEL] = weight * factor;
        }
        let filled = |values: &[f32], missing: f32| {
            let mut all = values.to_vec();
            all.resize(outputs, missing);
            all.resize(padded, 0.0);
            all
        };
        Self { inputs, weights: panels, bias: filled(bias, 0.0), slope: filled(slope, 1.0) }
    }
}

/// The output of one network for each row of `features`.
#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma",
    "x86_64+avx2+fma"
))]
fn evaluate(network: &Network, features: &[f32], outputs: &mut [f32], buffers: &mut Buffers) {
    let rows = outputs.len();
    embed(network, features, buffers);
    let mut width = features.len() / rows.max(1);
    if network.waves.is_some() {
        width *= MIXED + 1;
    }
    for layer in &network.layers {
        let outputs = layer.bias.len();
        layer.apply(&buffers.values[..rows * width], &mut buffers.next[..rows * outputs]);
        activate(network.activation, &mut buffers.next[..rows * outputs], &layer.slope);
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
    let Some(waves) = &network.waves else {
        scale(&network.inputs, features, &mut buffers.values);
        return;
    };
    scale(&network.inputs, features, &mut buffers.next);
    let width = (MIXED + 1) * columns;
    let rows = buffers.next.chunks_exact(columns).zip(buffers.values.chunks_exact_mut(width));
    for (own, embedded) in rows.take(features.len() / columns) {
        let (mixed, plain) = embedded.split_at_mut(MIXED * columns);
        plain.copy_from_slice(own);
        for (feature, (x, mixed)) in own.iter().zip(mixed.chunks_exact_mut(MIXED)).enumerate() {
            waves.mix(feature, *x, mixed);
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

impl Waves {
    /// Mixtures of `cos(2 pi w x + b)` for one feature.
    #[inline(always)]
    fn mix(&self, feature: usize, x: f32, mixed: &mut [f32]) {
        let at = feature * FREQUENCIES;
        let turns = x * (2.0 * std::f32::consts::PI);
        let mut waves = [0.0; FREQUENCIES];
        let constants = self.frequency[at..].iter().zip(&self.phase[at..]);
        for (wave, (frequency, phase)) in waves.iter_mut().zip(constants) {
            *wave = vector_math::cos(turns.mul_add(*frequency, *phase));
        }
        for (column, mixed) in mixed.iter_mut().enumerate() {
            let weights = &self.mixture[(feature * MIXED + column) * FREQUENCIES..];
            *mixed = self.shift[feature * MIXED + column] + dot(&waves, weights, FREQUENCIES);
        }
    }
}

/// The scalar product of the first `count` numbers, in sixteen sums that are added pair by pair.
#[inline(always)]
fn dot(values: &[f32], weights: &[f32], count: usize) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let whole = count / LANES * LANES;
    let vectors = values[..whole].chunks_exact(LANES).zip(weights.chunks_exact(LANES));
    for (values, weights) in vectors {
        for lane in 0..LANES {
            sums[lane] = values[lane].mul_add(weights[lane], sums[lane]);
        }
    }
    for (lane, position) in (whole..count).enumerate() {
        sums[lane] = values[position].mul_add(weights[position], sums[lane]);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

impl Layer {
    /// `values W + bias`, row by row; `values [rows, inputs]` may be padded to a wider row.
    #[inline(always)]
    fn apply(&self, values: &[f32], outputs: &mut [f32]) {
        let width = self.bias.len();
        let rows = outputs.len() / width.max(1);
        let stride = values.len() / rows.max(1);
        for (panel, weights) in self.weights.chunks_exact(self.inputs * PANEL).enumerate() {
            let column = panel * PANEL;
            let bias = &self.bias[column..column + PANEL];
            let mut row = 0;
            while row < rows {
                let values = &values[row * stride..];
                let outputs = &mut outputs[row * width + column..];
                let part = Part { inputs: self.inputs, stride, width, weights, bias };
                row += match rows - row {
                    TALL.. => part.apply::<TALL>(values, outputs),
                    4.. => part.apply::<4>(values, outputs),
                    _ => part.apply::<1>(values, outputs),
                };
            }
        }
    }
}

/// One panel of a layer.
struct Part<'a> {
    inputs: usize,
    /// From one row of values to the next.
    stride: usize,
    /// From one row of outputs to the next.
    width: usize,
    weights: &'a [f32],
    bias: &'a [f32],
}

impl Part<'_> {
    /// Computes `R` rows and says so. Every sum goes through the inputs in their order.
    #[inline(always)]
    fn apply<const R: usize>(&self, values: &[f32], outputs: &mut [f32]) -> usize {
        let mut sums = [[[0.0_f32; LANES]; VECTORS]; R];
        for row in &mut sums {
            for (sum, bias) in row.iter_mut().zip(self.bias.chunks_exact(LANES)) {
                sum.copy_from_slice(bias);
            }
        }
        let rows: [&[f32]; R] =
            std::array::from_fn(|row| &values[row * self.stride..][..self.inputs]);
        for (input, weights) in self.weights.chunks_exact(PANEL).enumerate() {
            for (row, sums) in rows.iter().zip(&mut sums) {
                let x = row[input];
                for (sum, weights) in sums.iter_mut().zip(weights.chunks_exact(LANES)) {
                    for lane in 0..LANES {
                        sum[lane] = x.mul_add(weights[lane], sum[lane]);
                    }
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            let own = &mut outputs[row * self.width..][..PANEL];
            for (output, sum) in own.chunks_exact_mut(LANES).zip(sums) {
                output.copy_from_slice(sum);
            }
        }
        R
    }
}

/// `x + slope (f(x) - x)` for every value.
#[inline(always)]
fn activate(activation: Activation, values: &mut [f32], slope: &[f32]) {
    match activation {
        Activation::Relu => shifted(values, slope, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::Gelu => shifted(values, slope, vector_math::gelu),
        Activation::Silu => shifted(values, slope, vector_math::silu),
        Activation::Mish => shifted(values, slope, vector_math::mish),
        Activation::Tanh => shifted(values, slope, vector_math::tanh),
    }
}

#[inline(always)]
fn shifted(values: &mut [f32], slope: &[f32], function: impl Fn(f32) -> f32) {
    for row in values.chunks_exact_mut(slope.len().max(1)) {
        for (x, slope) in row.iter_mut().zip(slope) {
            *x += (function(*x) - *x) * slope;
        }
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
            HostStack::new(&self.shape, &members, &self.scaling).unwrap()
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
                    shapes.push(StackShape { embedding, parametric, scaled, ..plain });
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
