//! Losses and gradients on an adapter, held to the arithmetic of the CPU.

use burn::tensor::{Tensor, TensorData};

use super::{DeviceNetworks, PassShape};
use crate::{
    data::Generator,
    model::{
        Activation, Backend, BackendKind, Embedding, HostTape, InputMap, InputScaling, StackShape,
    },
};

const NETWORKS: usize = 2;
const TABLE: usize = 40;

/// Networks with drawn weights, and what they learn.
struct Case {
    shape: StackShape,
    most_rows: usize,
    pass: PassShape,
    maps: Vec<InputMap>,
    features: Vec<f32>,
    weights: Vec<Vec<f32>>,
    rows: Vec<Vec<u32>>,
    masks: Vec<Vec<f32>>,
}

impl Case {
    fn new(shape: StackShape, rows: usize, (huber, masked): (Option<f32>, bool)) -> Self {
        let mut generator = Generator::new(8, &[]);
        let mut draw = |count: usize, size: f64| -> Vec<f32> {
            (0..count).map(|_| (size * generator.normal()) as f32).collect()
        };
        let map = |_| InputMap {
            scaling: InputScaling::Robust,
            centre: draw(shape.inputs, 0.2),
            inverse_scale: vec![0.8; shape.inputs],
        };
        let maps = (0..NETWORKS).map(map).collect();
        let features = draw(TABLE * shape.inputs, 1.0);
        let weights = (0..NETWORKS).map(|_| draw(shape.size(), 0.3)).collect();
        let own = |network: usize| {
            (0..rows - 1).map(move |row| ((7 * row + 11 * network) % TABLE) as u32)
        };
        let rows_of = (0..NETWORKS).map(|network| own(network).collect()).collect();
        let mask = |width: &usize| {
            (0..rows * width).map(|place| if place % 10 < 3 { 0.0 } else { 1.0 / 0.7 }).collect()
        };
        let masks = shape.hidden.iter().map(mask).collect();
        let huber = huber.map(f32::to_bits);
        let pass = PassShape { huber, masked };
        Self { shape, most_rows: rows, pass, maps, features, weights, rows: rows_of, masks }
    }

    fn target(row: u32) -> f32 {
        (row as f32 * 0.37).sin()
    }

    /// Losses of the pass that learns and of the one that judges, and gradients, network by network, on the adapter.
    fn on_adapter(&self) -> (Vec<f32>, Vec<Vec<f32>>) {
        let backend = Backend::select(BackendKind::Wgpu).unwrap();
        let features = TensorData::new(self.features.clone(), [TABLE, self.shape.inputs]);
        let features = Tensor::<2>::from_data(features, &backend.device);
        let maps: Vec<&InputMap> = self.maps.iter().collect();
        let mut own =
            DeviceNetworks::new(&self.shape, (self.most_rows, self.pass, [1, 1]), &maps, &features)
                .unwrap();
        let zeros = vec![0.0; self.shape.size()];
        let numbers = |weights: &Vec<f32>| [weights, &zeros, &zeros, &zeros].map(Clone::clone);
        own.set(self.weights.iter().map(numbers));
        let share = 1.0 / self.rows[0].len() as f32;
        let wanted = |row| (Self::target(row), share);
        own.set_judges(|network, _, mut step| step.set_rows(0, &self.rows[network], wanted));
        let losses = own.learn(1, |_, network, steps| {
            for mut step in steps {
                step.set_rows(0, &self.rows[network], wanted);
                // By these the first moment is the gradient, and no weight moves.
                let still = [1.0, 1.0, 0.0, 1.0, 0.0];
                step.set_strides(std::iter::repeat_n(still, self.shape.parameters().len()));
                for (layer, mask) in self.masks.iter().enumerate() {
                    if let Some(own) = step.mask(layer) {
                        own[..mask.len()].copy_from_slice(mask);
                    }
                }
            }
        });
        let numbers = own.numbers();
        for ([weights, _, _], before) in numbers.iter().zip(&self.weights) {
            assert_eq!(&weights.0, before);
        }
        (losses, numbers.into_iter().map(|[_, first, _]| first.0).collect())
    }

