//! Poisson counts: exact, and the same on every machine.

use crate::data::Generator;

/// From this mean on, rejection costs less than a product of uniform numbers.
const LARGE_MEAN: f64 = 10.0;

/// A Poisson number of mean `mean`, which must be finite and not negative.
pub(super) fn poisson(mean: f64, generator: &mut Generator) -> u64 {
    if mean < LARGE_MEAN { poisson_small(mean, generator) } else { poisson_large(mean, generator) }
}

/// Counts how many uniform numbers multiply to `exp(-mean)` (Knuth, 1969).
fn poisson_small(mean: f64, generator: &mut Generator) -> u64 {
    let limit = libm::exp(-mean);
    let mut product = generator.uniform();
    let mut count = 0;
    while product > limit {
        product *= generator.uniform();
        count += 1;
    }
    count
}

/// Transformed rejection with squeeze (Hörmann, 1993, algorithm PTRS), for means of ten and more.
fn poisson_large(mean: f64, generator: &mut Generator) -> u64 {
    let b = 0.931 + 2.53 * libm::sqrt(mean);
    let a = -0.059 + 0.024_83 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let sure = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = generator.uniform() - 0.5;
        let v = generator.uniform();
        let edge = 0.5 - u.abs();
        let count = ((2.0 * a / edge + b) * u + mean + 0.43).floor();
        if edge >= 0.07 && v <= sure {
            return count as u64;
        }
        if count < 0.0 || (edge < 0.013 && v > edge) {
            continue;
        }
        let hat = libm::log(v * inverse_alpha / (a / (edge * edge) + b));
        if hat <= count * libm::log(mean) - mean - libm::lgamma(count + 1.0) {
            return count as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 200_000;

    fn draws(mean: f64) -> Vec<u64> {
        let mut generator = Generator::new(19, &[mean.to_bits()]);
        (0..DRAWS).map(|_| poisson(mean, &mut generator)).collect()
    }

    #[test]
    fn counts_have_the_mean_and_variance_of_the_law() {
        for mean in [0.5, 5.0, 9.999, 10.0, 50.0, 5000.0] {
            let counts = draws(mean);
            let n = DRAWS as f64;
            let average = counts.iter().map(|&count| count as f64).sum::<f64>() / n;
            let variance =
                counts.iter().map(|&count| (count as f64 - mean).powi(2)).sum::<f64>() / n;
            // The fourth central moment is mean + 3 mean^2.
            let variance_error = ((mean + 2.0 * mean * mean) / n).sqrt();
            assert!((average - mean).abs() < 5.0 * (mean / n).sqrt(), "{mean}: {average}");
            assert!((variance - mean).abs() < 5.0 * variance_error, "{mean}: {variance}");
        }
    }

    #[test]
    fn each_count_is_as_frequent_as_the_law_says() {
        for mean in [0.5, 5.0, 12.0, 50.0] {
            let counts = draws(mean);
            let mut probability = f64::exp(-mean);
            for count in 0..100_u64 {
                let found = counts.iter().filter(|&&drawn| drawn == count).count() as f64;
                let expected = probability * DRAWS as f64;
                assert!((found - expected).abs() < 5.0 * expected.sqrt() + 3.0, "{mean}: {count}");
                probability *= mean / (count + 1) as f64;
            }
        }
    }

    #[test]
    fn mean_of_zero_gives_no_counts() {
        assert_eq!(poisson(0.0, &mut Generator::new(1, &[])), 0);
    }
}
