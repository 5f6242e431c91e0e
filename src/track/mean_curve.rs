//! The losses of a whole run, from those of its folds.

/// Losses of one epoch, in the standardised target's space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Losses {
    /// On the training rows.
    pub train: f64,
    /// On the inner validation rows; `None` where there are too few rows for one.
    pub validation: Option<f64>,
}

/// Means over folds, epoch by epoch. Folds may be anywhere in their training: an epoch is there once every
/// fold has reached it or has stopped, and one that has stopped counts with its last losses, so that the
/// curve does not jump where the worst fold leaves it.
#[derive(Clone, Debug)]
pub struct MeanCurve {
    folds: Vec<Fold>,
    given: usize,
}

#[derive(Clone, Debug, Default)]
struct Fold {
    losses: Vec<Losses>,
    stopped: bool,
}

impl MeanCurve {
    /// The curve of a run of so many folds.
    #[must_use]
    pub fn new(folds: usize) -> Self {
        Self { folds: vec![Fold::default(); folds], given: 0 }
    }

    /// Adds an epoch, from 1, of a fold, unless it is known (a resumed training repeats some), and returns
    /// the epochs that are there now.
    pub fn add(
        &mut self,
        fold: usize,
        (epoch, losses): (usize, Losses),
        stopped: bool,
    ) -> Vec<(usize, Losses)> {
        if let Some(fold) = self.folds.get_mut(fold) {
            if epoch > fold.losses.len() {
                fold.losses.push(losses);
            }
            fold.stopped |= stopped;
        }
        self.ready()
    }

    /// The epochs that are left when no fold goes on.
    pub fn close(&mut self) -> Vec<(usize, Losses)> {
        self.folds.iter_mut().for_each(|fold| fold.stopped = true);
        self.ready()
    }

    fn ready(&mut self) -> Vec<(usize, Losses)> {
        let mut found = Vec::new();
        while let Some(losses) = self.at(self.given) {
            self.given += 1;
            found.push((self.given, losses));
        }
        found
    }

    /// The mean of an epoch, from 0; `None` while it is not there or where no fold has it.
    fn at(&self, epoch: usize) -> Option<Losses> {
        let known = |fold: &Fold| fold.stopped || fold.losses.len() > epoch;
        let reached = self.folds.iter().any(|fold| fold.losses.len() > epoch);
        if !reached || !self.folds.iter().all(known) {
            return None;
        }
        let own = |fold: &Fold| fold.losses.get(epoch).or(fold.losses.last()).copied();
        let losses: Vec<Losses> = self.folds.iter().filter_map(own).collect();
        let count = losses.len() as f64;
        let validation: Option<Vec<f64>> = losses.iter().map(|one| one.validation).collect();
        Some(Losses {
            train: losses.iter().map(|one| one.train).sum::<f64>() / count,
            validation: validation.map(|all| all.iter().sum::<f64>() / count),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(train: f64) -> Losses {
        Losses { train, validation: Some(2.0 * train) }
    }

    #[test]
    fn an_epoch_waits_for_every_fold_and_stopped_folds_stay() {
        let mut curve = MeanCurve::new(2);
        assert_eq!(curve.add(0, (1, losses(4.0)), false), []);
        assert_eq!(curve.add(0, (2, losses(3.0)), false), []);
        // What is repeated changes nothing.
        assert_eq!(curve.add(0, (2, losses(9.0)), false), []);
        assert_eq!(curve.add(1, (1, losses(2.0)), true), [(1, losses(3.0)), (2, losses(2.5))]);
        assert_eq!(curve.add(0, (3, losses(1.0)), true), [(3, losses(1.5))]);
        assert_eq!(curve.close(), []);
    }

    #[test]
    fn closing_gives_what_folds_that_said_nothing_more_held_back() {
        let mut curve = MeanCurve::new(2);
        assert_eq!(curve.add(0, (1, losses(4.0)), true), []);
        assert_eq!(curve.close(), [(1, losses(4.0))]);
    }
}
