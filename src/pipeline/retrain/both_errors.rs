//! The errors of champion and challenger on the same rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Errors of both on the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BothErrors {
    /// Rows.
    pub rows: usize,
    /// Root mean squared error of the champion, in the target's unit.
    pub champion: f64,
    /// Root mean squared error of the challenger, in the target's unit.
    pub challenger: f64,
    /// One-sided p of the paired t test that the challenger's squared errors are larger, each container by its mean: rows
    /// of one err alike.
    pub p_worse: f64,
}

/// The squared errors of champion and challenger in a row, and the container of the row.
pub(super) type BothSquares = (f64, f64, String);

impl BothErrors {
    pub(super) fn of(squares: &[BothSquares]) -> Self {
        let rows = squares.len().max(1) as f64;
        let mean = |pick: fn(&BothSquares) -> f64| squares.iter().map(pick).sum::<f64>() / rows;
        let mut containers: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for (champion, challenger, container) in squares {
            let (sum, count) = containers.entry(container).or_default();
            (*sum, *count) = (*sum + challenger - champion, *count + 1.0);
        }
        let differences: Vec<f64> = containers.values().map(|(sum, count)| sum / count).collect();
        let count = differences.len().max(1) as f64;
        let difference = differences.iter().sum::<f64>() / count;
        let spread = differences.iter().map(|own| (own - difference).powi(2)).sum::<f64>();
        let error = (spread / (count - 1.0).max(1.0) / count).sqrt();
        let test = StudentsT::new(0.0, 1.0, (count - 1.0).max(1.0));
        let p_worse = match test {
            Ok(test) if error > 0.0 => test.sf(difference / error),
            _ if difference > 0.0 => 0.0,
            _ => 1.0,
        };
        let (champion, challenger) = (mean(|own| own.0).sqrt(), mean(|own| own.1).sqrt());
        Self { rows: squares.len(), champion, challenger, p_worse }
    }
}

/// What stands for the container of a row that names none.
pub(super) fn alone(row: usize) -> String {
    format!("row {row}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_container_are_one_witness() {
        let means = [(1.0, 2.0), (1.5, 1.0), (2.0, 4.0), (2.5, 3.0), (3.0, 6.0)];
        let of = |copies: usize| {
            let rows = means.iter().enumerate();
            let rows = rows.flat_map(|(row, own)| vec![(own.0, own.1, alone(row)); copies]);
            BothErrors::of(&rows.collect::<Vec<_>>())
        };
        let (once, often) = (of(1), of(20));
        assert!((once.p_worse - often.p_worse).abs() < 1e-12 && often.rows == 100);
    }
}
