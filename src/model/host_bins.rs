//! A piecewise-linear embedding on the CPU, and the way back through it.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]
#![expect(clippy::needless_range_loop, reason = "what an array's own methods call is not inlined")]

use std::ops::Range;

use super::embedding::{BINS, PIECEWISE_WIDTH};

/// Left ends, inverse widths, slopes, shifts and mixtures of all features.
pub(super) type Parameters<'a> = [&'a [f32]; 5];

/// What a feature becomes.
type Mixed = [f32; PIECEWISE_WIDTH];

/// How much of each bin lies below `x`. The outermost bins go on for ever.
#[inline(always)]
fn shares(x: f32, left: &[f32; BINS], inverse_width: &[f32; BINS]) -> [f32; BINS] {
    let mut shares = [0.0; BINS];
    for bin in 0..BINS {
        shares[bin] = (x - left[bin]) * inverse_width[bin];
    }
    let (first, last) = (shares[0].min(1.0), shares[BINS - 1].max(0.0));
    for bin in 0..BINS {
        shares[bin] = shares[bin].clamp(0.0, 1.0);
    }
    shares[0] = first;
    shares[BINS - 1] = last;
    shares
}

/// Writes `[rows, PIECEWISE_WIDTH inputs]`, feature by feature.
#[inline(always)]
pub(super) fn embed(
    [left, inverse_width, slope, shift, mixture]: Parameters<'_>,
    features: &[f32],
    embedded: &mut [f32],
) {
    let (left, inverse_width) = (left.as_chunks().0, inverse_width.as_chunks().0);
    let (slope, shift) = (slope.as_chunks().0, shift.as_chunks().0);
    let (mixture, inputs) = (mixture.as_chunks::<PIECEWISE_WIDTH>().0, left.len().max(1));
    let rows = embedded.as_chunks_mut::<PIECEWISE_WIDTH>().0.chunks_exact_mut(inputs);
    for (row, embedded) in features.chunks_exact(inputs).zip(rows) {
        for feature in 0..inputs {
            let x = row[feature];
            let shares = shares(x, &left[feature], &inverse_width[feature]);
            let mut sums: Mixed = shift[feature];
            add_scaled(&mut sums, &slope[feature], x);
            let mixture = &mixture[feature * BINS..(feature + 1) * BINS];
            for bin in 0..BINS {
                add_scaled(&mut sums, &mixture[bin], shares[bin]);
            }
            embedded[feature] = sums;
        }
    }
}

/// The way back through [`embed`] from the slopes by what it gave. Bins do not learn.
#[inline(always)]
pub(super) fn embed_back(
    (places, weights): (&[Range<usize>; 5], &[f32]),
    features: &[f32],
    slopes: &[f32],
    gradient: &mut [f32],
) {
    let [left, inverse_width] = [0, 1].map(|own| weights[places[own].clone()].as_chunks().0);
    let inputs = left.len().max(1);
    let [slope, shift, mixture] = [2, 3, 4].map(|own| places[own].start);
    for feature in 0..left.len() {
        let mut by_slope = [0.0; PIECEWISE_WIDTH];
        let mut by_shift = [0.0; PIECEWISE_WIDTH];
        let mut by_mixture = [[0.0; PIECEWISE_WIDTH]; BINS];
        let rows = slopes.as_chunks::<PIECEWISE_WIDTH>().0.chunks_exact(inputs);
        for (row, slopes) in features.chunks_exact(inputs).zip(rows) {
            let (x, slopes) = (row[feature], &slopes[feature]);
            let shares = shares(x, &left[feature], &inverse_width[feature]);
            add_scaled(&mut by_slope, slopes, x);
            add_scaled(&mut by_shift, slopes, 1.0);
            for bin in 0..BINS {
                add_scaled(&mut by_mixture[bin], slopes, shares[bin]);
            }
        }
        let first = feature * PIECEWISE_WIDTH;
        add(&mut gradient[slope + first..], &by_slope);
        add(&mut gradient[shift + first..], &by_shift);
        add(&mut gradient[mixture + first * BINS..], by_mixture.as_flattened());
    }
}

#[inline(always)]
fn add_scaled(sums: &mut Mixed, values: &Mixed, factor: f32) {
    for column in 0..PIECEWISE_WIDTH {
        sums[column] = factor.mul_add(values[column], sums[column]);
    }
}

#[inline(always)]
fn add(sums: &mut [f32], values: &[f32]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}
