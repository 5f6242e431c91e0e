//! Networks of one shape, computed as one.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::{Activation, MemberWeights};

/// The shape that all networks of a stack share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackShape {
    /// Number of features.
    pub inputs: usize,
    /// Width of each hidden layer, from input to output.
    pub hidden: Vec<usize>,
    /// Nonlinearity after each hidden layer.
    pub activation: Activation,
}

impl StackShape {
    /// Number of layers, the output layer included.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.hidden.len() + 1
    }

    /// Fan-in and fan-out of layer `layer`.
    #[must_use]
    pub fn layer(&self, layer: usize) -> (usize, usize) {
        let fan_in = if layer == 0 { self.inputs } else { self.hidden[layer - 1] };
        (fan_in, self.hidden.get(layer).copied().unwrap_or(1))
    }

    /// Fan-in and fan-out of every layer.
    pub fn layers(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.depth()).map(|layer| self.layer(layer))
    }

    /// Number of parameters of one network.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.layers().map(|(fan_in, fan_out)| fan_in * fan_out + fan_out).sum()
    }
}

/// `M` multilayer perceptrons of one shape with one output each: one batched matrix product per
/// layer computes them all, and no value of one network reaches another.
#[derive(Clone, Debug)]
pub struct MlpStack {
    /// The shape of each network.
    pub shape: StackShape,
    /// Weights `[M, fan_in, fan_out]` and biases `[M, 1, fan_out]`, alternating, layer by layer.
    pub parameters: Vec<Tensor<3>>,
}

impl MlpStack {
    /// Stacks `members` on `device`.
    #[must_use]
    pub fn new(shape: &StackShape, members: &[&MemberWeights], device: &Device) -> Self {
        let count = members.len();
        let mut parameters = Vec::with_capacity(2 * shape.depth());
        for (layer, (fan_in, fan_out)) in shape.layers().enumerate() {
            let mut weights = Vec::with_capacity(count * fan_in * fan_out);
            let mut biases = Vec::with_capacity(count * fan_out);
            for member in members {
                let (weight, bias) = member.layer(shape, layer);
                weights.extend_from_slice(weight);
                biases.extend_from_slice(bias);
            }
            parameters.push(tensor(weights, [count, fan_in, fan_out], device));
            parameters.push(tensor(biases, [count, 1, fan_out], device));
        }
        Self { shape: shape.clone(), parameters }
    }

    /// Copies the weights of every network to the host.
    #[must_use]
    pub fn members(&self) -> Vec<MemberWeights> {
        members_of(&self.parameters)
    }

    /// Outputs `[M, batch, 1]` of inputs `[M, batch, inputs]`. `masks` are multiplied onto the
    /// hidden activations, layer by layer (dropout); none where the network predicts.
    #[must_use]
    pub fn forward(&self, inputs: Tensor<3>, masks: &[Tensor<3>]) -> Tensor<3> {
        forward(&self.shape, &self.parameters, inputs, masks)
    }
}

/// The network's mathematics, for parameters with or without gradient tracking.
pub(crate) fn forward(
    shape: &StackShape,
    parameters: &[Tensor<3>],
    inputs: Tensor<3>,
    masks: &[Tensor<3>],
) -> Tensor<3> {
    let mut values = inputs;
    for (layer, pair) in parameters.chunks_exact(2).enumerate() {
        values = values.matmul(pair[0].clone()) + pair[1].clone();
        if layer + 1 < shape.depth() {
            values = shape.activation.apply(values);
        }
        if let Some(mask) = masks.get(layer) {
            values = values * mask.clone();
        }
    }
    values
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
    use crate::data::Generator;

    fn shape(activation: Activation) -> StackShape {
        StackShape { inputs: 3, hidden: vec![5, 4], activation }
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
        let gradients = parameters.iter().map(|p| host(p.grad(&gradients).unwrap())).collect();
        (loss.inner().into_scalar::<f32>(), gradients)
    }

    #[test]
    fn gradients_equal_finite_differences_for_every_activation() {
        use Activation::{Gelu, Mish, Relu, Silu, Tanh};
        let device = Device::flex();
        for activation in [Relu, Gelu, Silu, Mish, Tanh] {
            let shape = shape(activation);
            let members = members(&shape, 2);
            let stack = MlpStack::new(&shape, &members.iter().collect::<Vec<_>>(), &device);
            let (_, gradients) = loss_and_gradients(&stack, &device);
            for (index, gradient) in gradients.iter().enumerate() {
                let at = gradient.len() / 2;
                let shifted = |step: f32| {
                    let mut stack = stack.clone();
                    let dims = stack.parameters[index].dims();
                    let mut values = host(stack.parameters[index].clone());
                    values[at] += step;
                    stack.parameters[index] = tensor(values, dims, &device);
                    f64::from(loss_and_gradients(&stack, &device).0)
                };
                let difference = (shifted(1e-2) - shifted(-1e-2)) / 2e-2;
                let error = (difference - f64::from(gradient[at])).abs();
                assert!(error < 2e-2 * (1.0 + difference.abs()), "{activation:?} {index} {error}");
            }
        }
    }

    #[test]
    fn members_do_not_reach_each_other() {
        let device = Device::flex();
        let shape = shape(Activation::Silu);
        let members = members(&shape, 2);
        let both = MlpStack::new(&shape, &[&members[0], &members[1]], &device);
        let outputs = host(both.forward(inputs(&device), &[]));
        for member in 0..2 {
            let alone = MlpStack::new(&shape, &[&members[member]], &device);
            let own = inputs(&device).narrow(0, member, 1);
            assert_eq!(outputs[member * 7..(member + 1) * 7], host(alone.forward(own, &[])));
        }
    }

    #[test]
    fn weights_survive_the_way_through_a_stack() {
        let shape = shape(Activation::Relu);
        let members = members(&shape, 3);
        let stack = MlpStack::new(&shape, &members.iter().collect::<Vec<_>>(), &Device::flex());
        assert_eq!(stack.members(), members);
    }

    #[test]
    fn one_layer_equals_the_hand_computed_product() {
        let shape = StackShape { inputs: 2, hidden: vec![2], activation: Activation::Relu };
        let weights = MemberWeights(vec![1.0, -1.0, 2.0, 0.5, 0.1, -0.2, 3.0, 4.0, 0.7]);
        let stack = MlpStack::new(&shape, &[&weights], &Device::flex());
        let outputs = stack.forward(tensor(vec![0.5, 1.5], [1, 1, 2], &Device::flex()), &[]);
        // hidden = relu([0.5 + 3 + 0.1, -0.5 + 0.75 - 0.2]), output = 3 h1 + 4 h2 + 0.7.
        assert!((host(outputs)[0] - (3.0 * 3.6 + 4.0 * 0.05 + 0.7)).abs() < 1e-5);
    }
}
