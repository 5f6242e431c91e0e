//! Networks of one shape, computed as one.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};

use super::{MemberWeights, ParameterShape, StackShape, batch_ensemble};

/// `M` multilayer perceptrons of one shape with one output each: one batched matrix product per
/// layer computes them all, and no value of one network reaches another.
#[derive(Clone, Debug)]
pub struct MlpStack {
    /// The shape of each network.
    pub shape: StackShape,
    /// Parameters `[M, rows, columns]`, in the order of [`StackShape::parameters`].
    pub parameters: Vec<Tensor<3>>,
}

impl MlpStack {
    /// Stacks `members` on `device`.
    #[must_use]
    pub fn new(shape: &StackShape, members: &[&MemberWeights], device: &Device) -> Self {
        let stacked = |(parameter, own): (ParameterShape, Range<usize>)| {
            let values = members.iter().flat_map(|member| member.0[own.clone()].iter().copied());
            let size = [members.len(), parameter.rows, parameter.columns];
            tensor(values.collect(), size, device)
        };
        let parameters = shape.placed().map(stacked).collect();
        Self { shape: shape.clone(), parameters }
    }

    /// Copies the weights of every network to the host.
    #[must_use]
    pub fn members(&self) -> Vec<MemberWeights> {
        members_of(&self.parameters)
    }

    /// Predictions `[M, batch, 1]` for inputs `[M, batch, inputs]`, the mean over all copies.
    #[must_use]
    pub fn predict(&self, inputs: Tensor<3>) -> Tensor<3> {
        let outputs = forward(&self.shape, &self.parameters, inputs, &[]);
        batch_ensemble::mean(outputs, self.shape.copies)
    }
}

/// The network's mathematics, for parameters with or without gradient tracking: outputs
/// `[M, copies * batch, 1]` of inputs `[M, batch, inputs]`, copy by copy. `masks` are multiplied
/// onto the hidden activations, layer by layer (dropout); none where the network predicts.
pub(crate) fn forward(
    shape: &StackShape,
    parameters: &[Tensor<3>],
    inputs: Tensor<3>,
    masks: &[Tensor<3>],
) -> Tensor<3> {
    let last = shape.depth() - 1;
    let (values, own) = layer_inputs(shape, parameters, inputs, (masks, last));
    linear(shape, last, values, own)
}

/// What layer `last` is given, `[M, copies * batch, fan_in]`, and its parameters with those behind them.
pub(super) fn layer_inputs<'a>(
    shape: &StackShape,
    parameters: &'a [Tensor<3>],
    inputs: Tensor<3>,
    (masks, last): (&[Tensor<3>], usize),
) -> (Tensor<3>, &'a [Tensor<3>]) {
    let (embedding, mut rest) = parameters.split_at(shape.embedding.tensors());
    let mut values = shape.embedding.apply(inputs, embedding);
    if shape.scaled {
        values = values * rest[0].clone();
        rest = &rest[1..];
    }
    values = batch_ensemble::copied(values, shape.copies);
    for layer in 0..last {
        let (own, others) = rest.split_at(tensors_of_layer(shape, layer));
        values = linear(shape, layer, values, own);
        values = shape.activation.apply_with(values, own.last().filter(|_| shape.parametric));
        if let Some(mask) = masks.get(layer) {
            values = values * mask.clone();
        }
        rest = others;
    }
    (values, rest)
}

/// The affine map of layer `layer`, whose parameters stand first in `parameters`.
pub(super) fn linear(
    shape: &StackShape,
    layer: usize,
    values: Tensor<3>,
    parameters: &[Tensor<3>],
) -> Tensor<3> {
    if shape.copies == 1 {
        return values.matmul(parameters[0].clone()) + parameters[1].clone();
    }
    if layer + 1 == shape.depth() {
        return batch_ensemble::output(values, &parameters[..2], shape.copies);
    }
    batch_ensemble::layer(values, &parameters[..4], shape.copies)
}

