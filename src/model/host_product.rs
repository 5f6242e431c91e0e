//! Matrix products on the CPU, in tiles whose sums stay in vector registers.
//!
//! Every sum goes through the inner index in its order, so that a row has the same bits whatever rows stand beside it.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]
#![expect(
    clippy::needless_range_loop,
    reason = "iterators keep sums out of registers, and closures of the standard library miss the wide instructions"
)]

/// Numbers that the widest vector unit handles at once; narrower ones take several steps.
pub(super) const LANES: usize = 16;

/// Columns that lie side by side: those of a wide tile, or of two narrow ones.
pub(super) const PANEL: usize = 2 * LANES;

/// Most rows of a tile: each weight is read once for all of them, and their sums stay in registers. That takes 24 of
/// AVX-512's 32, for `PANEL` columns.
pub(super) const TALL: usize = 12;

/// Most rows of a tile elsewhere: half as many rows of half as many columns take 12 of AVX's 16.
const LOW: usize = 6;

/// What a vector register holds. It goes from hand to hand by value, in loops over plain counters:
/// compilers keep it in registers only then.
#[derive(Clone, Copy)]
pub(super) struct Vector([f32; LANES]);

impl Vector {
    pub(super) const ZERO: Self = Self([0.0; LANES]);

    #[inline(always)]
    fn read(values: &[f32], vector: usize) -> Self {
        let mut own = Self::ZERO;
        own.0.copy_from_slice(&values[vector * LANES..(vector + 1) * LANES]);
        own
    }

    #[inline(always)]
    fn times_plus(self, x: f32, sum: Self) -> Self {
        let mut result = sum;
        for lane in 0..LANES {
            result.0[lane] = x.mul_add(self.0[lane], sum.0[lane]);
        }
        result
    }

    /// `self * factors + terms`, number by number.
    #[inline(always)]
    pub(super) fn times_plus_each(self, factors: Self, terms: Self) -> Self {
        let mut result = terms;
        for lane in 0..LANES {
            result.0[lane] = self.0[lane].mul_add(factors.0[lane], terms.0[lane]);
        }
        result
    }
}

/// The left factor of a product: `[rows, inner]`, as it lies in memory.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    values: &'a [f32],
    /// From one row to the next, and from one inner index to the next.
    steps: [usize; 2],
}

impl<'a> Left<'a> {
    /// A matrix `[rows, inner]`, row by row.
    pub(super) fn plain(values: &'a [f32], inner: usize) -> Self {
        Self { values, steps: [inner, 1] }
    }

    /// The transpose of a matrix `[inner, rows]`.
    pub(super) fn turned(values: &'a [f32], rows: usize) -> Self {
        Self { values, steps: [1, rows] }
    }

    /// The first `inner` numbers of a row of a matrix that lies row by row.
    #[inline(always)]
    pub(super) fn row(self, row: usize, inner: usize) -> &'a [f32] {
        &self.values[row * self.steps[0]..][..inner]
    }

    /// `R` rows from `first` on as `[inner, R]`, written to `packed`, which is as long.
    #[inline(always)]
    pub(super) fn interleaved<const R: usize>(
        self,
        first: usize,
        packed: &mut [f32],
    ) -> &mut [[f32; R]] {
        let [row_step, inner_step] = self.steps;
        let start = first * row_step;
        let packed = packed.as_chunks_mut::<R>().0;
        for (inner, packed) in packed.iter_mut().enumerate() {
            let own = &self.values[start + inner * inner_step..];
            for row in 0..R {
                packed[row] = own[row * row_step];
            }
        }
        packed
    }
}

/// What is computed in tiles of rows.
pub(super) trait Tiled {
    /// Computes the `R` rows from `first` on, `V` vectors of columns at a time.
    fn tile<const R: usize, const V: usize>(&mut self, first: usize);
}

/// Whether multiplying and adding is one instruction; it is a slow function elsewhere.
pub(super) fn multiplies_and_adds() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("fma")
        && std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    return cfg!(target_arch = "aarch64");
}

