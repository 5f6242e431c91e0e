//! Statistics of one column, exact for huge, tiny and far-off-zero values.

/// Moments of some values. `None` where there are too few, or where they do not vary.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    /// Mean.
    pub(super) mean: Option<f64>,
    /// Standard deviation of the sample (divided by n - 1).
    pub(super) deviation: Option<f64>,
    /// Skewness of the population.
    pub(super) skewness: Option<f64>,
}

impl Moments {
    /// Moments of `sorted` values, none of which is missing.
    pub(super) fn of(sorted: &[f64]) -> Self {
        let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else {
            return Self::default();
        };
        let many = sorted.len() > 1;
        if first == last {
            // Rounding of the mean would make a deviation out of nothing.
            return Self { mean: Some(first), deviation: many.then_some(0.0), skewness: None };
        }
        let (count, scale) = (sorted.len() as f64, power_of_two(first.abs().max(last.abs())));
        let mean = sum(sorted.iter().map(|value| value / scale)) / count;
        let power = |degree: i32| {
            sum(sorted.iter().map(|value| (value / scale - mean).powi(degree))) / count
        };
        let (second, third) = (power(2), power(3));
        Self {
            mean: Some(mean * scale),
            deviation: Some((second * count / (count - 1.0)).sqrt() * scale),
            skewness: Some(third / second.powf(1.5)).filter(|skewness| skewness.is_finite()),
        }
    }
}

/// The quantile of `sorted` values at `share` in `[0, 1]`, by linear interpolation (Hyndman and Fan
/// 1996, type 7).
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * (sorted.len().checked_sub(1)? as f64);
    let (low, part) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    // Written so that the difference of two huge values is never formed.
    Some(if part == 0.0 { sorted[low] } else { sorted[low] * (1.0 - part) + sorted[high] * part })
}

/// The median of `values`, the mean of the two middle ones of an even number; the values are reordered.
#[must_use]
pub fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let (half, is_even) = (values.len() / 2, values.len().is_multiple_of(2));
    let (below, upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    if !is_even {
        return Some(*upper);
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(0.5 * lower + 0.5 * *upper)
}

/// The values that are there, from the smallest to the largest.
pub(super) fn sorted(values: &[f64]) -> Vec<f64> {
    // Adding zero makes -0 and 0 one value.
    let mut present: Vec<f64> =
        values.iter().filter(|value| !value.is_nan()).map(|value| value + 0.0).collect();
    present.sort_unstable_by(f64::total_cmp);
    present
}

/// The number of different values among `sorted` ones.
pub(super) fn distinct(sorted: &[f64]) -> usize {
    sorted.chunk_by(|a, b| a == b).count()
}

/// A power of two near `magnitude`, by which values are divided without rounding.
pub(super) fn power_of_two(magnitude: f64) -> f64 {
    if magnitude == 0.0 { 1.0 } else { magnitude.log2().floor().clamp(-1000.0, 1000.0).exp2() }
}

/// A sum whose rounding does not grow with its length (Neumaier 1974).
pub(super) fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0);
    for term in terms {
        let next = total + term;
        lost += if total.abs() >= term.abs() { total - next + term } else { term - next + total };
        total = next;
    }
    total + lost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() <= 1e-10 * expected.abs(), "{found}, not {expected}");
    }

    #[test]
    fn moments_and_quartiles_are_those_of_numpy_and_scipy() {
        let values = sorted(&[3.5, f64::NAN, -1.0, 2.0, 2.0, 10.0, 0.25]);
        let moments = Moments::of(&values);
        assert_close(moments.mean, 2.791_666_666_666_666_5);
        assert_close(moments.deviation, 3.861_400_868_424_135_4);
        assert_close(moments.skewness, 1.152_912_179_381_661_2);
        assert_close(quantile(&values, 0.25), 0.6875);
        assert_close(quantile(&values, 0.5), 2.0);
        assert_close(quantile(&values, 0.75), 3.125);
        assert_eq!(distinct(&values), 5);
    }

    #[test]
    fn huge_values_and_time_stamps_keep_their_digits() {
        let huge = Moments::of(&[1e300, 2e300, 4e300]);
        assert_close(huge.mean, 7e300 / 3.0);
        assert_close(huge.deviation, 1.527_525_231_651_946_5e300);
        assert_close(huge.skewness, 0.381_801_774_160_605_9);
        let stamps: Vec<f64> = (0..1000).map(|second| 1.7e9 + f64::from(second)).collect();
        assert_close(Moments::of(&stamps).deviation, (1000.0 * 1001.0 / 12.0_f64).sqrt());
        assert!(Moments::of(&stamps).skewness.unwrap().abs() < 1e-10);
        assert_close(quantile(&[-1.7e308, 1.7e308], 0.25), -8.5e307);
    }

    #[test]
    fn values_that_do_not_vary_have_no_spread_and_no_skewness() {
        let constant = Moments::of(&[0.1; 7]);
        assert_eq!(constant, Moments { mean: Some(0.1), deviation: Some(0.0), skewness: None });
        assert_eq!(Moments::of(&[]), Moments::default());
        assert_eq!(Moments::of(&[2.0]).deviation, None);
        assert_eq!((quantile(&[], 0.5), quantile(&[2.0], 0.9)), (None, Some(2.0)));
    }
}
