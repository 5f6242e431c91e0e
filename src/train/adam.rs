//! Adam with decoupled weight decay, for every network of a stack at once.

use burn::tensor::{Tensor, TensorData};

use multiversion::multiversion;

use crate::model::{self, Backend, MemberWeights, STRIDE_NUMBERS, host};

use super::{MemberTask, TrainConfig, rates::Rule};

const BETA_1: f64 = 0.9;
const EPSILON: f64 = 1e-8;

/// The moments of every parameter (Kingma and Ba, 2015; Loshchilov and Hutter, 2019).
///
/// Kept here and not in burn's optimiser for three reasons: a network that has stopped must not
/// move, the state must resume to the bit, and on the CPU one pass over memory replaces a dozen.
pub(super) struct Adam {
    moments: Moments,
    /// Steps that each network has taken.
    steps: Vec<u32>,
    /// Factors of each parameter.
    rules: Vec<Rule>,
}

/// What drives one network in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Drive {
    /// Whether it moves at all.
    pub(super) active: bool,
    /// Learning rate, before the factor of a parameter.
    pub(super) learning_rate: f64,
    /// Weight decay, before the factor of a parameter.
    pub(super) weight_decay: f64,
    /// Memory of the second moment.
    pub(super) beta_2: f64,
}

impl Drive {
    /// What drives the network of `task` in a step of an epoch; its rates follow its own steps.
    pub(super) fn of(
        task: &MemberTask,
        config: &TrainConfig,
        (epoch, step): (usize, usize),
        active: bool,
    ) -> Self {
        let progress = config.progress(epoch, (step, task.steps(config.batch_size)));
        Self {
            active,
            learning_rate: task.settings.learning_rate * config.rate_share_at(progress),
            weight_decay: task.settings.weight_decay * config.regularisation_at(progress),
            beta_2: task.settings.beta_2,
        }
    }
}

/// First and second moments of each parameter of all networks, where the arithmetic is.
enum Moments {
    Host(Vec<[Vec<f32>; 2]>),
    Device(Vec<[Tensor<3>; 2]>),
}

/// What a step does to one parameter of one network.
#[derive(Clone, Copy)]
pub(super) struct Stride {
    /// Whether it moves at all.
    active: bool,
    /// learning rate x sqrt(1 - beta2^t) / (1 - beta1^t): both moments' corrections.
    size: f32,
    /// epsilon x sqrt(1 - beta2^t).
    epsilon: f32,
    /// learning rate x weight decay.
    decay: f32,
    /// 1 - beta2.
    rate_2: f32,
}

impl Adam {
    /// Goes on from `moments`, first and second of each parameter, after `steps` of each network.
    pub(super) fn new(
        backend: &Backend,
        moments: Vec<[Tensor<3>; 2]>,
        steps: Vec<u32>,
        rules: Vec<Rule>,
    ) -> Self {
        let moments = if backend.is_cpu() {
            Moments::Host(moments.into_iter().map(|pair| pair.map(host)).collect())
        } else {
            Moments::Device(moments)
        };
        Self { moments, steps, rules }
    }

    /// The moments of each network, first and second, parameters one after the other.
    pub(super) fn members(&self) -> [Vec<MemberWeights>; 2] {
        [0, 1].map(|order| {
            let mut members = vec![MemberWeights(Vec::new()); self.steps.len()];
            for parameter in 0..self.rules.len() {
                let values = match &self.moments {
                    Moments::Host(all) => all[parameter][order].clone(),
                    Moments::Device(all) => host(all[parameter][order].clone()),
                };
                let size = values.len() / members.len();
                for (member, part) in members.iter_mut().zip(values.chunks_exact(size)) {
                    member.0.extend_from_slice(part);
                }
            }
            members
        })
    }

    /// Steps that each network has taken.
    pub(super) fn steps(&self) -> &[u32] {
        &self.steps
    }

    /// Moves every active network down its gradient; a parameter without one stays.
    pub(super) fn step(
        &mut self,
        parameters: Vec<Tensor<3>>,
        gradients: Vec<Option<Tensor<3>>>,
        drives: &[Drive],
    ) -> Vec<Tensor<3>> {
        for (steps, drive) in self.steps.iter_mut().zip(drives) {
            *steps += u32::from(drive.active);
        }
        let steps = &self.steps;
        let of_rule = |rule: &Rule| -> Vec<Stride> {
            let stride = |(drive, steps): (&Drive, &u32)| Stride::new(drive, *rule, *steps);
            drives.iter().zip(steps).map(stride).collect()
        };
        let strides: Vec<Vec<Stride>> = self.rules.iter().map(of_rule).collect();
        match &mut self.moments {
            Moments::Host(moments) => {
                let parts = parameters.into_iter().zip(gradients).zip(moments).zip(strides);
                let step =
                    |(((parameter, gradient), pair), strides): (((_, Option<_>), _), Vec<_>)| {
                        match gradient {
                            Some(gradient) => step_on_host(parameter, pair, gradient, &strides),
                            None => parameter,
                        }
                    };
                parts.map(step).collect()
            }
            Moments::Device(moments) => step_on_device(parameters, moments, gradients, &strides),
        }
    }
}

impl Stride {
    pub(super) fn new(drive: &Drive, rule: Rule, steps: u32) -> Self {
        let steps = steps.max(1) as i32;
        let correction = (1.0 - drive.beta_2.powi(steps)).sqrt();
        let rate = drive.learning_rate * rule.rate;
        Self {
            active: drive.active,
            size: (rate * correction / (1.0 - BETA_1.powi(steps))) as f32,
            epsilon: (EPSILON * correction) as f32,
            decay: (drive.learning_rate * drive.weight_decay * rule.decay) as f32,
            rate_2: (1.0 - drive.beta_2) as f32,
        }
    }

