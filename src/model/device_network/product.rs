//! Products of matrices by the units of one cube.

use burn_cubecl::cubecl::{self, prelude::*};

use super::layout::{BROAD, DEPTH, Factor, Product, UNITS};

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
        stage(memory, &mut tiles.left, left, first_row, first, comptime!(product.left()));
        stage(memory, &mut tiles.right, right, first_column, first, comptime!(product.right()));
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

/// Brings one factor's part of a tile into the room of all units, `[DEPTH, lines]`, zeros where there is nothing.
#[cube]
fn stage(
    memory: &mut [f32],
    tile: &mut Shared<[f32]>,
    from: usize,
    first_line: usize,
    first: usize,
    #[comptime] factor: Factor,
) {
    let Factor { lines, inner, tile_lines, deep } = comptime!(factor);
    #[unroll]
    for part in 0..comptime!((tile_lines * DEPTH).div_ceil(UNITS)) {
        let place = UNIT_POS as usize + comptime!(part * UNITS);
        // Units beside each other read numbers beside each other.
        let mut line = place % tile_lines;
        let mut depth = place / tile_lines;
        let mut at = (first + depth) * lines + first_line + line;
        if comptime!(deep) {
            line = place / DEPTH;
            depth = place % DEPTH;
            at = (first_line + line) * inner + first + depth;
        }
        let is_there = first_line + line < lines && first + depth < inner;
        tile[depth * comptime!(tile_lines + 1) + line] =
            select(is_there, memory[from + select(is_there, at, 0usize)], 0.0f32);
    }
}
