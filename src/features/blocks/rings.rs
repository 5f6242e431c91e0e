//! Blocks that know how detectors stand in rings.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::Columns;

/// `ringR.rankK`: the signals of each ring, largest first. Turning the container by one place of
/// the ring changes none of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sorted {
    pub(crate) rings: Vec<Vec<usize>>,
}

/// `ringR.sum`: the sum of each ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RingSums {
    pub(crate) rings: Vec<Vec<usize>>,
}

/// `ringR.asymmetry`: the size of the first harmonic over the angle, `|sum x_k exp(2 pi i k / n)|`,
/// over the sum of the absolute signals: 0 for a source on the axis, 1 where one detector sees all.
/// Turning the container by any number of places does not change it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RingAsymmetries {
    pub(crate) rings: Vec<Vec<usize>>,
}

fn named(rings: &[Vec<usize>], quantity: &str) -> Vec<String> {
    (1..=rings.len()).map(|ring| format!("ring{ring}.{quantity}")).collect()
}

impl Columns for Sorted {
    fn names(&self, _: &[String]) -> Vec<String> {
        let rings = self.rings.iter().enumerate();
        let ranks = |(ring, columns): (usize, &Vec<usize>)| {
            let name = move |rank| format!("ring{}.rank{rank}", ring + 1);
            (1..=columns.len()).map(name).collect::<Vec<_>>()
        };
        rings.flat_map(ranks).collect()
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        for ring in &self.rings {
            let start = values.len();
            values.extend(ring.iter().map(|column| row[*column]));
            values[start..].sort_by(|a, b| b.total_cmp(a));
        }
    }
}

impl Columns for RingSums {
    fn names(&self, _: &[String]) -> Vec<String> {
        named(&self.rings, "sum")
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        let sum = |ring: &Vec<usize>| ring.iter().map(|column| row[*column]).sum::<f64>();
        values.extend(self.rings.iter().map(sum));
    }
}

impl Columns for RingAsymmetries {
    fn names(&self, _: &[String]) -> Vec<String> {
        named(&self.rings, "asymmetry")
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        values.extend(self.rings.iter().map(|ring| asymmetry(ring, row)));
    }
}

fn asymmetry(ring: &[usize], row: &[f64]) -> f64 {
    let (mut along, mut across, mut whole) = (0.0, 0.0, 0.0);
    for (place, column) in ring.iter().enumerate() {
        let (sine, cosine) = libm::sincos(TAU * place as f64 / ring.len() as f64);
        along += row[*column] * cosine;
        across += row[*column] * sine;
        whole += row[*column].abs();
    }
    if whole > 0.0 { libm::hypot(along, across) / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::blocks::columns_of as columns;

    #[test]
    fn turning_the_container_changes_no_ring_feature() {
        let rings = vec![vec![0, 1, 2, 3, 4]];
        let blocks: [&dyn Columns; 3] = [
            &Sorted { rings: rings.clone() },
            &RingSums { rings: rings.clone() },
            &RingAsymmetries { rings },
        ];
        let mut row = vec![7.0, 1.0, 3.0, 2.0, 9.0];
        for block in blocks {
            let before = columns(block, &row);
            row.rotate_left(2);
            for (a, b) in before.iter().zip(columns(block, &row)) {
                assert!((a - b).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn asymmetry_is_zero_for_a_uniform_ring_and_one_for_a_single_signal() {
        let block = RingAsymmetries { rings: vec![vec![0, 1, 2], vec![3, 4, 5], vec![6, 7]] };
        let values = columns(&block, &[2.0, 2.0, 2.0, 0.0, 5.0, 0.0, 0.0, 0.0]);
        assert!(values[0].abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-12 && values[2] == 0.0);
        // |3 + exp(2 pi i / 3) + exp(4 pi i / 3)| / 5 = 2 / 5.
        assert!((columns(&block, &[3.0, 1.0, 1.0, 0., 0., 0., 0., 0.])[0] - 0.4).abs() < 1e-12);
    }

    #[test]
    fn names_count_from_one() {
        let block = Sorted { rings: vec![vec![4, 5], vec![6]] };
        assert_eq!(block.names(&[]), ["ring1.rank1", "ring1.rank2", "ring2.rank1"]);
    }
}
