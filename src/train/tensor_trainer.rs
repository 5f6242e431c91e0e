//! A stack that learns by tensors of a backend, all of its networks at once.

use burn::tensor::{Int, Tensor, TensorData};

use crate::model::{MemberWeights, MlpStack, StackScaling, forward, members_of, tensor};

use super::{
    MemberTask,
    adam::{Adam, Drive},
    batches::{EpochBatches, dropout_mask},
    loss::losses_and_slopes,
    stack_trainer::{MemberLosses, TrainingContext},
    state::MemberState,
};

/// Inner validation rows that are evaluated at once.
const VALIDATION_BLOCK: usize = 4096;

/// Some networks with their optimiser and the best weights they had.
pub(super) struct TensorTrainer<'a> {
    tasks: Vec<&'a MemberTask>,
    scaling: StackScaling,
    stack: MlpStack,
    best: Vec<Tensor<3>>,
    adam: Adam,
}

impl<'a> TensorTrainer<'a> {
    pub(super) fn new(
        context: &TrainingContext<'_>,
        tasks: Vec<&'a MemberTask>,
        states: &[MemberState],
    ) -> Self {
        let stack = |part: fn(&MemberState) -> &MemberWeights| {
            let members: Vec<&MemberWeights> = states.iter().map(part).collect();
            MlpStack::new(context.shape, &members, &context.backend.device)
        };
        let moments = stack(|state| &state.first_moment).parameters;
        let moments = moments.into_iter().zip(stack(|state| &state.second_moment).parameters);
        Self {
            scaling: StackScaling::new(
                tasks.iter().map(|task| &task.scaling),
                &context.backend.device,
            ),
            stack: stack(|state| &state.weights),
            best: stack(|state| &state.best).parameters,
            adam: Adam::new(
                context.backend,
                moments.map(|(first, second)| [first, second]).collect(),
                states.iter().map(|state| state.steps).collect(),
                context.rules.to_vec(),
            ),
            tasks,
        }
    }