/// Whether there are registers for the sums of tall tiles. Tiles of any size give the same bits.
fn has_many_registers() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Computes all rows in tiles of about one height: a low one at the end would wait for its own sums.
#[inline(always)]
pub(super) fn in_tiles(rows: usize, work: &mut impl Tiled) {
    let is_tall = has_many_registers();
    let tiles = rows.div_ceil(if is_tall { TALL } else { LOW }).max(1);
    let mut first = 0;
    for tile in 0..tiles {
        let end = (tile + 1) * rows / tiles;
        match (end - first, is_tall) {
            (0, _) => {}
            (1, _) => work.tile::<1, 2>(first),
            (2, _) => work.tile::<2, 2>(first),
            (3, false) => work.tile::<3, 1>(first),
            (4, false) => work.tile::<4, 1>(first),
            (5, false) => work.tile::<5, 1>(first),
            (_, false) => work.tile::<LOW, 1>(first),
            (3, true) => work.tile::<3, 2>(first),
            (4, true) => work.tile::<4, 2>(first),
            (5, true) => work.tile::<5, 2>(first),
            (6, true) => work.tile::<6, 2>(first),
            (7, true) => work.tile::<7, 2>(first),
            (8, true) => work.tile::<8, 2>(first),
            (9, true) => work.tile::<9, 2>(first),
            (10, true) => work.tile::<10, 2>(first),
            (11, true) => work.tile::<11, 2>(first),
            (_, true) => work.tile::<TALL, 2>(first),
        }
        first = end;
    }
}

/// Room for what a product lays out anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    rows: Vec<f32>,
    edge: Vec<f32>,
}

/// Adds `left [rows, inner] right [inner, columns]` to `sums [rows, columns]`.
#[inline(always)]
pub(super) fn add_product(
    left: Left<'_>,
    right: &[f32],
    [rows, inner, columns]: [usize; 3],
    sums: &mut [f32],
    room: &mut Room,
) {
    let whole = columns / PANEL * PANEL;
    room.edge.clear();
    if whole < columns {
        for right in right.chunks_exact(columns) {
            room.edge.extend_from_slice(&right[whole..]);
            room.edge.resize(room.edge.len().next_multiple_of(PANEL), 0.0);
        }
    }
    room.rows.resize(room.rows.len().max(inner * TALL), 0.0);
    let Room { rows: packed, edge } = room;
    in_tiles(rows, &mut Product { left, right, edge, inner, columns, sums, packed });
}

/// A product that is added to its sums.
struct Product<'a> {
    left: Left<'a>,
    right: &'a [f32],
    /// The columns of `right` behind the last whole panel, padded with zeros to one; else empty.
    edge: &'a [f32],
    inner: usize,
    columns: usize,
    sums: &'a mut [f32],
    packed: &'a mut [f32],
}

impl Tiled for Product<'_> {
    #[inline(always)]
    fn tile<const R: usize, const V: usize>(&mut self, first: usize) {
        let packed = self.left.interleaved::<R>(first, &mut self.packed[..self.inner * R]);
        let (columns, sums) = (self.columns, &mut self.sums[first * self.columns..]);
        let whole = columns / PANEL * PANEL;
        for column in (0..whole).step_by(V * LANES) {
            let tile = read_tile::<R, V>(&sums[column..], columns);
            let panels = self.right.chunks_exact(columns);
            let panels = panels.map(|right| &right[column..column + V * LANES]);
            write(multiplied(packed, panels, tile), &mut sums[column..], columns);
        }
        if whole == columns {
            return;
        }
        let mut padded = [[0.0; PANEL]; R];
        for (padded, sums) in padded.iter_mut().zip(sums.chunks_exact(columns)) {
            padded[..columns - whole].copy_from_slice(&sums[whole..]);
        }
        for column in (0..columns - whole).step_by(V * LANES) {
            let padded = &mut padded.as_flattened_mut()[column..];
            let tile = read_tile::<R, V>(padded, PANEL);
            let panels = self.edge.chunks_exact(PANEL);
            let panels = panels.map(|right| &right[column..column + V * LANES]);
            write(multiplied(packed, panels, tile), padded, PANEL);
        }
        for (padded, sums) in padded.iter().zip(sums.chunks_exact_mut(columns)) {
            sums[whole..].copy_from_slice(&padded[..columns - whole]);
        }
    }
}

/// The first vectors of some values.
#[inline(always)]
pub(super) fn read<const V: usize>(values: &[f32]) -> [Vector; V] {
    let mut own = [Vector::ZERO; V];
    for vector in 0..V {
        own[vector] = Vector::read(values, vector);
    }
    own
}

/// Reads the rows of a tile, `width` apart.
#[inline(always)]
fn read_tile<const R: usize, const V: usize>(values: &[f32], width: usize) -> [[Vector; V]; R] {
    let mut tile = [[Vector::ZERO; V]; R];
    for row in 0..R {
        tile[row] = read(&values[row * width..]);
    }
    tile
}

/// Writes the rows of a tile, `width` apart.
#[inline(always)]
pub(super) fn write<const R: usize, const V: usize>(
    tile: [[Vector; V]; R],
    values: &mut [f32],
    width: usize,
) {
    for row in 0..R {
        for vector in 0..V {
            let start = row * width + vector * LANES;
            values[start..start + LANES].copy_from_slice(&tile[row][vector].0);
        }
    }
}

