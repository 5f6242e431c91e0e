//! Rows of the copies of a network on the CPU: `[copies * rows, width]`, copy by copy.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]

/// Multiplies each row with the factors `[copies, width]` of its copy.
#[inline(always)]
pub(super) fn multiply(values: &mut [f32], factors: &[f32], width: usize) {
    change(values, factors, width, |value, factor| *value *= factor);
}

/// Adds to each row the terms `[copies, width]` of its copy.
#[inline(always)]
pub(super) fn add(values: &mut [f32], terms: &[f32], width: usize) {
    change(values, terms, width, |value, term| *value += term);
}

/// Changes each row by the numbers `[copies, width]` of its copy.
#[inline(always)]
fn change(values: &mut [f32], numbers: &[f32], width: usize, by: impl Fn(&mut f32, &f32)) {
    let rows = values.len() / numbers.len().max(1);
    let parts = values.chunks_exact_mut((rows * width).max(1));
    for (part, numbers) in parts.zip(numbers.chunks_exact(width)) {
        for row in part.chunks_exact_mut(width) {
            row.iter_mut().zip(numbers).for_each(|(value, number)| by(value, number));
        }
    }
}

/// Adds each copy's columns of `values`, or of their products with `factors`, to its sums `[copies, width]`.
#[inline(always)]
pub(super) fn add_columns(values: &[f32], factors: Option<&[f32]>, sums: &mut [f32], width: usize) {
    let part = (values.len() / sums.len().max(1) * width).max(1);
    for (copy, sums) in sums.chunks_exact_mut(width).enumerate() {
        let own = copy * part..(copy + 1) * part;
        let values = values[own.clone()].chunks_exact(width);
        match factors {
            None => values.for_each(|row| {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }),
            Some(factors) => {
                for (row, factors) in values.zip(factors[own].chunks_exact(width)) {
                    // A loop: `mul_add` in a closure may be compiled without the instructions of its caller.
                    for ((sum, value), factor) in sums.iter_mut().zip(row).zip(factors) {
                        *sum = value.mul_add(*factor, *sum);
                    }
                }
            }
        }
    }
}

/// Replaces the rows of all copies by their sums over the copies.
#[inline(always)]
pub(super) fn add_up(values: &mut Vec<f32>, copies: usize) {
    let rows = values.len() / copies;
    let (sums, others) = values.split_at_mut(rows);
    for other in others.chunks_exact(rows.max(1)) {
        sums.iter_mut().zip(other).for_each(|(sum, value)| *sum += value);
    }
    values.truncate(rows);
}
