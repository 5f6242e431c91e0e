//! Which rows a step sees: shuffled anew in every epoch, cut evenly.

use crate::data::Generator;

use super::{MemberTask, TrainConfig};

const ORDER_STREAM: u64 = 3;
const DROPOUT_STREAM: u64 = 4;

/// The rows of one network in one epoch.
pub(super) struct EpochBatches {
    order: Vec<u32>,
    steps: usize,
}

impl EpochBatches {
    /// The batches of `task` in `epoch`: a function of the seed, the network and the epoch alone.
    pub(super) fn new(task: &MemberTask, config: &TrainConfig, epoch: usize) -> Self {
        let [repeat, fold, member] = task.stream();
        let stream = [ORDER_STREAM, repeat, fold, member, epoch as u64];
        let mut order = task.train.clone();
        Generator::new(config.seed, &stream).shuffle(&mut order);
        Self { order, steps: task.steps(config.batch_size) }
    }

    /// The rows of step `step`; empty where this network has finished its epoch.
    pub(super) fn rows(&self, step: usize) -> &[u32] {
        if step >= self.steps {
            return &[];
        }
        let bound = |step: usize| step * self.order.len() / self.steps;
        &self.order[bound(step)..bound(step + 1)]
    }
}

/// The dropout mask of a hidden layer for one network and step: 0, or 1 / (1 - rate).
pub(super) fn dropout_mask(
    task: &MemberTask,
    config: &TrainConfig,
    (epoch, step, layer): (usize, usize, usize),
    count: usize,
) -> Vec<f32> {
    let progress = config.progress(epoch, (step, task.steps(config.batch_size)));
    let rate = task.settings.dropout * config.regularisation_at(progress);
    let [repeat, fold, member] = task.stream();
    let place = [epoch as u64, step as u64, layer as u64];
    let stream = [DROPOUT_STREAM, repeat, fold, member, place[0], place[1], place[2]];
    let mut generator = Generator::new(config.seed, &stream);
    let kept = (1.0 / (1.0 - rate)) as f32;
    (0..count).map(|_| if generator.uniform() < rate { 0.0 } else { kept }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{InputMap, InputScaling, MemberScaling, ModelConfig};
    use crate::train::{MemberSettings, Regularisation};

    fn task(rows: u32) -> MemberTask {
        let scaling = MemberScaling {
            inputs: InputMap {
                scaling: InputScaling::Standard,
                centre: vec![],
                inverse_scale: vec![],
            },
            linear: None,
            target_mean: 0.0,
            target_deviation: 1.0,
        };
        let train = (0..rows).collect();
        let settings = MemberSettings::of(&ModelConfig::default(), &TrainConfig::default());
        MemberTask {
            repeat: 0,
            fold: 0,
            member: 0,
            settings,
            matrix: 0,
            train,
            inner: vec![],
            scaling,
        }
    }

    #[test]
    fn an_epoch_visits_every_row_once_in_even_batches() {
        let config = TrainConfig { batch_size: 32, ..TrainConfig::default() };
        let batches = EpochBatches::new(&task(83), &config, 1);
        let sizes: Vec<usize> = (0..4).map(|step| batches.rows(step).len()).collect();
        assert_eq!(sizes, [27, 28, 28, 0]);
        let mut seen: Vec<u32> = (0..3).flat_map(|step| batches.rows(step).to_vec()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..83).collect::<Vec<_>>());
    }

    #[test]
    fn epochs_are_shuffled_differently_and_reproducibly() {
        let config = TrainConfig::default();
        let order = |epoch| EpochBatches::new(&task(50), &config, epoch).order;
        assert_eq!(order(3), order(3));
        assert_ne!(order(3), order(4));
    }

    #[test]
    fn dropout_keeps_the_mean_activation() {
        let task =
            MemberTask { settings: MemberSettings { dropout: 0.3, ..task(1).settings }, ..task(1) };
        let config =
            TrainConfig { regularisation: Regularisation::Constant, ..TrainConfig::default() };
        let mask = dropout_mask(&task, &config, (1, 0, 0), 100_000);
        let dropped = mask.iter().filter(|kept| **kept == 0.0).count();
        assert!((dropped as f64 / 100_000.0 - 0.3).abs() < 0.01, "{dropped}");
        let mean = mask.iter().sum::<f32>() / 100_000.0;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
    }
}
