//! The fifteen detectors around the drum and the rates at which they see it.

use super::Stream;
use super::attenuation::wall_transmission;
use super::drum::Drum;
use super::geometry::{Point, chord};
use crate::data::Generator;

/// Number of detectors: three rings of five, ring by ring from the lowest.
pub(super) const DETECTORS: usize = 15;
/// Detectors in a ring, 72 degrees apart.
const PER_RING: usize = 5;
/// Height of each ring above the drum's floor, cm.
const RING_HEIGHTS: [f64; 3] = [17.0, 42.5, 68.0];
/// Each ring is turned by this much against the one below, degrees.
const RING_OFFSET: f64 = 24.0;
/// Distance of the detector faces from the drum's axis, cm.
const ARRAY_RADIUS: f64 = 45.0;
/// Area of a detector face (a 3 inch sodium iodide crystal), cm2.
const FACE_AREA: f64 = 45.6;
/// Mean fraction of the gammas on a face that are counted in the peak.
const EFFICIENCY: f64 = 0.35;
/// Relative spread of the efficiency between detectors.
const EFFICIENCY_SPREAD: f64 = 0.05;
/// Mean background rate, counts/s.
const BACKGROUND: f64 = 6.0;
/// Relative spread of the background between detectors.
const BACKGROUND_SPREAD: f64 = 0.15;
/// Gammas of 413.7 keV per second and gram: 2.3e9 Bq/g of Pu-239, 1.47e-5 gammas per decay.
const GAMMAS_PER_GRAM: f64 = 3.4e4;

/// One detector: a face that looks at the drum's axis.
#[derive(Clone, Debug)]
pub(super) struct Detector {
    /// Middle of the face, cm.
    face: Point,
    /// Horizontal unit vector out of the drum, into the face.
    outward: Point,
    /// Fraction of the gammas on the face that are counted in the peak.
    efficiency: f64,
    /// Background rate, counts/s.
    pub(super) background: f64,
}

/// The detectors of one set of simulations; they do not change from row to row.
#[derive(Clone, Debug)]
pub(super) struct DetectorArray {
    /// The detectors in column order.
    pub(super) detectors: [Detector; DETECTORS],
}

impl DetectorArray {
    /// The array of `seed`: nominal places, efficiencies and backgrounds with their spread.
    pub(super) fn draw(seed: u64) -> Self {
        let mut generator = Generator::new(seed, &[Stream::Array as u64]);
        let mut array = Self::nominal();
        for detector in &mut array.detectors {
            detector.efficiency *= 1.0 + EFFICIENCY_SPREAD * generator.normal();
            detector.background *= 1.0 + BACKGROUND_SPREAD * generator.normal();
        }
        array
    }

    /// The array without spread.
    pub(super) fn nominal() -> Self {
        Self { detectors: std::array::from_fn(Detector::nominal) }
    }

    /// Peak rates, counts/s, without background, gain or dead time, of `drum` turned by `angle`
    /// radians.
    pub(super) fn signal_rates(&self, drum: &Drum, angle: f64) -> [f64; DETECTORS] {
        let mut rates = [0.0; DETECTORS];
        for source in &drum.sources {
            let place = source.place.turned(angle);
            let emitted = GAMMAS_PER_GRAM * source.mass * source.escaping;
            for (rate, detector) in rates.iter_mut().zip(&self.detectors) {
                *rate += emitted * detector.counted_fraction(place, drum.attenuation);
            }
        }
        rates
    }
}

impl Detector {
    fn nominal(index: usize) -> Self {
        let (ring, place) = (index / PER_RING, index % PER_RING);
        let degrees = RING_OFFSET * ring as f64 + 360.0 / PER_RING as f64 * place as f64;
        let azimuth = degrees * std::f64::consts::PI / 180.0;
        let face = Point::cylindrical(ARRAY_RADIUS, azimuth, RING_HEIGHTS[ring]);
        let outward = Point::cylindrical(1.0, azimuth, 0.0);
        Self { face, outward, efficiency: EFFICIENCY, background: BACKGROUND }
    }

