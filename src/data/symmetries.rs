//! The motions that map a detector array onto itself.

use super::DetectorArray;

/// Motions that are found at most; a larger group is no detector array.
const MOST_MOTIONS: usize = 1000;

impl DetectorArray {
    /// Every motion of the array but the one that moves nothing, as the place among the detectors of
    /// all rings that each place takes its signal from: the stated symmetries and all their combinations.
    ///
    /// Returns `None` where they combine to more than a thousand motions. Each stated symmetry must be
    /// a permutation of the detectors.
    #[must_use]
    pub fn motions(&self) -> Option<Vec<Vec<usize>>> {
        let detectors = self.rings.concat();
        let place = |name: &String| detectors.iter().position(|detector| detector == name);
        let stated = self.symmetries.iter().map(|motion| motion.iter().map(place).collect());
        let stated: Vec<Vec<usize>> = stated.collect::<Option<_>>()?;
        let still: Vec<usize> = (0..detectors.len()).collect();
        let mut known = vec![still];
        let mut next = 0;
        while next < known.len() {
            for motion in &stated {
                let combined = motion.iter().map(|place| known[next][*place]).collect();
                if !known.contains(&combined) {
                    known.push(combined);
                }
            }
            next += 1;
            if known.len() > MOST_MOTIONS {
                return None;
            }
        }
        Some(known.split_off(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(rings: &[&[&str]], symmetries: &[&[&str]]) -> DetectorArray {
        let owned = |lists: &[&[&str]]| -> Vec<Vec<String>> {
            lists.iter().map(|list| list.iter().map(|&name| name.to_owned()).collect()).collect()
        };
        DetectorArray { rings: owned(rings), symmetries: owned(symmetries) }
    }

    #[test]
    fn a_turn_and_a_mirror_make_the_symmetries_of_a_square() {
        let square =
            array(&[&["a", "b", "c", "d"]], &[&["d", "a", "b", "c"], &["a", "d", "c", "b"]]);
        let motions = square.motions().unwrap();
        assert_eq!(motions.len(), 7);
        for motion in &motions {
            let mut places = motion.clone();
            places.sort_unstable();
            assert_eq!(places, [0, 1, 2, 3]);
        }
    }

    #[test]
    fn an_array_without_symmetries_does_not_move() {
        assert_eq!(array(&[&["a", "b"]], &[]).motions().unwrap(), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn an_unbounded_group_is_refused() {
        let names: Vec<String> = (0..12).map(|index| format!("d{index}")).collect();
        let mut turned = names.clone();
        turned.rotate_left(1);
        let mut swapped = names.clone();
        swapped.swap(0, 1);
        let array = DetectorArray { rings: vec![names], symmetries: vec![turned, swapped] };
        assert!(array.motions().is_none());
    }
}
