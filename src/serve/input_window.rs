//! Where the newest rows lie beside those of the training.

use crate::model::Reference;

/// Rows after which an old one counts `1 / e` of a new one.
const MEMORY: f64 = 500.0;

/// Standard deviations from the training's mean that a value counts as at most.
const FURTHEST: f64 = 1000.0;

/// Running means of inputs and predictions: plain at first, then fading with a memory of 500 rows.
#[derive(Clone, Debug)]
pub(super) struct InputWindow {
    /// Mean and standard deviation of each column in training; the predictions stand last.
    training: Vec<(f64, f64)>,
    means: Vec<f64>,
    counts: Vec<f64>,
}

impl InputWindow {
    /// Nothing seen yet, beside the rows of `reference`.
    pub(super) fn new(reference: &Reference) -> Self {
        let columns = (0..reference.columns).map(|column| moments(reference.column(column)));
        let training: Vec<(f64, f64)> =
            columns.chain([moments(reference.predictions.iter().copied())]).collect();
        let (means, counts) = (vec![0.0; training.len()], vec![0.0; training.len()]);
        Self { training, means, counts }
    }

    /// Adds a raw row and its prediction; a missing value changes nothing.
    pub(super) fn add(&mut self, row: &[f64], prediction: f64) {
        let values = row.iter().copied().chain([prediction]).enumerate();
        for (place, value) in values.filter(|(_, value)| !value.is_nan()) {
            self.counts[place] += 1.0;
            let share = (1.0 / self.counts[place]).max(1.0 / MEMORY);
            self.means[place] += share * (self.bounded(place, value) - self.means[place]);
        }
    }

    /// A value no further from the training than one wild row may pull a mean.
    fn bounded(&self, place: usize, value: f64) -> f64 {
        let (mean, deviation) = self.training[place];
        let most = FURTHEST * if deviation > 0.0 { deviation } else { mean.abs().max(1.0) };
        value.clamp(mean - most, mean + most)
    }

    /// Whether no row was seen.
    pub(super) fn is_empty(&self) -> bool {
        self.counts.last().is_none_or(|count| *count == 0.0)
    }

    /// Mean of a column.
    pub(super) fn mean(&self, place: usize) -> f64 {
        self.means[place]
    }

    /// Distance of a column's mean from that of the training, in standard deviations of the training.
    pub(super) fn shift(&self, place: usize) -> f64 {
        let (mean, deviation) = self.training[place];
        let distance = self.means[place] - mean;
        if deviation > 0.0 { distance / deviation } else { distance }
    }

    /// The same of the predictions.
    pub(super) fn prediction_shift(&self) -> f64 {
        self.shift(self.training.len() - 1)
    }
}

/// Mean and standard deviation of what is not missing.
fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    let count = known.len().max(1) as f64;
    let mean = known.iter().sum::<f64>() / count;
    let variance = known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> InputWindow {
        InputWindow::new(&Reference {
            columns: 2,
            inputs: vec![1.0, f64::NAN, 3.0, 5.0],
            predictions: vec![10.0, 14.0],
            targets: vec![11.0, 13.0],
            ..Reference::default()
        })
    }

    #[test]
    fn shifts_are_in_standard_deviations_of_the_training() {
        let mut window = window();
        assert!(window.is_empty());
        window.add(&[4.0, 6.0], 16.0);
        window.add(&[6.0, f64::NAN], 20.0);
        assert_eq!((window.mean(0), window.shift(0)), (5.0, 3.0));
        // One known value in training: no deviation to divide by.
        assert_eq!((window.mean(1), window.shift(1)), (6.0, 1.0));
        assert_eq!(window.prediction_shift(), 3.0);
    }

    #[test]
    fn wild_rows_do_not_spoil_the_means() {
        let mut window = window();
        for value in [1e308, -1e308, 1e308, f64::MAX] {
            window.add(&[value, value], value);
        }
        assert!(window.shift(0).abs() <= FURTHEST && window.prediction_shift().is_finite());
    }

    #[test]
    fn old_rows_fade_as_an_exponential() {
        let mut window = window();
        (0..2000).for_each(|_| window.add(&[0.0, 0.0], 0.0));
        (0..500).for_each(|_| window.add(&[1.0, 1.0], 1.0));
        let expected = 1.0 - (1.0 - 1.0 / MEMORY).powi(500);
        assert!((window.mean(0) - expected).abs() < 1e-12, "{}", window.mean(0));
    }
}
