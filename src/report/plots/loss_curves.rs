//! Losses by epoch, summed up over the members of each fold.

use std::collections::BTreeMap;

use super::sample::spread;
use crate::train::EpochRecord;

/// Most epochs that one curve draws.
const MOST_EPOCHS: usize = 200;

/// The losses of a fold's members after one epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LossPoint {
    /// Epoch, from 1.
    pub epoch: f64,
    /// Mean over the members.
    pub mean: f64,
    /// Smallest of the members.
    pub low: f64,
    /// Largest of the members.
    pub high: f64,
}

/// The curves of one fold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FoldCurves {
    /// Repeat, from 0.
    pub repeat: usize,
    /// Fold, from 0.
    pub fold: usize,
    /// Training losses.
    pub train: Vec<LossPoint>,
    /// Validation losses; empty where there were too few rows for any.
    pub validation: Vec<LossPoint>,
}

impl FoldCurves {
    /// Every point of both curves.
    pub(super) fn points(&self) -> impl Iterator<Item = &LossPoint> {
        self.train.iter().chain(&self.validation)
    }
}

/// The curves of every fold, by repeat and fold, thinned to a few hundred epochs. Losses that are not
/// finite are left out.
pub(super) fn fold_curves(history: &[EpochRecord]) -> Vec<FoldCurves> {
    let mut folds: BTreeMap<(usize, usize), [Curve; 2]> = BTreeMap::new();
    for record in history {
        let [train, validation] = folds.entry((record.repeat, record.fold)).or_default();
        train.add(record.epoch, Some(record.train_loss));
        validation.add(record.epoch, record.validation_loss);
    }
    let curves = |((repeat, fold), [train, validation]): ((usize, usize), [Curve; 2])| FoldCurves {
        repeat,
        fold,
        train: train.points(),
        validation: validation.points(),
    };
    folds.into_iter().map(curves).collect()
}

/// Sum, count, smallest and largest loss by epoch.
#[derive(Default)]
struct Curve(BTreeMap<usize, (f64, usize, f64, f64)>);

impl Curve {
    fn add(&mut self, epoch: usize, loss: Option<f64>) {
        let Some(loss) = loss.filter(|loss| loss.is_finite()) else { return };
        let start = (0.0, 0, f64::INFINITY, f64::NEG_INFINITY);
        let (sum, count, low, high) = self.0.entry(epoch).or_insert(start);
        (*sum, *count, *low, *high) = (*sum + loss, *count + 1, low.min(loss), high.max(loss));
    }

    fn points(&self) -> Vec<LossPoint> {
        let all: Vec<LossPoint> = self
            .0
            .iter()
            .map(|(epoch, (sum, count, low, high))| LossPoint {
                epoch: *epoch as f64,
                mean: sum / *count as f64,
                low: *low,
                high: *high,
            })
            .collect();
        spread(all.len(), MOST_EPOCHS).into_iter().map(|index| all[index]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(epoch: usize, member: usize, train_loss: f64) -> EpochRecord {
        EpochRecord {
            epoch,
            repeat: 0,
            fold: 3,
            member,
            train_loss,
            validation_loss: None,
            learning_rate: 1e-3,
        }
    }

    #[test]
    fn curves_sum_up_the_members_of_a_fold() {
        let curves = fold_curves(&[record(1, 0, 2.0), record(1, 1, 4.0), record(1, 2, f64::NAN)]);
        assert_eq!((curves.len(), curves[0].fold), (1, 3));
        let point = LossPoint { epoch: 1.0, mean: 3.0, low: 2.0, high: 4.0 };
        assert_eq!(curves[0].train, [point]);
        assert!(curves[0].validation.is_empty());
    }

    #[test]
    fn long_trainings_are_thinned_and_keep_their_ends() {
        let history: Vec<EpochRecord> = (1..=2000).map(|epoch| record(epoch, 0, 1.0)).collect();
        let train = &fold_curves(&history)[0].train;
        assert_eq!((train.len(), train[0].epoch, train[199].epoch), (200, 1.0, 2000.0));
    }
}
