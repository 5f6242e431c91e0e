//! Kernels of our own for graphics adapters: what takes a dozen tensor operations is one launch.

use burn::{
    backend::Wgpu,
    tensor::{Int, Tensor},
};
use burn_cubecl::{
    cubecl::{self, calculate_cube_count_elemwise, prelude::*},
    kernel::into_contiguous,
    tensor::CubeTensor,
};

/// Numbers of a network in the strides of [`adam`].
pub(crate) const STRIDE_NUMBERS: usize = 5;

/// Moves a parameter `[M, rows, columns]` of all networks on a graphics adapter down its gradient by Adam; returns it
/// and both moments. `strides` holds, from `first` on, for each network the shares of the gradient in the first moment
/// and of its square in the second, the size of the step, what is added to the second moment's root, and the decay.
pub(crate) fn adam(
    parameter: Tensor<3>,
    [first_moment, second_moment]: [Tensor<3>; 2],
    gradient: Tensor<3>,
    (strides, first): (&Tensor<1>, usize),
) -> [Tensor<3>; 3] {
    let moved = [parameter, first_moment, second_moment].map(|own| writable(cube(own)));
    let gradient = into_contiguous(cube(gradient));
    let strides = into_contiguous(cube(strides.clone()));
    let (client, count) = (gradient.client.clone(), gradient.meta.num_elements());
    let size = count / gradient.meta.shape()[0];
    let threads = CubeDim::new(&client, count);
    let cubes = calculate_cube_count_elemwise(&client, count, threads);
    let [p, m, v] = moved.each_ref().map(|own| own.clone().into_buffer_arg());
    let (gradient, strides) = (gradient.into_buffer_arg(), strides.into_buffer_arg());
    adam_kernel::launch(&client, cubes, threads, gradient, strides, p, m, v, size, first);
    moved.map(Tensor::from_primitive::<Wgpu>)
}

#[cube(launch)]
fn adam_kernel(
    gradient: &[f32],
    strides: &[f32],
    parameter: &mut [f32],
    first_moment: &mut [f32],
    second_moment: &mut [f32],
    size: usize,
    first: usize,
) {
    if ABSOLUTE_POS >= gradient.len() {
        terminate!();
    }
    let own = first + (ABSOLUTE_POS / size) * STRIDE_NUMBERS;
    // A network that has stopped has strides of zero, and does not move whatever its gradient is.
    if strides[own] > 0.0 {
        let (p, m, v) = moved(
            parameter[ABSOLUTE_POS],
            first_moment[ABSOLUTE_POS],
            second_moment[ABSOLUTE_POS],
            gradient[ABSOLUTE_POS],
            strides,
            own,
        );
        parameter[ABSOLUTE_POS] = p;
        first_moment[ABSOLUTE_POS] = m;
        second_moment[ABSOLUTE_POS] = v;
    }
}

/// A weight and its moments after a step along `slope`, by the strides that begin at `own`.
#[cube]
pub(super) fn moved(
    weight: f32,
    first_moment: f32,
    second_moment: f32,
    slope: f32,
    strides: &[f32],
    own: usize,
) -> (f32, f32, f32) {
    let m = first_moment + strides[own] * (slope - first_moment);
    let v = second_moment + strides[own + 1] * (slope * slope - second_moment);
    let step = strides[own + 2] * m / (v.sqrt() + strides[own + 3]);
    (weight - strides[own + 4] * weight - step, m, v)
}

/// A tensor of a graphics adapter as its kernels take it.
pub(super) fn cube<const D: usize>(tensor: Tensor<D>) -> CubeTensor {
    match tensor.try_into_primitive::<Wgpu>() {
        Ok(own) => own,
        Err(_) => unreachable!("only tensors of a graphics adapter come here"),
    }
}

/// A list of indices of a graphics adapter as its kernels take it.
pub(super) fn cube_of_indices(tensor: Tensor<1, Int>) -> CubeTensor {
    match tensor.try_into_primitive::<Wgpu>() {
        Ok(own) => into_contiguous(own),
        Err(_) => unreachable!("only tensors of a graphics adapter come here"),
    }
}

/// A tensor whose values nobody else holds, in their order.
pub(super) fn writable(tensor: CubeTensor) -> CubeTensor {
    let tensor = into_contiguous(tensor);
    if tensor.can_mut() { tensor } else { tensor.copy() }
}
