//! Adam with decoupled weight decay, for every network of a stack at once.

use burn::tensor::{Tensor, TensorData};

use crate::model::Backend;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The moments of every parameter (Kingma and Ba, 2015; Loshchilov and Hutter, 2019).
///
/// Kept here and not in burn's optimiser for three reasons: a network that has stopped must not
/// move, the state must resume to the bit, and on the CPU one pass over memory replaces a dozen.
pub(super) struct Adam {
    /// First and second moments, shaped as the parameters.
    pub(super) moments: Vec<[Tensor<3>; 2]>,
    /// Steps that each network has taken.
    pub(super) steps: Vec<u32>,
}

/// What a step does to one network.
#[derive(Clone, Copy)]
struct Stride {
    /// Whether it moves at all.
    active: bool,
    /// learning rate / (1 - beta1^t).
    size: f32,
    /// sqrt(1 - beta2^t): the second moment's correction.
    correction: f32,
    /// learning rate x weight decay.
    decay: f32,
}

impl Adam {
    /// Moves every network that is `active` down its gradient.
    pub(super) fn step(
        &mut self,
        backend: &Backend,
        parameters: &mut [Tensor<3>],
        gradients: Vec<Tensor<3>>,
        (learning_rate, weight_decay): (f64, f64),
        active: &[bool],
    ) {
        for (steps, active) in self.steps.iter_mut().zip(active) {
            *steps += u32::from(*active);
        }
        for (index, gradient) in gradients.into_iter().enumerate() {
            let decay = if index % 2 == 0 { learning_rate * weight_decay } else { 0.0 };
            let strides: Vec<Stride> = active
                .iter()
                .zip(&self.steps)
                .map(|(active, steps)| Stride::new(*active, *steps, learning_rate, decay))
                .collect();
            let moments = &mut self.moments[index];
            if backend.is_cpu() {
                step_on_host(&mut parameters[index], moments, gradient, &strides);
            } else {
                step_on_device(&mut parameters[index], moments, gradient, &strides);
            }
        }
    }
}

impl Stride {
    fn new(active: bool, steps: u32, learning_rate: f64, decay: f64) -> Self {
        let steps = steps.max(1) as i32;
        Self {
            active,
            size: (learning_rate / (1.0 - BETA_1.powi(steps))) as f32,
            correction: (1.0 - BETA_2.powi(steps)).sqrt() as f32,
            decay: decay as f32,
        }
    }
}

/// One pass over parameter, gradient and moments; their buffers are reused.
fn step_on_host(
    parameter: &mut Tensor<3>,
    [first, second]: &mut [Tensor<3>; 2],
    gradient: Tensor<3>,
    strides: &[Stride],
) {
    let device = parameter.device();
    let empty = || Tensor::empty([1, 1, 1], &device);
    let take = |tensor: &mut Tensor<3>| std::mem::replace(tensor, empty()).into_data();
    let (mut p, mut m, mut v) = (take(parameter), take(first), take(second));
    let g = gradient.into_data();
    if let (Ok(p), Ok(m), Ok(v), Ok(g)) =
        (p.as_mut_slice::<f32>(), m.as_mut_slice::<f32>(), v.as_mut_slice::<f32>(), g.as_slice())
    {
        let size = p.len() / strides.len();
        for (member, stride) in strides.iter().enumerate().filter(|(_, stride)| stride.active) {
            let own = member * size..(member + 1) * size;
            fused(&mut p[own.clone()], &mut m[own.clone()], &mut v[own.clone()], &g[own], *stride);
        }
    }
    let give = |data: TensorData| Tensor::from_data(data, &device);
    (*parameter, *first, *second) = (give(p), give(m), give(v));
}

fn fused(p: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], stride: Stride) {
    let (beta_1, beta_2) = (BETA_1 as f32, BETA_2 as f32);
    let epsilon = EPSILON as f32;
    for (((p, m), v), g) in p.iter_mut().zip(m).zip(v).zip(g) {
        *m += (1.0 - beta_1) * (g - *m);
        *v += (1.0 - beta_2) * (g * g - *v);
        *p -= stride.decay * *p + stride.size * *m / (v.sqrt() / stride.correction + epsilon);
    }
}

/// The same formula in tensor operations; networks that are not active get strides of zero.
fn step_on_device(
    parameter: &mut Tensor<3>,
    [first, second]: &mut [Tensor<3>; 2],
    gradient: Tensor<3>,
    strides: &[Stride],
) {
    let device = parameter.device();
    let column = |value: &dyn Fn(&Stride) -> f32| {
        let values: Vec<f32> = strides.iter().map(value).collect();
        Tensor::<3>::from_data(TensorData::new(values, [strides.len(), 1, 1]), &device)
    };
    let or_zero = |stride: &Stride, value: f32| if stride.active { value } else { 0.0 };
    let rate_1 = column(&|stride| or_zero(stride, (1.0 - BETA_1) as f32));
    let rate_2 = column(&|stride| or_zero(stride, (1.0 - BETA_2) as f32));
    let size = column(&|stride| or_zero(stride, stride.size));
    let decay = column(&|stride| or_zero(stride, stride.decay));
    let correction = column(&|stride| stride.correction);
    let squared = gradient.clone() * gradient.clone();
    *first = first.clone() + (gradient - first.clone()) * rate_1;
    *second = second.clone() + (squared - second.clone()) * rate_2;
    let scale = second.clone().sqrt() / correction + EPSILON;
    *parameter = parameter.clone() - parameter.clone() * decay - first.clone() / scale * size;
}
