//! What training again tells: the same model without each column, and on fewer groups, all in one training.

use anyhow::{Result, bail};

use crate::{
    data::{Dataset, FoldPlan, Generator, Split},
    evaluate::{ColumnSet, CurvePoint, DroppedColumn, JudgedRows, Retraining, ScoredRow},
    features::PerFold,
    model::ModelKind,
};

use super::{
    Start, TrainObserver,
    feature_choice::Choice,
    prepared::{Prepared, RawTable},
    training_inputs::{Accepted, Inputs, plain},
};

/// Networks of each fold that are trained anew at most: one for each inner part of the usual recipe, since models are
/// weighed on the parts that networks were judged on.
const MEMBERS: usize = 5;

/// Columns without which models are trained, each by itself, at most.
pub(super) const MOST_DROPPED: usize = 50;

/// Shares of the groups that train.
const SHARES: [f64; 4] = [0.2, 0.4, 0.6, 0.8];

/// Draws of each share.
const DRAWS: usize = 3;

/// Rows that are used at most.
const MOST_ROWS: usize = 5000;

const DRAW_STREAM: u64 = 17;

/// One way in which the training is varied.
#[derive(Clone, Debug, PartialEq)]
enum Variation {
    /// Not at all.
    None,
    /// These columns hold one value.
    Without(ColumnSet),
    /// Part of the groups train.
    Groups { share: f64, draw: usize },
}

/// All variations of a run of a table of `columns`: with everything, without each set of columns, on part of the groups.
fn variations(columns: usize, sets: &[ColumnSet]) -> Vec<Variation> {
    // Without its only column there is nothing to learn from.
    let dropped = sets.iter().filter(|set| set.columns.len() < columns).cloned();
    let shares = SHARES.into_iter();
    let drawn = shares.flat_map(|share| (0..DRAWS).map(move |draw| (share, draw)));
    std::iter::once(Variation::None)
        .chain(dropped.map(Variation::Without))
        .chain(drawn.map(|(share, draw)| Variation::Groups { share, draw }))
        .collect()
}

/// Trains and scores every variation of the run that `accepted` would start; `sets` are the columns that are left
/// out.
///
/// # Errors
/// When it is interrupted or training diverges.
pub(super) fn retrain_varied(
    mut accepted: Accepted,
    sets: &[ColumnSet],
    observer: &dyn TrainObserver,
) -> Result<Retraining> {
    let model = &mut accepted.start.params.model;
    model.members = model.members.min(MEMBERS);
    let members = model.members;
    let variations = variations(accepted.dataset.feature_names.len(), sets);
    let (inputs, base) = varied(accepted, &variations, &|done, all| observer.on_choice(done, all))?;
    observer.on_start(&Start {
        name: &format!("{}, trained in {} ways", inputs.start.name, variations.len()),
        dataset: &inputs.dataset,
        params: &inputs.start.params,
        backend: &inputs.backend,
        kinds: &inputs.kinds(),
        folds: inputs.prepared.plan.splits.len(),
        repeats: variations.len(),
        compared_folds: 0,
        warnings: &[],
    });
    let fitted = inputs.fit_folds(&inputs.prepared, None, observer, &|e| observer.on_epoch(e))?;
    let rows = inputs.judge(&fitted).rows;
    let of = |index: usize| -> Vec<ScoredRow> {
        rows.iter().filter(|row| row.repeat == index).cloned().collect()
    };
    let all = of(0);
    let groups = |index: usize| trained_groups(&inputs, index);
    let has_networks = inputs.kinds().contains(&ModelKind::Mlp);
    let mut result = Retraining {
        members: if has_networks { members } else { 0 },
        rmse: CurvePoint::of(0.0, std::slice::from_ref(&all)).rmse,
        dropped: Vec::new(),
        curve: Vec::new(),
        last: None,
    };
    for (index, variation) in variations.iter().enumerate() {
        match variation {
            Variation::Without(set) => {
                result.dropped.push(DroppedColumn::of(set.clone(), &of(index), &all, &base));
            }
            Variation::Groups { draw: 0, .. } => {
                // Of very few groups several shares are the same number of them, or all.
                let own = groups(index);
                let is_new = result.curve.last().is_none_or(|last| last.groups < own);
                if is_new && own < groups(0) {
                    let draws: Vec<Vec<ScoredRow>> = (index..index + DRAWS).map(of).collect();
                    result.curve.push(CurvePoint::of(own, &draws));
                    // The shares grow: the last one stays.
                    result.last = Some(Retraining::of_last(&draws, &all, &base));
                }
            }
            _ => {}
        }
    }
    result.curve.push(CurvePoint::of(groups(0), &[all]));
    result.dropped.sort_by(|a, b| b.difference.mean.total_cmp(&a.difference.mean));
    Ok(result)
}

/// Mean number of groups that trained in the splits of variation `index`.
fn trained_groups(inputs: &Inputs, index: usize) -> f64 {
    let ids = inputs.dataset.group_ids();
    let splits = inputs.prepared.plan.splits.iter().filter(|split| split.repeat == index);
    let counts: Vec<f64> = splits
        .map(|split| {
            let mut own: Vec<u32> = split.train.iter().map(|row| ids[*row as usize]).collect();
            own.sort_unstable();
            own.dedup();
            own.len() as f64
        })
        .collect();
    counts.iter().sum::<f64>() / counts.len().max(1) as f64
}

