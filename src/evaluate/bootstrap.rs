//! How far scores may be off: the cluster bootstrap, which draws containers and not rows.

use serde::{Deserialize, Serialize};

use crate::data::{Generator, explore::quantile};

use super::{ScoredRow, units::Units};

/// Tables that are drawn.
const RESAMPLES: usize = 2000;

/// Units that are drawn at most; more are put together at random, which leaves the spread of a mean as it is.
const MOST_UNITS: usize = 2000;

/// Share of the drawn tables whose scores lie inside the interval.
const CONFIDENCE: f64 = 0.95;

/// Fewer units have no spread worth telling.
const FEWEST_UNITS: usize = 5;

/// A score lies between these bounds, as far as one table tells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// The lower one.
    pub low: f64,
    /// The upper one.
    pub high: f64,
}

impl Bounds {
    /// Whether `value` lies within them.
    #[must_use]
    pub fn hold(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The middle `CONFIDENCE` of `values`; `None` where there are none.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let bound = |share| quantile(&values, share);
        let outside = (1.0 - CONFIDENCE) / 2.0;
        Some(Self { low: bound(outside)?, high: bound(1.0 - outside)? })
    }
}

/// Percentile intervals (Efron and Tibshirani, 1993, section 13.3) of pooled scores. What is drawn with
/// replacement are groups, each with all its rows: rows of one group are no independent witnesses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreBounds {
    /// Share of the drawn tables whose scores lie inside.
    pub confidence: f64,
    /// Groups, or rows without a group, that are drawn from.
    pub units: usize,
    /// Root mean squared error, in the target's unit.
    pub rmse: Bounds,
    /// Mean absolute error, in the target's unit.
    pub mae: Bounds,
    /// Coefficient of determination; `None` where the targets do not vary.
    pub r2: Option<Bounds>,
    /// Mean of prediction minus target, in the target's unit.
    pub bias: Bounds,
    /// Share of targets inside their interval, each group counting once.
    pub coverage: Bounds,
}

impl ScoreBounds {
    /// Of `rows`; the same rows always give the same bounds. `None` for fewer than five units.
    #[must_use]
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a ScoredRow, IntoIter: Clone>) -> Option<Self> {
        let units = Unit::all(rows);
        if units.len() < FEWEST_UNITS {
            return None;
        }
        let count = units.len();
        let drawn = resampled(&merged(units));
        let bounds = |score: fn(&Unit) -> f64| Bounds::of(drawn.iter().map(score).collect());
        Some(Self {
            confidence: CONFIDENCE,
            units: count,
            rmse: bounds(|sum| (sum.squares / sum.weight).sqrt())?,
            mae: bounds(|sum| sum.sizes / sum.weight)?,
            r2: bounds(Unit::r2),
            bias: bounds(|sum| sum.errors / sum.weight)?,
            coverage: certain(&drawn, count)
                .map_or_else(|| bounds(|sum| sum.covered / sum.share), Some)?,
        })
    }
}

/// Bounds of the RMSE of `rows` less that of `others`, which judge the same rows of the table in the same order:
/// both are drawn together, so that what makes a container hard for both does not count.
#[must_use]
pub fn rmse_difference(rows: &[ScoredRow], others: &[ScoredRow]) -> Option<Bounds> {
    let pairs = Unit::all(rows).into_iter().zip(Unit::all(others));
    let pairs: Vec<[Unit; 2]> = pairs.map(|(own, other)| [own, other]).collect();
    if pairs.len() < FEWEST_UNITS {
        return None;
    }
    let rmse = |sum: &Unit| (sum.squares / sum.weight).sqrt();
    let drawn = resampled(&merged(pairs));
    Bounds::of(drawn.iter().map(|[own, other]| rmse(own) - rmse(other)).collect())
}

/// What a group adds to the sums that scores are made of.
#[derive(Clone, Copy, Debug, Default)]
struct Unit {
    weight: f64,
    errors: f64,
    sizes: f64,
    squares: f64,
    /// Sum of the targets less their mean over the table, and of its squares.
    targets: f64,
    target_squares: f64,
    /// Covered rows and all rows, over the rows of the group.
    covered: f64,
    share: f64,
}

