//! The loop: one stack, one epoch at a time.

use burn::tensor::Tensor;

use crate::model::{Backend, BackendKind, HostTape, MemberWeights, Parametrisation, StackShape};

use super::{
    Divergence, MemberTask, TrainConfig, TrainingPlan, TrainingTable,
    device_trainer::DeviceTrainer, host_trainer::HostTrainer, rates::Rule, state::MemberState,
    tensor_trainer::TensorTrainer,
};

/// What all stacks of a run share.
pub(super) struct TrainingContext<'a> {
    pub(super) config: &'a TrainConfig,
    pub(super) shape: &'a StackShape,
    pub(super) parametrisation: Parametrisation,
    pub(super) rules: &'a [Rule],
    pub(super) plan: &'a TrainingPlan,
    pub(super) backend: &'a Backend,
    /// Features and targets on the host.
    pub(super) table: TrainingTable<'a>,
    /// Features on a device with memory of its own, shape `[matrices * rows, columns]`.
    pub(super) on_device: Option<Tensor<2>>,
    pub(super) divergence: Divergence,
}

/// Losses of one network after one epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemberLosses {
    pub(super) train: f64,
    pub(super) inner: Option<f64>,
}

/// Some networks that learn.
pub(super) enum StackTrainer<'a> {
    /// On the CPU, one after the other, by our own arithmetic.
    Host(Vec<HostTrainer<'a>>),
    /// On a graphics adapter, some epochs of all of them at once.
    Device(Box<DeviceTrainer<'a>>),
    /// By a backend of burn, all at once.
    Tensors(Box<TensorTrainer<'a>>),
}

impl<'a> StackTrainer<'a> {
    pub(super) fn new(
        context: &TrainingContext<'_>,
        tasks: Vec<&'a MemberTask>,
        states: &[MemberState],
    ) -> Self {
        let on_device =
            (!context.backend.emulated).then(|| DeviceTrainer::new(context, &tasks, states));
        if let Some(own) = on_device.flatten() {
            return Self::Device(Box::new(own));
        }
        let is_own = context.backend.kind == BackendKind::Cpu;
        let Some(tape) = is_own.then(|| HostTape::new(context.shape)).flatten() else {
            return Self::Tensors(Box::new(TensorTrainer::new(context, tasks, states)));
        };
        let trainer = |(task, state): (&'a MemberTask, &MemberState)| {
            HostTrainer::new(context, task, state.clone(), tape.clone())
        };
        Self::Host(tasks.into_iter().zip(states).map(trainer).collect())
    }

    /// Epochs that one call of [`Self::epochs`] is best given.
    pub(super) fn epochs_at_once(&self) -> usize {
        match self {
            Self::Device(own) => own.epochs_at_once(),
            Self::Tensors(_) | Self::Host(_) => 1,
        }
    }

    /// Trains every active network for `count` epochs from `first` on; losses epoch by epoch. Returns `None` when
    /// `stop` asks to give up.
    pub(super) fn epochs(
        &mut self,
        context: &TrainingContext<'_>,
        (first, count): (usize, usize),
        active: &[bool],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Option<Vec<Vec<MemberLosses>>> {
        match self {
            Self::Device(own) => Some(own.epochs(context, (first, count), active)),
            Self::Tensors(own) => (first..first + count)
                .map(|epoch| own.epoch(context, epoch, active, stop))
                .collect(),
            Self::Host(members) => {
                let epoch = |epoch| {
                    let pairs = members.iter_mut().zip(active);
                    pairs.map(|(own, active)| own.epoch(context, epoch, *active, stop)).collect()
                };
                (first..first + count).map(epoch).collect()
            }
        }
    }

    /// Remembers the weights that each network had after one of the epochs of the last call: of those that are taken
    /// one by one, the present ones.
    pub(super) fn keep_best(&mut self, after: &[Option<usize>]) {
        match self {
            Self::Device(own) => own.keep_best(after),
            Self::Tensors(own) => {
                let improved: Vec<bool> = after.iter().map(Option::is_some).collect();
                own.keep_best(&improved);
            }
            Self::Host(members) => {
                let better = members.iter_mut().zip(after).filter(|(_, after)| after.is_some());
                better.for_each(|(own, _)| own.keep_best());
            }
        }
    }

    /// Everything needed to go on later, network by network.
    pub(super) fn states(&self) -> Vec<MemberState> {
        match self {
            Self::Device(own) => own.states(),
            Self::Tensors(own) => own.states(),
            Self::Host(members) => members.iter().map(|own| own.state().clone()).collect(),
        }
    }

    /// The best weights of every network.
    pub(super) fn best(&self) -> Vec<MemberWeights> {
        match self {
            Self::Device(own) => own.best(),
            Self::Tensors(own) => own.best(),
            Self::Host(members) => members.iter().map(|own| own.state().best.clone()).collect(),
        }
    }
}
