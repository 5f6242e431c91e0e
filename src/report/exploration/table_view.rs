//! The table as its figures see it: every column with its values, its profile and its scale.

use rayon::prelude::*;

use super::Exploration;
use crate::data::explore::{ColumnProfile, ColumnRole};
use crate::report::names::shortened;
use crate::report::plots::style::{px, text_width};

/// Ratio of the largest to the smallest positive value from which a column is drawn by ratios.
const LOG_SPAN: f64 = 50.0;

/// Largest share of zeros that a column drawn by ratios may have; they get a place of their own.
const MOST_ZEROS: f64 = 0.3;

/// Room for zeros on a logarithmic axis, as a share of the decades of all other values.
const ZEROS_ROOM: f64 = 0.1;

/// Characters that names may share without being cut there.
const LITTLE: usize = 4;

/// What equal steps of a column mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Equal differences.
    Linear,
    /// Equal ratios: no value is negative and the positive ones span decades.
    Logarithmic,
}

/// One column, ready to be drawn.
pub(super) struct Column<'a> {
    /// Its statistics.
    pub profile: &'a ColumnProfile,
    /// Its values by row; `NaN` where one is missing.
    pub values: &'a [f64],
    /// Smallest and largest value; `None` where there is none.
    pub range: Option<(f64, f64)>,
    /// Smallest value above zero; infinite where there is none.
    pub smallest_positive: f64,
    /// How it is drawn.
    pub scale: Scale,
    /// Its unit, where it is known.
    pub unit: Option<&'a str>,
    /// What sets its name apart, where the names of all features begin and end alike.
    own_name: Option<String>,
}

/// The whole table.
pub(super) struct TableView<'a> {
    /// Number of rows.
    pub rows: usize,
    /// The target.
    pub target: Column<'a>,
    /// The features, in the order of the table.
    pub features: Vec<Column<'a>>,
    /// Rings of detectors as indices of features; empty where no array is stated.
    pub rings: Vec<Vec<usize>>,
    /// Pearson correlations, the target first.
    pub pearson: &'a [Vec<Option<f64>>],
}

impl<'a> TableView<'a> {
    /// Pairs every column with its profile.
    pub(super) fn new(exploration: &'a Exploration<'a>) -> Option<Self> {
        let (dataset, profile) = (exploration.dataset, exploration.profile);
        let target = profile.columns.iter().find(|column| column.role == ColumnRole::Target)?;
        let mut target = Column::new(target, &dataset.target);
        target.unit = exploration.unit.as_deref().or(target.unit);
        let features: Vec<_> =
            profile.columns.iter().filter(|column| column.role == ColumnRole::Feature).collect();
        let pairs = features.par_iter().zip(&dataset.features);
        let mut features: Vec<Column<'_>> =
            pairs.map(|(profile, values)| Column::new(profile, values)).collect();
        let names = own_names(&dataset.feature_names);
        features.iter_mut().zip(names).for_each(|(feature, name)| feature.own_name = name);
        let rings = rings(exploration, &dataset.feature_names);
        Some(Self { rows: dataset.rows(), target, features, rings, pearson: &profile.pearson })
    }

    /// At most `most` features, those that go with the target most strongly, in the order of the table.
    pub(super) fn strongest(&self, most: usize) -> Vec<usize> {
        let strength =
            |index: &usize| self.features[*index].profile.spearman.map_or(-1.0, f64::abs);
        let mut chosen: Vec<usize> = (0..self.features.len()).collect();
        chosen.sort_by(|left, right| strength(right).total_cmp(&strength(left)));
        chosen.truncate(most);
        chosen.sort_unstable();
        chosen
    }
}

/// Each name without what all of them begin and end with; `None` where they share little.
fn own_names(names: &[String]) -> Vec<Option<String>> {
    let names: Vec<Vec<char>> = names.iter().map(|name| name.chars().collect()).collect();
    let shortest = names.iter().map(Vec::len).min().unwrap_or(0);
    let shared = |at: fn(&[char], usize) -> char, most: usize| {
        let same =
            |index: &usize| names.iter().all(|name| at(name, *index) == at(&names[0], *index));
        (0..most).take_while(same).count()
    };
    let head = shared(|name, index| name[index], shortest);
    let tail = shared(|name, index| name[name.len() - 1 - index], shortest - head);
    let first = names.first().map(Vec::as_slice).unwrap_or_default();
    // A number is never cut: detectors 10 and 11 differ by more than their last digit.
    let digits = |characters: &mut dyn Iterator<Item = &char>| {
        characters.take_while(|one| one.is_ascii_digit()).count()
    };
    let head = head - digits(&mut first[..head].iter().rev());
    let tail = tail - digits(&mut first[first.len() - tail..].iter());
    let own = |name: &Vec<char>| {
        let own: String = name[head..name.len() - tail].iter().collect();
        let end = if tail > 0 { "…" } else { "" };
        let is_useful = names.len() > 1 && head + tail > LITTLE && !own.is_empty();
        is_useful.then(|| format!("…{own}{end}"))
    };
    names.iter().map(own).collect()
}

