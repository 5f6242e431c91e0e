//! Layers of a `BatchEnsemble`: copies of a network that share its matrices and differ in factors on
//! their inputs and outputs (Wen, Tran and Ba, 2020; `TabM`, Gorishniy et al., 2025).

use burn::tensor::Tensor;

/// The values `[M, copies * batch, width]` that each copy starts from.
pub(super) fn copied(values: Tensor<3>, copies: usize) -> Tensor<3> {
    if copies == 1 { values } else { values.repeat_dim(1, copies) }
}

/// Copy `i` of a layer: `((x * input_i) W) * output_i + bias_i`, parameters `[input, W, output,
/// bias]`.
pub(super) fn layer(values: Tensor<3>, parameters: &[Tensor<3>], copies: usize) -> Tensor<3> {
    let [input, weight, output, bias] = parameters else { return values };
    let products = onto(values, copies, |x| x * per_copy(input)).matmul(weight.clone());
    onto(products, copies, |x| x * per_copy(output) + per_copy(bias))
}

/// The output `[M, copies * batch, 1]` of each copy, `x . weight_i + bias_i`, parameters
/// `[weight, bias]`.
pub(super) fn output(values: Tensor<3>, parameters: &[Tensor<3>], copies: usize) -> Tensor<3> {
    let [weight, bias] = parameters else { return values };
    onto(values, copies, |x| (x * per_copy(weight)).sum_dim(3) + per_copy(bias))
}

/// The mean `[M, batch, 1]` of the outputs `[M, copies * batch, 1]` of all copies.
pub(super) fn mean(outputs: Tensor<3>, copies: usize) -> Tensor<3> {
    if copies == 1 {
        return outputs;
    }
    let [members, rows, _] = outputs.dims();
    let batch = rows / copies;
    outputs.reshape([members, copies, batch]).mean_dim(1).reshape([members, batch, 1])
}

/// Applies `change` to values `[M, copies * batch, width]` as `[M, copies, batch, width]`.
fn onto(
    values: Tensor<3>,
    copies: usize,
    change: impl FnOnce(Tensor<4>) -> Tensor<4>,
) -> Tensor<3> {
    let [members, rows, width] = values.dims();
    let changed = change(values.reshape([members, copies, rows / copies, width]));
    let width = changed.dims()[3];
    changed.reshape([members, rows, width])
}

/// A parameter `[M, copies, width]` as `[M, copies, 1, width]`.
fn per_copy(parameter: &Tensor<3>) -> Tensor<4> {
    let [members, copies, width] = parameter.dims();
    parameter.clone().reshape([members, copies, 1, width])
}
