//! The loop: one stack, one epoch at a time.

use burn::tensor::Tensor;

use crate::model::{Backend, BackendKind, HostTape, MemberWeights, Parametrisation, StackShape};

use super::{
    Divergence, MemberTask, TrainConfig, TrainingPlan, TrainingTable, host_trainer::HostTrainer,
    rates::Rule, state::MemberState, tensor_trainer::TensorTrainer,
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
    /// By a backend of burn, all at once.
    Tensors(Box<TensorTrainer<'a>>),
}

impl<'a> StackTrainer<'a> {
    pub(super) fn new(
        context: &TrainingContext<'_>,
        tasks: Vec<&'a MemberTask>,
        states: &[MemberState],
    ) -> Self {
        let is_own = context.backend.kind == BackendKind::Cpu;
        let Some(tape) = is_own.then(|| HostTape::new(context.shape)).flatten() else {
            return Self::Tensors(Box::new(TensorTrainer::new(context, tasks, states)));
        };
        let trainer = |(task, state): (&'a MemberTask, &MemberState)| {
            HostTrainer::new(context, task, state.clone(), tape.clone())
        };
        Self::Host(tasks.into_iter().zip(states).map(trainer).collect())
    }

    /// Trains every active network for one epoch. Returns `None` when `stop` asks to give up.
    pub(super) fn epoch(
        &mut self,
        context: &TrainingContext<'_>,
        epoch: usize,
        active: &[bool],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Option<Vec<MemberLosses>> {
        match self {
            Self::Tensors(own) => own.epoch(context, epoch, active, stop),
            Self::Host(members) => {
                let pairs = members.iter_mut().zip(active);
                pairs.map(|(own, active)| own.epoch(context, epoch, *active, stop)).collect()
            }
        }
    }

    /// Remembers the current weights of the networks that `improved`.
    pub(super) fn keep_best(&mut self, improved: &[bool]) {
        match self {
            Self::Tensors(own) => own.keep_best(improved),
            Self::Host(members) => {
                let better = members.iter_mut().zip(improved).filter(|(_, improved)| **improved);
                better.for_each(|(own, _)| own.keep_best());
            }
        }
    }

    /// Everything needed to go on later, network by network.
    pub(super) fn states(&self) -> Vec<MemberState> {
        match self {
            Self::Tensors(own) => own.states(),
            Self::Host(members) => members.iter().map(|own| own.state().clone()).collect(),
        }
    }

    /// The best weights of every network.
    pub(super) fn best(&self) -> Vec<MemberWeights> {
        match self {
            Self::Tensors(own) => own.best(),
            Self::Host(members) => members.iter().map(|own| own.state().best.clone()).collect(),
        }
    }
}
