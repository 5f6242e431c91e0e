//! Pairs of points that agree in every coordinate, found without comparing all with all.

/// Points that are compared with one another rather than parted further.
const LEAF: usize = 64;
/// Points that are looked at to choose where to part.
const SAMPLE: usize = 17;
/// A part that keeps more than this share of its points cannot be parted.
const STUCK_SHARE: f64 = 0.9;
/// Points of a part that cannot be parted that are compared: they all agree anyway.
const LARGEST_CLUMP: usize = 2000;

/// Points of `dimensions` coordinates, one after the other.
pub(super) struct Points {
    pub(super) coordinates: Vec<f32>,
    pub(super) dimensions: usize,
}

impl Points {
    pub(super) fn point(&self, index: u32) -> &[f32] {
        let start = index as usize * self.dimensions;
        &self.coordinates[start..start + self.dimensions]
    }

    /// The largest difference in any coordinate.
    pub(super) fn distance(&self, a: u32, b: u32) -> f32 {
        let pairs = self.point(a).iter().zip(self.point(b));
        pairs.fold(0.0, |largest, (a, b)| largest.max((a - b).abs()))
    }

    fn agree(&self, (a, b): (u32, u32), tolerance: f32) -> bool {
        self.point(a).iter().zip(self.point(b)).all(|(a, b)| (a - b).abs() <= tolerance)
    }

    /// Pairs that agree within `tolerance` in every coordinate, sorted; about `most` of them at
    /// most.
    ///
    /// Points are parted at a median, those within the tolerance above it going to both sides, so
    /// that no close pair is ever parted; for a small tolerance few points go to both.
    pub(super) fn close_pairs(&self, tolerance: f32, most: usize) -> Vec<(u32, u32)> {
        let count = self.coordinates.len() / self.dimensions.max(1);
        let mut pairs = self.search((0..count as u32).collect(), tolerance, most);
        pairs.sort_unstable();
        pairs.dedup();
        pairs.truncate(most);
        pairs
    }

    fn search(&self, points: Vec<u32>, tolerance: f32, most: usize) -> Vec<(u32, u32)> {
        if points.len() <= LEAF {
            return self.compare(&points, tolerance, most);
        }
        let (coordinate, middle) = self.parting(&points);
        let place = |index: &u32| self.point(*index)[coordinate];
        let low: Vec<u32> =
            points.iter().copied().filter(|index| place(index) <= middle + tolerance).collect();
        let high: Vec<u32> = points.iter().copied().filter(|index| place(index) > middle).collect();
        if low.len().max(high.len()) as f64 > STUCK_SHARE * points.len() as f64 {
            return self.compare(&points[..points.len().min(LARGEST_CLUMP)], tolerance, most);
        }
        drop(points);
        let (mut found, others) = rayon::join(
            || self.search(low, tolerance, most),
            || self.search(high, tolerance, most),
        );
        found.extend(others);
        found.truncate(2 * most);
        found
    }

    fn compare(&self, points: &[u32], tolerance: f32, most: usize) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        for (place, &a) in points.iter().enumerate() {
            let others = points[place + 1..].iter().map(|&b| (a.min(b), a.max(b)));
            found.extend(others.filter(|pair| self.agree(*pair, tolerance)));
            if found.len() > most {
                break;
            }
        }
        found
    }

    /// The coordinate in which a sample spreads most, and its median there.
    fn parting(&self, points: &[u32]) -> (usize, f32) {
        let step = (points.len() / SAMPLE).max(1);
        let mut best = (0, 0.0, f32::NEG_INFINITY);
        for coordinate in 0..self.dimensions {
            let sample = points.iter().step_by(step);
            let mut values: Vec<f32> = sample.map(|index| self.point(*index)[coordinate]).collect();
            values.sort_unstable_by(f32::total_cmp);
            let (quarter, middle) = (values.len() / 4, values[values.len() / 2]);
            let spread = values[values.len() - 1 - quarter] - values[quarter];
            if spread > best.2 {
                best = (coordinate, middle, spread);
            }
        }
        (best.0, best.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    fn points(count: usize, dimensions: usize, step: f64, seed: u64) -> Points {
        let mut generator = Generator::new(seed, &[]);
        let value = |_| ((generator.normal() / step).round() * step) as f32;
        Points { coordinates: (0..count * dimensions).map(value).collect(), dimensions }
    }

    fn all_pairs(points: &Points, count: u32, tolerance: f32) -> Vec<(u32, u32)> {
        let pairs = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b)));
        pairs.filter(|(a, b)| points.distance(*a, *b) <= tolerance).collect()
    }

    #[test]
    fn parting_finds_the_same_pairs_as_comparing_all_with_all() {
        for (seed, (dimensions, step, tolerance)) in
            [(2, 1e-6, 0.01), (2, 0.1, 0.15), (4, 1e-6, 0.2), (6, 0.5, 0.5), (1, 1e-3, 0.001)]
                .into_iter()
                .enumerate()
        {
            let points = points(1500, dimensions, step, seed as u64);
            let expected = all_pairs(&points, 1500, tolerance);
            assert!(!expected.is_empty());
            assert_eq!(points.close_pairs(tolerance, usize::MAX / 4), expected);
        }
    }

    #[test]
    fn a_clump_of_equal_points_ends_and_is_capped() {
        let points = Points { coordinates: vec![1.0; 3 * 10_000], dimensions: 3 };
        assert_eq!(points.close_pairs(0.01, 500).len(), 500);
    }
}
