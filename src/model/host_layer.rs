//! Hidden layers on the CPU: matrices cut into panels that fit vector units and their caches.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]

use super::{
    Activation,
    host_product::{LANES, Left, PANEL, TALL, Tiled, in_tiles, multiplied, read, write},
    vector_math,
};

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

impl Layer {
    /// `values W + bias`, row by row; `values [rows, inputs]` may be padded to a wider row.
    #[inline(always)]
    pub(super) fn apply(&self, values: &[f32], outputs: &mut [f32], room: &mut Vec<f32>) {
        let rows = outputs.len() / self.bias.len().max(1);
        let left = Left::plain(values, values.len() / rows.max(1));
        room.resize(room.len().max(self.inputs * TALL), 0.0);
        in_tiles(rows, &mut Applied { layer: self, left, outputs, room });
    }
}

/// A layer, and the rows that it is applied to.
struct Applied<'a> {
    layer: &'a Layer,
    left: Left<'a>,
    outputs: &'a mut [f32],
    room: &'a mut [f32],
}

impl Tiled for Applied<'_> {
    #[inline(always)]
    fn tile<const R: usize, const V: usize>(&mut self, first: usize) {
        let (inputs, width) = (self.layer.inputs, self.layer.bias.len());
        let packed = self.left.interleaved::<R>(first, &mut self.room[..inputs * R]);
        let outputs = &mut self.outputs[first * width..];
        let panels = self.layer.weights.chunks_exact(inputs * PANEL);
        for (panel, weights) in panels.enumerate() {
            for part in (0..PANEL).step_by(V * LANES) {
                let column = panel * PANEL + part;
                let bias = read::<V>(&self.layer.bias[column..]);
                let weights = weights.chunks_exact(PANEL).map(|own| &own[part..part + V * LANES]);
                write(multiplied(packed, weights, [bias; R]), &mut outputs[column..], width);
            }
        }
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
