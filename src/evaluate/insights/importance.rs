//! What columns are worth: how much worse predictions get when their values come from other containers.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::Generator;

use super::JudgedRows;

/// Rows that are predicted for one set of columns, about.
const PREDICTIONS: usize = 5000;

/// Values that are predicted from for all sets together, about: a wide table is permuted less often.
const VALUES: usize = 300_000_000;

/// Times that a set is permuted.
const REPETITIONS: std::ops::RangeInclusive<usize> = 3..=20;

/// Columns that belong together, e.g. one detector, or a ring of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSet {
    /// Its name.
    pub name: String,
    /// Positions of its columns.
    pub columns: Vec<usize>,
}

impl ColumnSet {
    /// A column by itself.
    #[must_use]
    pub fn single((column, name): (usize, &String)) -> Self {
        Self { name: name.clone(), columns: vec![column] }
    }
}

/// What some columns are worth to a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The columns.
    pub set: ColumnSet,
    /// Mean of the RMSE with their values permuted less the RMSE with their own, in the target's unit.
    pub rmse_increase: f64,
    /// Its standard error, from the permutations.
    pub standard_error: f64,
}

/// Permutation importance (Breiman, 2001; Fisher, Rudin and Dominici, 2019) of each set, the largest first.
///
/// Within each fold the groups of its held-out rows change places, all columns of the set together and the rows of
/// a group together; the models of that fold predict. Where a fold holds out one group only, its values come from a
/// group of another fold. A column whose information others have too is worth little
/// here, though all of them together may be worth much.
pub(super) fn of_sets(
    rows: &JudgedRows,
    sets: &[ColumnSet],
    predict: super::OfFold<'_>,
) -> Vec<Importance> {
    if rows.is_empty() || sets.is_empty() {
        return Vec::new();
    }
    let once = rows.raw.len().max(1) * sets.len();
    let repetitions = (PREDICTIONS / rows.len()).min(VALUES / once);
    let repetitions = repetitions.clamp(*REPETITIONS.start(), *REPETITIONS.end());
    let own = rmse(rows, &predictions(rows, predict, None));
    let importance = |(index, set): (usize, &ColumnSet)| {
        let increase = |repetition: usize| {
            let mut generator = Generator::new(0, &[index as u64, repetition as u64]);
            rmse(rows, &predictions(rows, predict, Some((&set.columns, &mut generator)))) - own
        };
        let increases: Vec<f64> = (0..repetitions).map(increase).collect();
        let count = repetitions as f64;
        let mean = increases.iter().sum::<f64>() / count;
        let squares = increases.iter().map(|own| (own - mean).powi(2)).sum::<f64>();
        let standard_error = (squares / (count - 1.0) / count).sqrt();
        Importance { set: set.clone(), rmse_increase: mean, standard_error }
    };
    let mut all: Vec<Importance> = sets.par_iter().enumerate().map(importance).collect();
    all.sort_by(|a, b| b.rmse_increase.total_cmp(&a.rmse_increase));
    all
}

/// The prediction for every row by the models of its fold; where columns are named, with their values taken
/// from another group.
fn predictions(
    rows: &JudgedRows,
    predict: super::OfFold<'_>,
    mut permuted: Option<(&[usize], &mut Generator)>,
) -> Vec<f64> {
    let mut all = vec![0.0; rows.len()];
    let folds = rows.units();
    for (fold, units) in &folds {
        let mut donors: Vec<&Vec<usize>> = units.iter().collect();
        if let Some((_, generator)) = &mut permuted {
            if units.len() == 1 {
                let others = folds.iter().filter(|(other, _)| *other != fold);
                let others: Vec<&Vec<usize>> = others.flat_map(|(_, own)| own).collect();
                if !others.is_empty() {
                    donors = vec![others[generator.below(others.len())]];
                }
            }
            generator.shuffle(&mut donors);
        }
        let (mut places, mut values) = (Vec::new(), Vec::new());
        for (unit, donors) in units.iter().zip(donors) {
            for (position, row) in unit.iter().enumerate() {
                let start = values.len();
                values.extend_from_slice(rows.values(*row));
                if let Some((columns, _)) = &permuted {
                    let donor = rows.values(donors[position % donors.len()]);
                    columns.iter().for_each(|column| values[start + column] = donor[*column]);
                }
                places.push(*row);
            }
        }
        places.iter().zip(predict(*fold, &values)).for_each(|(row, value)| all[*row] = value);
    }
    all
}

