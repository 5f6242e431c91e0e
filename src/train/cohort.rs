//! Folds that go through their epochs together.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use rayon::prelude::*;

use crate::model::{MemberWeights, StackShape};

use super::{
    Divergence, EpochEvent, EpochRecord, FoldTask, Hooks, MemberTask, TrainError, initial,
    stack_trainer::{MemberLosses, StackTrainer, TrainingContext},
    state::{CohortProgress, CohortState, MemberState, foreign},
    stopping::FoldProgress,
};

/// A standardised target has variance one: a loss so far beyond it never comes back.
const LARGEST_LOSS: f64 = 1e6;

/// How often the state is saved; an interrupted epoch longer than this is given up.
const SAVE_INTERVAL: Duration = Duration::from_secs(2);

/// Folds in lockstep, their networks cut into stacks.
pub(super) struct Cohort<'a> {
    context: &'a TrainingContext<'a>,
    folds: &'a [FoldTask],
    stacks: Vec<StackTrainer<'a>>,
    members_per_stack: usize,
    progress: CohortProgress,
    state_file: Option<PathBuf>,
}

/// The outcome of one cohort.
pub(super) struct CohortResult {
    pub(super) weights: Vec<MemberWeights>,
    pub(super) folds: Vec<FoldProgress>,
    pub(super) history: Vec<EpochRecord>,
}

impl<'a> Cohort<'a> {
    /// The networks of `folds`, `members_per_stack` to a stack, new or as they were saved.
    pub(super) fn new(
        context: &'a TrainingContext<'a>,
        folds: &'a [FoldTask],
        members_per_stack: usize,
        hooks: &Hooks<'_>,
    ) -> Result<Self, TrainError> {
        let tasks: Vec<&MemberTask> = folds.iter().flat_map(|fold| &fold.members).collect();
        let state_file = hooks.state_folder.map(|folder| folder.join(folds[0].state_file()));
        let saved = match &state_file {
            Some(path) => load(path, folds, context.shape)?,
            None => None,
        };
        let state = saved.unwrap_or_else(|| initial(context, folds, &tasks));
        let stacks = tasks
            .chunks(members_per_stack)
            .zip(state.members.chunks(members_per_stack))
            .map(|(tasks, states)| StackTrainer::new(context, tasks.to_vec(), states))
            .collect();
        Ok(Self { context, folds, stacks, members_per_stack, progress: state.progress, state_file })
    }

    /// Trains until every fold has stopped or all epochs are done.
    pub(super) fn train(mut self, hooks: &Hooks<'_>) -> Result<CohortResult, TrainError> {
        let mut saved = Instant::now();
        while !self.is_finished() {
            let started = Instant::now();
            let stop = || (hooks.interrupted)() && started.elapsed() > SAVE_INTERVAL;
            self.epochs(hooks, &stop)?;
            let interrupted = (hooks.interrupted)() && !self.is_finished();
            if interrupted || self.is_finished() || saved.elapsed() > SAVE_INTERVAL {
                self.save()?;
                saved = Instant::now();
            }
            if interrupted {
                return Err(TrainError::Interrupted);
            }
        }
        Ok(CohortResult {
            weights: self.stacks.iter().flat_map(StackTrainer::best).collect(),
            folds: self.progress.folds,
            history: self.progress.history,
        })
    }

    fn is_finished(&self) -> bool {
        self.progress.epoch == self.context.config.epochs
            || self.progress.folds.iter().all(|fold| fold.stopped)
    }

    /// As many epochs as the stacks like to take at once.
    fn epochs(
        &mut self,
        hooks: &Hooks<'_>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), TrainError> {
        let (context, size) = (self.context, self.members_per_stack);
        let first = self.progress.epoch + 1;
        let at_once = self.stacks.iter().map(StackTrainer::epochs_at_once).min().unwrap_or(1);
        let count = at_once.min(context.config.epochs - self.progress.epoch);
        let active = self.per_member(|fold| !fold.stopped);
        let trained: Option<Vec<Vec<Vec<MemberLosses>>>> = self
            .stacks
            .par_iter_mut()
            .zip(active.par_chunks(size))
            .map(|(stack, active)| stack.epochs(context, (first, count), active, stop))
            .collect();
        let trained = trained.ok_or(TrainError::Interrupted)?;
        let mut best = vec![None; active.len()];
        for place in 0..count {
            let losses = trained.iter().flat_map(|stack| stack[place].iter().copied());
            let improved = self.judged(first + place, &losses.collect::<Vec<_>>(), hooks)?;
            // Where nothing judges epochs the last one is kept, and copies before it would be wasted.
            if context.plan.inner_rows > 0 || self.is_finished() {
                let better = best.iter_mut().zip(improved).filter(|(_, improved)| *improved);
                better.for_each(|(best, _)| *best = Some(place));
            }
            if self.is_finished() {
                break;
            }
        }
        for (stack, best) in self.stacks.iter_mut().zip(best.chunks(size)) {
            stack.keep_best(best);
        }
        Ok(())
    }

    /// Writes the history of an epoch and lets the folds judge it; says which networks now have their best weights.
    fn judged(
        &mut self,
        epoch: usize,
        losses: &[MemberLosses],
        hooks: &Hooks<'_>,
    ) -> Result<Vec<bool>, TrainError> {
        let active = self.per_member(|fold| !fold.stopped);
        self.record(epoch, losses, &active)?;
        let improved = self.judge(epoch, losses, hooks);
        self.progress.epoch = epoch;
        Ok(improved)
    }

