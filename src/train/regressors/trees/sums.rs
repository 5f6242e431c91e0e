//! The sums over a set of rows that a squared-loss split needs.

use std::ops::{AddAssign, Sub};

/// One row's share: its weight and its weight times its target.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WeightedTarget {
    pub(crate) target: f64,
    pub(crate) weight: f64,
}

impl WeightedTarget {
    pub(crate) fn new(target: f64, weight: f64) -> Self {
        Self { target: target * weight, weight }
    }
}

/// Sums of weighted targets and weights, and the number of rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) target: f64,
    pub(crate) weight: f64,
    pub(crate) rows: u32,
}

impl Sums {
    pub(crate) fn add(&mut self, row: WeightedTarget) {
        self.target += row.target;
        self.weight += row.weight;
        self.rows += 1;
    }

    /// The best constant under an L2 penalty: `sum / (weight + l2)`.
    pub(crate) fn value(&self, l2: f64) -> f64 {
        let weight = self.weight + l2;
        if weight > 0.0 { self.target / weight } else { 0.0 }
    }

    /// By how much the best constant lowers the loss: `sum^2 / (weight + l2)`.
    pub(crate) fn score(&self, l2: f64) -> f64 {
        self.target * self.value(l2)
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.target += other.target;
        self.weight += other.weight;
        self.rows += other.rows;
    }
}

impl Sub for Sums {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            target: self.target - other.target,
            weight: self.weight - other.weight,
            rows: self.rows - other.rows,
        }
    }
}
