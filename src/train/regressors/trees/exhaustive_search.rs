//! The best split over all bins of randomly drawn columns: trees and random forests.

use super::columns::ColumnDraw;
use super::search::{Split, SplitSearch};
use super::sums::{Sums, WeightedTarget};
use super::{BinnedMatrix, Limits};
use crate::data::Generator;

/// Every cut between neighbouring bins of the node, of a fraction of the columns (Breiman 2001).
pub(crate) struct ExhaustiveSearch<'a> {
    binned: &'a BinnedMatrix,
    targets: &'a [WeightedTarget],
    limits: Limits,
    columns: ColumnDraw,
    histogram: SparseHistogram,
    gathered: Vec<WeightedTarget>,
}

/// A histogram that knows its occupied bins, so that a node of few rows costs little.
struct SparseHistogram {
    cells: Vec<Sums>,
    occupied: [u64; 4],
}

impl<'a> ExhaustiveSearch<'a> {
    pub(crate) fn new(
        binned: &'a BinnedMatrix,
        targets: &'a [WeightedTarget],
        limits: Limits,
        fraction: f64,
        generator: Generator,
    ) -> Self {
        let columns = ColumnDraw::new(generator, binned.columns(), fraction);
        let histogram = SparseHistogram { cells: vec![Sums::default(); 256], occupied: [0; 4] };
        Self { binned, targets, limits, columns, histogram, gathered: Vec::new() }
    }
}

impl SplitSearch for ExhaustiveSearch<'_> {
    type Memory = ();

    fn best(&mut self, rows: &[u32], total: Sums, (): &()) -> Option<Split> {
        let Self { binned, targets, limits, columns, histogram, gathered } = self;
        gathered.clear();
        gathered.extend(rows.iter().map(|row| targets[*row as usize]));
        let mut sweep = Sweep::new(binned, *limits, total);
        columns.visit(|column, _| {
            histogram.fill(binned.column(column), rows, gathered);
            sweep.enter(column);
            histogram.drain(|bin, cell| sweep.see(bin, cell));
            sweep.bins_seen > 1
        });
        sweep.best
    }
}

impl SparseHistogram {
    fn fill(&mut self, bins: &[u8], rows: &[u32], targets: &[WeightedTarget]) {
        for (row, target) in rows.iter().zip(targets) {
            let bin = bins[*row as usize];
            self.cells[bin as usize].add(*target);
            self.occupied[(bin >> 6) as usize] |= 1 << (bin & 63);
        }
    }

    /// Gives each occupied bin to `visit`, in order, and empties it.
    fn drain(&mut self, mut visit: impl FnMut(u8, Sums)) {
        for (word, bits) in self.occupied.iter_mut().enumerate() {
            while *bits != 0 {
                let bin = word as u8 * 64 + bits.trailing_zeros() as u8;
                *bits &= *bits - 1;
                visit(bin, std::mem::take(&mut self.cells[bin as usize]));
            }
        }
    }
}

/// A walk over the occupied bins of columns that remembers the best cut.
pub(crate) struct Sweep<'a> {
    binned: &'a BinnedMatrix,
    limits: Limits,
    total: Sums,
    least: f64,
    column: usize,
    left: Sums,
    last_bin: u8,
    pub(crate) bins_seen: usize,
    pub(crate) best: Option<Split>,
}

impl<'a> Sweep<'a> {
    pub(crate) fn new(binned: &'a BinnedMatrix, limits: Limits, total: Sums) -> Self {
        let left = Sums::default();
        let least = least_score(&limits, total);
        Self {
            binned,
            limits,
            total,
            least,
            column: 0,
            left,
            last_bin: 0,
            bins_seen: 0,
            best: None,
        }
    }

    /// Starts with the bins of `column`.
    pub(crate) fn enter(&mut self, column: usize) {
        self.column = column;
        self.left = Sums::default();
        self.bins_seen = 0;
    }

    /// Judges the cut before the occupied bin `bin`, then takes the bin to the left.
    pub(crate) fn see(&mut self, bin: u8, cell: Sums) {
        if self.bins_seen > 0 && self.left.rows as usize >= self.limits.min_leaf {
            self.judge(bin);
        }
        self.left += cell;
        self.last_bin = bin;
        self.bins_seen += 1;
    }

    fn judge(&mut self, bin: u8) {
        let right = self.total - self.left;
        if (right.rows as usize) < self.limits.min_leaf {
            return;
        }
        let score = self.left.score(self.limits.l2) + right.score(self.limits.l2);
        if score > self.least {
            self.least = score;
            self.best = Some(Split {
                column: self.column,
                bin: self.last_bin,
                threshold: self.binned.threshold(self.column, self.last_bin, bin),
                gain: score - self.total.score(self.limits.l2),
                left: self.left,
            });
        }
    }
}

/// The score that a split must pass: the parent's, the smallest gain, and a margin for rounding,
/// without which equal targets would be split for nothing.
pub(crate) fn least_score(limits: &Limits, total: Sums) -> f64 {
    total.score(limits.l2) * (1.0 + 1e-12) + limits.min_gain.max(f64::MIN_POSITIVE)
}
