//! Whether and where the models of a fold are unsure, learned from their inner residuals.

use crate::{
    data::explore::quantile,
    features::FeatureMatrix,
    model::Spread,
    train::{FoldTask, LearningRows, fit_few_trees},
};

/// Fewer residuals tell nothing of where they are large.
const FEWEST_ROWS: usize = 60;

/// Spreads are at least this share of the mean absolute residual.
const FLOOR: f64 = 0.2;

const SPREAD_STREAM: u64 = 8;

/// The inner residuals of a fold, in the space of learning; `None` where no model has not seen a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct InnerResiduals<'a> {
    pub(super) matrix: &'a FeatureMatrix,
    pub(super) task: &'a FoldTask,
    pub(super) residuals: &'a [Option<f64>],
    pub(super) weights: &'a [f64],
}

/// A regressor of the absolute residuals (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, 2018,
/// section 5.2) where it gives a clearly better interval score at `level` than one width for all,
/// judged on residuals that it has not seen; else their mean. `None` where there are no residuals, or all are 0.
pub(super) fn fit_spread(inner: InnerResiduals<'_>, level: f64, seed: u64) -> Option<Spread> {
    let task = inner.task;
    let known: Vec<usize> =
        (0..task.rows.len()).filter(|place| inner.residuals[*place].is_some()).collect();
    let sizes: Vec<f64> =
        known.iter().filter_map(|place| inner.residuals[*place].map(f64::abs)).collect();
    let mean = sizes.iter().sum::<f64>() / sizes.len().max(1) as f64;
    if mean.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
        return None;
    }
    let parts: Vec<u32> = known.iter().map(|place| task.parts[*place]).collect();
    let judged = parts.iter().max().map_or(0, |part| *part as usize + 1);
    if known.len() < FEWEST_ROWS || judged < 2 {
        return Some(Spread::Constant(mean));
    }
    let rows: Vec<u32> = known.iter().map(|place| task.rows[*place]).collect();
    let mut targets = vec![0.0; inner.matrix.rows()];
    rows.iter().zip(&sizes).for_each(|(row, size)| targets[*row as usize] = *size);
    let mut weights = inner.weights.to_vec();
    weights.resize(inner.matrix.rows(), 1.0);
    let (matrix, rows) = (inner.matrix, &rows[..]);
    let data =
        LearningRows { matrix, targets: &targets, weights: &weights, rows, parts: &parts, judged };
    let stream = [SPREAD_STREAM, task.repeat as u64, task.fold as u64];
    let fitted = fit_few_trees(data, seed, &stream);
    let floor = FLOOR * mean;
    let spreads: Vec<f64> =
        fitted.inner.iter().map(|spread| spread.unwrap_or(mean).max(floor)).collect();
    Some(if is_better(&sizes, &spreads, level) {
        Spread::Model { regressor: Box::new(fitted.model), floor }
    } else {
        Spread::Constant(mean)
    })
}

/// Whether widths in proportion to `spreads` have an interval score that is smaller than that of one
/// width by more than the standard error of their difference.
fn is_better(sizes: &[f64], spreads: &[f64], level: f64) -> bool {
    let own = interval_scores(sizes, spreads, level);
    let alike = interval_scores(sizes, &vec![1.0; sizes.len()], level);
    let differences: Vec<f64> = own.iter().zip(alike).map(|(own, other)| own - other).collect();
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let squares = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>();
    mean < -(squares / (count - 1.0) / count).sqrt()
}

/// The interval score (Gneiting and Raftery, 2007) of each residual of size `sizes` for the interval
/// `± q spread`, `q` being the `level` quantile of `size / spread`.
fn interval_scores(sizes: &[f64], spreads: &[f64], level: f64) -> Vec<f64> {
    let pairs = || sizes.iter().zip(spreads);
    let mut shares: Vec<f64> = pairs().map(|(size, spread)| size / spread).collect();
    shares.sort_by(f64::total_cmp);
    let multiple = quantile(&shares, level).unwrap_or(0.0);
    let score = |(size, spread): (&f64, &f64)| {
        let radius = multiple * spread;
        2.0 * radius + 2.0 / (1.0 - level) * (size - radius).max(0.0)
    };
    pairs().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    #[test]
    fn interval_scores_equal_the_definition() {
        // Residuals 1, 2, 3 and the 50 % quantile 2: widths 4, and 2 / 0.5 for what lies beyond.
        assert_eq!(interval_scores(&[1.0, 2.0, 3.0], &[1.0; 3], 0.5), [4.0, 4.0, 8.0]);
    }

    #[test]
    fn only_spreads_that_tell_something_are_better() {
        let mut generator = Generator::new(1, &[]);
        let spreads: Vec<f64> = (0..400).map(|_| generator.between(0.5, 3.0)).collect();
        let sizes: Vec<f64> =
            spreads.iter().map(|spread| (spread * generator.normal()).abs()).collect();
        let unrelated: Vec<f64> = (0..400).map(|_| generator.between(0.5, 3.0)).collect();
        assert!(is_better(&sizes, &spreads, 0.9));
        assert!(!is_better(&sizes, &unrelated, 0.9));
    }
}