    /// The same by the arithmetic of the CPU.
    fn on_host(&self) -> (Vec<f32>, Vec<Vec<f32>>) {
        let mut tape = HostTape::new(&self.shape).unwrap();
        let (mut losses, mut gradients) = (Vec::new(), Vec::new());
        for network in 0..NETWORKS {
            let (weights, rows) = (&self.weights[network], &self.rows[network]);
            let mut features = Vec::new();
            for row in rows {
                let own = &self.features[*row as usize * self.shape.inputs..][..self.shape.inputs];
                self.maps[network].scale(own, &mut features);
            }
            let widths = self.masks.iter().zip(&self.shape.hidden);
            let masks: Vec<&[f32]> =
                widths.map(|(mask, width)| &mask[..rows.len() * width]).collect();
            let masks = if self.pass.masked { &masks[..] } else { &[] };
            let mut gradient = vec![0.0; weights.len()];
            let judged = self.loss(rows, tape.outputs(weights, &features, &[])).0;
            let (loss, slopes) = self.loss(rows, tape.outputs(weights, &features, masks));
            tape.add_gradient((weights, &features), &slopes, &mut gradient);
            losses.extend([loss, judged]);
            gradients.push(gradient);
        }
        (losses, gradients)
    }

    /// The mean loss of some rows, and its slopes by their outputs.
    fn loss(&self, rows: &[u32], outputs: &[f32]) -> (f32, Vec<f32>) {
        let share = 1.0 / rows.len() as f32;
        let each = rows.iter().zip(outputs).map(|(row, output)| {
            let residual = output - Self::target(*row);
            let Some(bound) = self.pass.huber.map(f32::from_bits) else {
                return (residual * residual * share, 2.0 * residual * share);
            };
            let slope = residual.clamp(-bound, bound);
            (slope * (residual - 0.5 * slope) * share, slope * share)
        });
        let (losses, slopes): (Vec<f32>, Vec<f32>) = each.unzip();
        (losses.iter().sum(), slopes)
    }

    fn assert_alike(&self) {
        let ((losses, gradients), (own_losses, own_gradients)) =
            (self.on_adapter(), self.on_host());
        let worst = |a: &[f32], b: &[f32]| {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f32::max)
        };
        assert!(worst(&losses, &own_losses) < 1e-5, "{losses:?} {own_losses:?}");
        for (found, expected) in gradients.iter().zip(&own_gradients) {
            assert!(expected.iter().any(|slope| slope.abs() > 0.01));
            let error = worst(found, expected);
            assert!(error < 2e-5, "{:?}: {error}", self.shape);
        }
    }
}

#[test]
#[ignore = "needs a graphics adapter; CI runs it on Mesa's software Vulkan driver"]
fn gradients_equal_those_of_the_cpu_for_every_nonlinearity_and_loss() {
    use Activation::{Gelu, Mish, Relu, Silu, Tanh};
    for (activation, huber) in
        [(Relu, None), (Gelu, Some(0.4)), (Silu, None), (Mish, Some(0.4)), (Tanh, None)]
    {
        let shape = StackShape::plain(5, vec![20], activation);
        Case::new(shape, 9, (huber, false)).assert_alike();
    }
}

#[test]
#[ignore = "needs a graphics adapter; CI runs it on Mesa's software Vulkan driver"]
fn gradients_equal_those_of_the_cpu_for_every_ingredient() {
    let plain = StackShape::plain(4, vec![64, 40, 64], Activation::Mish);
    let (parametric, embedding, scaled) = (true, Embedding::Pbld, true);
    let whole = StackShape { parametric, embedding, scaled, ..plain.clone() };
    Case::new(whole, 40, (None, true)).assert_alike();
    Case::new(StackShape { embedding, hidden: vec![7], ..plain.clone() }, 5, (None, false))
        .assert_alike();
    let wide = StackShape { scaled, hidden: vec![7, 140], ..plain.clone() };
    Case::new(wide, 70, (None, true)).assert_alike();
    Case::new(StackShape { hidden: Vec::new(), ..plain }, 33, (Some(0.4), false)).assert_alike();
}
