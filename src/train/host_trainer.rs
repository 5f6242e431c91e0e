//! A network that learns on the CPU by our own arithmetic.
//!
//! Rows are cut into lanes and these into blocks by their number alone, and sums are taken in this order: weights have
//! the same bits for every number of threads.

use std::{borrow::Cow, ops::Range};

use rayon::prelude::*;

use crate::model::HostTape;

use super::{
    MemberTask,
    adam::{Drive, Stride},
    batches::{EpochBatches, dropout_mask},
    loss::loss_and_slope,
    rates::Rule,
    stack_trainer::{MemberLosses, TrainingContext},
    state::MemberState,
};

/// Rows whose values between two layers stay in the cache, counted once for each copy of the network.
const BLOCK: usize = 128;

/// Fewest rows that are worth a thread of their own.
const LANE: usize = 1024;

/// Most parts of a step's rows that are computed side by side.
const MOST_LANES: usize = 8;

/// One network with its optimiser.
pub(super) struct HostTrainer<'a> {
    task: &'a MemberTask,
    state: MemberState,
    /// Where each parameter stands among the weights, and its factors.
    rules: Vec<(Range<usize>, Rule)>,
    lanes: Vec<Lane>,
}

/// What computes some rows of a step.
#[derive(Clone)]
struct Lane {
    tape: HostTape,
    gradient: Vec<f32>,
    loss: f64,
    features: Vec<f32>,
    slopes: Vec<f32>,
}

/// Rows of a step, and what becomes of them.
struct Step<'a> {
    context: &'a TrainingContext<'a>,
    task: &'a MemberTask,
    weights: &'a [f32],
    rows: &'a [u32],
    /// For each hidden layer of all rows, those of a copy [`TrainingPlan::batch_rows`](super::TrainingPlan) behind those
    /// of the copy before; none where the network is only judged.
    masks: &'a [Vec<f32>],
    /// Whether slopes are wanted.
    learns: bool,
}

impl<'a> HostTrainer<'a> {
    pub(super) fn new(
        context: &TrainingContext<'_>,
        task: &'a MemberTask,
        state: MemberState,
        tape: HostTape,
    ) -> Self {
        let places = context.shape.placed().map(|(_, own)| own);
        let rules = places.zip(context.rules.iter().copied()).collect();
        let gradient = vec![0.0; state.weights.0.len()];
        let lane = Lane { tape, gradient, loss: 0.0, features: Vec::new(), slopes: Vec::new() };
        Self { task, state, rules, lanes: vec![lane] }
    }