    /// As [`model::adam`] takes it: zeros where the network does not move.
    pub(super) fn numbers(&self) -> [f32; STRIDE_NUMBERS] {
        if !self.active {
            return [0.0; STRIDE_NUMBERS];
        }
        [(1.0 - BETA_1) as f32, self.rate_2, self.size, self.epsilon, self.decay]
    }

    /// Moves the values `p` with moments `m` and `v` down the gradient `g`; those of a stopped network stay.
    pub(super) fn take(self, p: &mut [f32], [m, v]: [&mut [f32]; 2], g: &[f32]) {
        if self.active {
            fused(p, m, v, g, self);
        }
    }
}

/// One pass over parameter, gradient and moments, in their own memory.
fn step_on_host(
    parameter: Tensor<3>,
    [first, second]: &mut [Vec<f32>; 2],
    gradient: Tensor<3>,
    strides: &[Stride],
) -> Tensor<3> {
    let device = parameter.device();
    let mut parameter = parameter.into_data();
    let gradient = gradient.into_data();
    if let (Ok(p), Ok(g)) = (parameter.as_mut_slice::<f32>(), gradient.as_slice()) {
        let size = p.len() / strides.len();
        for (member, stride) in strides.iter().enumerate() {
            let own = member * size..(member + 1) * size;
            let (m, v) = (&mut first[own.clone()], &mut second[own.clone()]);
            stride.take(&mut p[own.clone()], [m, v], &g[own]);
        }
    }
    Tensor::from_data(parameter, &device)
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma", "x86_64+avx2+fma"))]
fn fused(p: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], stride: Stride) {
    let rate_1 = 1.0 - BETA_1 as f32;
    for (((p, m), v), g) in p.iter_mut().zip(m).zip(v).zip(g) {
        *m += rate_1 * (g - *m);
        *v += stride.rate_2 * (g * g - *v);
        *p -= stride.decay * *p + stride.size * *m / (v.sqrt() + stride.epsilon);
    }
}

/// The same formula on a graphics adapter: one kernel for each parameter, and one tensor of strides for them all.
fn step_on_device(
    parameters: Vec<Tensor<3>>,
    moments: &mut Vec<[Tensor<3>; 2]>,
    gradients: Vec<Option<Tensor<3>>>,
    strides: &[Vec<Stride>],
) -> Vec<Tensor<3>> {
    let Some(device) = parameters.first().map(Tensor::device) else { return parameters };
    let numbers: Vec<f32> = strides.iter().flatten().flat_map(Stride::numbers).collect();
    let count = numbers.len();
    let numbers = Tensor::<1>::from_data(TensorData::new(numbers, [count]), &device);
    let parts = parameters.into_iter().zip(std::mem::take(moments)).zip(gradients).enumerate();
    let step = |(place, ((parameter, pair), gradient)): (usize, ((_, [_; 2]), Option<_>))| {
        let Some(gradient) = gradient else { return (parameter, pair) };
        let first = place * count / strides.len();
        let [parameter, first, second] = model::adam(parameter, pair, gradient, (&numbers, first));
        (parameter, [first, second])
    };
    let (parameters, after) = parts.map(step).unzip();
    *moments = after;
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BackendKind;

    /// The textbook: moments, bias corrections, decoupled decay; in double precision.
    fn textbook(gradients: &[f64], learning_rate: f64, weight_decay: f64) -> f64 {
        let (mut p, mut m, mut v) = (0.7, 0.0, 0.0);
        for (step, g) in (1..).zip(gradients) {
            m = BETA_1 * m + (1.0 - BETA_1) * g;
            v = 0.95 * v + 0.05 * g * g;
            let corrected = m / (1.0 - BETA_1.powi(step));
            let scale = (v / (1.0 - 0.95_f64.powi(step))).sqrt() + EPSILON;
            p -= learning_rate * (weight_decay * p + corrected / scale);
        }
        p
    }

    /// Five steps of two networks, one of which has stopped, at half the rate and decay.
    fn assert_textbook(kind: BackendKind) {
        let backend = Backend::select(kind).unwrap();
        let filled = |value: f32| Tensor::<3>::full([2, 3, 1], value, &backend.device);
        let gradients = [0.3, -0.8, 1e-4, 2.0, 0.05];
        let rules = vec![Rule { rate: 0.5, decay: 0.5 }];
        let mut adam = Adam::new(&backend, vec![[filled(0.0), filled(0.0)]], vec![0, 0], rules);
        let drive = |active| Drive { active, learning_rate: 0.02, weight_decay: 0.1, beta_2: 0.95 };
        let mut parameters = vec![filled(0.7)];
        // Somebody else holds what is there before: it must stay.
        let before = parameters[0].clone();
        for gradient in gradients {
            let gradient = vec![Some(filled(gradient as f32))];
            parameters = adam.step(parameters, gradient, &[drive(true), drive(false)]);
        }
        let values = parameters.remove(0).into_data().try_into_vec::<f32>().unwrap();
        let expected = textbook(&gradients, 0.01, 0.1);
        let errors = values[..3].iter().map(|own| (f64::from(*own) - expected).abs());
        assert!(errors.fold(0.0, f64::max) < 1e-6, "{values:?} {expected}");
        assert_eq!((&values[3..], adam.steps()), (&[0.7; 3][..], &[5, 0][..]));
        assert_eq!(host(before), [0.7; 6]);
    }

    #[test]
    fn a_step_equals_the_textbook_and_spares_stopped_networks() {
        assert_textbook(BackendKind::Cpu);
    }

    #[test]
    #[ignore = "needs a graphics adapter"]
    fn a_step_on_a_graphics_adapter_equals_the_textbook_too() {
        assert_textbook(BackendKind::Wgpu);
    }
}