    /// A value of each fold, for each of its networks.
    fn per_member(&self, value: impl Fn(&FoldProgress) -> bool) -> Vec<bool> {
        let folds = self.folds.iter().zip(&self.progress.folds);
        let values = |(fold, progress): (&FoldTask, _)| {
            std::iter::repeat_n(value(progress), fold.members.len())
        };
        folds.flat_map(values).collect()
    }

    /// Writes the history of the active networks, or reports the first that diverged.
    fn record(
        &mut self,
        epoch: usize,
        losses: &[MemberLosses],
        active: &[bool],
    ) -> Result<(), TrainError> {
        let context = self.context;
        let rate_share = context.config.rate_share_after(epoch);
        let tasks = self.folds.iter().flat_map(|fold| &fold.members);
        for ((losses, task), _) in losses.iter().zip(tasks).zip(active).filter(|(_, on)| **on) {
            let (repeat, fold, member) = (task.repeat, task.fold, task.member);
            if losses.have_diverged() {
                if context.divergence == Divergence::Stops {
                    continue;
                }
                let (loss, limit) = (losses.train, LARGEST_LOSS);
                return Err(TrainError::Diverged { epoch, repeat, fold, member, loss, limit });
            }
            self.progress.history.push(EpochRecord {
                epoch,
                repeat,
                fold,
                member,
                train_loss: losses.train,
                validation_loss: losses.inner,
                learning_rate: task.settings.learning_rate * rate_share,
            });
        }
        Ok(())
    }

    /// Lets each active fold judge the epoch by its members' mean inner loss; says which networks
    /// now have their best weights.
    fn judge(&mut self, epoch: usize, losses: &[MemberLosses], hooks: &Hooks<'_>) -> Vec<bool> {
        let members = self.folds[0].members.len();
        let patience = self.context.config.patience;
        let rate_share = self.context.config.rate_share_after(epoch);
        let mut improved = Vec::with_capacity(losses.len());
        let folds = self.folds.iter().zip(&mut self.progress.folds).zip(losses.chunks(members));
        for ((fold, progress), losses) in folds {
            let inner_loss = mean_inner_loss(losses);
            let active = !progress.stopped;
            let diverged = losses.iter().any(MemberLosses::have_diverged);
            let better = active && !diverged && progress.update(epoch, inner_loss, patience);
            progress.stopped |= diverged;
            if better {
                progress.member_losses = losses.iter().map(|losses| losses.inner).collect();
            }
            improved.extend(std::iter::repeat_n(better, members));
            if !active {
                continue;
            }
            (hooks.on_epoch)(&EpochEvent {
                repeat: fold.repeat,
                fold: fold.fold,
                trial: fold.trial,
                epoch,
                rows: fold.members.iter().map(|task| task.train.len()).sum(),
                train_loss: mean(losses.iter().map(|losses| losses.train)),
                learning_rate: rate_share
                    * mean(fold.members.iter().map(|task| task.settings.learning_rate)),
                validation_loss: inner_loss,
                best_loss: progress.best_loss,
                stopped: progress.stopped || epoch == self.context.config.epochs,
            });
        }
        improved
    }

    fn save(&mut self) -> Result<(), TrainError> {
        let Some(path) = &self.state_file else { return Ok(()) };
        let members: Vec<MemberState> = self.stacks.iter().flat_map(StackTrainer::states).collect();
        self.progress.steps = members.iter().map(|member| member.steps).collect();
        CohortState { progress: self.progress.clone(), members }.save(path)
    }
}

impl MemberLosses {
    fn have_diverged(&self) -> bool {
        self.train.is_nan() || self.train > LARGEST_LOSS
    }
}

fn mean_inner_loss(losses: &[MemberLosses]) -> Option<f64> {
    let inner: Option<Vec<f64>> = losses.iter().map(|losses| losses.inner).collect();
    inner.map(|inner| mean(inner.into_iter()))
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// Networks with freshly drawn weights.
fn initial(
    context: &TrainingContext<'_>,
    folds: &[FoldTask],
    tasks: &[&MemberTask],
) -> CohortState {
    let progress = CohortProgress {
        epoch: 0,
        folds: folds.iter().map(|_| FoldProgress::new()).collect(),
        steps: vec![0; tasks.len()],
        history: Vec::new(),
    };
    let members = tasks.par_iter().map(|task| MemberState::new(initial::weights(context, task)));
    CohortState { progress, members: members.collect() }
}

fn load(
    path: &std::path::Path,
    folds: &[FoldTask],
    shape: &StackShape,
) -> Result<Option<CohortState>, TrainError> {
    let Some(state) = CohortState::load(path)? else { return Ok(None) };
    let members: usize = folds.iter().map(|fold| fold.members.len()).sum();
    let fits = state.members.len() == members
        && state.progress.folds.len() == folds.len()
        && state.members.iter().all(|member| {
            [&member.weights, &member.best, &member.first_moment, &member.second_moment]
                .iter()
                .all(|part| part.0.len() == shape.size())
        });
    if fits { Ok(Some(state)) } else { Err(foreign(path, "it holds other networks")) }
}