    /// Trains every active network for one epoch. Returns `None` when `stop` asks to give up.
    pub(super) fn epoch(
        &mut self,
        context: &TrainingContext<'_>,
        epoch: usize,
        active: &[bool],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Option<Vec<MemberLosses>> {
        let batches: Vec<EpochBatches> =
            self.tasks.iter().map(|task| EpochBatches::new(task, context.config, epoch)).collect();
        let steps: Vec<usize> =
            self.tasks.iter().map(|task| task.steps(context.config.batch_size)).collect();
        let mut sums: Option<Tensor<3>> = None;
        for step in 0..steps.iter().copied().max().unwrap_or(0) {
            if stop() {
                return None;
            }
            let rows: Vec<&[u32]> = batches.iter().map(|batch| batch.rows(step)).collect();
            let losses = self.step(context, (epoch, step), &rows, active);
            sums = Some(sums.map_or(losses.clone(), |sum| sum + losses));
        }
        let trained = host_losses(sums);
        let inner = self.inner_losses(context);
        let losses = trained.iter().zip(steps).zip(inner);
        Some(
            losses
                .map(|((sum, steps), inner)| MemberLosses { train: sum / steps as f64, inner })
                .collect(),
        )
    }

    /// One gradient step; returns each network's loss before it.
    fn step(
        &mut self,
        context: &TrainingContext<'_>,
        (epoch, step): (usize, usize),
        rows: &[&[u32]],
        active: &[bool],
    ) -> Tensor<3> {
        let batch = self.batch(context, rows, context.plan.batch_rows).copied(context.shape.copies);
        let masks = self.dropout_masks(context, epoch, step);
        let parameters = self.tracked(context);
        let outputs = forward(context.shape, &parameters, batch.features.autodiff(), &masks);
        let (losses, slopes) = losses_and_slopes(
            context.config,
            outputs.clone().inner(),
            batch.targets,
            batch.weights,
        );
        // The gradient of this sum is the loss's: slopes are constants here.
        let mut gradients = (outputs * slopes.autodiff()).sum().backward();
        let gradients =
            parameters.into_iter().map(|parameter| parameter.grad_remove(&mut gradients));
        let drives = self.drives(context, (epoch, step), (rows, active));
        let parameters = std::mem::take(&mut self.stack.parameters);
        self.stack.parameters = self.adam.step(parameters, gradients.collect(), &drives);
        losses
    }

    /// The parameters, those that learn with gradient tracking.
    fn tracked(&self, context: &TrainingContext<'_>) -> Vec<Tensor<3>> {
        let learns = context.rules.iter().map(|rule| rule.rate > 0.0);
        let parameters = self.stack.parameters.iter().zip(learns);
        parameters
            .map(|(parameter, learns)| {
                let parameter = parameter.clone().autodiff();
                if learns { parameter.require_grad() } else { parameter }
            })
            .collect()
    }

    /// What drives each network: its rates follow its own steps, however many its neighbours take.
    fn drives(
        &self,
        context: &TrainingContext<'_>,
        (epoch, step): (usize, usize),
        (rows, active): (&[&[u32]], &[bool]),
    ) -> Vec<Drive> {
        let drive = |((task, rows), active): ((&&MemberTask, &&[u32]), &bool)| {
            Drive::of(task, context.config, (epoch, step), *active && !rows.is_empty())
        };
        self.tasks.iter().zip(rows).zip(active).map(drive).collect()
    }

    /// Gathers `rows` of each network, padded to `count` rows that weigh nothing.
    fn batch(&self, context: &TrainingContext<'_>, rows: &[&[u32]], count: usize) -> Batch {
        let members = self.tasks.len();
        let mut targets = vec![0.0; members * count];
        let mut weights = vec![0.0; members * count];
        for (member, (task, rows)) in self.tasks.iter().zip(rows).enumerate() {
            let start = member * count;
            for (slot, &row) in (start..).zip(*rows) {
                (targets[slot], weights[slot]) = task.wanted(&context.table, row, rows.len());
            }
        }
        let device = &context.backend.device;
        Batch {
            features: self.features(context, rows, count),
            targets: tensor(targets, [members, count, 1], device),
            weights: tensor(weights, [members, count, 1], device),
        }
    }

    /// Scaled features `[M, count, columns]`: gathered where they are, on the host or the device.
    fn features(&self, context: &TrainingContext<'_>, rows: &[&[u32]], count: usize) -> Tensor<3> {
        let matrices = context.table.features.distinct();
        let (members, columns) = (self.tasks.len(), matrices[0].columns());
        let device = &context.backend.device;
        let Some(on_device) = &context.on_device else {
            let mut values = Vec::with_capacity(members * count * columns);
            for (member, (task, rows)) in self.tasks.iter().zip(rows).enumerate() {
                let matrix = &matrices[task.matrix];
                for &row in *rows {
                    task.scaling.inputs.scale(matrix.row(row as usize), &mut values);
                }
                values.resize((member + 1) * count * columns, 0.0);
            }
            return tensor(values, [members, count, columns], device);
        };
        let mut indices = vec![0_i32; members * count];
        let slots = indices.chunks_exact_mut(count);
        for (slots, (task, rows)) in slots.zip(self.tasks.iter().zip(rows)) {
            let first = task.matrix * matrices[0].rows();
            for (slot, row) in slots.iter_mut().zip(*rows) {
                *slot = (first + *row as usize) as i32;
            }
        }
        let indices = TensorData::new(indices, [members * count]);
        let indices = Tensor::<1, Int>::from_data(indices, device);
        let gathered = on_device.clone().select(0, indices);
        self.scaling.apply(gathered.reshape([members, count, columns]))
    }

    fn dropout_masks(
        &self,
        context: &TrainingContext<'_>,
        epoch: usize,
        step: usize,
    ) -> Vec<Tensor<3>> {
        let config = context.config;
        if self.tasks.iter().all(|task| task.settings.dropout == 0.0) {
            return Vec::new();
        }
        let (rows, members) = (context.plan.batch_rows * context.shape.copies, self.tasks.len());
        let mask = |(layer, width): (usize, &usize)| {
            let place = (epoch, step, layer);
            let values =
                self.tasks.iter().flat_map(|task| dropout_mask(task, config, place, rows * width));
            tensor(values.collect(), [members, rows, *width], &context.backend.device).autodiff()
        };
        context.shape.hidden.iter().enumerate().map(mask).collect()
    }

    /// The mean loss of each network on its inner validation rows.
    fn inner_losses(&self, context: &TrainingContext<'_>) -> Vec<Option<f64>> {
        let room = context.plan.inner_rows;
        if room == 0 {
            return vec![None; self.tasks.len()];
        }
        let mut sums = vec![0.0; self.tasks.len()];
        for start in (0..room).step_by(VALIDATION_BLOCK) {
            let count = VALIDATION_BLOCK.min(room - start);
            let block = |task: &&'a MemberTask| -> &'a [u32] {
                let end = task.inner.len().min(start + count);
                &task.inner[start.min(end)..end]
            };
            let rows: Vec<&[u32]> = self.tasks.iter().map(block).collect();
            let batch = self.batch(context, &rows, count);
            let outputs = self.stack.predict(batch.features);
            let (losses, _) =
                losses_and_slopes(context.config, outputs, batch.targets, batch.weights);
            for ((sum, loss), rows) in sums.iter_mut().zip(host_losses(Some(losses))).zip(rows) {
                *sum += loss * rows.len() as f64;
            }
        }
        let mean = |(task, sum): (&&MemberTask, f64)| {
            let weight: f64 = task.inner.iter().map(|row| context.table.weight(*row)).sum();
            (weight > 0.0).then(|| sum / weight)
        };
        self.tasks.iter().zip(sums).map(mean).collect()
    }

    /// Remembers the current weights of the networks that `improved`, on the device.
    pub(super) fn keep_best(&mut self, improved: &[bool]) {
        if improved.iter().all(|improved| *improved) {
            self.best.clone_from(&self.stack.parameters);
            return;
        }
        if !improved.contains(&true) {
            return;
        }
        for (best, current) in self.best.iter_mut().zip(&self.stack.parameters) {
            let chosen = TensorData::new(improved.to_vec(), [improved.len(), 1, 1]);
            let chosen = Tensor::<3, burn::tensor::Bool>::from_data(chosen, &best.device());
            let chosen = chosen.expand(best.shape());
            *best = best.clone().mask_where(chosen, current.clone());
        }
    }

    /// Everything needed to go on later, network by network.
    pub(super) fn states(&self) -> Vec<MemberState> {
        let weights = self.stack.members().into_iter().zip(members_of(&self.best));
        let [first, second] = self.adam.members();
        let moments = first.into_iter().zip(second);
        weights
            .zip(moments)
            .zip(self.adam.steps())
            .map(|(((weights, best), (first_moment, second_moment)), steps)| MemberState {
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
        members_of(&self.best)
    }
}

/// The rows of one step, on the device.
struct Batch {
    /// `[M, rows, features]`, scaled.
    features: Tensor<3>,
    /// `[M, rows, 1]`, standardised.
    targets: Tensor<3>,
    /// `[M, rows, 1]`.
    weights: Tensor<3>,
}

impl Batch {
    /// The targets and weights of every copy of a network, which weighs its share.
    fn copied(self, copies: usize) -> Self {
        if copies == 1 {
            return self;
        }
        let weights = self.weights.repeat_dim(1, copies) / (copies as f64);
        Self { targets: self.targets.repeat_dim(1, copies), weights, ..self }
    }
}

fn host_losses(losses: Option<Tensor<3>>) -> Vec<f64> {
    losses.map_or_else(Vec::new, |losses| {
        crate::model::host(losses).into_iter().map(f64::from).collect()
    })
}
