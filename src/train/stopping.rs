//! When a fold stops, and which epoch it keeps.

use serde::{Deserialize, Serialize};

/// The progress of one fold, judged by its members' mean inner validation loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FoldProgress {
    /// Epoch whose weights are kept, from 1; the last one where nothing judges epochs.
    pub(super) best_epoch: usize,
    /// Its mean inner validation loss.
    pub(super) best_loss: Option<f64>,
    /// The inner validation loss of each member in that epoch.
    pub(super) member_losses: Vec<Option<f64>>,
    /// Whether the fold has stopped.
    pub(super) stopped: bool,
}

impl FoldProgress {
    pub(super) fn new() -> Self {
        Self { best_epoch: 0, best_loss: None, member_losses: Vec::new(), stopped: false }
    }

    /// Takes note of an epoch and says whether its weights are now the best; of equals the later
    /// one wins. A fold without inner validation rows keeps its last epoch.
    pub(super) fn update(&mut self, epoch: usize, loss: Option<f64>, patience: usize) -> bool {
        let improved = match (loss, self.best_loss) {
            // A best loss that is no number is beaten by any.
            (Some(loss), Some(best)) => loss <= best || best.is_nan(),
            _ => true,
        };
        if improved {
            self.best_epoch = epoch;
            self.best_loss = loss;
        }
        self.stopped = patience > 0 && epoch - self.best_epoch >= patience;
        improved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_stops_after_its_patience_and_keeps_the_best_epoch() {
        let mut progress = FoldProgress::new();
        let losses = [3.0, 1.0, 2.0, 1.0, 5.0, 5.0, 5.0];
        let stopped = (1..).zip(losses).find(|(epoch, loss)| {
            progress.update(*epoch, Some(*loss), 3);
            progress.stopped
        });
        assert_eq!(stopped, Some((7, 5.0)));
        assert_eq!((progress.best_epoch, progress.best_loss), (4, Some(1.0)));
    }

    #[test]
    fn without_inner_rows_the_last_epoch_is_kept() {
        let mut progress = FoldProgress::new();
        for epoch in 1..=50 {
            assert!(progress.update(epoch, None, 3));
        }
        assert_eq!((progress.best_epoch, progress.stopped), (50, false));
    }
}
