//! One drum and what is in it, drawn from the seed.

use super::Stream;
use super::attenuation::escaping_fraction;
use super::geometry::Point;
use crate::data::Generator;

/// Smallest and largest mass of element X, g.
const MASSES: [f64; 2] = [0.5, 100.0];
/// Typical densities of the filling, g/cm3, and how often each occurs.
const DENSITIES: [(f64, f64); 4] = [(0.1, 0.25), (0.3, 0.35), (0.6, 0.25), (1.0, 0.15)];
/// Spread (standard deviation of the logarithm) of the density about a typical one.
const DENSITY_SPREAD: f64 = 0.15;
/// Smallest and largest mass attenuation coefficient of the filling at 413.7 keV, cm2/g.
const FILLING_ATTENUATIONS: [f64; 2] = [0.090, 0.100];
/// Sources that stand for material spread through the whole drum.
const DISTRIBUTED_SOURCES: usize = 120;

/// Some of the element X, at one place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    /// Where it is, with the drum at angle zero, cm.
    pub(super) place: Point,
    /// Its mass, g.
    pub(super) mass: f64,
    /// Fraction of its gammas that leave it, in `(0, 1]`.
    pub(super) escaping: f64,
}

/// A drum: a uniform filling with sources of element X in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Drum {
    /// Mass of element X, g.
    pub(super) mass: f64,
    /// Linear attenuation coefficient of the filling, 1/cm.
    pub(super) attenuation: f64,
    /// The element X, in pieces whose masses add up to `mass`.
    pub(super) sources: Vec<Source>,
}

impl Drum {
    /// The mass of element X, g, of container `number`, without drawing the rest of it.
    pub(super) fn mass(seed: u64, number: usize) -> f64 {
        draw_mass(&mut stream(seed, number))
    }

    /// Container `number`, from its own stream of `seed`; with a filling of this density, where one is given.
    pub(super) fn draw(seed: u64, number: usize, stated: Option<f64>) -> Self {
        let mut generator = stream(seed, number);
        let mass = draw_mass(&mut generator);
        let drawn = draw_density(&mut generator);
        let density = stated.unwrap_or(drawn);
        let attenuation =
            density * generator.between(FILLING_ATTENUATIONS[0], FILLING_ATTENUATIONS[1]);
        let sources = draw_sources(mass, &mut generator);
        Self { mass, attenuation, sources }
    }
}

fn stream(seed: u64, number: usize) -> Generator {
    Generator::new(seed, &[Stream::Drum as u64, number as u64])
}

/// Uniform in the logarithm.
fn draw_mass(generator: &mut Generator) -> f64 {
    libm::exp(generator.between(libm::log(MASSES[0]), libm::log(MASSES[1])))
}

fn draw_density(generator: &mut Generator) -> f64 {
    let mut left = generator.uniform();
    let mut typical = DENSITIES[DENSITIES.len() - 1].0;
    for (density, probability) in DENSITIES {
        if left < probability {
            typical = density;
            break;
        }
        left -= probability;
    }
    typical * libm::exp(DENSITY_SPREAD * generator.normal())
}

fn draw_sources(mass: f64, generator: &mut Generator) -> Vec<Source> {
    let count = draw_source_count(generator);
    let lump_fraction = if count == DISTRIBUTED_SOURCES { 0.0 } else { generator.uniform() };
    let places: Vec<Point> = (0..count).map(|_| Point::inside_drum(generator)).collect();
    let shares = draw_shares(count, generator);
    let sources = places.into_iter().zip(shares).map(|(place, share)| {
        let mass = mass * share;
        Source { place, mass, escaping: escaping_fraction(mass, lump_fraction) }
    });
    sources.collect()
}

/// One source (40 %), two to five (35 %), or enough to fill the drum (25 %).
fn draw_source_count(generator: &mut Generator) -> usize {
    match generator.uniform() {
        kind if kind < 0.40 => 1,
        kind if kind < 0.75 => 2 + generator.below(4),
        _ => DISTRIBUTED_SOURCES,
    }
}

/// Shares that add up to one, uniform over all such splits: Dirichlet with all parameters one.
fn draw_shares(count: usize, generator: &mut Generator) -> Vec<f64> {
    if count == 1 {
        return vec![1.0];
    }
    let parts: Vec<f64> = (0..count).map(|_| generator.exponential()).collect();
    let total: f64 = parts.iter().sum();
    parts.iter().map(|part| part / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drums() -> impl Iterator<Item = Drum> {
        (1..=4000).map(|number| Drum::draw(11, number, None))
    }

    /// Whether `part` of 4000 is within five standard errors of `probability`.
    fn assert_share(part: usize, probability: f64) {
        let error = (probability * (1.0 - probability) / 4000.0).sqrt();
        assert!((part as f64 / 4000.0 - probability).abs() < 5.0 * error, "{part} {probability}");
    }

    #[test]
    fn masses_are_uniform_in_the_logarithm() {
        assert!(drums().all(|drum| (0.5..=100.0).contains(&drum.mass)));
        // sqrt(0.5 * 100) = 7.07 g is the middle of the logarithmic range.
        assert_share(drums().filter(|drum| drum.mass < 7.071_067_8).count(), 0.5);
    }

    #[test]
    fn sources_come_in_the_stated_kinds() {
        assert_share(drums().filter(|drum| drum.sources.len() == 1).count(), 0.40);
        assert_share(drums().filter(|drum| drum.sources.len() == 3).count(), 0.35 / 4.0);
        assert_share(drums().filter(|drum| drum.sources.len() == 120).count(), 0.25);
    }

    #[test]
    fn sources_add_up_to_the_mass() {
        for drum in drums() {
            let total: f64 = drum.sources.iter().map(|source| source.mass).sum();
            assert!((total / drum.mass - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn only_lumps_absorb_themselves() {
        for drum in drums() {
            let thin = drum.sources.iter().all(|source| source.escaping > 1.0 - 1e-12);
            assert_eq!(thin, drum.sources.len() == 120);
        }
    }

    #[test]
    fn mass_alone_is_the_mass_of_the_drum() {
        for number in 1..50 {
            assert!((Drum::mass(3, number) - Drum::draw(3, number, None).mass).abs() < 1e-15);
        }
    }

    #[test]
    fn heavy_filling_is_rarer_than_light_filling() {
        // The classes 0.1 and 0.3 meet 0.6 and 1.0 near 0.42 g/cm3, over 2.2 spreads from either.
        let light = drums().filter(|drum| drum.attenuation < 0.42 * 0.095).count() as f64 / 4000.0;
        assert!((light - 0.60).abs() < 0.05, "{light}");
    }
}
