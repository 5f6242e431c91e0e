//! The two-sample test of Kolmogorov and Smirnov.

use serde::{Deserialize, Serialize};
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
    fn equal_samples_have_probability_one_and_empty_ones_none() {
        let values: Vec<f64> = (0..400).map(f64::from).collect();
        assert_eq!(TwoSampleTest::of(&values, &values).unwrap().p_value, 1.0);
        assert!(TwoSampleTest::of(&values, &[]).is_none());
    }
}
