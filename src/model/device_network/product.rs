//! Products of matrices by the units of one cube.

use burn_cubecl::cubecl::{self, prelude::*};

use super::layout::{BROAD, DEPTH, Product, UNITS};

/// Room that the units of a cube share.
#[derive(CubeType)]
pub(super) struct Tiles {
    pub(super) left: Shared<[f32]>,
    pub(super) right: Shared<[f32]>,
}

/// The sums of this unit in one tile, `[tall, wide]`: rows beside each other, columns a side apart.
#[cube]
pub(super) fn tile(
    memory: &mut [f32],
    tiles: &mut Tiles,
    left: usize,
    right: usize,
    first_row: usize,
    first_column: usize,
    #[comptime] product: Product,
) -> Array<f32> {
    let unit = UNIT_POS as usize;
    let (tall, wide) = comptime!((product.tall(), product.wide()));
    let (high, broad) = comptime!((product.tile_rows() + 1, product.tile_columns() + 1));
    let mut sums = Array::<f32>::new(comptime!(tall * wide));
    #[unroll]
    for place in 0..comptime!(tall * wide) {
        sums[place] = 0.0f32;
    }
    let mut lefts = Array::<f32>::new(tall);
    let mut rights = Array::<f32>::new(wide);
    let own_row = unit / BROAD * tall;
    let own_column = unit % BROAD;
    for first in range_stepped(0usize, comptime!(product.inner), DEPTH) {
        stage_left(memory, tiles, left, first_row, first, product);
        stage_right(memory, tiles, right, first_column, first, product);
        sync_cube();
        for inner in 0..DEPTH {
            #[unroll]
            for row in 0..tall {
                lefts[row] = tiles.left[inner * high + own_row + row];
            }
            #[unroll]
            for column in 0..wide {
                rights[column] =
                    tiles.right[inner * broad + own_column + comptime!(column * BROAD)];
            }
            #[unroll]
            for row in 0..tall {
                #[unroll]
                for column in 0..wide {
                    sums[comptime!(row * wide + column)] += lefts[row] * rights[column];
                }
            }
        }
        sync_cube();
    }
    sums
}

#[cube]
fn stage_left(
    memory: &mut [f32],
    tiles: &mut Tiles,
    left: usize,
    first_row: usize,
    first: usize,
    #[comptime] product: Product,
) {
    let (rows, inner) = comptime!((product.rows, product.inner));
    let tile_rows = comptime!(product.tile_rows());
    #[unroll]
    for part in 0..comptime!((tile_rows * DEPTH).div_ceil(UNITS)) {
        let place = UNIT_POS as usize + comptime!(part * UNITS);
        let mut row = place / DEPTH;
        let mut depth = place % DEPTH;
        if comptime!(product.left_turned) {
            row = place % tile_rows;
            depth = place / tile_rows;
        }
        let is_there = first_row + row < rows && first + depth < inner;
        let mut at = (first_row + row) * inner + first + depth;
        if comptime!(product.left_turned) {
            at = (first + depth) * rows + first_row + row;
        }
        tiles.left[depth * comptime!(tile_rows + 1) + row] =
            select(is_there, memory[left + select(is_there, at, 0usize)], 0.0f32);
    }
}

#[cube]
fn stage_right(
    memory: &mut [f32],
    tiles: &mut Tiles,
    right: usize,
    first_column: usize,
    first: usize,
    #[comptime] product: Product,
) {
    let (columns, inner) = comptime!((product.columns, product.inner));
    let tile_columns = comptime!(product.tile_columns());
    #[unroll]
    for part in 0..comptime!((tile_columns * DEPTH).div_ceil(UNITS)) {
        let place = UNIT_POS as usize + comptime!(part * UNITS);
        let mut column = place % tile_columns;
        let mut depth = place / tile_columns;
        if comptime!(product.right_turned) {
            column = place / DEPTH;
            depth = place % DEPTH;
        }
        let is_there = first_column + column < columns && first + depth < inner;
        let mut at = (first + depth) * columns + first_column + column;
        if comptime!(product.right_turned) {
            at = (first_column + column) * inner + first + depth;
        }
        tiles.right[depth * comptime!(tile_columns + 1) + column] =
            select(is_there, memory[right + select(is_there, at, 0usize)], 0.0f32);
    }
}
