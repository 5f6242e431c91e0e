//! One row of the table: a count of the drum with its noise and dead time.

use super::array::{DETECTORS, DetectorArray};
use super::poisson::poisson;
use crate::data::Generator;

/// Counting time, s.
pub(super) const COUNTING_TIME: f64 = 600.0;
/// Relative spread of the common gain between rows.
const GAIN_SPREAD: f64 = 0.01;
/// Relative spread of each detector's background between rows.
const BACKGROUND_VARIATION: f64 = 0.05;
/// Counts of the whole spectrum for each count in the peak.
const SPECTRUM_TO_PEAK: f64 = 8.0;
/// Time for which a detector is blind after a count, s.
const DEAD_TIME: f64 = 5e-6;

/// Counts in each detector, in column order, where `signals` are the peak rates of the drum in
/// counts/s: Poisson with mean `r live(r) T`, `r = gain signal + background`.
pub(super) fn count(
    signals: &[f64; DETECTORS],
    array: &DetectorArray,
    generator: &mut Generator,
) -> [u64; DETECTORS] {
    let gain = 1.0 + GAIN_SPREAD * generator.normal();
    std::array::from_fn(|index| {
        let variation = 1.0 + BACKGROUND_VARIATION * generator.normal();
        let rate = gain * signals[index] + array.detectors[index].background * variation;
        // Spreads of a few percent: a draw below zero is out of reach, and would count as zero.
        poisson(recorded_rate(rate.max(0.0)) * COUNTING_TIME, generator)
    })
}

/// The rate that a detector records at a true peak rate of `rate` counts/s, because the whole
/// spectrum keeps it busy (non-paralysable): `r / (1 + kappa r tau)`.
fn recorded_rate(rate: f64) -> f64 {
    rate / (1.0 + SPECTRUM_TO_PEAK * rate * DEAD_TIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_time_halves_25000_counts_per_second() {
        // kappa r tau = 8 * 25000 * 5e-6 = 1.
        assert!((recorded_rate(25_000.0) - 12_500.0).abs() < 1e-9);
        assert!((recorded_rate(100.0) - 100.0 / 1.004).abs() < 1e-12);
        assert!(recorded_rate(1e12) < 25_000.0);
    }

    #[test]
    fn repeats_scatter_about_the_recorded_rate_by_the_stated_noise() {
        let array = DetectorArray::nominal();
        let rows: Vec<[u64; DETECTORS]> = (0..2000)
            .map(|row| count(&[500.0; DETECTORS], &array, &mut Generator::new(1, &[row])))
            .collect();
        let live = 1.0_f64 / (1.0 + 8.0 * 506.0 * 5e-6);
        let expected = 506.0 * live * 600.0;
        // Gain 1 % of 500, background 5 % of 6, both damped by live^2, and the Poisson noise.
        let systematic = (5.0_f64.powi(2) + 0.3_f64.powi(2)) * (600.0 * live * live).powi(2);
        let variance = systematic + expected;
        for index in 0..DETECTORS {
            let values = rows.iter().map(|row| row[index] as f64);
            let mean = values.clone().sum::<f64>() / 2000.0;
            let scatter = values.map(|value| (value - expected).powi(2)).sum::<f64>() / 2000.0;
            assert!((mean - expected).abs() < 5.0 * (variance / 2000.0).sqrt(), "{mean}");
            assert!(
                (scatter / variance - 1.0).abs() < 5.0 * (2.0_f64 / 2000.0).sqrt(),
                "{scatter}"
            );
        }
    }

    #[test]
    fn gain_is_common_to_all_detectors_of_a_row() {
        let array = DetectorArray::nominal();
        let counts = count(&[20_000.0; DETECTORS], &array, &mut Generator::new(9, &[1]));
        let mean = counts.iter().sum::<u64>() as f64 / 15.0;
        // The Poisson noise alone is 0.04 %, a gain of its own in each detector would be 0.6 %.
        assert!(counts.iter().all(|&n| (n as f64 / mean - 1.0).abs() < 0.002), "{counts:?}");
    }
}
