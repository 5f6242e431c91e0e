//! The weights of an ensemble, from predictions for rows that their models had not seen.

use crate::model::FoldTarget;

/// Models that are added one at a time, with replacement.
const ROUNDS: usize = 60;

/// Candidates whose error is within this factor of the best one's share what shrinkage takes.
const GOOD: f64 = 1.1;

/// Candidates with errors beyond this factor of the best one's are left out: what little weight they
/// get is luck.
const HOPELESS: f64 = 1.5;

/// Rows at which half of the weight is still shared equally.
const PRIOR_ROWS: f64 = 10.0;

/// What weights are found from.
#[derive(Clone, Copy, Debug)]
pub(super) struct InnerPredictions<'a> {
    /// Predictions of each candidate on the target's own scale, candidate by candidate.
    pub(super) predictions: &'a [Vec<f64>],
    /// Transformed targets of the same rows.
    pub(super) targets: &'a [f64],
    /// Weights of the rows; the rows of a group weigh one in all where none are given.
    pub(super) weights: &'a [f64],
    /// From values to the space in which errors are measured.
    pub(super) fold: &'a FoldTarget,
}

/// Greedy weights (Caruana, Niculescu-Mizil, Crew and Ksikes, 2004): again and again the candidate
/// is added that makes the mean so far best, and the best mean of all is kept. They are shrunk
/// towards equal weights of the good candidates, the more the fewer rows there are: small tables do
/// not tell candidates apart.
pub(super) fn ensemble_weights(inner: InnerPredictions<'_>) -> Vec<f64> {
    let count = inner.predictions.len();
    let rows: f64 = inner.weights.iter().sum();
    let alone: Vec<f64> = inner.predictions.iter().map(|own| inner.error(own)).collect();
    let best = alone.iter().copied().fold(f64::INFINITY, f64::min);
    let is_good: Vec<bool> = alone.iter().map(|error| *error <= GOOD * GOOD * best).collect();
    let good = is_good.iter().filter(|good| **good).count();
    if rows <= 0.0 || good == 0 {
        return vec![1.0 / count as f64; count];
    }
    let shared = PRIOR_ROWS / (PRIOR_ROWS + rows);
    let equal = |index: usize| if is_good[index] { shared / good as f64 } else { 0.0 };
    let has_hope: Vec<bool> =
        alone.iter().map(|error| *error <= HOPELESS * HOPELESS * best).collect();
    let greedy = greedy(inner, &has_hope).into_iter().enumerate();
    greedy.map(|(index, weight)| (1.0 - shared) * weight + equal(index)).collect()
}

/// The share of each candidate that `has_hope` in the best mean that adding one at a time comes to.
fn greedy(inner: InnerPredictions<'_>, has_hope: &[bool]) -> Vec<f64> {
    let candidates = inner.predictions;
    let mut sum = vec![0.0; inner.targets.len()];
    let mut counts = vec![0_usize; candidates.len()];
    let mut best = (f64::INFINITY, counts.clone());
    for round in 1..=ROUNDS {
        let share = 1.0 / round as f64;
        let with = |own: &Vec<f64>| -> f64 {
            let mean = sum.iter().zip(own).map(|(sum, own)| (sum + own) * share);
            inner.error_of(mean)
        };
        let errors: Vec<f64> = candidates.iter().map(with).collect();
        let hopeful = (0..errors.len()).filter(|index| has_hope[*index]);
        let chosen = hopeful.min_by(|a, b| errors[*a].total_cmp(&errors[*b]));
        let Some(chosen) = chosen else { break };
        counts[chosen] += 1;
        sum.iter_mut().zip(&candidates[chosen]).for_each(|(sum, own)| *sum += own);
        if errors[chosen] < best.0 {
            best = (errors[chosen], counts.clone());
        }
    }
    if best.0.is_infinite() {
        return vec![1.0 / candidates.len() as f64; candidates.len()];
    }
    let total = best.1.iter().sum::<usize>().max(1) as f64;
    best.1.iter().map(|count| *count as f64 / total).collect()
}

impl InnerPredictions<'_> {
    fn error(&self, predictions: &[f64]) -> f64 {
        self.error_of(predictions.iter().copied())
    }

    /// The weighted squared error in the space of learning.
    fn error_of(&self, predictions: impl Iterator<Item = f64>) -> f64 {
        let rows = predictions.zip(self.targets).zip(self.weights);
        let term = |((prediction, target), weight): ((f64, &f64), &f64)| {
            weight * (target - self.fold.transform.apply(prediction)).powi(2)
        };
        rows.map(term).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::Generator, features::TargetTransform};

    fn weights(predictions: &[Vec<f64>], targets: &[f64]) -> Vec<f64> {
        let fold = FoldTarget::fit(TargetTransform::None, None, targets);
        let weights = vec![1.0; targets.len()];
        ensemble_weights(InnerPredictions { predictions, targets, weights: &weights, fold: &fold })
    }

    #[test]
    fn independent_errors_share_the_weight_by_their_precision() {
        // The best mean of two unbiased predictions weighs them by their inverse variances.
        let mut generator = Generator::new(3, &[]);
        let targets: Vec<f64> = (0..20_000).map(|_| generator.normal()).collect();
        let mut with_error = |deviation: f64| -> Vec<f64> {
            targets.iter().map(|y| y + deviation * generator.normal()).collect()
        };
        let found = weights(&[with_error(0.8), with_error(1.0), with_error(30.0)], &targets);
        let share = 1.0 / (1.0 + 0.64);
        assert!((found[0] - share).abs() < 0.03 && found[2] == 0.0, "{found:?}");
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn few_rows_share_among_the_good_and_leave_the_bad_out() {
        let targets = [1.0, 2.0, 3.0, 4.0];
        let near = vec![1.1, 2.1, 3.1, 4.1];
        let other = vec![0.9, 1.9, 2.9, 3.9];
        let found = weights(&[near, other, vec![9.0; 4]], &targets);
        assert!((found[0] - 0.5).abs() < 1e-12 && found[2] == 0.0, "{found:?}");
    }

    #[test]
    fn the_space_of_learning_decides() {
        // Relative errors of ten per cent everywhere, and one large absolute error.
        let targets = [1.0_f64, 10.0, 1000.0];
        let relative: Vec<f64> = targets.iter().map(|y| 1.1 * y).collect();
        let absolute = vec![3.0, 12.0, 1000.0];
        let logs: Vec<f64> = targets.iter().map(|y| y.ln()).collect();
        let fold = FoldTarget::fit(TargetTransform::Log, None, &logs);
        let inner = InnerPredictions {
            predictions: &[relative, absolute],
            targets: &logs,
            weights: &[1.0; 3],
            fold: &fold,
        };
        let found = ensemble_weights(inner);
        assert!(found[0] > 0.9, "{found:?}");
    }
}
