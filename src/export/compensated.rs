//! Rounding of a layer's weights in which later weights make good what earlier ones were rounded by.

use nalgebra::{Cholesky, DMatrix};

use super::packed::Packed;

/// What is added to the diagonal, over its mean, so that directions in which no inputs lie stay calm.
const DAMPING: f64 = 1e-7;

/// Rounds the weights of a layer, `[fan_in, fan_out]` row-major, to multiples of `bits` bits of a step for each row,
/// so that what the layer gives for `inputs`, `[rows, fan_in]`, changes as little as may be.
///
/// Rows are rounded one after the other, those of the largest inputs first; the rows that are left take up the change
/// of the output (Frantar, Ashkboos, Hoefler and Alistarh, 2023, section 3). Inputs of a layer lie near a few
/// directions, so most of it can be taken up.
pub(super) fn round_compensated(weights: &mut [f32], fan_in: usize, inputs: &[f32], bits: u32) {
    let fan_out = weights.len() / fan_in;
    let order = by_size(fan_in, inputs);
    let Some(inverse) = inverse_root(&order, inputs) else {
        return plainly(weights, fan_out, bits);
    };
    let row = |place: usize| order[place] * fan_out..(order[place] + 1) * fan_out;
    let mut left: Vec<Vec<f64>> = (0..fan_in)
        .map(|place| weights[row(place)].iter().map(|weight| f64::from(*weight)).collect())
        .collect();
    for place in 0..fan_in {
        let (done, rest) = left.split_at_mut(place + 1);
        let own = &done[place];
        let narrow: Vec<f32> = own.iter().map(|weight| *weight as f32).collect();
        let rounded: Vec<f32> = Packed::new(&narrow, fan_out, bits).values(fan_out).collect();
        let scale = 1.0 / inverse[(place, place)];
        let off: Vec<f64> = own
            .iter()
            .zip(&rounded)
            .map(|(own, found)| (own - f64::from(*found)) * scale)
            .collect();
        for (index, other) in rest.iter_mut().enumerate() {
            let share = inverse[(place + 1 + index, place)];
            other.iter_mut().zip(&off).for_each(|(weight, off)| *weight -= share * off);
        }
        weights[row(place)].copy_from_slice(&rounded);
    }
}

/// Each row by itself.
fn plainly(weights: &mut [f32], fan_out: usize, bits: u32) {
    let rounded: Vec<f32> = Packed::new(weights, fan_out, bits).values(fan_out).collect();
    weights.copy_from_slice(&rounded);
}

/// The inputs in the order of their mean square, the largest first.
fn by_size(fan_in: usize, inputs: &[f32]) -> Vec<usize> {
    let mut squares = vec![0.0_f64; fan_in];
    for row in inputs.chunks_exact(fan_in) {
        squares.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x).powi(2));
    }
    let mut order: Vec<usize> = (0..fan_in).collect();
    order.sort_by(|a, b| squares[*b].total_cmp(&squares[*a]));
    order
}

/// The lower triangular root of the inverse of the inputs' second moments, inputs in the given order; `None` where
/// there is none.
fn inverse_root(order: &[usize], inputs: &[f32]) -> Option<DMatrix<f64>> {
    let size = order.len();
    let rows = inputs.len() / size;
    let sorted =
        DMatrix::from_fn(rows, size, |row, place| f64::from(inputs[row * size + order[place]]));
    let mut moments = sorted.tr_mul(&sorted);
    let damping = DAMPING * moments.trace() / size as f64;
    (0..size).for_each(|place| moments[(place, place)] += damping);
    let inverse = Cholesky::new(moments)?.inverse();
    Some(Cholesky::new(inverse)?.l())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    /// The largest change of the outputs of a layer.
    fn change(old: &[f32], new: &[f32], fan_in: usize, inputs: &[f32]) -> f64 {
        let fan_out = old.len() / fan_in;
        let output = |weights: &[f32], row: &[f32], out: usize| -> f64 {
            let terms = row.iter().enumerate();
            terms.map(|(i, x)| f64::from(*x) * f64::from(weights[i * fan_out + out])).sum()
        };
        let rows = inputs.chunks_exact(fan_in);
        rows.flat_map(|row| (0..fan_out).map(move |out| (row, out)))
            .map(|(row, out)| (output(old, row, out) - output(new, row, out)).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn inputs_near_a_few_directions_hardly_see_the_rounding() {
        let mut generator = Generator::new(8, &[]);
        let (fan_in, fan_out, rows) = (64, 32, 300);
        let mut draw =
            |count: usize| -> Vec<f64> { (0..count).map(|_| generator.normal()).collect() };
        let (mixture, sources) = (draw(5 * fan_in), draw(5 * rows));
        let input = |row: usize, i: usize| -> f32 {
            (0..5).map(|s| sources[5 * row + s] * mixture[s * fan_in + i]).sum::<f64>() as f32
        };
        let inputs: Vec<f32> = (0..rows)
            .flat_map(|row| (0..fan_in).map(move |i| (row, i)))
            .map(|(r, i)| input(r, i))
            .collect();
        let weights: Vec<f32> = draw(fan_in * fan_out).into_iter().map(|w| w as f32).collect();
        let (mut plain, mut compensated) = (weights.clone(), weights.clone());
        plainly(&mut plain, fan_out, 8);
        round_compensated(&mut compensated, fan_in, &inputs, 8);
        let plain = change(&weights, &plain, fan_in, &inputs);
        let compensated = change(&weights, &compensated, fan_in, &inputs);
        assert!(compensated < plain / 10.0, "{compensated} {plain}");
    }

    #[test]
    fn every_row_is_what_its_bits_can_hold() {
        let mut generator = Generator::new(9, &[]);
        let inputs: Vec<f32> = (0..50 * 20).map(|_| generator.normal() as f32).collect();
        let mut weights: Vec<f32> = (0..20 * 16).map(|_| generator.normal() as f32).collect();
        round_compensated(&mut weights, 20, &inputs, 9);
        let found = super::super::packed::exact(&weights, 16, 6..18);
        assert_eq!(found.map(|(bits, _)| bits), Some(9));
    }
}
