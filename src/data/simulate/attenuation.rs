//! What the drum wall and a lump of element X let through at 414 keV.

/// Mass attenuation coefficient of iron at 413.7 keV, cm2/g (Hubbell and Seltzer, 1995, between
/// 0.0940 at 400 keV and 0.0841 at 500 keV).
const IRON_ATTENUATION: f64 = 0.0924;
/// Density of the steel wall, g/cm3.
const IRON_DENSITY: f64 = 7.87;
/// Thickness of the steel wall, cm.
const WALL: f64 = 0.12;
/// Mass attenuation coefficient of element X at 413.7 keV, cm2/g.
const LUMP_ATTENUATION: f64 = 0.26;
/// Density of element X, g/cm3.
const LUMP_DENSITY: f64 = 11.5;

/// Fraction that crosses the wall at an angle of cosine `cosine`: `exp(-mu rho t / max(cos, 0.3))`.
pub(super) fn wall_transmission(cosine: f64) -> f64 {
    libm::exp(-IRON_ATTENUATION * IRON_DENSITY * WALL / cosine.max(0.3))
}

/// Fraction of the gammas of `mass` grams of X that leave it, when the part `lump_fraction` is one
/// sphere and the rest is spread thin: `f F(mu rho D) + (1 - f)`.
pub(super) fn escaping_fraction(mass: f64, lump_fraction: f64) -> f64 {
    let volume = mass * lump_fraction / LUMP_DENSITY;
    let diameter = libm::cbrt(6.0 * volume / std::f64::consts::PI);
    let escape = sphere_escape(LUMP_ATTENUATION * LUMP_DENSITY * diameter);
    lump_fraction * escape + (1.0 - lump_fraction)
}

/// Fraction of the gammas born in a sphere that leave it towards a far detector, where `x` is its
/// diameter in mean free paths (Parker, in PANDA, chapter 6):
/// `F(x) = 1.5/x (1 - 2/x^2 + exp(-x) (2/x + 2/x^2))`.
fn sphere_escape(x: f64) -> f64 {
    if x < 0.5 {
        return sphere_escape_series(x);
    }
    1.5 / x * (1.0 - 2.0 / (x * x) + libm::exp(-x) * (2.0 / x + 2.0 / (x * x)))
}

/// The same as a power series, `sum over n >= 3 of 3 (n - 1)/n! (-x)^(n - 3)` = `1 - 3x/8 + ...`:
/// the closed form loses its digits to cancellation in small spheres.
fn sphere_escape_series(x: f64) -> f64 {
    let mut power = 0.5;
    let mut sum = 0.0;
    for n in 3..16 {
        let n = f64::from(n);
        sum += power * (n - 1.0);
        power *= -x / (n + 1.0);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_spheres_lose_three_eighths_of_their_size() {
        for x in [1e-9, 1e-6, 1e-3] {
            assert!((sphere_escape(x) - (1.0 - 0.375 * x)).abs() < 0.11 * x * x + 1e-15, "{x}");
        }
        assert!((sphere_escape(0.0) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn large_spheres_shine_from_their_skin() {
        for x in [100.0, 1e4] {
            assert!((sphere_escape(x) * x / 1.5 - 1.0).abs() < 2.1 / (x * x), "{x}");
        }
    }

    #[test]
    fn sphere_escape_matches_the_closed_form_at_forty_digits() {
        let expected = [
            (1e-4, 0.999_962_500_999_979_2),
            (0.01, 0.996_259_979_202_328_9),
            (0.49, 0.838_001_020_020_058_2),
            (0.5, 0.835_103_749_654_804_6),
            (1.0, 0.707_276_647_028_653_9),
            (7.6, 0.190_563_747_555_635_8),
        ];
        for (x, value) in expected {
            assert!((sphere_escape(x) - value).abs() < 1e-13, "{x}: {}", sphere_escape(x));
        }
    }

    #[test]
    fn material_without_lumps_does_not_absorb_itself() {
        assert!((escaping_fraction(50.0, 0.0) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn wall_is_never_thicker_than_at_a_cosine_of_three_tenths() {
        assert!((wall_transmission(0.1) - wall_transmission(0.3)).abs() < 1e-15);
        assert!((wall_transmission(1.0) - 0.916_436_4).abs() < 1e-6);
    }
}