/// The inputs of one training that holds every variation, each as a repeat of its own; and the folds that all share.
fn varied(
    accepted: Accepted,
    variations: &[Variation],
    on_choice: &dyn Fn(usize, usize),
) -> Result<(Inputs, FoldPlan)> {
    let (raw, base) = (accepted.raw(), accepted.table.plan.clone());
    if base.repeats != 1 {
        bail!(
            "the folds must be cut once to train without columns, and are cut {} times",
            base.repeats
        );
    }
    let choice = accepted.choice(on_choice)?;
    let mut parts = Vec::new();
    for (index, variation) in variations.iter().enumerate() {
        parts.push(variation.prepare(raw, &base, &choice, index)?);
    }
    let plain = plain(raw, choice.most_frequent());
    let prepared = Prepared::joined(parts);
    Ok((accepted.with_prepared(prepared, plain), base))
}

impl Variation {
    /// The folds of this variation, as repeat `index`, with the features that they see.
    fn prepare(
        &self,
        raw: RawTable<'_>,
        base: &FoldPlan,
        choice: &Choice,
        index: usize,
    ) -> Result<Prepared> {
        let dataset = self.table(raw.dataset);
        let raw = RawTable { dataset: dataset.as_ref().unwrap_or(raw.dataset), ..raw };
        let ids = raw.dataset.group_ids();
        let own = |split: &Split| Split {
            repeat: index,
            train: self.training_rows(split, &ids),
            ..split.clone()
        };
        let plan = FoldPlan {
            splits: base.splits.iter().map(own).collect(),
            repeats: 1,
            leaks_groups: base.leaks_groups,
            in_time: base.in_time,
        };
        Ok(raw.prepare(plan, &choice.blocks)?)
    }

    /// The table without the columns; `None` where it is as it was.
    fn table(&self, dataset: &Dataset) -> Option<Dataset> {
        let Self::Without(set) = self else { return None };
        let mut own = dataset.clone();
        for column in &set.columns {
            // A column of one value is dropped by cleaning.
            own.features[*column].fill(1.0);
        }
        Some(own)
    }

    /// The rows that train; draws of the same number are nested.
    fn training_rows(&self, split: &Split, ids: &[u32]) -> Vec<u32> {
        let Self::Groups { share, draw } = self else { return split.train.clone() };
        let mut groups: Vec<u32> = split.train.iter().map(|row| ids[*row as usize]).collect();
        groups.sort_unstable();
        groups.dedup();
        let path = [DRAW_STREAM, *draw as u64, split.fold as u64];
        Generator::new(0, &path).shuffle(&mut groups);
        groups.truncate(((groups.len() as f64 * share).round() as usize).max(1));
        groups.sort_unstable();
        let trains = |row: &&u32| groups.binary_search(&ids[**row as usize]).is_ok();
        split.train.iter().filter(trains).copied().collect()
    }
}

impl Prepared {
    /// Folds with their features as one plan of as many repeats, all of one width.
    fn joined(parts: Vec<Self>) -> Self {
        let width = parts.iter().map(Self::width).max().unwrap_or(0);
        let repeats = parts.len();
        let mut splits = Vec::new();
        let (mut preprocessors, mut matrices) = (Vec::new(), Vec::new());
        let (mut leaks_groups, mut in_time) = (false, false);
        for part in parts {
            leaks_groups |= part.plan.leaks_groups;
            in_time |= part.plan.in_time;
            splits.extend(part.plan.splits);
            matrices.push(part.matrices.map(|matrix| matrix.widened(width)));
            preprocessors.push(part.preprocessors.map(|own| {
                let mut own = own.clone();
                own.widen(width);
                own
            }));
        }
        Self {
            plan: FoldPlan { splits, repeats, leaks_groups, in_time },
            preprocessors: PerFold::joined(preprocessors),
            matrices: PerFold::joined(matrices),
        }
    }
}

/// The rows of a table that is trained again: all, or some of a large one.
pub(super) fn sampled(dataset: Dataset) -> Dataset {
    if dataset.rows() <= MOST_ROWS {
        return dataset;
    }
    dataset.gather(&JudgedRows::chosen(&dataset, MOST_ROWS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split() -> Split {
        Split { repeat: 0, fold: 1, train: (0..40).collect(), held_out: (40..50).collect() }
    }

    #[test]
    fn shares_are_whole_groups_and_nested_within_a_draw() {
        let ids: Vec<u32> = (0..50).map(|row| row / 2).collect();
        let rows = |share: f64, draw: usize| {
            Variation::Groups { share, draw }.training_rows(&split(), &ids)
        };
        let (few, many) = (rows(0.2, 0), rows(0.6, 0));
        assert_eq!((few.len(), many.len()), (8, 24));
        assert!(few.iter().all(|row| many.contains(row)));
        assert!(few.chunks_exact(2).all(|pair| pair[0] % 2 == 0 && pair[1] == pair[0] + 1));
        assert_ne!(few, rows(0.2, 1));
        assert_eq!(Variation::None.training_rows(&split(), &ids).len(), 40);
    }

    #[test]
    fn the_only_column_is_not_left_out() {
        let sets =
            |columns: &[usize]| ColumnSet { name: "a".to_owned(), columns: columns.to_vec() };
        let one = variations(1, &[sets(&[0])]);
        assert!(!one.iter().any(|own| matches!(own, Variation::Without(_))));
        let three = variations(3, &[sets(&[0]), sets(&[0, 1]), sets(&[0, 1, 2])]);
        let dropped = three.iter().filter(|own| matches!(own, Variation::Without(_)));
        assert_eq!((dropped.count(), three.len()), (2, 1 + 2 + 12));
    }
}
