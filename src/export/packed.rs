//! Weights in few bits: whole numbers of a step that each row of a matrix has for itself.

use std::ops::Range;

use crate::model::{MemberWeights, StackShape};

/// Rows shorter than this are kept as they are: their steps would take as much room.
pub(super) const SHORTEST_ROW: usize = 16;

/// Numbers as whole multiples of a step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Packed {
    /// The step of each row.
    pub(super) steps: Vec<f32>,
    /// The multiples, within `± (2^(bits - 1) - 1)`.
    pub(super) multiples: Vec<i32>,
}

impl Packed {
    /// The nearest multiples of `values`, whose rows have `columns` numbers; a row's largest number is the largest
    /// multiple.
    pub(super) fn new(values: &[f32], columns: usize, bits: u32) -> Self {
        let largest = ((1_i32 << (bits - 1)) - 1) as f32;
        let step =
            |row: &[f32]| row.iter().fold(0.0_f32, |most, own| most.max(own.abs())) / largest;
        let steps: Vec<f32> = values.chunks(columns).map(step).collect();
        let multiple = |(row, step): (&[f32], &f32)| -> Vec<i32> {
            let nearest = |own: &f32| if *step > 0.0 { (own / step).round() as i32 } else { 0 };
            row.iter().map(nearest).collect()
        };
        let multiples = values.chunks(columns).zip(&steps).flat_map(multiple).collect();
        Self { steps, multiples }
    }

    /// The numbers that they stand for.
    pub(super) fn values(&self, columns: usize) -> impl Iterator<Item = f32> + '_ {
        let step = move |place: usize| self.steps[place / columns];
        self.multiples.iter().enumerate().map(move |(place, own)| *own as f32 * step(place))
    }

    /// The multiples, each plus `2^(bits - 1)` in `bits` bits, the lowest bit first.
    pub(super) fn bytes(&self, bits: u32) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.multiples.len() * bits as usize / 8 + 1);
        let (mut held, mut count) = (0_u64, 0);
        for multiple in &self.multiples {
            held |= ((*multiple + (1 << (bits - 1))) as u64) << count;
            count += bits;
            while count >= 8 {
                bytes.push(held as u8);
                held >>= 8;
                count -= 8;
            }
        }
        if count > 0 {
            bytes.push(held as u8);
        }
        bytes
    }
}

/// The fewest bits, of `bits`, that hold `values` as they are, which are those that they were rounded to, and `values`
/// in them.
pub(super) fn exact(values: &[f32], columns: usize, mut bits: Range<u32>) -> Option<(u32, Packed)> {
    bits.find_map(|bits| {
        let packed = Packed::new(values, columns, bits);
        let is_same = |(place, (own, found)): (usize, (&f32, f32))| {
            // A thousandth of a step is the rounding of single precision, not that of the packing.
            (own - found).abs() <= 1e-3 * packed.steps[place / columns]
        };
        let all = values.iter().zip(packed.values(columns)).enumerate().all(is_same);
        all.then_some((bits, packed))
    })
}

/// The weights of a network with each parameter rounded to its number of `bits`, in the order of the shape; `None`
/// leaves it as it is.
pub(super) fn rounded(
    member: &MemberWeights,
    shape: &StackShape,
    bits: &[Option<u32>],
) -> MemberWeights {
    let mut values = Vec::with_capacity(member.0.len());
    for ((parameter, place), bits) in shape.placed().zip(bits) {
        let own = &member.0[place];
        match bits {
            None => values.extend_from_slice(own),
            Some(bits) => {
                let packed = Packed::new(own, parameter.columns, *bits);
                values.extend(packed.values(parameter.columns));
            }
        }
    }
    MemberWeights(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_off_by_half_a_step_at_most() {
        let values: Vec<f32> =
            (0..640).map(|i| (i as f32 * 0.37).sin() * (i / 64 + 1) as f32).collect();
        for bits in [8, 12, 16] {
            let packed = Packed::new(&values, 64, bits);
            for (place, (own, found)) in values.iter().zip(packed.values(64)).enumerate() {
                assert!((own - found).abs() <= packed.steps[place / 64] * 0.501);
            }
            let again = Packed::new(&packed.values(64).collect::<Vec<_>>(), 64, bits);
            assert_eq!(again.multiples, packed.multiples);
            let found: Vec<f32> = packed.values(64).collect();
            assert_eq!(exact(&found, 64, 6..17), Some((bits, packed)));
        }
    }

    #[test]
    fn bits_are_laid_out_from_the_lowest() {
        // 12 bits each: multiples 1 and -2 plus 2048 are 0x801 and 0x7fe.
        let packed = Packed { steps: vec![1.0], multiples: vec![1, -2] };
        assert_eq!(packed.bytes(12), [0x01, 0xe8, 0x7f]);
        let odd = Packed { steps: vec![1.0], multiples: vec![-4] };
        assert_eq!(odd.bytes(13), [0xfc, 0x0f]);
    }

    #[test]
    fn a_row_of_zeros_stays_one() {
        let packed = Packed::new(&[0.0; 16], 16, 12);
        assert!(packed.values(16).all(|own| own == 0.0));
    }
}