/// The stated rings, as far as the table has their detectors.
fn rings(exploration: &Exploration<'_>, names: &[String]) -> Vec<Vec<usize>> {
    let array = exploration.schema.and_then(|schema| schema.array.as_ref());
    let find = |name: &String| names.iter().position(|known| known == name);
    let rings = array.map(|array| array.rings.as_slice()).unwrap_or_default();
    let rings = rings.iter().map(|ring| ring.iter().filter_map(find).collect::<Vec<usize>>());
    rings.filter(|ring| !ring.is_empty()).collect()
}

impl<'a> Column<'a> {
    fn new(profile: &'a ColumnProfile, values: &'a [f64]) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut smallest_positive, mut zeros, mut present) = (f64::INFINITY, 0, 0);
        for value in values.iter().copied().filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
            if value > 0.0 {
                smallest_positive = smallest_positive.min(value);
            }
            zeros += usize::from(value == 0.0);
            present += 1;
        }
        let few_zeros = zeros as f64 <= MOST_ZEROS * f64::from(present);
        let by_ratios = low >= 0.0 && few_zeros && high / smallest_positive > LOG_SPAN;
        let scale = if by_ratios { Scale::Logarithmic } else { Scale::Linear };
        let range = (low <= high).then_some((low, high));
        Self {
            profile,
            values,
            range,
            smallest_positive,
            scale,
            unit: profile.unit.as_deref(),
            own_name: None,
        }
    }

    /// Where zeros stand on a logarithmic axis, left of every other value; `None` where there are none.
    pub(super) fn zeros_place(&self) -> Option<(f64, f64)> {
        let (low, high) = self.range?;
        if self.scale == Scale::Linear || low > 0.0 {
            return None;
        }
        let step = (high / self.smallest_positive).powf(ZEROS_ROOM);
        Some((self.smallest_positive / step.powf(1.5), self.smallest_positive / step.sqrt()))
    }

    /// The name with the unit, e.g. `mass (g)`.
    pub(super) fn label(&self) -> String {
        match self.unit {
            Some(unit) => format!("{} ({unit})", self.profile.name),
            None => self.profile.name.clone(),
        }
    }

    /// The name and `tail` on at most `pixels`; where they are too wide, what all names share goes first.
    pub(super) fn short_name(&self, tail: &str, pixels: f64, size: f64) -> String {
        let room = pixels - 1.1 * f64::from(text_width(tail, size)) / f64::from(px(1.0));
        let whole = shortened(&self.profile.name, room, size);
        let own = self.own_name.as_ref().filter(|_| whole.contains('…'));
        own.map_or(whole, |own| shortened(own, room, size)) + tail
    }

    /// The finite values.
    pub(super) fn present(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().copied().filter(|value| value.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(names: &[&str]) -> Vec<Option<String>> {
        own_names(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>())
    }

    #[test]
    fn what_sets_names_apart_is_found_between_what_they_share() {
        let apart =
            own(&["rate_of_detector_1_up", "rate_of_detector_12_up", "rate_of_detector_3_up"]);
        let apart: Vec<String> = apart.into_iter().flatten().collect();
        assert_eq!(apart, ["…1…", "…12…", "…3…"]);
    }

    #[test]
    fn names_that_share_little_stay_whole() {
        for names in [&["det1", "det2"][..], &["temperature"], &["", "a"], &[]] {
            assert!(own(names).iter().all(Option::is_none), "{names:?}");
        }
        assert_eq!(own(&["detector", "detector_b"]), [None, Some("…_b".to_owned())]);
    }

    #[test]
    fn numbers_in_names_are_never_cut() {
        let apart: Vec<String> =
            own(&["detector_10", "detector_11"]).into_iter().flatten().collect();
        assert_eq!(apart, ["…10", "…11"]);
    }
}
