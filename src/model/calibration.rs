//! Prediction intervals from out-of-fold residuals: CV+ (Barber, Candès, Ramdas, Tibshirani 2021).

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The largest number of residuals kept per fold.
const MOST_RESIDUALS: usize = 1000;

/// The absolute out-of-fold residuals of one fold, in the transformed target's space and in units of
/// the spread that the fold expects of each row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FoldResiduals {
    /// Absolute residuals, ascending.
    residuals: Vec<f64>,
    /// Weight of each residual and all before it.
    cumulative: Vec<f64>,
}

/// A residual that is no number, or beyond all numbers, as the largest number.
fn finite(residual: f64) -> f64 {
    if residual.is_finite() { residual } else { f64::MAX }
}

impl FoldResiduals {
    /// From residuals of any sign with their weights (one group weighs one in all).
    ///
    /// More than a thousand are replaced by as many upper quantiles, each with its share of the
    /// weight: intervals can only grow by that.
    #[must_use]
    pub fn new(weighted: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut sorted: Vec<(f64, f64)> =
            weighted.map(|(residual, weight)| (finite(residual.abs()), weight)).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let chunk = sorted.len().div_ceil(MOST_RESIDUALS).max(1);
        let mut total = 0.0;
        let mut result = Self::default();
        for part in sorted.chunks(chunk) {
            total += part.iter().map(|(_, weight)| weight).sum::<f64>();
            result.residuals.push(part[part.len() - 1].0);
            result.cumulative.push(total);
        }
        result
    }

    /// Absolute residuals, ascending.
    #[must_use]
    pub fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    /// The weight of each residual.
    pub fn weights(&self) -> impl Iterator<Item = f64> {
        let before = std::iter::once(0.0).chain(self.cumulative.iter().copied());
        self.cumulative.iter().zip(before).map(|(up_to, before)| up_to - before)
    }

    /// Total weight: the number of groups.
    fn weight(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// Weight of the first `count` residuals.
    fn first(&self, count: usize) -> f64 {
        count.checked_sub(1).map_or(0.0, |last| self.cumulative[last])
    }
}

/// Everything an interval needs besides the folds' predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Nominal coverage, e.g. 0.9.
    pub level: f64,
    /// Number of repeats of the cross-validation.
    pub repeats: usize,
    /// Residuals by fold of all repeats.
    pub folds: Vec<FoldResiduals>,
}

impl Calibration {
    /// Whether there are residuals of `folds` folds, each with its weight.
    #[must_use]
    pub fn is_consistent(&self, folds: usize) -> bool {
        let whole = |fold: &FoldResiduals| {
            !fold.residuals.is_empty() && fold.residuals.len() == fold.cumulative.len()
        };
        self.repeats > 0
            && folds.is_multiple_of(self.repeats)
            && (0.0..1.0).contains(&self.level)
            && self.folds.len() == folds
            && self.folds.iter().all(whole)
    }

    /// The weight that at least has to lie at or below an upper bound: `level (n + 1)` of `n` exchangeable units. Where
    /// each unit is one residual that is the rank `ceil(level (n + 1))`; where the residuals of a group share the weight
    /// of one there is nothing to round (Lee, Barber and Willett, 2023). `None` where `n` is too small for the level.
    #[must_use]
    pub fn required_weight(level: f64, units: f64) -> Option<f64> {
        let required = level * (units + 1.0) - 1e-6;
        (required <= units).then_some(required)
    }

    /// The CV+ interval around the folds' predictions, in the transformed target's space.
    ///
    /// Fold `k` predicts `p` with spread `s`; its residuals `R`, in units of their own spread, stand
    /// for `p ± s R`. The upper bound is the smallest of the `p + s R` at or below which the required
    /// weight lies, the lower bound its mirror image. Infinite where there are too few units.
    #[must_use]
    pub fn interval(&self, predictions: &[(f64, f64)]) -> (f64, f64) {
        let mirrored: Vec<(f64, f64)> =
            predictions.iter().map(|(prediction, spread)| (-prediction, *spread)).collect();
        (-self.upper(&mirrored), self.upper(predictions))
    }

