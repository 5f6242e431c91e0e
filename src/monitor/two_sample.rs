//! The two-sample test of Kolmogorov and Smirnov.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Discrete, Hypergeometric};
use statrs::statistics::{Max, Min};
use statrs::stats_tests::{
    NaNPolicy,
    ks_test::{
        KSTwoSampleAlternativeMethod::{
            self, GreaterAsymptotic, LessAsymptotic, TwoSidedAsymptotic, TwoSidedExact,
        },
        ks_twosample,
    },
};

/// Products of the sample sizes up to which the probability is exact.
const EXACT: usize = 10_000;

/// Scaled differences below which Kolmogorov's limit is 1 to within 1e-12. The library's sum for it has
/// ever more terms towards 0, and no end at 0.
const NO_DIFFERENCE: f64 = 0.2;

/// What the test says of two samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TwoSampleTest {
    /// The largest difference of the distribution functions.
    pub statistic: f64,
    /// Probability of a difference as large between samples of one distribution: exact for small samples
    /// (Schröer and Trenkler, 1995), Kolmogorov's limit for large ones.
    pub p_value: f64,
}

impl TwoSampleTest {
    /// Compares two shares, each as so many of how many, by Fisher's exact test, two-sided: all tables with the same sums
    /// that are no likelier than this one. The statistic is the difference of the shares. `None` where one is of nothing.
    #[must_use]
    pub fn of_shares(a: (usize, usize), b: (usize, usize)) -> Option<Self> {
        let share = |(some, all): (usize, usize)| some as f64 / all as f64;
        if a.1 == 0 || b.1 == 0 {
            return None;
        }
        let (some, all) = ((a.0 + b.0) as u64, (a.1 + b.1) as u64);
        let law = Hypergeometric::new(all, some, a.1 as u64).ok()?;
        let own = law.ln_pmf(a.0 as u64) + 1e-7;
        let likely = (law.min()..=law.max()).map(|count| law.ln_pmf(count));
        let p_value = likely.filter(|other| *other <= own).map(f64::exp).sum::<f64>().min(1.0);
        Some(Self { statistic: (share(a) - share(b)).abs(), p_value })
    }

    /// Compares two samples without missing values; `None` where one is empty.
    #[must_use]
    pub fn of(a: &[f64], b: &[f64]) -> Option<Self> {
        let exact = a.len() * b.len() <= EXACT;
        let run = |method: KSTwoSampleAlternativeMethod| {
            ks_twosample(a.to_vec(), b.to_vec(), method, NaNPolicy::Error).ok()
        };
        if !exact {
            let statistic = run(LessAsymptotic)?.0.max(run(GreaterAsymptotic)?.0);
            let (a, b) = (a.len() as f64, b.len() as f64);
            if statistic * (a * b / (a + b)).sqrt() < NO_DIFFERENCE {
                return Some(Self { statistic, p_value: 1.0 });
            }
        }
        let found = run(if exact { TwoSidedExact } else { TwoSidedAsymptotic })?;
        // The limit's alternating sum ends a rounding error beyond 1 where the samples hardly differ.
        Some(Self { statistic: found.0, p_value: found.1.clamp(0.0, 1.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::vectors::{Vectors, large};

    #[test]
    fn statistic_and_probability_equal_scipys() {
        let own = Vectors::read();
        let small = TwoSampleTest::of(&own.reference, &own.current).unwrap();
        assert!((small.statistic - own.number("/stats/ks/statistic")).abs() < 1e-12);
        assert!((small.p_value - own.number("/stats/ks/pvalue_exact")).abs() < 1e-9);
        let (reference, current) = large();
        let large = TwoSampleTest::of(&reference, &current).unwrap();
        assert!((large.statistic - own.number("/large/ks")).abs() < 1e-12);
        assert!((large.p_value - own.number("/large/ks_p")).abs() < 1e-6, "{}", large.p_value);
    }

    #[test]
    fn shares_are_compared_as_scipy_does() {
        // scipy.stats.fisher_exact([[8, 192], [25, 175]]).pvalue and of [[1, 9], [11, 3]], [[0, 100], [0, 50]]
        let p = |a, b| TwoSampleTest::of_shares(a, b).unwrap().p_value;
        assert!((p((8, 200), (25, 200)) - 0.003_094_837_791_342_347_6).abs() < 1e-9);
        assert!((p((1, 10), (11, 14)) - 0.002_759_456_185_220_083).abs() < 1e-12);
        assert!((p((0, 100), (0, 50)) - 1.0).abs() < 1e-12);
        assert!(TwoSampleTest::of_shares((0, 0), (1, 2)).is_none());
        let gone = TwoSampleTest::of_shares((100, 2000), (200, 200)).unwrap();
        assert!(gone.p_value < 1e-100 && (gone.statistic - 0.95).abs() < 1e-12);
    }

    #[test]
    fn equal_samples_have_probability_one_and_empty_ones_none() {
        let values: Vec<f64> = (0..400).map(f64::from).collect();
        assert_eq!(TwoSampleTest::of(&values, &values).unwrap().p_value, 1.0);
        assert!(TwoSampleTest::of(&values, &[]).is_none());
    }
}
