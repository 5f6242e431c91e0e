//! The normal scores of a block.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::{Columns, FittedBlock};
use crate::data::explore::quantile;

/// Most quantiles that are kept of a column, and rows for each.
const MOST_KNOTS: usize = 1000;
const ROWS_PER_KNOT: usize = 30;
const FEWEST_KNOTS: usize = 10;

/// `normal(x)`: the quantile of x among the training rows, as a quantile of the normal distribution
/// (Conover 1999; scikit-learn's `QuantileTransformer`). Between kept quantiles it is linear, and
/// beyond the outermost it is constant. A value that fills a stretch of quantiles gets the middle of
/// the stretch (scikit-learn gives the ends of the distribution to values that fill its ends).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NormalScores {
    pub(crate) of: Box<FittedBlock>,
    /// Ascending quantiles of each column.
    pub(crate) knots: Vec<Vec<f64>>,
    /// Their normal quantiles.
    pub(crate) scores: Vec<f64>,
    /// The outermost rows stand for half a row beyond them, not for infinity.
    end: f64,
}

impl NormalScores {
    pub(super) fn fit(of: Box<FittedBlock>, width: usize, rows: &[f64]) -> Self {
        let columns = of.by_column(width, rows);
        let count = columns.first().map_or(0, Vec::len);
        let knots = (count / ROWS_PER_KNOT).clamp(FEWEST_KNOTS, MOST_KNOTS);
        let share = |knot: usize| knot as f64 / (knots - 1) as f64;
        let end = 0.5 / count.max(1) as f64;
        Self {
            of,
            knots: columns
                .into_iter()
                .map(|mut column| {
                    column.sort_by(f64::total_cmp);
                    (0..knots).filter_map(|knot| quantile(&column, share(knot))).collect()
                })
                .collect(),
            scores: (0..knots).map(|knot| normal_quantile(share(knot), end)).collect(),
            end,
        }
    }

    /// The score of the place `twice / 2` among the knots, counted from 0.
    pub(crate) fn middle(&self, twice: usize) -> f64 {
        let share = 0.5 * twice as f64 / (self.scores.len() - 1) as f64;
        normal_quantile(share, self.end)
    }

    fn score(&self, knots: &[f64], value: f64) -> f64 {
        let first = knots.partition_point(|knot| *knot < value);
        let last = knots.partition_point(|knot| *knot <= value);
        if first < last {
            return self.middle(first + last - 1);
        }
        match first {
            0 => self.scores[0],
            beyond if beyond == knots.len() => self.scores[beyond - 1],
            above => {
                let below = above - 1;
                let part = (value - knots[below]) / (knots[above] - knots[below]);
                self.scores[below] + part * (self.scores[above] - self.scores[below])
            }
        }
    }
}

/// The quantile of the standard normal distribution at a share kept away from 0 and 1 by `end`.
fn normal_quantile(share: f64, end: f64) -> f64 {
    Normal::standard().inverse_cdf(share.clamp(end, 1.0 - end))
}

impl Columns for NormalScores {
    fn names(&self, raw: &[String]) -> Vec<String> {
        self.of.names(raw).into_iter().map(|name| format!("normal({name})")).collect()
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        let start = values.len();
        self.of.append(row, values);
        for (value, knots) in values[start..].iter_mut().zip(&self.knots) {
            *value = self.score(knots, *value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::Generator, features::FeatureBlock, features::Layout};

    fn fitted(rows: &[f64]) -> FittedBlock {
        let layout = Layout::plain(1);
        FittedBlock::fit(&FeatureBlock::Normal(Box::new(FeatureBlock::Raw)), &layout, rows)
    }

    fn score(block: &FittedBlock, value: f64) -> f64 {
        let mut values = Vec::new();
        block.append(&[value], &mut values);
        values[0]
    }

    #[test]
    fn any_distribution_becomes_normal() {
        let mut generator = Generator::new(1, &[]);
        let rows: Vec<f64> = (0..30_000).map(|_| generator.normal().exp()).collect();
        let block = fitted(&rows);
        // The training distribution is exp(N(0, 1)): its score is the logarithm.
        for z in [-2.0_f64, -0.5, 0.0, 1.0, 2.0] {
            assert!((score(&block, z.exp()) - z).abs() < 0.05, "{z}");
        }
    }

    #[test]
    fn scores_are_those_of_the_definition_on_a_small_column() {
        let rows: Vec<f64> = (0..10).map(f64::from).collect();
        let block = fitted(&rows);
        // scipy.stats.norm.ppf: 3/9 -> -0.430727, halfway to 4/9 (-0.139710) -> -0.285219.
        assert!((score(&block, 3.0) + 0.430_727_299_295_457_6).abs() < 1e-9);
        assert!((score(&block, 3.5) + 0.285_218_644_6).abs() < 1e-6);
        // Beyond the rows: ppf(0.05) = -1.644854.
        assert!((score(&block, -99.0) + 1.644_853_626_951_472_2).abs() < 1e-9);
        assert!((score(&block, 99.0) - 1.644_853_626_951_472_2).abs() < 1e-9);
    }

    #[test]
    fn a_value_that_fills_half_the_rows_gets_the_middle_of_its_quantiles() {
        let rows: Vec<f64> = (0..100).map(|row| f64::from((row - 50).max(0))).collect();
        let block = fitted(&rows);
        // Zeros fill the quantiles at 0, 1/9, ..., 4/9: scipy.stats.norm.ppf(2/9).
        assert!((score(&block, 0.0) + 0.764_709_673_786_387_1).abs() < 1e-9);
        assert!(score(&block, 1.0) > score(&block, 0.0));
    }
}
