//! A periodic embedding on the CPU, and the way back through it.
#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]
#![expect(clippy::needless_range_loop, reason = "what an array's own methods call is not inlined")]

use std::ops::Range;

use super::{
    embedding::{FREQUENCIES, MIXED, TURN},
    host_product::LANES,
    vector_math,
};

/// One number for each lane of a vector unit.
type Lanes = [f32; LANES];

/// The periodic embedding of some features, one in each lane; where they are few they stand there again and again, for
/// several rows at once.
#[derive(Clone, Debug)]
pub(super) struct Waves {
    first: usize,
    /// Features, and rows that fit beside each other.
    features: usize,
    rows: usize,
    frequency: [Lanes; FREQUENCIES],
    phase: [Lanes; FREQUENCIES],
    mixture: [[Lanes; MIXED]; FREQUENCIES],
    shift: [Lanes; MIXED],
}

impl Waves {
    /// Of all features, from frequency, phase, mixture and shift.
    pub(super) fn of_all(parameters: [&[f32]; 4]) -> Vec<Self> {
        let inputs = parameters[0].len() / FREQUENCIES;
        let firsts = (0..inputs).step_by(LANES);
        firsts.map(|first| Self::of(parameters, first, (inputs - first).min(LANES))).collect()
    }

    fn of([frequency, phase, mixture, shift]: [&[f32]; 4], first: usize, features: usize) -> Self {
        let rows = LANES / features;
        let mut own = Self {
            first,
            features,
            rows,
            frequency: [[0.0; LANES]; FREQUENCIES],
            phase: [[0.0; LANES]; FREQUENCIES],
            mixture: [[[0.0; LANES]; MIXED]; FREQUENCIES],
            shift: [[0.0; LANES]; MIXED],
        };
        for lane in 0..rows * features {
            let feature = first + lane % features;
            for wave in 0..FREQUENCIES {
                let place = feature * FREQUENCIES + wave;
                own.frequency[wave][lane] = frequency[place];
                own.phase[wave][lane] = phase[place];
                for column in 0..MIXED {
                    own.mixture[wave][column][lane] = mixture[place * MIXED + column];
                }
            }
            for column in 0..MIXED {
                own.shift[column][lane] = shift[feature * MIXED + column];
            }
        }
        own
    }

    /// Mixtures of `cos(2 pi w x + b)`, column by column.
    #[inline(always)]
    fn mixtures(&self, x: &Lanes) -> [Lanes; MIXED] {
        let mut mixtures = self.shift;
        for wave in 0..FREQUENCIES {
            let mut cosines = self.phase[wave];
            for lane in 0..LANES {
                let angle = (x[lane] * TURN).mul_add(self.frequency[wave][lane], cosines[lane]);
                cosines[lane] = vector_math::cos(angle);
            }
            for column in 0..MIXED {
                for lane in 0..LANES {
                    let factor = self.mixture[wave][column][lane];
                    mixtures[column][lane] = cosines[lane].mul_add(factor, mixtures[column][lane]);
                }
            }
        }
        mixtures
    }

    /// Writes its part of `embedded`, from rows of `inputs` features.
    #[inline(always)]
    fn embed(&self, features: &[f32], inputs: usize, embedded: &mut [f32]) {
        let width = (MIXED + 1) * inputs;
        let rows = features.chunks(self.rows * inputs);
        for (features, embedded) in rows.zip(embedded.chunks_mut(self.rows * width)) {
            let mut x = [0.0; LANES];
            let own = features.chunks_exact(inputs).zip(x.chunks_exact_mut(self.features));
            for (row, x) in own {
                x.copy_from_slice(&row[self.first..][..self.features]);
            }
            let mixtures = self.mixtures(&x);
            for (row, embedded) in embedded.chunks_exact_mut(width).enumerate() {
                let embedded = &mut embedded[self.first * MIXED..][..self.features * MIXED];
                for (feature, mixed) in embedded.chunks_exact_mut(MIXED).enumerate() {
                    for column in 0..MIXED {
                        mixed[column] = mixtures[column][row * self.features + feature];
                    }
                }
            }
        }
    }
}

/// Writes `[rows, (MIXED + 1) inputs]`: mixtures of cosines, feature by feature, then the features.
#[inline(always)]
pub(super) fn embed(waves: &[Waves], features: &[f32], inputs: usize, embedded: &mut [f32]) {
    for own in waves {
        own.embed(features, inputs, embedded);
    }
    let rows = embedded.chunks_exact_mut((MIXED + 1) * inputs.max(1));
    for (row, embedded) in features.chunks_exact(inputs.max(1)).zip(rows) {
        embedded[MIXED * inputs..].copy_from_slice(row);
    }
}

/// What the way back needs of one feature: constants by frequency, mixtures column by column.
struct OneFeature {
    frequency: [f32; FREQUENCIES],
    phase: [f32; FREQUENCIES],
    mixture: [[f32; FREQUENCIES]; MIXED],
}

impl OneFeature {
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

    /// `2 pi w x + b` for each frequency.
    #[inline(always)]
    fn angles(&self, x: f32) -> [f32; FREQUENCIES] {
        let mut angles = self.phase;
        for own in 0..FREQUENCIES {
            angles[own] = (x * TURN).mul_add(self.frequency[own], angles[own]);
        }
        angles
    }
}

#[inline(always)]
fn cosines(mut angles: [f32; FREQUENCIES]) -> [f32; FREQUENCIES] {
    for angle in &mut angles {
        *angle = vector_math::cos(*angle);
    }
    angles
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
        let waves = OneFeature::of(parameters, feature);
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
