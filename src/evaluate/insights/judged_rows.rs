//! Judged rows with the raw values that they were predicted from.

use std::collections::HashMap;

use crate::{
    data::{Dataset, FoldPlan, Generator},
    evaluate::ScoredRow,
};

/// Judged rows with their raw values.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedRows {
    /// Names of the columns.
    pub names: Vec<String>,
    /// The judged rows, split by split.
    pub scored: Vec<ScoredRow>,
    /// Their raw values, row-major, shape `[rows, columns]`; `NaN` where a value is missing.
    pub raw: Vec<f64>,
    /// Folds of each repeat.
    pub folds: usize,
}

impl JudgedRows {
    /// Rows of the table that are looked at, about.
    pub const MOST: usize = 1000;

    /// The rows of `dataset` that insights look at: all of a small table, else whole groups drawn at random.
    #[must_use]
    pub fn chosen(dataset: &Dataset) -> Vec<u32> {
        let ids = dataset.group_ids();
        let mut groups: Vec<u32> = ids.clone();
        groups.sort_unstable();
        groups.dedup();
        if ids.len() > Self::MOST {
            Generator::new(0, &[]).shuffle(&mut groups);
            groups.truncate((Self::MOST * groups.len() / ids.len()).max(1));
            groups.sort_unstable();
        }
        let is_chosen = |row: &u32| groups.binary_search(&ids[*row as usize]).is_ok();
        (0..ids.len() as u32).filter(is_chosen).take(2 * Self::MOST).collect()
    }

    /// Those of `scored` whose raw values are in `raw`, which holds the rows `chosen` of the table, in ascending
    /// order, row-major.
    #[must_use]
    pub fn new(
        names: &[String],
        (chosen, raw): (&[u32], &[f64]),
        scored: &[ScoredRow],
        plan: &FoldPlan,
    ) -> Self {
        let width = names.len();
        let mut rows = Self {
            names: names.to_vec(),
            scored: Vec::new(),
            raw: Vec::new(),
            folds: plan.folds(),
        };
        for own in scored {
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

    /// Position of the split that held a judged row out.
    #[must_use]
    pub fn split(&self, row: usize) -> usize {
        self.scored[row].repeat * self.folds + self.scored[row].fold
    }

    /// The judged rows of each split, group by group.
    pub(super) fn units(&self) -> Vec<(usize, Vec<Vec<usize>>)> {
        let mut splits: Vec<(usize, Vec<Vec<usize>>)> = Vec::new();
        let mut places: HashMap<(usize, &str), (usize, usize)> = HashMap::new();
        for (row, own) in self.scored.iter().enumerate() {
            let split = self.split(row);
            let place = splits.iter().position(|(known, _)| *known == split).unwrap_or_else(|| {
                splits.push((split, Vec::new()));
                splits.len() - 1
            });
            let units = &mut splits[place].1;
            let known = own.group.as_deref().and_then(|group| places.get(&(split, group)));
            if let Some((_, unit)) = known {
                units[*unit].push(row);
                continue;
            }
            if let Some(group) = own.group.as_deref() {
                places.insert((split, group), (place, units.len()));
            }
            units.push(vec![row]);
        }
        splits
    }
}
