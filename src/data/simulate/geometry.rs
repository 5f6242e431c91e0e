//! The drum's cylinder, points in it and rays through it. All lengths in cm.

use crate::data::Generator;

/// Inner radius of the drum, cm.
pub(super) const DRUM_RADIUS: f64 = 28.5;
/// Inner height of the drum, cm; its floor is at z = 0.
pub(super) const DRUM_HEIGHT: f64 = 85.0;

/// A point, or a direction, in cm; the drum's axis is z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) z: f64,
}

impl Point {
    /// The point at `radius` and `z` in cm and `azimuth` in radians.
    pub(super) fn cylindrical(radius: f64, azimuth: f64, z: f64) -> Self {
        let (sine, cosine) = libm::sincos(azimuth);
        Self { x: radius * cosine, y: radius * sine, z }
    }

    /// A uniformly random point inside the drum.
    pub(super) fn inside_drum(generator: &mut Generator) -> Self {
        let radius = DRUM_RADIUS * libm::sqrt(generator.uniform());
        let azimuth = 2.0 * std::f64::consts::PI * generator.uniform();
        Self::cylindrical(radius, azimuth, DRUM_HEIGHT * generator.uniform())
    }

    /// The point after the drum has turned by `angle` radians about its axis.
    pub(super) fn turned(self, angle: f64) -> Self {
        let (sine, cosine) = libm::sincos(angle);
        let x = self.x * cosine - self.y * sine;
        Self { x, y: self.x * sine + self.y * cosine, z: self.z }
    }

    /// The distance to `other` in cm and the unit vector that points there.
    pub(super) fn towards(self, other: Self) -> (f64, Self) {
        let (x, y, z) = (other.x - self.x, other.y - self.y, other.z - self.z);
        let distance = libm::sqrt(x * x + y * y + z * z);
        (distance, Self { x: x / distance, y: y / distance, z: z / distance })
    }
}

/// The length in cm that the ray from `start`, inside the drum, along the unit vector `direction`
/// stays in the drum: to the curved side or to an end plane, whichever comes first.
pub(super) fn chord(start: Point, direction: Point) -> f64 {
    to_side(start, direction).min(to_end(start.z, direction.z))
}

/// Solves `|start + t direction|^2 = R^2` in the horizontal plane for its positive root.
fn to_side(start: Point, direction: Point) -> f64 {
    let square = direction.x * direction.x + direction.y * direction.y;
    if square <= 0.0 {
        return f64::INFINITY;
    }
    let along = start.x * direction.x + start.y * direction.y;
    let depth = DRUM_RADIUS * DRUM_RADIUS - start.x * start.x - start.y * start.y;
    let discriminant = (along * along + square * depth).max(0.0);
    ((libm::sqrt(discriminant) - along) / square).max(0.0)
}

fn to_end(z: f64, slope: f64) -> f64 {
    if slope > 0.0 {
        (DRUM_HEIGHT - z) / slope
    } else if slope < 0.0 {
        z / -slope
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12 * expected.abs().max(1.0), "{found} {expected}");
    }

    fn point(x: f64, y: f64, z: f64) -> Point {
        Point { x, y, z }
    }

    #[test]
    fn chord_through_the_axis_is_a_diameter_less_the_way_done() {
        assert_close(chord(point(-28.5, 0.0, 40.0), point(1.0, 0.0, 0.0)), 57.0);
        assert_close(chord(point(10.0, 0.0, 40.0), point(1.0, 0.0, 0.0)), 18.5);
        assert_close(chord(point(10.0, 0.0, 40.0), point(-1.0, 0.0, 0.0)), 38.5);
    }

    #[test]
    fn chord_across_a_radius_is_half_the_chord_of_the_circle() {
        // 28.5^2 - 17.1^2 = 22.8^2: a right triangle of sides 3, 4 and 5 times 5.7.
        assert_close(chord(point(17.1, 0.0, 40.0), point(0.0, 1.0, 0.0)), 22.8);
    }

    #[test]
    fn tangent_at_the_wall_leaves_at_once() {
        assert_close(chord(point(28.5, 0.0, 40.0), point(0.0, 1.0, 0.0)), 0.0);
    }

    #[test]
    fn steep_rays_leave_through_the_end_planes() {
        assert_close(chord(point(3.0, 4.0, 20.0), point(0.0, 0.0, 1.0)), 65.0);
        assert_close(chord(point(3.0, 4.0, 20.0), point(0.0, 0.0, -1.0)), 20.0);
        // 8 up with slope 4/5 is a path of 10; 6 sideways from the axis is well inside.
        assert_close(chord(point(0.0, 0.0, 77.0), point(0.6, 0.0, 0.8)), 10.0);
    }

    #[test]
    fn slanted_ray_leaves_through_the_side() {
        // 28.5 sideways with slope 3/5 is a path of 47.5, which rises 38.
        assert_close(chord(point(0.0, 0.0, 10.0), point(0.6, 0.0, 0.8)), 47.5);
    }

    #[test]
    fn quarter_turn_carries_x_to_y() {
        let turned = point(2.0, 0.0, 5.0).turned(std::f64::consts::FRAC_PI_2);
        assert_close(turned.x, 0.0);
        assert_close(turned.y, 2.0);
        assert_close(turned.z, 5.0);
    }

    #[test]
    fn random_points_fill_the_drum_evenly() {
        let mut generator = Generator::new(5, &[]);
        let points: Vec<Point> = (0..20_000).map(|_| Point::inside_drum(&mut generator)).collect();
        let inner = points.iter().filter(|p| p.x.hypot(p.y) < 14.25).count() as f64 / 20_000.0;
        let height = points.iter().map(|p| p.z).sum::<f64>() / 20_000.0;
        assert!((inner - 0.25).abs() < 5.0 * (0.25_f64 * 0.75 / 20_000.0).sqrt(), "{inner}");
        assert!((height - 42.5).abs() < 5.0 * 85.0 / (12.0_f64 * 20_000.0).sqrt(), "{height}");
    }
}
