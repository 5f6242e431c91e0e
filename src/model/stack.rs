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
