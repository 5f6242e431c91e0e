//! The best split by whole histograms that children inherit: boosting.

use super::exhaustive_search::Sweep;
use super::search::{Split, SplitSearch};
use super::sums::{Sums, WeightedTarget};
use super::{BinnedMatrix, Limits};

/// Histograms of a tree's columns; the larger child's is the parent's minus the smaller child's
/// (Ke et al. 2017, `LightGBM`).
pub(crate) struct HistogramSearch<'a> {
    binned: &'a BinnedMatrix,
    targets: &'a [WeightedTarget],
    limits: Limits,
    columns: Vec<usize>,
    gathered: Vec<WeightedTarget>,
    /// Histograms to use again: their allocation would cost more than the sums.
    spare: Vec<Vec<Sums>>,
}

impl<'a> HistogramSearch<'a> {
    pub(crate) fn new(
        binned: &'a BinnedMatrix,
        targets: &'a [WeightedTarget],
        limits: Limits,
        columns: Vec<usize>,
        spare: Vec<Vec<Sums>>,
    ) -> Self {
        Self { binned, targets, limits, columns, gathered: Vec::new(), spare }
    }

    /// The spare histograms, for the next tree.
    pub(crate) fn into_spare(self) -> Vec<Vec<Sums>> {
        self.spare
    }

    fn build(&mut self, rows: &[u32]) -> Vec<Sums> {
        let mut cells = self.spare.pop().unwrap_or_default();
        cells.clear();
        cells.resize(self.columns.len() * 256, Sums::default());
        self.gathered.clear();
        self.gathered.extend(rows.iter().map(|row| self.targets[*row as usize]));
        for (cells, column) in cells.chunks_exact_mut(256).zip(&self.columns) {
            let bins = self.binned.column(*column);
            for (row, target) in rows.iter().zip(&self.gathered) {
                cells[bins[*row as usize] as usize].add(*target);
            }
        }
        cells
    }
}

impl SplitSearch for HistogramSearch<'_> {
    type Memory = Vec<Sums>;

    fn begin(&mut self, rows: &[u32]) -> Vec<Sums> {
        self.build(rows)
    }

    fn divide(
        &mut self,
        mut parent: Vec<Sums>,
        left: &[u32],
        right: &[u32],
    ) -> (Vec<Sums>, Vec<Sums>) {
        let left_is_smaller = left.len() <= right.len();
        let smaller = self.build(if left_is_smaller { left } else { right });
        for (whole, part) in parent.iter_mut().zip(&smaller) {
            *whole = *whole - *part;
        }
        if left_is_smaller { (smaller, parent) } else { (parent, smaller) }
    }

    fn best(&mut self, _rows: &[u32], total: Sums, memory: &Vec<Sums>) -> Option<Split> {
        let mut sweep = Sweep::new(self.binned, self.limits, total);
        for (cells, column) in memory.chunks_exact(256).zip(&self.columns) {
            sweep.enter(*column);
            let bins = self.binned.bins(*column);
            for (bin, cell) in cells[..bins].iter().enumerate().filter(|(_, cell)| cell.rows > 0) {
                sweep.see(bin as u8, *cell);
            }
        }
        sweep.best
    }

    fn release(&mut self, memory: Vec<Sums>) {
        self.spare.push(memory);
    }
}
