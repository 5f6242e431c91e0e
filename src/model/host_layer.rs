//! Hidden layers on the CPU: matrices cut into panels that fit vector units and their caches.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]
#![expect(clippy::needless_range_loop, reason = "iterators keep sums out of registers")]

use super::{
    Activation,
    host_product::{LANES, Left, PANEL, TALL, Tiled, Vector, in_tiles, multiplied, read, write},
    vector_math,
};

/// A hidden layer; its outputs are padded with zeros to whole panels.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    inputs: usize,
    /// Panel by panel, each `[inputs, PANEL]`.
    weights: Vec<f32>,
    /// Of each copy, `[copies, width]`.
    bias: Vec<f32>,
    slope: Vec<f32>,
    /// Factors of each copy on inputs and on outputs, `[copies, inputs]` and `[copies, width]`; empty where there is
    /// one copy.
    input: Vec<f32>,
    output: Vec<f32>,
}

impl Layer {
    /// A layer of `weights [inputs, outputs]`, whose inputs are multiplied by `scale` before, and which each copy takes
    /// as `((x * input) weights) * output + bias`.
    pub(super) fn new(
        (inputs, outputs): (usize, usize),
        (scale, input, output): (&[f32], &[f32], &[f32]),
        (weights, bias, slope): (&[f32], &[f32], &[f32]),
    ) -> Self {
        let width = outputs.next_multiple_of(PANEL);
        let mut panels = vec![0.0; inputs * width];
        for (position, weight) in weights.iter().enumerate() {
            let (row, column) = (position / outputs, position % outputs);
            let panel = column / PANEL * inputs * PANEL;
            let factor = scale.get(row).copied().unwrap_or(1.0);
            panels[panel + row * PANEL + column % PANEL] = weight * factor;
        }
        let padded = |values: &[f32]| {
            let rows = values.chunks_exact(outputs);
            let zeros = || std::iter::repeat_n(0.0, width - outputs);
            rows.flat_map(|row| row.iter().copied().chain(zeros())).collect()
        };
        let ones = vec![1.0; outputs];
        Self {
            inputs,
            weights: panels,
            bias: padded(bias),
            slope: padded(if slope.is_empty() { &ones } else { slope }),
            input: input.to_vec(),
            output: padded(output),
        }
    }

    /// Its outputs with those that fill the last panel.
    pub(super) fn width(&self) -> usize {
        self.slope.len()
    }

    /// What `copy` makes of `values [rows, inputs]`, which may be padded to a wider row.
    #[inline(always)]
    pub(super) fn apply(
        &self,
        copy: usize,
        values: &[f32],
        outputs: &mut [f32],
        room: &mut Vec<f32>,
    ) {
        let width = self.width();
        let rows = outputs.len() / width.max(1);
        let left = Left::plain(values, values.len() / rows.max(1));
        room.resize(room.len().max(self.inputs * TALL), 0.0);
        let bias = &self.bias[copy * width..][..width];
        let factors = (!self.input.is_empty()).then(|| {
            (&self.input[copy * self.inputs..][..self.inputs], &self.output[copy * width..])
        });
        in_tiles(rows, &mut Applied { layer: self, bias, factors, left, outputs, room });
    }
}

/// A layer, and the rows that it is applied to.
struct Applied<'a> {
    layer: &'a Layer,
    bias: &'a [f32],
    /// On inputs and on outputs.
    factors: Option<(&'a [f32], &'a [f32])>,
    left: Left<'a>,
    outputs: &'a mut [f32],
    room: &'a mut [f32],
}

impl Tiled for Applied<'_> {
    #[inline(always)]
    fn tile<const R: usize, const V: usize>(&mut self, first: usize) {
        let (inputs, width) = (self.layer.inputs, self.bias.len());
        // One row lies as it is needed.
        let packed = if R == 1 && self.factors.is_none() {
            self.left.row(first, inputs).as_chunks::<R>().0
        } else {
            let packed = self.left.interleaved::<R>(first, &mut self.room[..inputs * R]);
            for (packed, factor) in packed.iter_mut().zip(self.factors.map_or(&[][..], |own| own.0))
            {
                for row in 0..R {
                    packed[row] *= factor;
                }
            }
            packed
        };
        let outputs = &mut self.outputs[first * width..];
        let panels = self.layer.weights.chunks_exact(inputs * PANEL);
        for (panel, weights) in panels.enumerate() {
            for part in (0..PANEL).step_by(V * LANES) {
                let column = panel * PANEL + part;
                let bias = read::<V>(&self.bias[column..]);
                let weights = weights.chunks_exact(PANEL).map(|own| &own[part..part + V * LANES]);
                let sums = match self.factors {
                    None => multiplied(packed, weights, [bias; R]),
                    Some((_, factors)) => {
                        let sums = multiplied(packed, weights, [[Vector::ZERO; V]; R]);
                        times_plus(sums, read::<V>(&factors[column..]), bias)
                    }
                };
                write(sums, &mut outputs[column..], width);
            }
        }
    }
}

/// `sums * factors + terms`, row by row.
#[inline(always)]
fn times_plus<const R: usize, const V: usize>(
    mut sums: [[Vector; V]; R],
    factors: [Vector; V],
    terms: [Vector; V],
) -> [[Vector; V]; R] {
    for row in 0..R {
        for vector in 0..V {
            sums[row][vector] = sums[row][vector].times_plus_each(factors[vector], terms[vector]);
        }
    }
    sums
}

impl Layer {
    /// `x + slope (f(x) - x)` for every value.
    #[inline(always)]
    pub(super) fn activate(&self, activation: Activation, values: &mut [f32]) {
        match activation {
            Activation::Relu => shifted(values, &self.slope, |x| if x < 0.0 { 0.0 } else { x }),
            Activation::Gelu => shifted(values, &self.slope, vector_math::gelu),
            Activation::Silu => shifted(values, &self.slope, vector_math::silu),
            Activation::Mish => shifted(values, &self.slope, vector_math::mish),
            Activation::Tanh => shifted(values, &self.slope, vector_math::tanh),
        }
    }
}

#[inline(always)]
fn shifted(values: &mut [f32], slope: &[f32], function: impl Fn(f32) -> f32) {
    for row in values.chunks_exact_mut(slope.len().max(1)) {
        for (x, slope) in row.iter_mut().zip(slope) {
            *x += (function(*x) - *x) * slope;
        }
    }
}
