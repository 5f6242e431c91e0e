//! From the slopes of the loss by outputs to its gradient, and Adam's step along it.

use burn_cubecl::cubecl::{self, prelude::*};

use crate::model::{
    device_kernels::{STRIDE_NUMBERS, moved},
    embedding::{FREQUENCIES, MIXED, TURN},
};

use super::{
    layout::{BROAD, HiddenLayer, Layout, Product, UNITS},
    product::{Tiles, tile},
};

/// The output's own gradient, and the slopes by the last hidden layer.
#[cube]
pub(super) fn output(memory: &mut [f32], own: usize, #[comptime] layout: &Layout) {
    let (rows, width) = comptime!((layout.rows, layout.output.inputs));
    let (weight, bias) = comptime!((layout.output.weight, layout.output.bias));
    let unit = UNIT_POS as usize;
    for input in range_stepped(unit, comptime!(width + 1), UNITS) {
        let mut sum = 0.0f32;
        for row in 0..rows {
            let slope = memory[own + comptime!(layout.by_output) + row];
            let at = own + comptime!(layout.output.given) + row * width + input;
            let value = select(input < width, memory[select(input < width, at, own)], 1.0f32);
            sum += slope * value;
        }
        let to = select(input < width, weight + input, bias);
        memory[own + comptime!(layout.gradient) + to] = sum;
    }
    let last = comptime!(layout.hidden.len());
    for place in range_stepped(unit, comptime!(rows * width), UNITS) {
        let slope = memory[own + comptime!(layout.by_output) + place / width]
            * memory[own + weight + place % width];
        slopes_of(memory, own, place, slope, last, layout);
    }
    sync_storage();
}

/// Keeps what a slope by the values that layer `layer` is given makes of what stands before them.
#[cube]
fn slopes_of(
    memory: &mut [f32],
    own: usize,
    place: usize,
    slope: f32,
    #[comptime] layer: usize,
    #[comptime] layout: &Layout,
) {
    let to = own + comptime!(layout.by_values[layer % 2]) + place;
    if comptime!(layer == 0) {
        memory[to] = slope;
    } else {
        let before = comptime!(layout.hidden[layer - 1]);
        memory[to] = slope * memory[own + comptime!(before.slopes) + place];
        if comptime!(before.slope.is_some()) {
            memory[own + comptime!(layout.by_excess[layer % 2]) + place] =
                slope * memory[own + comptime!(before.excess) + place];
        }
    }
}

/// The gradient of hidden layer `layer`, and the slopes by what it is given.
#[cube]
pub(super) fn hidden(
    memory: &mut [f32],
    tiles: &mut Tiles,
    own: usize,
    #[comptime] layer: usize,
    #[comptime] layout: &Layout,
) {
    let this = comptime!(layout.hidden[layer]);
    let rows = comptime!(layout.rows);
    let by_values = own + comptime!(layout.by_values[(layer + 1) % 2]);
    let by_excess = own + comptime!(layout.by_excess[(layer + 1) % 2]);
    let gradient = own + comptime!(layout.gradient);
    column_sums(memory, by_values, gradient + comptime!(this.bias), rows, comptime!(this.outputs));
    if comptime!(this.slope.is_some()) {
        let slope = comptime!(this.slope.unwrap_or_default());
        column_sums(memory, by_excess, gradient + slope, rows, comptime!(this.outputs));
    }
    weight_gradient(memory, tiles, own, by_values, this, rows, comptime!(layout.gradient));
    if comptime!(layer > 0 || layout.waves.is_some() || layout.scale.is_some()) {
        let product = comptime!(Product {
            rows,
            inner: this.outputs,
            columns: this.inputs,
            left_turned: false,
            right_turned: true,
        });
        let (tall, wide) = comptime!((product.tall(), product.wide()));
        for first_row in range_stepped(0usize, rows, comptime!(product.tile_rows())) {
            for first_column in
                range_stepped(0usize, comptime!(product.columns), comptime!(product.tile_columns()))
            {
                let right = own + comptime!(this.weight);
                let sums = tile(memory, tiles, by_values, right, first_row, first_column, product);
                #[unroll]
                for i in 0..tall {
                    #[unroll]
                    for j in 0..wide {
                        let row = first_row + UNIT_POS as usize / BROAD * tall + i;
                        let column =
                            first_column + UNIT_POS as usize % BROAD + comptime!(j * BROAD);
                        if row < rows && column < comptime!(product.columns) {
                            let place = row * comptime!(this.inputs) + column;
                            let slope = sums[comptime!(i * wide + j)];
                            slopes_of(memory, own, place, slope, layer, layout);
                        }
                    }
                }
            }
        }
    }
    sync_storage();
}

#[cube]
fn weight_gradient(
    memory: &mut [f32],
    tiles: &mut Tiles,
    own: usize,
    by_values: usize,
    #[comptime] layer: HiddenLayer,
    #[comptime] rows: usize,
    #[comptime] gradient: usize,
) {
    let product = comptime!(Product {
        rows: layer.inputs,
        inner: rows,
        columns: layer.outputs,
        left_turned: true,
        right_turned: false,
    });
    let (tall, wide) = comptime!((product.tall(), product.wide()));
    for first_row in range_stepped(0usize, comptime!(product.rows), comptime!(product.tile_rows()))
    {
        for first_column in
            range_stepped(0usize, comptime!(product.columns), comptime!(product.tile_columns()))
        {
            let left = own + comptime!(layer.given);
            let sums = tile(memory, tiles, left, by_values, first_row, first_column, product);
            #[unroll]
            for i in 0..tall {
                #[unroll]
                for j in 0..wide {
                    let row = first_row + UNIT_POS as usize / BROAD * tall + i;
                    let column = first_column + UNIT_POS as usize % BROAD + comptime!(j * BROAD);
                    if row < comptime!(product.rows) && column < comptime!(product.columns) {
                        let to = own + comptime!(gradient + layer.weight);
                        memory[to + row * comptime!(layer.outputs) + column] =
                            sums[comptime!(i * wide + j)];
                    }
                }
            }
        }
    }
}

