//! Small networks that learn on a graphics adapter: some epochs of all of them in one launch.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use crate::model::{DeviceNetworks, DeviceStep, MemberWeights, PassShape};

use super::{
    Loss, MemberTask,
    adam::{Drive, Stride},
    batches::{EpochBatches, dropout_mask},
    stack_trainer::{MemberLosses, TrainingContext},
    state::MemberState,
};

/// Shortest and longest time that a launch should take: the waiting for it weighs little, and nobody waits long for an
/// interruption.
const TIMES: Range<Duration> = Duration::from_millis(50)..Duration::from_millis(200);

/// Some networks with their optimiser and the best weights they had, in the memory of the adapter.
pub(super) struct DeviceTrainer<'a> {
    tasks: Vec<&'a MemberTask>,
    networks: DeviceNetworks,
    /// Steps that each network has taken.
    steps: Vec<u32>,
    epochs_at_once: usize,
    most_at_once: usize,
}

impl<'a> DeviceTrainer<'a> {
    /// `None` where tensors are the better way: on the CPU, for large networks, and for layers that the kernel does
    /// not know.
    pub(super) fn new(
        context: &TrainingContext<'_>,
        tasks: &[&'a MemberTask],
        states: &[MemberState],
    ) -> Option<Self> {
        let features = context.on_device.as_ref()?;
        let config = context.config;
        let steps = |task: &&MemberTask| task.steps(config.batch_size);
        let rows = context.plan.batch_rows;
        let passes = [tasks.iter().map(steps).max()?, context.plan.inner_rows.div_ceil(rows)];
        let pass = PassShape {
            huber: (config.loss == Loss::Huber).then(|| (config.huber_delta as f32).to_bits()),
            masked: tasks.iter().any(|task| task.settings.dropout > 0.0),
        };
        let scaling = tasks.iter().map(|task| &task.scaling.inputs).collect::<Vec<_>>();
        let parts = |state: &MemberState| {
            let MemberState { weights, first_moment, second_moment, best, .. } = state;
            [weights, first_moment, second_moment, best].map(|part| part.0.clone())
        };
        let mut networks =
            DeviceNetworks::new(context.shape, (rows, pass, passes), &scaling, features)?;
        networks.set(states.iter().map(parts));
        let mut own = Self {
            tasks: tasks.to_vec(),
            epochs_at_once: 1,
            most_at_once: networks.epochs_at_once(),
            networks,
            steps: states.iter().map(|state| state.steps).collect(),
        };
        own.set_judges(context);
        Some(own)
    }

    /// Epochs that one call of [`Self::epochs`] is best given.
    pub(super) fn epochs_at_once(&self) -> usize {
        self.epochs_at_once
    }

    /// What judges each network after an epoch.
    fn set_judges(&mut self, context: &TrainingContext<'_>) {
        let tasks = &self.tasks;
        self.networks.set_judges(|network, pass, mut step| {
            let task = tasks[network];
            let rows = context.plan.batch_rows;
            let end = task.inner.len().min((pass + 1) * rows);
            let own = &task.inner[(pass * rows).min(end)..end];
            step.set_rows(place(context, task), own, |row| {
                task.wanted(&context.table, row, task.inner.len())
            });
        });
    }

    /// Trains every active network for `count` epochs from `first` on; losses epoch by epoch.
    pub(super) fn epochs(
        &mut self,
        context: &TrainingContext<'_>,
        (first, count): (usize, usize),
        active: &[bool],
    ) -> Vec<Vec<MemberLosses>> {
        let (tasks, before) = (&self.tasks, &self.steps);
        let steps = |network: usize| tasks[network].steps(context.config.batch_size);
        let began = Instant::now();
        let losses = self.networks.learn(count, |epoch, network, of_epoch| {
            if !active[network] {
                return;
            }
            let task = tasks[network];
            let batches = EpochBatches::new(task, context.config, first + epoch);
            let taken = before[network] as usize + epoch * steps(network);
            for (step, own) in of_epoch.into_iter().enumerate().take(steps(network)) {
                fill(context, task, (first + epoch, step, taken), batches.rows(step), own);
            }
        });
        self.adapt(began.elapsed());
        for ((steps, task), _) in
            self.steps.iter_mut().zip(&self.tasks).zip(active).filter(|(_, active)| **active)
        {
            *steps += (count * task.steps(context.config.batch_size)) as u32;
        }
        let member = |(task, passes): (&&MemberTask, &[f32])| {
            let steps = task.steps(context.config.batch_size);
            let (trained, judged) = passes.split_at(self.networks.steps());
            let sum = |losses: &[f32]| losses.iter().copied().map(f64::from).sum::<f64>();
            let weight: f64 = task.inner.iter().map(|row| context.table.weight(*row)).sum();
            let inner = || sum(judged) * task.inner.len() as f64 / weight;
            MemberLosses { train: sum(trained) / steps as f64, inner: (weight > 0.0).then(inner) }
        };
        let epochs = losses.chunks_exact(losses.len() / count);
        epochs
            .map(|epoch| {
                let passes = epoch.chunks_exact(epoch.len() / self.tasks.len());
                self.tasks.iter().zip(passes).map(member).collect()
            })
            .collect()
    }

    /// More epochs at once where the last launch was short, fewer where it was long.
    fn adapt(&mut self, time: Duration) {
        if time < TIMES.start {
            self.epochs_at_once = (2 * self.epochs_at_once).min(self.most_at_once);
        } else if time > TIMES.end {
            self.epochs_at_once = (self.epochs_at_once / 2).max(1);
        }
    }

    /// Remembers the weights that each network had after one of the last epochs.
    pub(super) fn keep_best(&mut self, after: &[Option<usize>]) {
        self.networks.keep(after);
    }

    /// Everything needed to go on later, network by network.
    pub(super) fn states(&self) -> Vec<MemberState> {
        let parts = self.networks.numbers().into_iter().zip(self.networks.best());
        parts
            .zip(&self.steps)
            .map(|(([weights, first_moment, second_moment], best), steps)| MemberState {
                weights,
                best,
                first_moment,
                second_moment,
                steps: *steps,
            })
            .collect()
    }

    /// The best weights of every network.
    pub(super) fn best(&self) -> Vec<MemberWeights> {
        self.networks.best()
    }
}

/// What one network learns in one step; it has taken `before` steps in earlier epochs.
fn fill(
    context: &TrainingContext<'_>,
    task: &MemberTask,
    (epoch, step, before): (usize, usize, usize),
    rows: &[u32],
    mut own: DeviceStep<'_>,
) {
    let config = context.config;
    own.set_rows(place(context, task), rows, |row| task.wanted(&context.table, row, rows.len()));
    let drive = Drive::of(task, config, (epoch, step), true);
    let taken = (before + step + 1) as u32;
    own.set_strides(context.rules.iter().map(|rule| Stride::new(&drive, *rule, taken).numbers()));
    for layer in 0..context.shape.hidden.len() {
        let Some(mask) = own.mask(layer) else { return };
        let values = dropout_mask(task, config, (epoch, step, layer), mask.len());
        mask.copy_from_slice(&values);
    }
}

/// Where the features of a task's rows begin among those of all tables.
fn place(context: &TrainingContext<'_>, task: &MemberTask) -> usize {
    task.matrix * context.table.features.distinct()[0].rows()
}