    /// Half the width of the intervals around the predictions of fold `fold` for the rows that it
    /// held out, in units of the spread of each: a quantile of the other folds' residuals, `repeat`
    /// being the folds of the same repeat.
    #[must_use]
    pub fn cross_fitted(&self, fold: usize, repeat: Range<usize>) -> f64 {
        let others: Vec<usize> = repeat.filter(|other| *other != fold).collect();
        self.quantile(&others, 1, |_| (0.0, 1.0))
    }

    fn upper(&self, predictions: &[(f64, f64)]) -> f64 {
        let all: Vec<usize> = (0..self.folds.len()).collect();
        self.quantile(&all, self.repeats, |fold| predictions[fold])
    }

    /// The weighted conformal quantile of `p + s residual` over `folds`, `place(fold)` being `(p, s)`,
    /// in which every unit stands once per repeat; its rank is taken among units, not among repeats.
    fn quantile(
        &self,
        folds: &[usize],
        repeats: usize,
        place: impl Fn(usize) -> (f64, f64),
    ) -> f64 {
        // Among what is no number there is no order.
        let is_number = |fold: &usize| place(*fold).0.is_finite() && place(*fold).1.is_finite();
        if !folds.iter().all(is_number) {
            return f64::INFINITY;
        }
        let repeats = repeats as f64;
        let units: f64 = folds.iter().map(|fold| self.folds[*fold].weight()).sum::<f64>() / repeats;
        let Some(required) = Self::required_weight(self.level, units) else {
            return f64::INFINITY;
        };
        // Residuals of each fold that may still be the quantile: the middle of the longest list is tried, and every list
        // is cut where it stands.
        let mut open: Vec<Range<usize>> =
            folds.iter().map(|fold| 0..self.folds[*fold].residuals.len()).collect();
        let mut quantile = f64::INFINITY;
        let longest = |open: &[Range<usize>]| (0..open.len()).max_by_key(|own| open[*own].len());
        while let Some(tried) = longest(&open).filter(|own| !open[*own].is_empty()) {
            let middle = usize::midpoint(open[tried].start, open[tried].end);
            let (shift, spread) = place(folds[tried]);
            let residual = self.folds[folds[tried]].residuals[middle];
            let value = shift + spread * residual;
            let cut = |own: usize| {
                let (shift, spread) = place(folds[own]);
                let bound = if own == tried { residual } else { (value - shift) / spread };
                let residuals = &self.folds[folds[own]].residuals[open[own].clone()];
                open[own].start + residuals.partition_point(|residual| *residual <= bound)
            };
            let cuts: Vec<usize> = (0..folds.len()).map(cut).collect();
            let weights = cuts.iter().zip(folds).map(|(cut, fold)| self.folds[*fold].first(*cut));
            if weights.sum::<f64>() >= required * repeats - 1e-6 {
                quantile = value;
                open.iter_mut().zip(cuts).for_each(|(open, cut)| open.end = cut);
                open[tried].end = middle;
            } else {
                open.iter_mut().zip(cuts).for_each(|(open, cut)| open.start = cut);
            }
        }
        quantile
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    fn calibration(level: f64, repeats: usize, folds: &[&[f64]]) -> Calibration {
        let fold = |values: &&[f64]| FoldResiduals::new(values.iter().map(|value| (*value, 1.0)));
        Calibration { level, repeats, folds: folds.iter().map(fold).collect() }
    }

    /// The definition, by sorting all values: the k-th smallest, k = ceil(level (n + 1)).
    fn by_sorting(level: f64, folds: &[Vec<f64>], predictions: &[(f64, f64)]) -> (f64, f64) {
        let pairs = || folds.iter().zip(predictions);
        let mut upper: Vec<f64> =
            pairs().flat_map(|(f, (p, s))| f.iter().map(move |r| p + s * r)).collect();
        let mut lower: Vec<f64> =
            pairs().flat_map(|(f, (p, s))| f.iter().map(move |r| p - s * r)).collect();
        upper.sort_by(f64::total_cmp);
        lower.sort_by(f64::total_cmp);
        let rank = (level * (upper.len() + 1) as f64 - 1e-9).ceil() as usize;
        (lower[lower.len() - rank], upper[rank - 1])
    }

    #[test]
    fn interval_equals_the_definition_by_sorting() {
        let mut generator = Generator::new(1, &[]);
        for trial in 0..200 {
            let draw = |g: &mut Generator| (0..5 + g.below(30)).map(|_| g.exponential()).collect();
            let folds: Vec<Vec<f64>> = (0..2 + trial % 5).map(|_| draw(&mut generator)).collect();
            let mut place = || (generator.normal(), generator.between(0.5, 2.0));
            let predictions: Vec<(f64, f64)> = folds.iter().map(|_| place()).collect();
            let slices: Vec<&[f64]> = folds.iter().map(Vec::as_slice).collect();
            let level = generator.between(0.3, 0.85);
            let (lower, upper) = calibration(level, 1, &slices).interval(&predictions);
            let expected = by_sorting(level, &folds, &predictions);
            assert!((lower - expected.0).abs() < 1e-12 && (upper - expected.1).abs() < 1e-12);
        }
    }

    #[test]
    fn repeating_the_cross_validation_does_not_narrow_the_rank() {
        let residuals: Vec<f64> = (1..=19).map(f64::from).collect();
        let once = calibration(0.9, 1, &[&residuals]).interval(&[(0.0, 1.0)]);
        let twice = calibration(0.9, 2, &[&residuals, &residuals]).interval(&[(0.0, 1.0); 2]);
        assert_eq!(once, (-18.0, 18.0));
        assert_eq!(once, twice);
    }

    #[test]
    fn a_group_counts_once_however_many_rows_it_has() {
        let rows = (1..=9).map(|value| (f64::from(value), 1.0));
        let copies = std::iter::repeat_n((100.0, 0.01), 100);
        let folds = vec![FoldResiduals::new(rows.chain(copies))];
        let calibration = Calibration { level: 0.8, repeats: 1, folds };
        assert_eq!(calibration.interval(&[(0.0, 1.0)]), (-9.0, 9.0));
    }

    #[test]
    fn too_few_units_for_the_level_give_no_finite_interval() {
        let few = [1.0; 8];
        assert_eq!(calibration(0.9, 1, &[&few]).interval(&[(0.0, 1.0)]).1, f64::INFINITY);
        let enough = [1.0; 9];
        assert_eq!(calibration(0.9, 1, &[&enough]).interval(&[(0.0, 1.0)]).1, 1.0);
    }

    #[test]
    fn nothing_is_rounded_up_to_a_whole_group() {
        let required = |units| Calibration::required_weight(0.9, units);
        assert_eq!(required(8.9), None);
        assert!((required(9.0).unwrap() - 9.0).abs() < 1e-5);
        assert!((required(12.6).unwrap() - 12.24).abs() < 1e-5);
        // 16 groups of 100 residuals from 0 to 1: the bound has 0.9 * 17 / 16 of all below it, not all of them.
        let group = |_| (1..=100).map(|value| (f64::from(value) / 100.0, 0.01));
        let folds = vec![FoldResiduals::new((0..16).flat_map(group))];
        let upper = Calibration { level: 0.9, repeats: 1, folds }.interval(&[(0.0, 1.0)]).1;
        assert!((upper - 0.96).abs() < 1e-12, "{upper}");
    }

    #[test]
    fn cross_fitted_interval_leaves_its_own_fold_out() {
        let (own, other) = ([1000.0; 30], [2.0; 30]);
        let calibration = calibration(0.9, 1, &[&own, &other]);
        assert_eq!(calibration.cross_fitted(0, 0..2), 2.0);
        assert_eq!(calibration.cross_fitted(1, 0..2), 1000.0);
    }

    #[test]
    fn a_thousand_quantiles_never_narrow_the_interval() {
        let residuals: Vec<f64> = (0..123_456).map(|i| f64::from(i) / 123_456.0).collect();
        let upper = calibration(0.9, 1, &[&residuals]).interval(&[(0.0, 1.0)]).1;
        assert!((0.9..0.9011).contains(&upper), "{upper}");
    }
}