fn rmse(rows: &JudgedRows, predictions: &[f64]) -> f64 {
    let weight: f64 = rows.scored.iter().map(|row| row.weight).sum();
    let pairs = rows.scored.iter().zip(predictions);
    let squares: f64 = pairs.map(|(row, own)| row.weight * (own - row.target).powi(2)).sum();
    (squares / weight).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::ScoredRow;

    /// Rows of two folds in groups of `size`, with the target `3 x0 + x1` and an unused column.
    pub(super) fn linear_rows(count: usize, size: usize) -> JudgedRows {
        let mut generator = Generator::new(6, &[]);
        let mut raw = Vec::new();
        let scored = (0..count).map(|row| {
            let values = [generator.normal(), generator.normal(), generator.normal()];
            raw.extend(values);
            ScoredRow {
                row,
                group: Some(format!("{}", row / size).as_str().into()),
                repeat: 0,
                fold: row / size % 2,
                target: 3.0 * values[0] + values[1],
                prediction: 0.0,
                lower: 0.0,
                upper: 0.0,
                out_of_domain: false,
                weight: 1.0,
            }
        });
        let scored = scored.collect();
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        JudgedRows { names, scored, raw }
    }

    pub(super) fn linear(rows: &[f64]) -> Vec<f64> {
        rows.chunks_exact(3).map(|row| 3.0 * row[0] + row[1]).collect()
    }

    #[test]
    fn a_linear_model_loses_what_the_closed_form_says() {
        // Permuting x in w x gives a mean squared error of 2 w² var(x), var within each fold.
        let rows = linear_rows(900, 1);
        let sets: Vec<ColumnSet> = rows.names.iter().enumerate().map(ColumnSet::single).collect();
        let found = of_sets(&rows, &sets, &|_, rows| linear(rows));
        assert_eq!(found.iter().map(|own| own.set.columns[0]).collect::<Vec<_>>(), [0, 1, 2]);
        for (own, weight) in found.iter().zip([3.0, 1.0, 0.0]) {
            let column = own.set.columns[0];
            let values: Vec<f64> = (0..rows.len()).map(|row| rows.values(row)[column]).collect();
            let mean = values.iter().sum::<f64>() / 900.0;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 900.0;
            let expected = (2.0 * variance).sqrt() * weight;
            let error = (own.rmse_increase - expected).abs();
            assert!(error < 0.03 * (1.0 + expected), "{own:?} {expected}");
        }
    }

    #[test]
    fn a_fold_of_one_group_takes_its_values_from_another_fold() {
        let mut rows = linear_rows(40, 4);
        rows.scored.iter_mut().for_each(|own| own.fold = own.row / 4);
        let sets: Vec<ColumnSet> = rows.names.iter().enumerate().map(ColumnSet::single).collect();
        let found = of_sets(&rows, &sets, &|_, rows| linear(rows));
        assert_eq!(found[0].set.columns, [0]);
        assert!(found[0].rmse_increase > 1.0 && found[2].rmse_increase == 0.0, "{found:?}");
    }

    #[test]
    fn rows_of_a_group_move_together_within_their_fold() {
        let rows = linear_rows(120, 4);
        let mut generator = Generator::new(1, &[]);
        let seen = std::sync::Mutex::new(Vec::new());
        let predict = |split: usize, values: &[f64]| {
            seen.lock().unwrap().push((split, values.to_vec()));
            vec![0.0; values.len() / 3]
        };
        let _ = predictions(&rows, &predict, Some((&[0, 2], &mut generator)));
        let place_of = |value: f64| (0..120).find(|row| rows.values(*row)[0] == value).unwrap();
        for (split, values) in seen.into_inner().unwrap() {
            for (unit, group) in values.chunks_exact(12).enumerate() {
                let from: Vec<usize> = group.chunks_exact(3).map(|row| place_of(row[0])).collect();
                assert!(from.windows(2).all(|pair| pair[1] == pair[0] + 1), "{from:?}");
                assert_eq!((from[0] % 4, from[0] / 4 % 2), (0, split));
                let own = rows.values((2 * unit + split) * 4);
                assert_eq!((group[1], group[2]), (own[1], rows.values(from[0])[2]));
            }
        }
    }
}