/// Something that can be summed up.
trait Sum: Clone + Default {
    fn add(&mut self, other: &Self);
}

impl Sum for Unit {
    fn add(&mut self, other: &Self) {
        self.weight += other.weight;
        self.errors += other.errors;
        self.sizes += other.sizes;
        self.squares += other.squares;
        self.targets += other.targets;
        self.target_squares += other.target_squares;
        self.covered += other.covered;
        self.share += other.share;
    }
}

impl<const N: usize> Sum for [Unit; N]
where
    Self: Default,
{
    fn add(&mut self, other: &Self) {
        self.iter_mut().zip(other).for_each(|(own, other)| own.add(other));
    }
}

impl Unit {
    /// The groups of `rows`, and each row without a group, in the order in which they are met first.
    fn all<'a>(rows: impl IntoIterator<Item = &'a ScoredRow, IntoIter: Clone>) -> Vec<Self> {
        let rows = rows.into_iter();
        let count = rows.clone().count().max(1) as f64;
        let centre = rows.clone().map(|row| row.target).sum::<f64>() / count;
        let units = Units::of(rows.clone());
        let add = |unit: &mut Self, row: &ScoredRow| unit.add(&Self::of(row, centre));
        let shared = |(unit, size): (Self, &f64)| Self {
            covered: unit.covered / size,
            share: unit.share / size,
            ..unit
        };
        units.sums(rows, add).into_iter().zip(&units.sizes).map(shared).collect()
    }

    fn of(row: &ScoredRow, centre: f64) -> Self {
        let (weight, error) = (row.weight, row.prediction - row.target);
        let target = row.target - centre;
        let is_covered = row.lower <= row.target && row.target <= row.upper;
        Self {
            weight,
            errors: weight * error,
            sizes: weight * error.abs(),
            squares: weight * error * error,
            targets: weight * target,
            target_squares: weight * target * target,
            covered: if is_covered { weight } else { 0.0 },
            share: weight,
        }
    }

    /// `NaN` where the targets do not vary.
    fn r2(&self) -> f64 {
        let variation = self.target_squares - self.targets * self.targets / self.weight;
        if variation > 0.0 { 1.0 - self.squares / variation } else { f64::NAN }
    }
}

/// Bounds of a share that is 0 or 1 in every drawn table, of which drawing tells nothing: those of Clopper and
/// Pearson (1934) for so many units.
fn certain(drawn: &[Unit], units: usize) -> Option<Bounds> {
    let farthest = ((1.0 - CONFIDENCE) / 2.0).powf(1.0 / units as f64);
    let all = |is_so: fn(&Unit) -> bool| drawn.iter().all(is_so);
    if all(|sum| sum.covered >= sum.share) {
        return Some(Bounds { low: farthest, high: 1.0 });
    }
    all(|sum| sum.covered <= 0.0).then_some(Bounds { low: 0.0, high: 1.0 - farthest })
}

/// At most `MOST_UNITS` sums of the units, put together at random.
fn merged<T: Sum>(mut units: Vec<T>) -> Vec<T> {
    if units.len() <= MOST_UNITS {
        return units;
    }
    Generator::new(0, &[]).shuffle(&mut units);
    let mut sums = vec![T::default(); MOST_UNITS];
    units.iter().enumerate().for_each(|(place, unit)| sums[place % MOST_UNITS].add(unit));
    sums
}