    /// The part of the gammas from `place` that are counted, with a filling of `attenuation` 1/cm:
    /// `eps A cos / (4 pi d^2) exp(-mu rho l) exp(-mu_Fe rho_Fe t / max(cos, 0.3))`.
    fn counted_fraction(&self, place: Point, attenuation: f64) -> f64 {
        let (distance, direction) = place.towards(self.face);
        let cosine = direction.x * self.outward.x + direction.y * self.outward.y;
        let sphere = 4.0 * std::f64::consts::PI * distance * distance;
        let reaching =
            libm::exp(-attenuation * chord(place, direction)) * wall_transmission(cosine);
        self.efficiency * FACE_AREA * cosine / sphere * reaching
    }
}

#[cfg(test)]
mod tests {
    use super::super::drum::Source;
    use super::*;

    fn assert_close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
    }

    fn central_drum(attenuation: f64) -> Drum {
        let place = Point { x: 0.0, y: 0.0, z: 42.5 };
        Drum { mass: 10.0, attenuation, sources: vec![Source { place, mass: 10.0, escaping: 1.0 }] }
    }

    #[test]
    fn central_source_in_an_empty_drum_gives_the_hand_computed_rates() {
        let rates = DetectorArray::nominal().signal_rates(&central_drum(0.0), 0.3);
        // Middle ring: 3.4e5 * 0.35 * 45.6 / (4 pi 45^2) * exp(-0.0924 * 7.87 * 0.12).
        rates[5..10].iter().for_each(|rate| assert_close(*rate, 195.424_614_621_827_06));
        // Outer rings: d^2 = 45^2 + 25.5^2, cos = 45 / d.
        rates[..5].iter().for_each(|rate| assert_close(*rate, 127.030_641_203_821_33));
        rates[10..].iter().for_each(|rate| assert_close(*rate, 127.030_641_203_821_33));
    }

    #[test]
    fn filling_attenuates_along_the_radius() {
        let array = DetectorArray::nominal();
        let empty = array.signal_rates(&central_drum(0.0), 0.0);
        let filled = array.signal_rates(&central_drum(0.02), 0.0);
        assert_close(filled[7] / empty[7], (-0.02_f64 * 28.5).exp());
    }

    #[test]
    fn rates_are_in_proportion_to_the_mass_that_shines() {
        let mut drum = central_drum(0.03);
        let rates = DetectorArray::draw(5).signal_rates(&drum, 0.0);
        drum.sources[0].mass *= 3.0;
        drum.sources[0].escaping = 0.5;
        let more = DetectorArray::draw(5).signal_rates(&drum, 0.0);
        rates.iter().zip(more).for_each(|(rate, more)| assert_close(more, 1.5 * rate));
    }

    #[test]
    fn a_turn_by_72_degrees_shifts_the_detectors_of_every_ring_by_one() {
        let array = DetectorArray::nominal();
        for number in 1..30 {
            let drum = Drum::draw(2, number, None);
            let still = array.signal_rates(&drum, 0.4);
            let turned = array.signal_rates(&drum, 0.4 + 72.0_f64.to_radians());
            for ring in 0..3 {
                for k in 0..5 {
                    assert_close(turned[5 * ring + (k + 1) % 5], still[5 * ring + k]);
                }
            }
        }
    }

    #[test]
    fn upside_down_and_mirrored_drum_swaps_the_outer_rings_in_reverse() {
        let array = DetectorArray::nominal();
        let drum = Drum::draw(2, 4, None);
        let mut flipped = drum.clone();
        for source in &mut flipped.sources {
            let Point { x, y, z } = source.place;
            let mirrored = Point { x, y: -y, z: 85.0 - z };
            source.place = mirrored.turned(48.0_f64.to_radians());
        }
        let (rates, swapped) = (array.signal_rates(&drum, 0.0), array.signal_rates(&flipped, 0.0));
        for k in 0..5 {
            assert_close(swapped[10 + (5 - k) % 5], rates[k]);
            assert_close(swapped[5 + (5 - k) % 5], rates[5 + k]);
            assert_close(swapped[(5 - k) % 5], rates[10 + k]);
        }
    }
}
