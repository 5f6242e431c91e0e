//! Rows that count together: those of a group, or a row by itself.

use crate::data::NameSet;

use super::ScoredRow;

/// Which of some rows count together, numbered in the order in which they are met first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Units {
    /// The unit of each row.
    of_row: Vec<u32>,
    /// How many rows count as one in each unit: all of a group, and 1 without a group, which counts as one each time
    /// that it is judged.
    pub(super) sizes: Vec<f64>,
}

impl Units {
    /// Those of `rows`.
    pub(super) fn of<'a>(rows: impl IntoIterator<Item = &'a ScoredRow, IntoIter: Clone>) -> Self {
        let rows = rows.into_iter();
        let mut named = rows.clone().filter_map(|row| row.group.as_ref());
        // Names of one table are known by their numbers.
        let are_together =
            named.next().is_none_or(|first| named.all(|other| other.is_beside(first)));
        let (mut known, mut groups, mut alone) = (NameSet::default(), Known(vec![]), Known(vec![]));
        let mut sizes: Vec<f64> = Vec::new();
        let of_row = rows.map(|row| {
            let next = sizes.len() as u32;
            let unit = match &row.group {
                Some(group) if are_together => groups.unit(group.number(), next),
                Some(group) => groups.unit(known.insert(group), next),
                None => alone.unit(row.row as u32, next),
            };
            if unit == next {
                sizes.push(1.0);
            } else if row.group.is_some() {
                sizes[unit as usize] += 1.0;
            }
            unit
        });
        Self { of_row: of_row.collect(), sizes }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sizes.len()
    }

    /// What `add` makes of the rows of each unit; `rows` are those that the units are of.
    pub(super) fn sums<'a, T: Clone + Default>(
        &self,
        rows: impl IntoIterator<Item = &'a ScoredRow>,
        add: impl Fn(&mut T, &ScoredRow),
    ) -> Vec<T> {
        let mut sums = vec![T::default(); self.len()];
        for (row, unit) in rows.into_iter().zip(&self.of_row) {
            add(&mut sums[*unit as usize], row);
        }
        sums
    }
}

/// The unit of each number that was met, `NONE` of the others.
struct Known(Vec<u32>);

const NONE: u32 = u32::MAX;

impl Known {
    /// That of `number`, which is `next` where it is new.
    fn unit(&mut self, number: u32, next: u32) -> u32 {
        let number = number as usize;
        if self.0.len() <= number {
            self.0.resize(number + 1, NONE);
        }
        let unit = &mut self.0[number];
        if *unit == NONE {
            *unit = next;
        }
        *unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(row: usize, group: Option<&str>) -> ScoredRow {
        ScoredRow {
            row,
            group: group.map(Into::into),
            repeat: 0,
            fold: 0,
            target: row as f64,
            prediction: 0.0,
            lower: 0.0,
            upper: 0.0,
            out_of_domain: false,
            weight: 1.0,
        }
    }

    #[test]
    fn rows_of_a_group_count_together_and_a_row_without_one_as_itself() {
        let groups = [Some("b"), None, Some("a"), Some("b"), None];
        let mut rows: Vec<ScoredRow> =
            groups.into_iter().enumerate().map(|(place, group)| row(place, group)).collect();
        // The second row is judged once more.
        rows.push(row(1, None));
        let units = Units::of(&rows);
        assert_eq!(
            units,
            Units { of_row: vec![0, 1, 2, 0, 3, 1], sizes: vec![2.0, 1.0, 1.0, 1.0] }
        );
        assert_eq!(units.len(), 4);
        let targets: Vec<f64> = units.sums(&rows, |sum, row| *sum += row.target);
        assert_eq!(targets, [3.0, 2.0, 2.0, 4.0]);
    }
}