/// The sums of tables of as many units, drawn with replacement.
fn resampled<T: Sum>(units: &[T]) -> Vec<T> {
    let mut generator = Generator::new(1, &[]);
    let mut table = || {
        let mut sum = T::default();
        for _ in units {
            sum.add(&units[generator.below(units.len())]);
        }
        sum
    };
    (0..RESAMPLES).map(|_| table()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(row: usize, group: Option<&str>, target: f64, error: f64) -> ScoredRow {
        ScoredRow {
            row,
            group: group.map(Into::into),
            repeat: 0,
            fold: 0,
            target,
            prediction: target + error,
            lower: target + error - 1.0,
            upper: target + error + 1.0,
            out_of_domain: false,
            weight: 1.0,
        }
    }

    /// Targets 1 to 40, errors that alternate and grow.
    fn rows() -> Vec<ScoredRow> {
        let error =
            |i: usize| (i as f64 * 0.05 + 0.2) * if i.is_multiple_of(3) { -1.0 } else { 0.7 };
        (0..40).map(|i| row(i, None, i as f64 + 1.0, error(i))).collect()
    }

    fn close(found: Bounds, low: f64, high: f64) {
        let width = high - low;
        let is_close = |a: f64, b: f64| (a - b).abs() < 0.06 * width;
        assert!(is_close(found.low, low) && is_close(found.high, high), "{found:?} {low} {high}");
    }

    #[test]
    fn bounds_equal_those_of_scipy() {
        // scipy.stats.bootstrap(method="percentile", n_resamples=200_000) of the same rows.
        let found = ScoreBounds::of(&rows()).unwrap();
        close(found.rmse, 0.909_45, 1.229_28);
        close(found.mae, 0.791_63, 1.105_13);
        close(found.bias, -0.215_5, 0.445_75);
        close(found.r2.unwrap(), 0.986_92, 0.993_75);
        close(found.coverage, 0.4, 0.7);
    }

    #[test]
    fn rows_of_a_group_are_drawn_together() {
        // Four copies of each row, as one group: nothing is known better than before.
        let copies: Vec<ScoredRow> = rows()
            .iter()
            .flat_map(|own| {
                let name = format!("{}", own.row);
                (0..4).map(move |_| ScoredRow { group: Some(name.as_str().into()), ..own.clone() })
            })
            .collect();
        let (own, grouped) = (ScoreBounds::of(&rows()).unwrap(), ScoreBounds::of(&copies).unwrap());
        assert_eq!((own.units, grouped.units), (40, 40));
        assert!((own.rmse.low - grouped.rmse.low).abs() < 1e-12);
        assert!((own.coverage.high - grouped.coverage.high).abs() < 1e-12);
    }

    #[test]
    fn many_rows_keep_the_spread_of_a_mean() {
        // 20,000 errors of ±1: the mean of them is 0 ± 1.96 / sqrt(20,000).
        let mut generator = Generator::new(5, &[]);
        let many: Vec<ScoredRow> =
            (0..20_000).map(|i| row(i, None, i as f64, [-1.0, 1.0][generator.below(2)])).collect();
        let found = ScoreBounds::of(&many).unwrap();
        let width = (found.bias.high - found.bias.low) / 2.0;
        assert!((width - 1.96 / 20_000_f64.sqrt()).abs() < 0.06 * width, "{width}");
    }

    #[test]
    fn a_constant_gain_of_a_model_is_certain() {
        let worse: Vec<ScoredRow> = rows()
            .into_iter()
            .map(|own| ScoredRow {
                prediction: own.target + 2.0 * (own.prediction - own.target),
                ..own
            })
            .collect();
        let found = rmse_difference(&rows(), &worse).unwrap();
        assert!(found.high < 0.0 && found.low > -1.5, "{found:?}");
        let same = rmse_difference(&rows(), &rows()).unwrap();
        assert_eq!((same.low, same.high), (0.0, 0.0));
    }

    #[test]
    fn intervals_that_all_hold_are_not_certain() {
        // scipy.stats.binomtest(12, 12).proportion_ci(method="exact"), and of 0 of 12.
        let with = |half: f64| {
            let own = |i: usize| {
                let own = row(i, None, i as f64, 1.0);
                ScoredRow { lower: own.prediction - half, upper: own.prediction + half, ..own }
            };
            ScoreBounds::of(&(0..12).map(own).collect::<Vec<_>>()).unwrap().coverage
        };
        let (all, none) = (with(2.0), with(0.5));
        assert!((all.low - 0.735_351).abs() < 1e-6 && all.high == 1.0, "{all:?}");
        assert!(none.low == 0.0 && (none.high - 0.264_649).abs() < 1e-6, "{none:?}");
    }

    #[test]
    fn a_few_rows_have_no_bounds() {
        assert_eq!(ScoreBounds::of(&rows()[..4]), None);
    }
}
