//! From features to losses.
#![expect(clippy::collapsible_if, reason = "the outer one is asked while the kernel is compiled")]

use burn_cubecl::cubecl::{self, prelude::*};

use crate::model::{
    Activation, InputScaling,
    embedding::{FREQUENCIES, MIXED, TURN},
    scaling::{LARGEST_INPUT, SMOOTH_BOUND},
};

use super::{
    layout::{BROAD, HiddenLayer, Layout, Product, UNITS},
    product::{Tiles, tile},
};

/// One over the root of a full turn: the normal density at its mean.
const DENSITY: f32 = 0.398_942_3;

/// Scaled features of the rows whose numbers begin at `first`.
#[cube]
pub(super) fn gather(
    features: &[f32],
    scaling: &[f32],
    rows: &[i32],
    memory: &mut [f32],
    network: usize,
    own: usize,
    first: usize,
    #[comptime] layout: &Layout,
) {
    let inputs = comptime!(layout.inputs);
    let constants = network * comptime!(2 * inputs);
    for place in range_stepped(UNIT_POS as usize, comptime!(layout.rows * inputs), UNITS) {
        let row = rows[first + place / inputs] as usize;
        let feature = place % inputs;
        let centre = scaling[constants + feature];
        let x = (features[row * inputs + feature] - centre) * scaling[constants + inputs + feature];
        memory[own + comptime!(layout.features) + place] = bounded(x, comptime!(layout.scaling));
    }
    sync_storage();
}

#[cube]
fn bounded(x: f32, #[comptime] scaling: InputScaling) -> f32 {
    match comptime!(scaling) {
        InputScaling::Standard => clamp(x, -LARGEST_INPUT, LARGEST_INPUT),
        InputScaling::Robust => {
            let share = x * comptime!(1.0 / SMOOTH_BOUND);
            x / (share * share + 1.0).sqrt()
        }
    }
}

/// What the first layer is given.
#[cube]
pub(super) fn embed(memory: &mut [f32], own: usize, #[comptime] layout: &Layout) {
    let (inputs, width) = comptime!((layout.inputs, layout.width));
    if comptime!(layout.waves.is_some()) {
        let [frequency, phase, mixture, shift] = comptime!(layout.waves.unwrap_or_default());
        for place in range_stepped(UNIT_POS as usize, comptime!(layout.rows * inputs), UNITS) {
            let feature = place % inputs;
            let to = own + comptime!(layout.embedded) + place / inputs * width;
            let x = memory[own + comptime!(layout.features) + place];
            let mut mixed = Array::<f32>::new(MIXED);
            #[unroll]
            for column in 0..MIXED {
                mixed[column] = memory[own + shift + feature * MIXED + column];
            }
            for wave in 0..FREQUENCIES {
                let at = own + feature * FREQUENCIES + wave;
                let value = (x * TURN * memory[at + frequency] + memory[at + phase]).cos();
                let at = own + mixture + (feature * FREQUENCIES + wave) * MIXED;
                #[unroll]
                for column in 0..MIXED {
                    mixed[column] += value * memory[at + column];
                }
            }
            #[unroll]
            for column in 0..MIXED {
                memory[to + feature * MIXED + column] = mixed[column];
            }
            memory[to + comptime!(MIXED * inputs) + feature] = x;
        }
        sync_storage();
    }
    if comptime!(layout.scale.is_some()) {
        let scale = comptime!(layout.scale.unwrap_or_default());
        for place in range_stepped(UNIT_POS as usize, comptime!(layout.rows * width), UNITS) {
            let value = memory[own + comptime!(layout.embedded) + place];
            memory[own + comptime!(layout.given()) + place] =
                value * memory[own + scale + place % width];
        }
        sync_storage();
    }
}