/// The sum of each column of `[rows, columns]` numbers.
#[cube]
fn column_sums(
    memory: &mut [f32],
    from: usize,
    to: usize,
    #[comptime] rows: usize,
    #[comptime] columns: usize,
) {
    for column in range_stepped(UNIT_POS as usize, columns, UNITS) {
        let mut sum = 0.0f32;
        for row in 0..rows {
            sum += memory[from + row * columns + column];
        }
        memory[to + column] = sum;
    }
}

/// The gradient of what stands before the first layer.
#[cube]
pub(super) fn embedding(memory: &mut [f32], own: usize, #[comptime] layout: &Layout) {
    let (rows, inputs, width) = comptime!((layout.rows, layout.inputs, layout.width));
    let gradient = own + comptime!(layout.gradient);
    let by_given = own + comptime!(layout.by_values[0]);
    if comptime!(layout.scale.is_some()) {
        let scale = comptime!(layout.scale.unwrap_or_default());
        for column in range_stepped(UNIT_POS as usize, width, UNITS) {
            let mut sum = 0.0f32;
            for row in 0..rows {
                let at = row * width + column;
                sum += memory[by_given + at] * memory[own + comptime!(layout.embedded) + at];
            }
            memory[gradient + scale + column] = sum;
        }
        sync_storage();
    }
    if comptime!(layout.waves.is_some()) {
        let [frequency, phase, mixture, shift] = comptime!(layout.waves.unwrap_or_default());
        for place in range_stepped(UNIT_POS as usize, comptime!(inputs * FREQUENCIES), UNITS) {
            let feature = place / FREQUENCIES;
            let own_frequency = memory[own + frequency + place];
            let own_phase = memory[own + phase + place];
            let mut by_frequency = 0.0f32;
            let mut by_phase = 0.0f32;
            let mut mix = Array::<f32>::new(MIXED);
            let mut by_mixture = Array::<f32>::new(MIXED);
            let mut by_shift = Array::<f32>::new(MIXED);
            let mut factors = Array::<f32>::new(MIXED);
            #[unroll]
            for column in 0..MIXED {
                mix[column] = memory[own + mixture + place * MIXED + column];
                by_mixture[column] = 0.0f32;
                by_shift[column] = 0.0f32;
                factors[column] = 1.0f32;
                if comptime!(layout.scale.is_some()) {
                    let scale = comptime!(layout.scale.unwrap_or_default());
                    factors[column] = memory[own + scale + feature * MIXED + column];
                }
            }
            for row in 0..rows {
                let x = memory[own + comptime!(layout.features) + row * inputs + feature] * TURN;
                let angle = x * own_frequency + own_phase;
                let cosine = angle.cos();
                let mut by_wave = 0.0f32;
                #[unroll]
                for column in 0..MIXED {
                    let slope =
                        memory[by_given + row * width + feature * MIXED + column] * factors[column];
                    by_wave += slope * mix[column];
                    by_mixture[column] += slope * cosine;
                    by_shift[column] += slope;
                }
                let by_angle = -angle.sin() * by_wave;
                by_phase += by_angle;
                by_frequency += by_angle * x;
            }
            memory[gradient + frequency + place] = by_frequency;
            memory[gradient + phase + place] = by_phase;
            #[unroll]
            for column in 0..MIXED {
                memory[gradient + mixture + place * MIXED + column] = by_mixture[column];
                if place % FREQUENCIES == 0 {
                    memory[gradient + shift + feature * MIXED + column] = by_shift[column];
                }
            }
        }
        sync_storage();
    }
}

/// Numbers that a unit moves at once.
const MOVED: usize = 4;

/// Moves all weights down their gradient by Adam, by the strides that begin at `strides`.
#[cube]
pub(super) fn adam(
    numbers: &[f32],
    parameters: &[i32],
    memory: &mut [f32],
    own: usize,
    strides: usize,
    #[comptime] layout: &Layout,
) {
    let count = comptime!(layout.weights);
    let gradient = own + comptime!(layout.gradient);
    let mut slopes = Array::<f32>::new(MOVED);
    let mut weights = Array::<f32>::new(MOVED);
    let mut firsts = Array::<f32>::new(MOVED);
    let mut seconds = Array::<f32>::new(MOVED);
    let mut own_strides = Array::<usize>::new(MOVED);
    for first in range_stepped(UNIT_POS as usize, count, comptime!(MOVED * UNITS)) {
        // All are read before one is written: so many wait for the memory at once.
        #[unroll]
        for part in 0..MOVED {
            let place = first + comptime!(part * UNITS);
            let at = select(place < count, place, 0usize);
            slopes[part] = memory[gradient + at];
            weights[part] = memory[own + at];
            firsts[part] = memory[own + count + at];
            seconds[part] = memory[own + comptime!(2 * count) + at];
            own_strides[part] = strides + parameters[at] as usize * STRIDE_NUMBERS;
        }
        #[unroll]
        for part in 0..MOVED {
            let place = first + comptime!(part * UNITS);
            let rule = own_strides[part];
            if place < count {
                let (p, m, v) =
                    moved(weights[part], firsts[part], seconds[part], slopes[part], numbers, rule);
                memory[own + place] = p;
                memory[own + count + place] = m;
                memory[own + comptime!(2 * count) + place] = v;
            }
        }
    }
    sync_storage();
}
