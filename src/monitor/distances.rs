//! How far apart two samples of a column are: areas between distributions and differences of histograms.

/// Share that stands for an empty bin in [`population_stability`], as Evidently has it.
const EMPTY: f64 = 1e-4;

/// The Wasserstein distance of order 1 of two sorted samples, in their unit: the area between their
/// distribution functions.
#[must_use]
pub fn wasserstein(a: &[f64], b: &[f64]) -> f64 {
    let (mut area, mut i, mut j) = (0.0, 0, 0);
    let share = |done: usize, all: &[f64]| done as f64 / all.len() as f64;
    while let Some(from) = next(a, b, i, j) {
        while a.get(i) == Some(&from) {
            i += 1;
        }
        while b.get(j) == Some(&from) {
            j += 1;
        }
        let Some(to) = next(a, b, i, j) else { break };
        area += (share(i, a) - share(j, b)).abs() * (to - from);
    }
    area
}

/// The smallest value that is left in either sample.
fn next(a: &[f64], b: &[f64], i: usize, j: usize) -> Option<f64> {
    match (a.get(i), b.get(j)) {
        (Some(a), Some(b)) => Some(a.min(*b)),
        (one, other) => one.or(other).copied(),
    }
}

/// Shares of two samples in common bins.
#[derive(Clone, Debug, PartialEq)]
pub struct Histograms {
    /// Of the first sample.
    pub reference: Vec<f64>,
    /// Of the second.
    pub current: Vec<f64>,
}

impl Histograms {
    /// The shares of two sorted samples in bins of one width, whose number Sturges' rule (1926) takes from
    /// both together.
    #[must_use]
    pub fn of(reference: &[f64], current: &[f64]) -> Self {
        let ends = [reference, current].map(|own| (own.first(), own.last()));
        let low = ends.iter().filter_map(|own| own.0).copied().fold(f64::INFINITY, f64::min);
        let high = ends.iter().filter_map(|own| own.1).copied().fold(f64::NEG_INFINITY, f64::max);
        let all = (reference.len() + current.len()).max(1) as f64;
        let bins = (all.log2() + 1.0).ceil() as usize;
        let count = |sample: &[f64]| {
            let mut shares = vec![0.0; bins];
            for value in sample {
                shares[bin_of(*value, (low, high), bins)] += 1.0 / sample.len() as f64;
            }
            shares
        };
        Self { reference: count(reference), current: count(current) }
    }

    /// The population stability index, `sum (r - c) ln(r / c)`; an empty bin counts as 0.0001.
    #[must_use]
    pub fn population_stability(&self) -> f64 {
        let filled = |share: f64| if share == 0.0 { EMPTY } else { share };
        let bins = self.reference.iter().zip(&self.current);
        bins.map(|(r, c)| (filled(*r), filled(*c))).map(|(r, c)| (r - c) * (r / c).ln()).sum()
    }

    /// The Jensen-Shannon distance, the root of the divergence with natural logarithms (Endres and
    /// Schindelin, 2003): 0 for equal histograms, 0.83 for disjoint ones.
    #[must_use]
    pub fn jensen_shannon(&self) -> f64 {
        let part = |own: f64, middle: f64| if own > 0.0 { own * (own / middle).ln() } else { 0.0 };
        let bins = self.reference.iter().zip(&self.current);
        let sum: f64 = bins
            .map(|(r, c)| {
                let middle = 0.5 * (r + c);
                0.5 * (part(*r, middle) + part(*c, middle))
            })
            .sum();
        sum.max(0.0).sqrt()
    }
}

/// The bin of a value; the last one holds its upper end.
fn bin_of(value: f64, (low, high): (f64, f64), bins: usize) -> usize {
    if high <= low {
        return 0;
    }
    let edge = |bin: usize| low + (high - low) * (bin as f64 / bins as f64);
    let guess = ((value - low) / (high - low) * bins as f64) as usize;
    // A product can round across an edge: the edges themselves decide.
    let mut bin = guess.min(bins - 1);
    if value < edge(bin) {
        bin -= 1;
    } else if bin + 1 < bins && value >= edge(bin + 1) {
        bin += 1;
    }
    bin
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::vectors::{Vectors, large};

    #[test]
    fn wasserstein_equals_scipys() {
        let own = Vectors::read();
        let found = wasserstein(&own.reference, &own.current);
        assert!((found - own.number("/stats/wasserstein/raw")).abs() < 1e-12, "{found}");
        let (reference, current) = large();
        let found = wasserstein(&reference, &current);
        assert!((found - own.number("/large/wasserstein")).abs() < 1e-6, "{found}");
    }

    #[test]
    fn stability_index_and_jensen_shannon_equal_evidentlys() {
        let own = Vectors::read();
        let bins = Histograms::of(&own.reference, &own.current);
        let of = |name: &str| own.number(&format!("/evidently_legacy_functions/{name}/score"));
        assert!((bins.population_stability() - of("psi")).abs() < 1e-12);
        assert!((bins.jensen_shannon() - of("jensenshannon")).abs() < 1e-12);
    }

    #[test]
    fn equal_samples_are_at_no_distance_and_disjoint_ones_far() {
        let values = [1.0, 2.0, 2.0, 5.0];
        let bins = Histograms::of(&values, &values);
        assert_eq!(wasserstein(&values, &values), 0.0);
        assert_eq!((bins.population_stability(), bins.jensen_shannon()), (0.0, 0.0));
        let bins = Histograms::of(&[0.0, 0.1], &[9.9, 10.0]);
        assert!((bins.jensen_shannon() - 2.0_f64.ln().sqrt()).abs() < 1e-12);
        assert_eq!(wasserstein(&[1.0, 1.0], &[4.0]), 3.0);
        let constant = Histograms::of(&[3.0; 4], &[3.0; 2]);
        assert_eq!(constant.population_stability(), 0.0);
    }
}
