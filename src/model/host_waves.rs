//! A periodic embedding on the CPU while it learns, and the way back through it.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]
#![expect(clippy::needless_range_loop, reason = "what an array's own methods call is not inlined")]

use std::ops::Range;

use super::{
    embedding::{FREQUENCIES, MIXED},
    host_product::dot,
    vector_math,
};

/// The periodic embedding of one feature: constants by frequency, mixtures column by column.
struct Waves {
    frequency: [f32; FREQUENCIES],
    phase: [f32; FREQUENCIES],
    mixture: [[f32; FREQUENCIES]; MIXED],
}

const TURN: f32 = 2.0 * std::f32::consts::PI;

impl Waves {
    #[inline(always)]
    fn of([frequency, phase, mixture, _]: [&[f32]; 4], feature: usize) -> Self {
        let at = feature * FREQUENCIES;
        Self {
            frequency: std::array::from_fn(|own| frequency[at + own]),
            phase: std::array::from_fn(|own| phase[at + own]),
            mixture: std::array::from_fn(|column| {
                std::array::from_fn(|own| mixture[(at + own) * MIXED + column])
            }),
        }
    }

    #[inline(always)]
    fn angles(&self, x: f32) -> [f32; FREQUENCIES] {
        let mut angles = self.phase;
        for own in 0..FREQUENCIES {
            angles[own] = (x * TURN).mul_add(self.frequency[own], angles[own]);
        }
        angles
    }
}

/// Writes `[rows, (MIXED + 1) inputs]`: mixtures of cosines, feature by feature, then the features.
#[inline(always)]
pub(super) fn embed(
    parameters: [&[f32]; 4],
    features: &[f32],
    inputs: usize,
    embedded: &mut Vec<f32>,
) {
    let width = (MIXED + 1) * inputs;
    embedded.resize(features.len() / inputs.max(1) * width, 0.0);
    for feature in 0..inputs {
        let waves = Waves::of(parameters, feature);
        let shift = &parameters[3][feature * MIXED..(feature + 1) * MIXED];
        let rows = features.chunks_exact(inputs).zip(embedded.chunks_exact_mut(width));
        for (own, embedded) in rows {
            let mut cosines = waves.angles(own[feature]);
            for cosine in &mut cosines {
                *cosine = vector_math::cos(*cosine);
            }
            for column in 0..MIXED {
                let mixed = dot(&cosines, &waves.mixture[column], FREQUENCIES);
                embedded[feature * MIXED + column] = shift[column] + mixed;
            }
            embedded[MIXED * inputs + feature] = own[feature];
        }
    }
}

/// The way back through [`embed`] from the slopes by what it gave.
#[inline(always)]
pub(super) fn embed_back(
    (places, weights): (&[Range<usize>; 4], &[f32]),
    (features, inputs): (&[f32], usize),
    slopes: &[f32],
    gradient: &mut [f32],
) {
    let parameters = places.clone().map(|place| &weights[place]);
    let [frequency, phase, mixture, shift] = places.clone().map(|place| place.start);
    for feature in 0..inputs {
        let waves = Waves::of(parameters, feature);
        let mut by_frequency = [0.0_f32; FREQUENCIES];
        let mut by_phase = [0.0_f32; FREQUENCIES];
        let mut by_mixture = [[0.0_f32; FREQUENCIES]; MIXED];
        let mut by_shift = [0.0_f32; MIXED];
        let rows = features.chunks_exact(inputs).zip(slopes.chunks_exact((MIXED + 1) * inputs));
        for (own, slopes) in rows {
            let x = own[feature];
            let angles = waves.angles(x);
            let mut cosines = [0.0_f32; FREQUENCIES];
            for wave in 0..FREQUENCIES {
                cosines[wave] = vector_math::cos(angles[wave]);
            }
            let mut by_wave = [0.0_f32; FREQUENCIES];
            for column in 0..MIXED {
                let slope = slopes[feature * MIXED + column];
                by_shift[column] += slope;
                for wave in 0..FREQUENCIES {
                    by_wave[wave] = slope.mul_add(waves.mixture[column][wave], by_wave[wave]);
                    by_mixture[column][wave] =
                        slope.mul_add(cosines[wave], by_mixture[column][wave]);
                }
            }
            for wave in 0..FREQUENCIES {
                let slope = -vector_math::sin(angles[wave]) * by_wave[wave];
                by_phase[wave] += slope;
                by_frequency[wave] = slope.mul_add(x * TURN, by_frequency[wave]);
            }
        }
        for own in 0..FREQUENCIES {
            gradient[frequency + feature * FREQUENCIES + own] += by_frequency[own];
            gradient[phase + feature * FREQUENCIES + own] += by_phase[own];
            for column in 0..MIXED {
                gradient[mixture + (feature * FREQUENCIES + own) * MIXED + column] +=
                    by_mixture[column][own];
            }
        }
        for column in 0..MIXED {
            gradient[shift + feature * MIXED + column] += by_shift[column];
        }
    }
}
