//! A periodic embedding on the CPU, and the way back through it.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]
#![expect(clippy::needless_range_loop, reason = "what an array's own methods call is not inlined")]

use std::ops::Range;

use super::{
    embedding::{FREQUENCIES, MIXED},
    host_product::dot,
    vector_math,
};

/// The periodic embedding of one feature: constants by frequency, mixtures column by column.
#[derive(Clone, Debug)]
pub(super) struct Waves {
    frequency: [f32; FREQUENCIES],
    phase: [f32; FREQUENCIES],
    mixture: [[f32; FREQUENCIES]; MIXED],
    shift: [f32; MIXED],
}

const TURN: f32 = 2.0 * std::f32::consts::PI;

impl Waves {
    /// Of each feature, from frequency, phase, mixture and shift of all.
    pub(super) fn of_all(parameters: [&[f32]; 4]) -> Vec<Self> {
        (0..parameters[0].len() / FREQUENCIES).map(|own| Self::of(parameters, own)).collect()
    }

    #[inline(always)]
    fn of([frequency, phase, mixture, shift]: [&[f32]; 4], feature: usize) -> Self {
        let at = feature * FREQUENCIES;
        Self {
            frequency: std::array::from_fn(|own| frequency[at + own]),
            phase: std::array::from_fn(|own| phase[at + own]),
            mixture: std::array::from_fn(|column| {
                std::array::from_fn(|own| mixture[(at + own) * MIXED + column])
            }),
            shift: std::array::from_fn(|column| shift[feature * MIXED + column]),
        }
    }

    /// `2 pi w x + b` for each frequency.
    #[inline(always)]
    fn angles(&self, x: f32) -> [f32; FREQUENCIES] {
        let mut angles = self.phase;
        for own in 0..FREQUENCIES {
            angles[own] = (x * TURN).mul_add(self.frequency[own], angles[own]);
        }
        angles
    }

    /// `cos(2 pi w x + b)` for each frequency.
    #[inline(always)]
    pub(super) fn cosines(&self, x: f32) -> [f32; FREQUENCIES] {
        cosines(self.angles(x))
    }

    /// Mixtures of the cosines.
    #[inline(always)]
    pub(super) fn mix(&self, cosines: &[f32; FREQUENCIES], mixed: &mut [f32]) {
        for column in 0..MIXED {
            mixed[column] = self.shift[column] + dot(cosines, &self.mixture[column], FREQUENCIES);
        }
    }
}

#[inline(always)]
fn cosines(mut angles: [f32; FREQUENCIES]) -> [f32; FREQUENCIES] {
    for angle in &mut angles {
        *angle = vector_math::cos(*angle);
    }
    angles
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
        let rows = features.chunks_exact(inputs).zip(embedded.chunks_exact_mut(width));
        for (own, embedded) in rows {
            waves.mix(&waves.cosines(own[feature]), &mut embedded[feature * MIXED..][..MIXED]);
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
            let cosines = cosines(angles);
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