/// A hidden layer: what it gives, and its slopes.
#[cube]
pub(super) fn hidden(
    numbers: &[f32],
    memory: &mut [f32],
    tiles: &mut Tiles,
    own: usize,
    record: usize,
    learns: bool,
    #[comptime] layer: HiddenLayer,
    #[comptime] layout: &Layout,
) {
    let product = comptime!(Product {
        rows: layout.rows,
        inner: layer.inputs,
        columns: layer.outputs,
        left_turned: false,
        right_turned: false,
    });
    let (tall, wide) = comptime!((product.tall(), product.wide()));
    for first_row in range_stepped(0usize, comptime!(product.rows), comptime!(product.tile_rows()))
    {
        for first_column in
            range_stepped(0usize, comptime!(product.columns), comptime!(product.tile_columns()))
        {
            let left = own + comptime!(layer.given);
            let right = own + comptime!(layer.weight);
            let sums = tile(memory, tiles, left, right, first_row, first_column, product);
            #[unroll]
            for i in 0..tall {
                #[unroll]
                for j in 0..wide {
                    let row = first_row + UNIT_POS as usize / BROAD * tall + i;
                    let column = first_column + UNIT_POS as usize % BROAD + comptime!(j * BROAD);
                    if row < comptime!(product.rows) && column < comptime!(product.columns) {
                        let place = row * comptime!(layer.outputs) + column;
                        let x = sums[comptime!(i * wide + j)]
                            + memory[own + comptime!(layer.bias) + column];
                        let (mut value, mut slope) = bent(x, comptime!(layout.activation));
                        let mut excess = value - x;
                        if comptime!(layer.slope.is_some()) {
                            let taken =
                                memory[own + comptime!(layer.slope.unwrap_or_default()) + column];
                            value = x + excess * taken;
                            slope = (slope - 1.0f32) * taken + 1.0f32;
                        }
                        if comptime!(layout.pass.masked) {
                            if learns {
                                let mask = numbers[record + comptime!(layer.mask) + place];
                                value *= mask;
                                slope *= mask;
                                excess *= mask;
                            }
                        }
                        memory[own + comptime!(layer.values) + place] = value;
                        memory[own + comptime!(layer.slopes) + place] = slope;
                        if comptime!(layer.slope.is_some()) {
                            memory[own + comptime!(layer.excess) + place] = excess;
                        }
                    }
                }
            }
        }
    }
    sync_storage();
}

/// A nonlinearity and its slope.
#[cube]
fn bent(x: f32, #[comptime] activation: Activation) -> (f32, f32) {
    match comptime!(activation) {
        Activation::Relu => (select(x < 0.0f32, 0.0f32, x), select(x > 0.0f32, 1.0f32, 0.0f32)),
        Activation::Gelu => {
            let share = Erf::erf(x * comptime!(std::f32::consts::FRAC_1_SQRT_2));
            let share = (share + 1.0f32) * 0.5f32;
            let density = (x * x * -0.5f32).exp() * DENSITY;
            (x * share, share + x * density)
        }
        Activation::Silu => {
            let share = 1.0f32 / ((-x).exp() + 1.0f32);
            (x * share, share * (x * (1.0f32 - share) + 1.0f32))
        }
        Activation::Mish => {
            let power = clamp(x, -80.0f32, 20.0f32).exp();
            let n = power * (power + 2.0f32);
            let whole = n + 2.0f32;
            let share = n / whole;
            (x * share, share + x * 4.0f32 * power * (power + 1.0f32) / (whole * whole))
        }
        Activation::Tanh => {
            let value = x.tanh();
            (value, 1.0f32 - value * value)
        }
    }
}

/// Outputs of the rows of a pass, the slopes of the loss by them, and the loss, which unit 0 knows.
#[cube]
pub(super) fn losses(
    numbers: &[f32],
    memory: &mut [f32],
    tiles: &mut Tiles,
    own: usize,
    record: usize,
    #[comptime] layout: &Layout,
) -> f32 {
    let (rows, width) = comptime!((layout.rows, layout.output.inputs));
    let (weight, bias) = comptime!((layout.output.weight, layout.output.bias));
    let unit = UNIT_POS as usize;
    // So many units share a row.
    let parts = comptime!(UNITS / 32);
    let part = unit % parts;
    let loss = RuntimeCell::<f32>::new(0.0f32);
    for first in range_stepped(0usize, rows, comptime!(UNITS / parts)) {
        let row = first + unit / parts;
        let mut sum = 0.0f32;
        if row < rows {
            for input in range_stepped(part, width, parts) {
                sum += memory[own + comptime!(layout.output.given) + row * width + input]
                    * memory[own + weight + input];
            }
        }
        tiles.left[unit] = sum;
        sync_cube();
        if part == 0 && row < rows {
            let mut output = memory[own + bias];
            #[unroll]
            for other in 0..parts {
                output += tiles.left[unit + other];
            }
            let residual = output - numbers[record + row];
            let share = numbers[record + rows + row];
            let (own_loss, slope) = loss_and_slope(residual, comptime!(layout.pass.huber));
            memory[own + comptime!(layout.by_output) + row] = slope * share;
            loss.store(loss.read() + own_loss * share);
        }
        sync_cube();
    }
    tiles.left[unit] = loss.read();
    sync_storage();
    #[unroll]
    for level in 0..comptime!(UNITS.ilog2() as usize) {
        let half = comptime!((UNITS / 2) >> level);
        if unit < half {
            let other = tiles.left[unit + half];
            tiles.left[unit] += other;
        }
        sync_cube();
    }
    let sum = tiles.left[0];
    sync_cube();
    sum
}

#[cube]
fn loss_and_slope(residual: f32, #[comptime] huber: Option<u32>) -> (f32, f32) {
    if comptime!(huber.is_some()) {
        let bound = comptime!(f32::from_bits(huber.unwrap_or_default()));
        let slope = clamp(residual, -bound, bound);
        (slope * (residual - slope * 0.5f32), slope)
    } else {
        (residual * residual, residual * 2.0f32)
    }
}
