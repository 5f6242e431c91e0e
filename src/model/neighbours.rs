//! The mean target of the nearest known rows.

use super::{InputMap, Regressor};

/// k nearest neighbours, each weighing the inverse of its distance (Dudani, 1976).
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    /// From features to the units of distance.
    pub inputs: InputMap,
    /// Known rows in these units, row-major.
    pub points: Vec<f32>,
    /// Their targets.
    pub targets: Vec<f64>,
    /// Their weights.
    pub weights: Vec<f64>,
    /// How many are asked.
    pub count: usize,
}

impl Neighbours {
    /// Whether every part is of the size that the others need, for rows of `columns` features.
    #[must_use]
    pub fn is_consistent(&self, columns: usize) -> bool {
        self.inputs.is_consistent(columns)
            && self.points.len() == self.targets.len() * columns
            && self.weights.len() == self.targets.len()
            && (1..=self.targets.len()).contains(&self.count)
    }

    /// Squared distance and position of the `count` points nearest to `x`, of those that `counts`.
    #[must_use]
    pub fn nearest(
        &self,
        x: &[f32],
        count: usize,
        counts: impl Fn(usize) -> bool,
    ) -> Vec<(f64, usize)> {
        let points = self.points.chunks_exact(x.len().max(1)).enumerate();
        let distance = |(index, point): (usize, &[f32])| {
            // In double precision squares are exact, so that rows as far as each other are so whoever adds up.
            let square = |(x, z): (&f32, &f32)| f64::from(x - z) * f64::from(x - z);
            (x.iter().zip(point).map(square).sum::<f64>(), index)
        };
        let mut all: Vec<(f64, usize)> =
            points.filter(|(index, _)| counts(*index)).map(distance).collect();
        let count = count.min(all.len());
        if count < all.len() {
            all.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            all.truncate(count);
        }
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        all
    }

    /// The weighted mean target of neighbours as [`Self::nearest`] gives them.
    #[must_use]
    pub fn mean(&self, neighbours: &[(f64, usize)]) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for (squared, index) in neighbours {
            let weight = self.weights[*index] / (squared.sqrt() + 1e-6);
            sum += weight * self.targets[*index];
            total += weight;
        }
        if total > 0.0 { sum / total } else { 0.0 }
    }
}

impl Regressor for Neighbours {
    fn predict(&self, row: &[f32]) -> f64 {
        let mut x = Vec::with_capacity(row.len());
        self.inputs.scale(row, &mut x);
        self.mean(&self.nearest(&x, self.count, |_| true))
    }
}
