//! Hidden layers on the CPU: matrices cut into panels that fit vector units and their caches.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]

use super::{Activation, vector_math};

/// Numbers that the widest vector unit handles at once; narrower ones take several steps.
pub(super) const LANES: usize = 16;

/// Vectors of a matrix's columns that are computed together.
const VECTORS: usize = 2;

/// Columns of a matrix that stand together in memory.
pub(super) const PANEL: usize = VECTORS * LANES;

/// Rows that are computed together, so that each weight is read once for all; with AVX-512 their sums stay in
/// registers.
pub(super) const TALL: usize = 12;

/// A hidden layer; its outputs are padded with zeros to whole panels.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    inputs: usize,
    /// Panel by panel, each `[inputs, PANEL]`.
    weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
    slope: Vec<f32>,
}

impl Layer {
    /// A layer of `weights [inputs, outputs]`, whose inputs are multiplied by `factors` before.
    pub(super) fn new(
        (inputs, outputs): (usize, usize),
        factors: &[f32],
        (weights, bias, slope): (&[f32], &[f32], &[f32]),
    ) -> Self {
        let padded = outputs.next_multiple_of(PANEL);
        let mut panels = vec![0.0; inputs * padded];
        for (position, weight) in weights.iter().enumerate() {
            let (row, column) = (position / outputs, position % outputs);
            let panel = column / PANEL * inputs * PANEL;
            let factor = factors.get(row).copied().unwrap_or(1.0);
            panels[panel + row * PANEL + column % PANEL] = weight * factor;
        }
        let filled = |values: &[f32], missing: f32| {
            let mut all = values.to_vec();
            all.resize(outputs, missing);
            all.resize(padded, 0.0);
            all
        };
        Self { inputs, weights: panels, bias: filled(bias, 0.0), slope: filled(slope, 1.0) }
    }
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

impl Layer {
    /// `values W + bias`, row by row; `values [rows, inputs]` may be padded to a wider row.
    #[inline(always)]
    pub(super) fn apply(&self, values: &[f32], outputs: &mut [f32]) {
        let width = self.bias.len();
        let rows = outputs.len() / width.max(1);
        let stride = values.len() / rows.max(1);
        for (panel, weights) in self.weights.chunks_exact(self.inputs * PANEL).enumerate() {
            let column = panel * PANEL;
            let bias = &self.bias[column..column + PANEL];
            let mut row = 0;
            while row < rows {
                let values = &values[row * stride..];
                let outputs = &mut outputs[row * width + column..];
                let part = Part { inputs: self.inputs, stride, width, weights, bias };
                row += match rows - row {
                    TALL.. => part.apply::<TALL>(values, outputs),
                    4.. => part.apply::<4>(values, outputs),
                    _ => part.apply::<1>(values, outputs),
                };
            }
        }
    }
}

/// What a vector register holds. It goes from hand to hand by value, in loops over plain counters:
/// compilers keep it in registers only then.
#[derive(Clone, Copy)]
struct Vector([f32; LANES]);

impl Vector {
    #[inline(always)]
    fn read(values: &[f32], vector: usize) -> Self {
        let mut own = Self([0.0; LANES]);
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
}

/// One panel of a layer.
struct Part<'a> {
    inputs: usize,
    /// From one row of values to the next.
    stride: usize,
    /// From one row of outputs to the next.
    width: usize,
    weights: &'a [f32],
    bias: &'a [f32],
}

impl Part<'_> {
    #[expect(clippy::needless_range_loop, reason = "iterators keep the sums out of registers")]
    /// Computes `R` rows and says so. Every sum goes through the inputs in their order.
    #[inline(always)]
    fn apply<const R: usize>(&self, values: &[f32], outputs: &mut [f32]) -> usize {
        let mut sums = [[Vector([0.0; LANES]); VECTORS]; R];
        for row in 0..R {
            for vector in 0..VECTORS {
                sums[row][vector] = Vector::read(self.bias, vector);
            }
        }
        let rows: [&[f32]; R] =
            std::array::from_fn(|row| &values[row * self.stride..][..self.inputs]);
        for (input, weights) in self.weights.chunks_exact(PANEL).enumerate() {
            let weights: [Vector; VECTORS] =
                std::array::from_fn(|vector| Vector::read(weights, vector));
            for row in 0..R {
                let x = rows[row][input];
                for vector in 0..VECTORS {
                    sums[row][vector] = weights[vector].times_plus(x, sums[row][vector]);
                }
            }
        }
        for row in 0..R {
            for vector in 0..VECTORS {
                let start = row * self.width + vector * LANES;
                outputs[start..start + LANES].copy_from_slice(&sums[row][vector].0);
            }
        }
        R
    }
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
