//! Judged rows with the raw values that they were predicted from.

use std::collections::{BTreeMap, HashMap};

use crate::{
    data::{Dataset, Generator},
    evaluate::ScoredRow,
};

/// Rows as the first repeat judged them, with their raw values.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedRows {
    /// Names of the columns.
    pub names: Vec<String>,
    /// The judged rows, fold by fold.
    pub scored: Vec<ScoredRow>,
    /// Their raw values, row-major, shape `[rows, columns]`; `NaN` where a value is missing.
    pub raw: Vec<f64>,
}

impl JudgedRows {
    /// Rows of the table that are looked at, about.
    pub const MOST: usize = 1000;

    /// Groups that are looked at in any case, where there are as many.
    const FEWEST_GROUPS: usize = 200;

    /// About `most` rows of `dataset`: all of a small table, else those of groups drawn at random. Few large groups all
    /// stay, each with rows that are evenly spaced: what is asked of a column needs groups to compare.
    #[must_use]
    pub fn chosen(dataset: &Dataset, most: usize) -> Vec<u32> {
        let ids = dataset.group_ids();
        if ids.len() <= most {
            return (0..ids.len() as u32).collect();
        }
        let mut drawn: Vec<u32> = ids.clone();
        drawn.sort_unstable();
        drawn.dedup();
        Generator::new(0, &[]).shuffle(&mut drawn);
        let whole = most * drawn.len() / ids.len();
        drawn.truncate(whole.max(Self::FEWEST_GROUPS));
        drawn.sort_unstable();
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); drawn.len()];
        for (row, group) in ids.iter().enumerate() {
            if let Ok(place) = drawn.binary_search(group) {
                rows[place].push(row as u32);
            }
        }
        let each = most.div_ceil(drawn.len());
        let thinned = |rows: Vec<u32>| {
            let count = rows.len().min(each);
            (0..count).map(move |place| rows[place * rows.len() / count])
        };
        let mut chosen: Vec<u32> = rows.into_iter().flat_map(thinned).collect();
        chosen.sort_unstable();
        chosen
    }

    /// Those of `scored`, in the first repeat, whose raw values are in `raw`, which holds the rows `chosen` of the
    /// table, in ascending order, row-major.
    #[must_use]
    pub fn new(names: &[String], (chosen, raw): (&[u32], &[f64]), scored: &[ScoredRow]) -> Self {
        let width = names.len();
        let mut rows = Self { names: names.to_vec(), scored: Vec::new(), raw: Vec::new() };
        for own in scored.iter().filter(|own| own.repeat == 0) {
            if let Ok(place) = chosen.binary_search(&(own.row as u32)) {
                rows.raw.extend_from_slice(&raw[place * width..(place + 1) * width]);
                rows.scored.push(own.clone());
            }
        }
        rows
    }

    /// Judged rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scored.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scored.is_empty()
    }

    /// The raw values of a judged row.
    #[must_use]
    pub fn values(&self, row: usize) -> &[f64] {
        &self.raw[row * self.names.len()..(row + 1) * self.names.len()]
    }

    /// The rows of each fold, group by group.
    pub(super) fn units(&self) -> BTreeMap<usize, Vec<Vec<usize>>> {
        let mut folds: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
        let mut places: HashMap<(usize, &str), usize> = HashMap::new();
        for (row, own) in self.scored.iter().enumerate() {
            let units = folds.entry(own.fold).or_default();
            let alone = units.len();
            let place = own
                .group
                .as_deref()
                .map_or(alone, |group| *places.entry((own.fold, group)).or_insert(alone));
            if place == alone {
                units.push(Vec::new());
            }
            units[place].push(row);
        }
        folds
    }
}
