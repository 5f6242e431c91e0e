//! Outputs and gradients against automatic differentiation.

use burn::tensor::Tensor;

use super::*;
use crate::{
    data::Generator,
    model::{Backend, MemberWeights, MlpStack, ParameterShape, Role, stack},
};

const ROWS: usize = 31;

fn shapes() -> Vec<StackShape> {
    use Activation::{Gelu, Mish, Relu, Silu, Tanh};
    let mut shapes = Vec::new();
    for activation in [Relu, Gelu, Silu, Mish, Tanh] {
        for embedding in [Embedding::None, Embedding::Pbld, Embedding::Piecewise] {
            for hidden in [vec![], vec![7], vec![40, 64, 33]] {
                for (ingredients, copies) in [(false, 1), (true, 1), (false, 3), (true, 2)] {
                    let plain = StackShape::plain(5, hidden.clone(), activation);
                    let (parametric, scaled) = (ingredients, ingredients);
                    shapes.push(StackShape { parametric, embedding, scaled, copies, ..plain });
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
        let rows = shape.copies * ROWS;
        let slopes = draw(rows, 1.0);
        let kept = |value: f32| if value > -0.5 { 1.25 } else { 0.0 };
        let mut mask = |width: &usize| draw(rows * width, 1.0).into_iter().map(kept).collect();
        let masks = shape.hidden.iter().map(&mut mask).collect();
        Self { shape, weights, features, slopes, masks }
    }

    /// Outputs and gradient in the general way.
    fn expected(&self) -> (Vec<f32>, Vec<f32>) {
        let device = Backend::host().device;
        let rows = self.shape.copies * ROWS;
        let stack = MlpStack::new(&self.shape, &[&self.weights], &device);
        let parameters: Vec<Tensor<3>> =
            stack.parameters.into_iter().map(|own| own.autodiff().require_grad()).collect();
        let size = [1, ROWS, self.shape.inputs];
        let features = stack::tensor(self.features.clone(), size, &device).autodiff();
        let mask = |(mask, width): (&Vec<f32>, &usize)| {
            stack::tensor(mask.clone(), [1, rows, *width], &device).autodiff()
        };
        let masks: Vec<Tensor<3>> = self.masks.iter().zip(&self.shape.hidden).map(mask).collect();
        let outputs = stack::forward(&self.shape, &parameters, features, &masks);
        let slopes = stack::tensor(self.slopes.clone(), [1, rows, 1], &device).autodiff();
        let gradients = (outputs.clone() * slopes).sum().backward();
        let own = |(own, shape): (&Tensor<3>, ParameterShape)| match shape.role {
            Role::Constant => vec![0.0; shape.size()],
            _ => stack::host(own.grad(&gradients).unwrap()),
        };
        let gradient = parameters.iter().zip(self.shape.parameters()).flat_map(own);
        (stack::host(outputs.inner()), gradient.collect())
    }
}

/// Asserts that numbers are equal to 1e-5 of the largest.
fn assert_close(found: &[f32], expected: &[f32], shape: &StackShape) {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().map(|value| value.abs()).fold(1.0, f32::max);
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 1e-5 * largest, "{shape:?} {place}: {found} {expected}");
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
            for (block, features) in case.features.chunks(rows * case.shape.inputs).enumerate() {
                let copies = case.slopes.chunks_exact(ROWS);
                let own = copies.flat_map(|copy| copy.chunks(rows).nth(block).unwrap());
                let slopes: Vec<f32> = own.copied().collect();
                tape.outputs(&case.weights.0, features, &[]);
                tape.add_gradient((&case.weights.0, features), &slopes, sums);
            }
        }
        assert_close(&sums[1], &sums[0], &case.shape);
    }
}
