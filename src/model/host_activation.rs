//! What stands behind a hidden layer on the CPU while it learns: the nonlinearity, its slopes, dropout.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]

use super::{Activation, vector_math};

/// What a hidden layer leaves for the way back, each `[rows, outputs]`; the rows of copies stand one copy after the
/// other.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// What the next layer is given.
    pub(super) values: Vec<f32>,
    /// Its slope by what the nonlinearity was given.
    pub(super) slopes: Vec<f32>,
    /// Its slope by how much of the nonlinearity is taken; empty where that is not learned.
    pub(super) excess: Vec<f32>,
    /// What the layer's matrix was given, `[rows, inputs]`, and what it made of it; empty where there is one copy.
    pub(super) given: Vec<f32>,
    pub(super) products: Vec<f32>,
}

/// What the nonlinearity gives for `kept.values`, and its slopes.
#[inline(always)]
pub(super) fn activate(
    activation: Activation,
    width: usize,
    taken: Option<&[f32]>,
    kept: &mut Kept,
) {
    match activation {
        Activation::Relu => bent(width, taken, kept, relu),
        Activation::Gelu => bent(width, taken, kept, vector_math::gelu_and_slope),
        Activation::Silu => bent(width, taken, kept, vector_math::silu_and_slope),
        Activation::Mish => bent(width, taken, kept, vector_math::mish_and_slope),
        Activation::Tanh => bent(width, taken, kept, vector_math::tanh_and_slope),
    }
}

/// What is not a number stays none.
#[inline(always)]
fn relu(x: f32) -> (f32, f32) {
    (if x < 0.0 { 0.0 } else { x }, if x > 0.0 { 1.0 } else { 0.0 })
}

#[inline(always)]
fn bent(
    width: usize,
    taken: Option<&[f32]>,
    kept: &mut Kept,
    function: impl Fn(f32) -> (f32, f32),
) {
    let count = kept.values.len();
    kept.slopes.resize(count, 0.0);
    let Some(taken) = taken else {
        for (value, slope) in kept.values.iter_mut().zip(&mut kept.slopes) {
            (*value, *slope) = function(*value);
        }
        return;
    };
    kept.excess.resize(count, 0.0);
    let rows = kept.values.chunks_exact_mut(width).zip(kept.slopes.chunks_exact_mut(width));
    for ((values, slopes), excess) in rows.zip(kept.excess.chunks_exact_mut(width)) {
        let numbers = values.iter_mut().zip(slopes).zip(excess).zip(taken);
        for (((value, slope), excess), taken) in numbers {
            let (bent, own) = function(*value);
            *excess = bent - *value;
            *value += *excess * taken;
            *slope = (own - 1.0).mul_add(*taken, 1.0);
        }
    }
}

/// Dropout.
#[inline(always)]
pub(super) fn masked(mask: &[f32], kept: &mut Kept) {
    for values in [&mut kept.values, &mut kept.slopes, &mut kept.excess] {
        values.iter_mut().zip(mask).for_each(|(value, mask)| *value *= mask);
    }
}