/// `tile` and the products of `left [inner, R]` and the panels, one for each inner index.
#[inline(always)]
pub(super) fn multiplied<'a, const R: usize, const V: usize>(
    left: &[[f32; R]],
    panels: impl Iterator<Item = &'a [f32]>,
    tile: [[Vector; V]; R],
) -> [[Vector; V]; R] {
    let mut sums = tile;
    for (left, right) in left.iter().zip(panels) {
        let right = read::<V>(right);
        for row in 0..R {
            for vector in 0..V {
                sums[row][vector] = right[vector].times_plus(left[row], sums[row][vector]);
            }
        }
    }
    sums
}

/// The scalar product of the first `count` numbers, in sixteen sums that are added pair by pair.
#[inline(always)]
pub(super) fn dot(values: &[f32], weights: &[f32], count: usize) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let whole = count / LANES * LANES;
    let vectors = values[..whole].chunks_exact(LANES).zip(weights.chunks_exact(LANES));
    for (values, weights) in vectors {
        for lane in 0..LANES {
            sums[lane] = values[lane].mul_add(weights[lane], sums[lane]);
        }
    }
    for (lane, position) in (whole..count).enumerate() {
        sums[lane] = values[position].mul_add(weights[position], sums[lane]);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// Writes the transpose of `matrix [rows, columns]` to `turned`.
#[inline(always)]
pub(super) fn transpose(matrix: &[f32], [rows, columns]: [usize; 2], turned: &mut Vec<f32>) {
    turned.resize(rows * columns, 0.0);
    let (bottom, right) = (rows / LANES * LANES, columns / LANES * LANES);
    for top in (0..bottom).step_by(LANES) {
        for left in (0..right).step_by(LANES) {
            let mut block = [Vector::ZERO; LANES];
            for row in 0..LANES {
                block[row] = Vector::read(&matrix[(top + row) * columns + left..], 0);
            }
            let block = zipped(&zipped(&zipped(&zipped(&block))));
            for row in 0..LANES {
                let start = (left + row) * rows + top;
                turned[start..start + LANES].copy_from_slice(&block[row].0);
            }
        }
    }
    for row in 0..rows {
        for column in if row < bottom { right } else { 0 }..columns {
            turned[column * rows + row] = matrix[row * columns + column];
        }
    }
}

/// Each row of the upper half and its like in the lower half, number by number: four times make a transpose.
#[inline(always)]
fn zipped(rows: &[Vector; LANES]) -> [Vector; LANES] {
    let half = LANES / 2;
    let mut result = [Vector::ZERO; LANES];
    for row in 0..half {
        for lane in 0..half {
            result[2 * row].0[2 * lane] = rows[row].0[lane];
            result[2 * row].0[2 * lane + 1] = rows[row + half].0[lane];
            result[2 * row + 1].0[2 * lane] = rows[row].0[lane + half];
            result[2 * row + 1].0[2 * lane + 1] = rows[row + half].0[lane + half];
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    #[test]
    fn products_of_all_sizes_equal_their_definition() {
        let mut generator = Generator::new(5, &[]);
        let mut room = Room::default();
        for [rows, inner, columns] in
            [[1, 1, 1], [3, 5, 32], [12, 7, 33], [29, 40, 100], [83, 15, 128]]
        {
            let mut draw = |count: usize| -> Vec<f32> {
                (0..count).map(|_| generator.normal() as f32).collect()
            };
            let (left, right, start) =
                (draw(rows * inner), draw(inner * columns), draw(rows * columns));
            let mut turned = Vec::new();
            transpose(&left, [rows, inner], &mut turned);
            let [mut plain, mut other] = [start.clone(), start.clone()];
            let sizes = [rows, inner, columns];
            add_product(Left::plain(&left, inner), &right, sizes, &mut plain, &mut room);
            add_product(Left::turned(&turned, rows), &right, sizes, &mut other, &mut room);
            assert_eq!(plain, other);
            for row in 0..rows {
                for column in 0..columns {
                    let products = (0..inner).map(|index| {
                        f64::from(left[row * inner + index])
                            * f64::from(right[index * columns + column])
                    });
                    let expected = products.sum::<f64>() + f64::from(start[row * columns + column]);
                    let error = f64::from(plain[row * columns + column]) - expected;
                    assert!(error.abs() < 1e-5 * (1.0 + expected.abs()), "{sizes:?} {error}");
                }
            }
        }
    }
}
