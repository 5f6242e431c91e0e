//! The best of one random threshold per column: extra trees.

use super::columns::ColumnDraw;
use super::exhaustive_search::least_score;
use super::search::{Split, SplitSearch};
use super::sums::{Sums, WeightedTarget};
use super::{BinnedMatrix, Limits};
use crate::data::Generator;

/// One uniform threshold between the node's smallest and largest value of each drawn column
/// (Geurts, Ernst, Wehenkel 2006); within a bin of many values it moves to the bin's end.
pub(crate) struct RandomSearch<'a> {
    binned: &'a BinnedMatrix,
    targets: &'a [WeightedTarget],
    limits: Limits,
    columns: ColumnDraw,
    gathered: Vec<WeightedTarget>,
    bins: Vec<u8>,
}

impl<'a> RandomSearch<'a> {
    pub(crate) fn new(
        binned: &'a BinnedMatrix,
        targets: &'a [WeightedTarget],
        limits: Limits,
        fraction: f64,
        generator: Generator,
    ) -> Self {
        let columns = ColumnDraw::new(generator, binned.columns(), fraction);
        Self { binned, targets, limits, columns, gathered: Vec::new(), bins: Vec::new() }
    }
}

impl SplitSearch for RandomSearch<'_> {
    type Memory = ();

    fn best(&mut self, rows: &[u32], total: Sums, (): &()) -> Option<Split> {
        let Self { binned, targets, limits, columns, gathered, bins } = self;
        gathered.clear();
        gathered.extend(rows.iter().map(|row| targets[*row as usize]));
        let mut least = least_score(limits, total);
        let mut best = None;
        columns.visit(|column, generator| {
            let Some((low, high)) = read_bins(binned.column(column), rows, bins) else {
                return false;
            };
            let (bin, threshold) = draw_cut(binned, column, (low, high), generator);
            let left = sum_left(bins, gathered, bin);
            let right = total - left;
            let score = left.score(limits.l2) + right.score(limits.l2);
            if score > least && left.rows.min(right.rows) as usize >= limits.min_leaf {
                least = score;
                let gain = score - total.score(limits.l2);
                best = Some(Split { column, bin, threshold, gain, left });
            }
            true
        });
        best
    }
}

/// Copies the bins of `rows`; the first and the last of them, unless they are one.
fn read_bins(column: &[u8], rows: &[u32], bins: &mut Vec<u8>) -> Option<(u8, u8)> {
    bins.clear();
    let (mut low, mut high) = (u8::MAX, u8::MIN);
    bins.extend(rows.iter().map(|row| {
        let bin = column[*row as usize];
        (low, high) = (low.min(bin), high.max(bin));
        bin
    }));
    (low < high).then_some((low, high))
}

/// A random cut between the bins `ends`: the last bin on the left, and the threshold.
fn draw_cut(
    binned: &BinnedMatrix,
    column: usize,
    ends: (u8, u8),
    generator: &mut Generator,
) -> (u8, f32) {
    let (low, high) = (binned.low(column, ends.0), binned.high(column, ends.1));
    let drawn = generator.between(f64::from(low), f64::from(high)) as f32;
    let bin = binned.last_bin_from(column, drawn).clamp(ends.0, ends.1 - 1);
    // The threshold must lie in the gap after its bin, or it would cut the bin's rows apart.
    let start = binned.high(column, bin);
    let in_gap = drawn >= start && drawn < binned.low(column, bin + 1);
    (bin, if in_gap { drawn } else { binned.threshold(column, bin, bin + 1) })
}

fn sum_left(bins: &[u8], targets: &[WeightedTarget], last: u8) -> Sums {
    let mut left = Sums::default();
    for (bin, target) in bins.iter().zip(targets) {
        // A choice of values, not a branch: the side is random, so a branch would be mispredicted.
        let inside = *bin <= last;
        left.target += if inside { target.target } else { 0.0 };
        left.weight += if inside { target.weight } else { 0.0 };
        left.rows += u32::from(inside);
    }
    left
}