/// Parameter tensors of hidden layer `layer`.
fn tensors_of_layer(shape: &StackShape, layer: usize) -> usize {
    let affine = if shape.copies == 1 || layer + 1 == shape.depth() { 2 } else { 4 };
    affine + usize::from(shape.parametric)
}

/// Cuts tensors `[M, ...]` into the flat values of each of the `M` members.
pub(crate) fn members_of(tensors: &[Tensor<3>]) -> Vec<MemberWeights> {
    let count = tensors.first().map_or(0, |tensor| tensor.dims()[0]);
    let mut members = vec![MemberWeights(Vec::new()); count];
    for tensor in tensors {
        let values = host(tensor.clone());
        for (member, part) in members.iter_mut().zip(values.chunks_exact(values.len() / count)) {
            member.0.extend_from_slice(part);
        }
    }
    members
}

/// The values of a tensor on the host.
pub(crate) fn host(tensor: Tensor<3>) -> Vec<f32> {
    let data = tensor.into_data();
    data.as_slice::<f32>().map(<[f32]>::to_vec).unwrap_or_default()
}

/// A single-precision tensor of `values`.
pub(crate) fn tensor(values: Vec<f32>, shape: [usize; 3], device: &Device) -> Tensor<3> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        data::Generator,
        model::{Activation, Backend, Embedding, Role},
    };

    fn shape(activation: Activation) -> StackShape {
        StackShape::plain(3, vec![5, 4], activation)
    }

    fn members(shape: &StackShape, count: u64) -> Vec<MemberWeights> {
        let draw =
            |member| MemberWeights::draw(shape, shape.inputs, &mut Generator::new(11, &[member]));
        let mut members: Vec<MemberWeights> = (0..count).map(draw).collect();
        // Biases start at zero, which would hide an error in their gradient.
        for weight in members.iter_mut().flat_map(|member| &mut member.0) {
            *weight += 0.05;
        }
        members
    }

    fn inputs(device: &Device) -> Tensor<3> {
        let mut generator = Generator::new(5, &[]);
        let values = (0..2 * 7 * 3).map(|_| generator.normal() as f32).collect();
        tensor(values, [2, 7, 3], device)
    }

    /// The sum of squared outputs and its gradient by every parameter.
    fn loss_and_gradients(stack: &MlpStack, device: &Device) -> (f32, Vec<Vec<f32>>) {
        let parameters: Vec<Tensor<3>> =
            stack.parameters.iter().map(|p| p.clone().autodiff().require_grad()).collect();
        let outputs = forward(&stack.shape, &parameters, inputs(device).autodiff(), &[]);
        let loss = (outputs.clone() * outputs).sum();
        let gradients = loss.backward();
        let gradient = |p: &Tensor<3>| p.grad(&gradients).map_or_else(Vec::new, host);
        let gradients = parameters.iter().map(gradient).collect();
        (loss.inner().into_scalar::<f32>(), gradients)
    }

    /// The difference quotient of the loss by the value amid parameter `index`.
    fn difference(stack: &MlpStack, index: usize, device: &Device) -> f64 {
        let shifted = |step: f32| {
            let mut stack = stack.clone();
            let dims = stack.parameters[index].dims();
            let mut values = host(stack.parameters[index].clone());
            let amid = values.len() / 2;
            values[amid] += step;
            stack.parameters[index] = tensor(values, dims, device);
            f64::from(loss_and_gradients(&stack, device).0)
        };
        (shifted(1e-2) - shifted(-1e-2)) / 2e-2
    }

    fn assert_gradients(shape: &StackShape) {
        let device = Backend::host().device;
        let members = members(shape, 2);
        let stack = MlpStack::new(shape, &members.iter().collect::<Vec<_>>(), &device);
        let (_, gradients) = loss_and_gradients(&stack, &device);
        for (index, (gradient, parameter)) in gradients.iter().zip(shape.parameters()).enumerate() {
            if parameter.role == Role::Constant {
                continue;
            }
            let expected = difference(&stack, index, &device);
            let error = (expected - f64::from(gradient[gradient.len() / 2])).abs();
            assert!(error < 2e-2 * (1.0 + expected.abs()), "{parameter:?} {error} {expected}");
        }
    }

    #[test]
    fn gradients_equal_finite_differences_for_every_activation() {
        use Activation::{Gelu, Mish, Relu, Silu, Tanh};
        for activation in [Relu, Gelu, Silu, Mish, Tanh] {
            assert_gradients(&shape(activation));
            assert_gradients(&StackShape { parametric: true, ..shape(activation) });
        }
    }

    #[test]
    fn gradients_equal_finite_differences_for_every_ingredient() {
        let plain = shape(Activation::Tanh);
        for embedding in [Embedding::None, Embedding::Pbld, Embedding::Piecewise] {
            for copies in [1, 3] {
                let scaled = copies == 1;
                let shape = StackShape { embedding, scaled, copies, ..plain.clone() };
                assert_gradients(&shape);
            }
        }
    }

    #[test]
    fn copies_with_equal_factors_are_one_network() {
        let device = Backend::host().device;
        let plain = StackShape::plain(3, vec![4], Activation::Tanh);
        let one = &members(&plain, 1)[0].0;
        let (first, rest) = one.split_at(12);
        let (bias, last) = rest.split_at(4);
        let (ones, twice) = (|n| vec![1.0; n], |part: &[f32]| [part, part].concat());
        let parts = [ones(6), first.to_vec(), ones(8), twice(bias), twice(&last[..4])];
        let copied = MemberWeights([parts.concat(), twice(&last[4..])].concat());
        let shape = StackShape { copies: 2, ..plain.clone() };
        let x = inputs(&device).narrow(0, 0, 1);
        let expected =
            host(MlpStack::new(&plain, &[&members(&plain, 1)[0]], &device).predict(x.clone()));
        let found = host(MlpStack::new(&shape, &[&copied], &device).predict(x));
        assert!(expected.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
    }

    #[test]
    fn members_do_not_reach_each_other() {
        let device = Backend::host().device;
        let shape = shape(Activation::Silu);
        let members = members(&shape, 2);
        let both = MlpStack::new(&shape, &[&members[0], &members[1]], &device);
        let outputs = host(both.predict(inputs(&device)));
        for member in 0..2 {
            let alone = MlpStack::new(&shape, &[&members[member]], &device);
            let own = inputs(&device).narrow(0, member, 1);
            assert_eq!(outputs[member * 7..(member + 1) * 7], host(alone.predict(own)));
        }
    }

    #[test]
    fn weights_survive_the_way_through_a_stack() {
        let shape = shape(Activation::Relu);
        let members = members(&shape, 3);
        let stack =
            MlpStack::new(&shape, &members.iter().collect::<Vec<_>>(), &Backend::host().device);
        assert_eq!(stack.members(), members);
    }

    #[test]
    fn one_layer_equals_the_hand_computed_product() {
        let shape = StackShape::plain(2, vec![2], Activation::Relu);
        let weights = MemberWeights(vec![1.0, -1.0, 2.0, 0.5, 0.1, -0.2, 3.0, 4.0, 0.7]);
        let stack = MlpStack::new(&shape, &[&weights], &Backend::host().device);
        let outputs = stack.predict(tensor(vec![0.5, 1.5], [1, 1, 2], &Backend::host().device));
        // hidden = relu([0.5 + 3 + 0.1, -0.5 + 0.75 - 0.2]), output = 3 h1 + 4 h2 + 0.7.
        assert!((host(outputs)[0] - (3.0 * 3.6 + 4.0 * 0.05 + 0.7)).abs() < 1e-5);
    }
}
