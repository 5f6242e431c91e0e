//! A fair, repeatable choice of the points that a figure has room for.

use crate::report::number_format::count;

/// Most points that one panel draws.
pub(in crate::report) const MOST_POINTS: usize = 2000;

/// One element from each of `limit` equal stretches of `items`, so that every part is represented;
/// which one changes from stretch to stretch, so that no period in the data shows. All where they fit.
pub(in crate::report) fn sample<T>(items: &[T], limit: usize) -> Vec<&T> {
    if items.len() <= limit {
        return items.iter().collect();
    }
    let stretch = items.len() as f64 / limit as f64;
    (0..limit)
        .map(|index| ((index as f64 + jitter(index as u64)) * stretch) as usize)
        .map(|position| &items[position.min(items.len() - 1)])
        .collect()
}

/// Evenly spaced positions in `0..length`, both ends included; all where they fit.
pub(in crate::report) fn spread(length: usize, limit: usize) -> Vec<usize> {
    if length <= limit || limit < 2 {
        return (0..length).collect();
    }
    (0..limit).map(|index| index * (length - 1) / (limit - 1)).collect()
}

/// What a caption adds where not every row is drawn.
pub(in crate::report) fn sample_note(n_rows: usize) -> String {
    if n_rows <= MOST_POINTS {
        return String::new();
    }
    let (shown, all) = (count(MOST_POINTS), count(n_rows));
    format!(" Shown: an even sample of {shown} of {all} points.")
}

/// A number in [0, 1) that looks random: the mixing step of the `SplitMix64` generator (Steele et al. 2014).
fn jitter(index: u64) -> f64 {
    let mut bits = index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sets_are_kept_whole() {
        assert_eq!(sample(&[3, 1, 2], 3), [&3, &1, &2]);
        assert_eq!(spread(3, 5), [0, 1, 2]);
    }

    #[test]
    fn samples_are_ordered_distinct_and_repeatable() {
        let items: Vec<usize> = (0..12_345).collect();
        let chosen = sample(&items, 100);
        assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(chosen, sample(&items, 100));
    }

    #[test]
    fn spread_positions_keep_both_ends() {
        let positions = spread(1_000_000, 2000);
        assert_eq!((positions.len(), positions[0], positions[1999]), (2000, 0, 999_999));
    }
}