    /// Trains for one epoch where the network is `active`. Returns `None` when `stop` asks to give up.
    pub(super) fn epoch(
        &mut self,
        context: &TrainingContext<'_>,
        epoch: usize,
        active: bool,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Option<MemberLosses> {
        if !active {
            return Some(MemberLosses { train: 0.0, inner: None });
        }
        let batches = EpochBatches::new(self.task, context.config, epoch);
        let steps = self.task.steps(context.config.batch_size);
        let mut sum = 0.0;
        for step in 0..steps {
            if stop() {
                return None;
            }
            sum += self.step(context, (epoch, step), batches.rows(step));
        }
        Some(MemberLosses { train: sum / steps as f64, inner: self.inner_loss(context) })
    }

    /// One gradient step; returns the loss before it.
    fn step(
        &mut self,
        context: &TrainingContext<'_>,
        (epoch, step): (usize, usize),
        rows: &[u32],
    ) -> f64 {
        let config = context.config;
        let drops = self.task.settings.dropout > 0.0;
        let mask = |(layer, width): (usize, &usize)| {
            let before = (context.shape.copies - 1) * context.plan.batch_rows;
            dropout_mask(self.task, config, (epoch, step, layer), (before + rows.len()) * width)
        };
        let masks: Vec<Vec<f32>> = if drops {
            context.shape.hidden.iter().enumerate().map(mask).collect()
        } else {
            Vec::new()
        };
        let loss = self.computed(context, (rows, &masks), true);
        let drive = Drive::of(self.task, config, (epoch, step), true);
        self.state.steps += 1;
        let MemberState { weights, first_moment, second_moment, steps, .. } = &mut self.state;
        let gradient = &self.lanes[0].gradient;
        for (place, rule) in &self.rules {
            Stride::new(&drive, *rule, *steps).take(
                &mut weights.0[place.clone()],
                [&mut first_moment.0[place.clone()], &mut second_moment.0[place.clone()]],
                &gradient[place.clone()],
            );
        }
        loss
    }

    /// The weighted mean loss of `rows`; where the network learns, its gradient stands in the first lane.
    fn computed(
        &mut self,
        context: &TrainingContext<'_>,
        (rows, masks): (&[u32], &[Vec<f32>]),
        learns: bool,
    ) -> f64 {
        let count = (rows.len() / LANE).clamp(1, MOST_LANES);
        while self.lanes.len() < count {
            self.lanes.push(self.lanes[0].clone());
        }
        let weights = &self.state.weights.0;
        let step = Step { context, task: self.task, weights, rows, masks, learns };
        let bound = |lane: usize| lane * rows.len() / count;
        let lanes = &mut self.lanes[..count];
        if let [only] = lanes {
            only.compute(&step, 0..rows.len());
        } else {
            let each = lanes.par_iter_mut().enumerate();
            each.for_each(|(lane, own)| own.compute(&step, bound(lane)..bound(lane + 1)));
        }
        let Some((sum, others)) = lanes.split_first_mut() else { return 0.0 };
        for other in others {
            sum.loss += other.loss;
            if learns {
                sum.gradient.iter_mut().zip(&other.gradient).for_each(|(sum, own)| *sum += own);
            }
        }
        sum.loss
    }

    /// The mean loss on the inner validation rows.
    fn inner_loss(&mut self, context: &TrainingContext<'_>) -> Option<f64> {
        let rows = &self.task.inner;
        let weight: f64 = rows.iter().map(|row| context.table.weight(*row)).sum();
        let task = self.task;
        (weight > 0.0)
            .then(|| self.computed(context, (&task.inner, &[]), false) * rows.len() as f64 / weight)
    }

    /// Remembers the current weights.
    pub(super) fn keep_best(&mut self) {
        self.state.best.0.clone_from(&self.state.weights.0);
    }

    /// Everything needed to go on later.
    pub(super) fn state(&self) -> &MemberState {
        &self.state
    }
}

impl Lane {
    /// Loss of the rows in `range` and, where that is wanted, its gradient.
    fn compute(&mut self, step: &Step<'_>, range: Range<usize>) {
        self.loss = 0.0;
        if step.learns {
            self.gradient.fill(0.0);
        }
        let block = (BLOCK / step.context.shape.copies).max(1);
        for start in range.clone().step_by(block) {
            self.block(step, start..range.end.min(start + block));
        }
    }

    fn block(&mut self, step: &Step<'_>, range: Range<usize>) {
        let (table, scaling) = (&step.context.table, &step.task.scaling);
        let matrix = &table.features.distinct()[step.task.matrix];
        let rows = &step.rows[range.clone()];
        self.features.clear();
        for row in rows {
            scaling.inputs.scale(matrix.row(*row as usize), &mut self.features);
        }
        let masks = step.masks_of(&range);
        let masks: Vec<&[f32]> = masks.iter().map(AsRef::as_ref).collect();
        let outputs = self.tape.outputs(step.weights, &self.features, &masks);
        self.slopes.clear();
        self.slopes.resize(outputs.len(), 0.0);
        let copies = step.context.shape.copies;
        for (place, row) in rows.iter().enumerate() {
            let (target, weight) = step.task.wanted(table, *row, step.rows.len());
            let own = (0..copies).map(|copy| copy * rows.len() + place);
            if !step.learns {
                let output = own.map(|own| outputs[own]).sum::<f32>() / copies as f32;
                let (loss, _) = loss_and_slope(step.context.config, output - target);
                self.loss += f64::from(loss * weight);
                continue;
            }
            // Each copy learns for itself.
            let weight = weight / copies as f32;
            for own in own {
                let (loss, slope) = loss_and_slope(step.context.config, outputs[own] - target);
                self.loss += f64::from(loss * weight);
                self.slopes[own] = slope * weight;
            }
        }
        if step.learns {
            let given = (step.weights, &self.features[..]);
            self.tape.add_gradient(given, &self.slopes, &mut self.gradient);
        }
    }
}

impl Step<'_> {
    /// The masks of some rows for each hidden layer, copy by copy.
    fn masks_of(&self, rows: &Range<usize>) -> Vec<Cow<'_, [f32]>> {
        let (copies, stride) = (self.context.shape.copies, self.context.plan.batch_rows);
        let layers = self.masks.iter().zip(&self.context.shape.hidden);
        let masks = layers.map(|(mask, width)| {
            let own = |copy: usize| {
                let first = copy * stride;
                &mask[(first + rows.start) * width..(first + rows.end) * width]
            };
            if copies == 1 {
                Cow::Borrowed(own(0))
            } else {
                Cow::Owned((0..copies).flat_map(own).copied().collect())
            }
        });
        masks.collect()
    }
}
