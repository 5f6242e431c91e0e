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

    /// About `most` rows of `dataset`: all of a small table, else whole groups drawn at random.
    #[must_use]
    pub fn chosen(dataset: &Dataset, most: usize) -> Vec<u32> {
        let ids = dataset.group_ids();
        let mut groups: Vec<u32> = ids.clone();
        groups.sort_unstable();
        groups.dedup();
        if ids.len() > most {
            Generator::new(0, &[]).shuffle(&mut groups);
            groups.truncate((most * groups.len() / ids.len()).max(1));
            groups.sort_unstable();
        }
        let is_chosen = |row: &u32| groups.binary_search(&ids[*row as usize]).is_ok();
        (0..ids.len() as u32).filter(is_chosen).take(2 * most).collect()
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
