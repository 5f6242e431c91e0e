//! Blocks that compare the columns of a row, wherever the detectors stand.

use serde::{Deserialize, Serialize};

use super::Columns;
use crate::features::Layout;

/// Columns that are compared pair by pair at most.
const MOST_COMPARED: usize = 15;

/// The cleaned columns themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Raw {}

/// `total`: the sum of the detectors, or of all columns without an array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Total {
    pub(crate) columns: Vec<usize>,
}

/// Mean, population standard deviation, largest and smallest value of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) columns: Vec<usize>,
}

/// `share(x)`: x over the sum of the absolute values; 0 where that is 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shares {
    pub(crate) columns: Vec<usize>,
}

/// `a/b`: the bounded ratio `a / (|a| + |b|)` of the sums of two sets of columns, which exists for
/// b = 0 as well; 1/2 where a = b > 0 and 0 where both are 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratios {
    pub(crate) sides: Vec<(String, Vec<usize>)>,
}

impl Ratios {
    /// Rings against each other; without rings each column against each, the first fifteen.
    pub(super) fn new(layout: &Layout) -> Self {
        if layout.rings.is_empty() {
            let columns = layout.detectors().into_iter().take(MOST_COMPARED);
            return Self { sides: columns.map(|column| (String::new(), vec![column])).collect() };
        }
        let ring =
            |(index, ring): (usize, &Vec<usize>)| (format!("ring{}", index + 1), ring.clone());
        Self { sides: layout.rings.iter().enumerate().map(ring).collect() }
    }

    /// The two sides of each ratio.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let count = self.sides.len();
        (0..count).flat_map(move |a| (a + 1..count).map(move |b| (a, b)))
    }
}

fn picked<'a>(columns: &'a [usize], row: &'a [f64]) -> impl ExactSizeIterator<Item = f64> + 'a {
    columns.iter().map(|column| row[*column])
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

impl Columns for Raw {
    fn names(&self, raw: &[String]) -> Vec<String> {
        raw.to_vec()
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        values.extend_from_slice(row);
    }
}

impl Columns for Total {
    fn names(&self, _: &[String]) -> Vec<String> {
        vec!["total".to_owned()]
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        values.push(picked(&self.columns, row).sum());
    }
}

impl Columns for Summary {
    fn names(&self, _: &[String]) -> Vec<String> {
        ["mean", "deviation", "largest", "smallest"].map(str::to_owned).to_vec()
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        let columns = || picked(&self.columns, row);
        let count = columns().len().max(1) as f64;
        let largest = columns().fold(f64::NEG_INFINITY, f64::max);
        let smallest = columns().fold(f64::INFINITY, f64::min);
        let mean = columns().map(|value| value / count).sum::<f64>();
        // Over the largest deviation: squares of huge or tiny numbers leave the number range.
        let farthest = (largest - mean).max(mean - smallest);
        let squares = columns().map(|value| ((value - mean) / farthest).powi(2)).sum::<f64>();
        let deviation = if farthest > 0.0 { farthest * (squares / count).sqrt() } else { 0.0 };
        // Nothing is at twice the largest number.
        let deviation = if farthest.is_finite() { deviation } else { f64::MAX };
        values.extend([mean, deviation, largest, smallest]);
    }
}

impl Columns for Shares {
    fn names(&self, raw: &[String]) -> Vec<String> {
        self.columns.iter().map(|column| format!("share({})", raw[*column])).collect()
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        let whole = picked(&self.columns, row).map(f64::abs).sum();
        values.extend(picked(&self.columns, row).map(|part| share(part, whole)));
    }
}

impl Columns for Ratios {
    fn names(&self, raw: &[String]) -> Vec<String> {
        let name = |side: usize| match &self.sides[side] {
            (name, columns) if name.is_empty() => raw[columns[0]].clone(),
            (name, _) => name.clone(),
        };
        self.pairs().map(|(a, b)| format!("{}/{}", name(a), name(b))).collect()
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        let sum = |side: usize| picked(&self.sides[side].1, row).sum::<f64>();
        values.extend(self.pairs().map(|(a, b)| {
            let (a, b) = (sum(a), sum(b));
            share(a, a.abs() + b.abs())
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::blocks::columns_of as columns;

    #[test]
    fn totals_summaries_and_shares_are_those_of_the_row() {
        let row = [1.0, 4.0, 5.0, 10.0];
        let all = vec![0, 1, 2, 3];
        assert_eq!(columns(&Total { columns: all.clone() }, &row), [20.0]);
        assert_eq!(columns(&Shares { columns: all.clone() }, &row), [0.05, 0.2, 0.25, 0.5]);
        // numpy.std([1, 4, 5, 10]) = 3.24037...
        let summary = columns(&Summary { columns: all }, &row);
        assert!((summary[1] - 10.5_f64.sqrt()).abs() < 1e-12);
        assert_eq!([summary[0], summary[2], summary[3]], [5.0, 10.0, 1.0]);
    }

    #[test]
    fn ratios_are_named_and_bounded() {
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let ratios = Ratios::new(&Layout::plain(3));
        assert_eq!(ratios.names(&names), ["a/b", "a/c", "b/c"]);
        assert_eq!(columns(&ratios, &[3.0, 1.0, 0.0]), [0.75, 1.0, 1.0]);
        assert_eq!(columns(&ratios, &[0.0, 0.0, 0.0]), [0.0; 3]);
        let mut layout = Layout::plain(3);
        layout.rings = vec![vec![0, 1], vec![2]];
        let rings = Ratios::new(&layout);
        assert_eq!(rings.names(&names), ["ring1/ring2"]);
        assert_eq!(columns(&rings, &[1.0, 2.0, 1.0]), [0.75]);
    }
}
