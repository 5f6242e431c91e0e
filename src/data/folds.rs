//! Which rows train and which rows judge.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DataError, Dataset, Generator, dataset_reader::read_column, hashing::hexadecimal};

/// How rows are split.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `folds` | 5 | 2..=1000 | parts that are held out in turn |
/// | `repeats` | 1 | 1..=100 | independent ways of cutting the folds |
/// | `split_by` | `group` | `group`, `row` | whether rows of one group stay on one side of every split |
/// | `leakage_check` | `true` | | where rows share groups, also scores with the other `split_by`, on up to 20,000 rows |
/// | `fold_file` | empty | a CSV with a column `fold` | given folds, one line per data row |
/// | `order_column` | empty | a column | train on the past, judge on the future |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrossValidationConfig {
    /// Parts that are held out in turn.
    pub folds: usize,
    /// Independent ways of cutting the folds.
    pub repeats: usize,
    /// What is kept together.
    pub split_by: SplitBy,
    /// Whether the other way to split is scored as well, where rows share groups.
    pub leakage_check: bool,
    /// A CSV with a column `fold`, one line per data row; empty for none.
    pub fold_file: PathBuf,
    /// Column that orders rows in time; empty for none.
    pub order_column: String,
}

impl Default for CrossValidationConfig {
    fn default() -> Self {
        Self {
            folds: 5,
            repeats: 1,
            split_by: SplitBy::Group,
            leakage_check: true,
            fold_file: PathBuf::new(),
            order_column: String::new(),
        }
    }
}

/// What is kept on one side of every split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitBy {
    /// The rows of a group.
    #[default]
    Group,
    /// Each row alone, whatever it shares with others: scores are too good where rows repeat.
    Row,
}

impl CrossValidationConfig {
    /// Whether the folds are drawn, rather than given or cut by time.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        self.fold_file.as_os_str().is_empty() && self.order_column.is_empty()
    }
}

/// One fold: the rows that train and the rows that judge, both in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Repeat of the cross-validation, from 0.
    pub repeat: usize,
    /// Fold within the repeat, from 0.
    pub fold: usize,
    /// Rows that train.
    pub train: Vec<u32>,
    /// Rows that are predicted once, at the end.
    pub held_out: Vec<u32>,
}

/// Every split of a run, repeat by repeat, fold by fold.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldPlan {
    /// The splits.
    pub splits: Vec<Split>,
    /// Number of repeats.
    pub repeats: usize,
    /// Whether rows of one group stand on both sides of some split (given folds, or folds by row).
    pub leaks_groups: bool,
    /// Whether each fold trains on what lies before it in time.
    pub in_time: bool,
}

const FOLD_STREAM: u64 = 1;

impl FoldPlan {
    /// Plans the folds of `dataset`: given, by time, or drawn group by group and balanced over
    /// the target.
    ///
    /// # Errors
    /// When there are fewer groups than folds or the fold file does not fit the data.
    pub fn new(
        config: &CrossValidationConfig,
        dataset: &Dataset,
        seed: u64,
    ) -> Result<Self, DataError> {
        if !config.fold_file.as_os_str().is_empty() {
            return Self::given(config, dataset);
        }
        if let Some(order) = &dataset.order {
            refuse_few_groups(config, dataset)?;
            return Self::by_time(order, dataset, config);
        }
        let groups = match config.split_by {
            SplitBy::Group => {
                refuse_few_groups(config, dataset)?;
                dataset.group_ids()
            }
            SplitBy::Row => (0..dataset.rows() as u32).collect(),
        };
        let rows: Vec<u32> = (0..dataset.rows() as u32).collect();
        let splits = (0..config.repeats).flat_map(|repeat| {
            let mut generator = Generator::new(seed, &[FOLD_STREAM, repeat as u64]);
            let parts =
                balanced_parts(&rows, &groups, &dataset.target, config.folds, &mut generator);
            splits_of(&parts, config.folds, repeat)
        });
        let splits: Vec<Split> = splits.collect();
        let leaks_groups = splits.iter().any(|split| is_cut(split, &dataset.group_ids()));
        Ok(Self { splits, repeats: config.repeats, leaks_groups, in_time: false })
    }

    /// Drawn folds of a table whose own are in time; `None` where it has fewer groups.
    #[must_use]
    pub fn drawn(dataset: &Dataset, folds: usize) -> Option<Self> {
        let groups = dataset.group_ids();
        let rows: Vec<u32> = (0..groups.len() as u32).collect();
        let mut generator = Generator::new(0, &[FOLD_STREAM]);
        let parts = balanced_parts(&rows, &groups, &dataset.target, folds, &mut generator);
        let splits = splits_of(&parts, folds, 0);
        let is_whole = splits.iter().all(|split| !split.held_out.is_empty());
        is_whole.then_some(Self { splits, repeats: 1, leaks_groups: false, in_time: false })
    }

    /// SHA-256 of all splits, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut digest = Sha256::new();
        for rows in self.splits.iter().flat_map(|split| [&split.train, &split.held_out]) {
            digest.update((rows.len() as u64).to_le_bytes());
            for row in rows {
                digest.update(row.to_le_bytes());
            }
        }
        hexadecimal(&digest.finalize())
    }

    /// Folds of a repeat.
    #[must_use]
    pub fn folds(&self) -> usize {
        self.splits.len() / self.repeats
    }

    fn given(config: &CrossValidationConfig, dataset: &Dataset) -> Result<Self, DataError> {
        let path = config.fold_file.display().to_string();
        let cells = read_column(&config.fold_file, "fold")?;
        if cells.len() != dataset.rows() {
            let found = format!("{} rows", cells.len());
            let expected = format!("{}, one per row of {}", dataset.rows(), dataset.path);
            let hint = "write one line per data row, in the same order";
            return Err(DataError::malformed(path, found, expected, hint));
        }
        if let Some((place, label)) = cells.iter().find(|(_, v)| v.fract() != 0.0 || *v < 0.0) {
            let (found, expected) = (format!("column `fold` holds `{label}`"), "a whole number");
            return Err(DataError::malformed(place, found, expected, "number the folds"));
        }
        let mut labels: Vec<u64> = cells.iter().map(|(_, label)| *label as u64).collect();
        labels.sort_unstable();
        labels.dedup();
        if labels.len() < 2 {
            let found = "only one fold";
            return Err(DataError::malformed(path, found, "at least two", "number two or more"));
        }
        let part = |label: f64| labels.partition_point(|known| *known < label as u64) as u32;
        let parts: Vec<u32> = cells.iter().map(|(_, label)| part(*label)).collect();
        let splits = splits_of(&parts, labels.len(), 0);
        let leaks_groups = splits.iter().any(|split| is_cut(split, &dataset.group_ids()));
        Ok(Self { splits, repeats: 1, leaks_groups, in_time: false })
    }

    /// Forward chaining: time is cut into `folds + 1` blocks of rows with equal times kept
    /// together; fold `k` trains on blocks `0..=k` and is judged on block `k + 1`. Training rows
    /// of a group that is judged are left out.
    fn by_time(
        order: &[u32],
        dataset: &Dataset,
        config: &CrossValidationConfig,
    ) -> Result<Self, DataError> {
        let blocks = time_blocks(order, config.folds + 1);
        let groups = dataset.group_ids();
        let splits: Vec<Split> = (0..config.folds)
            .map(|fold| {
                let block = fold as u32 + 1;
                let judged = rows_where(&blocks, |b| b == block);
                let mut judged_groups: Vec<u32> =
                    judged.iter().map(|row| groups[*row as usize]).collect();
                judged_groups.sort_unstable();
                let unseen =
                    |row: &u32| judged_groups.binary_search(&groups[*row as usize]).is_err();
                let train = rows_where(&blocks, |b| b < block).into_iter().filter(unseen).collect();
                Split { repeat: 0, fold, train, held_out: judged }
            })
            .collect();
        let hint = "lower `cv.folds` or choose another `cv.order_column`";
        let refuse = |found: String, expected: &str| {
            Err(DataError::malformed(&dataset.path, found, expected, hint))
        };
        if let Some(split) = splits.iter().find(|split| split.held_out.is_empty()) {
            let found = format!("block {} of time has no rows (times repeat)", split.fold + 1);
            return refuse(found, "rows in every block");
        }
        if let Some(split) = splits.iter().find(|split| split.train.is_empty()) {
            let found = format!("every earlier group is judged again in block {}", split.fold + 1);
            return refuse(found, "earlier groups to train on");
        }
        Ok(Self { splits, repeats: 1, leaks_groups: false, in_time: true })
    }
}

fn refuse_few_groups(config: &CrossValidationConfig, dataset: &Dataset) -> Result<(), DataError> {
    let units = dataset.groups.as_ref().map_or(dataset.rows(), |groups| groups.names.len());
    if units >= config.folds {
        return Ok(());
    }
    let found = match &dataset.groups {
        None => format!("there are {units} rows"),
        Some(groups) if units == 1 => {
            format!("the group column `{}` has one value in all rows", groups.column)
        }
        Some(groups) => {
            format!("there are {units} distinct values of the group column `{}`", groups.column)
        }
    };
    let hint = if units > 1 {
        "lower `cv.folds` or add data"
    } else {
        "rows of one group cannot stand on both sides of a split: name another group column, or none, or add data"
    };
    Err(DataError::malformed(
        &dataset.path,
        found,
        format!("at least `cv.folds` = {}", config.folds),
        hint,
    ))
}

/// Cuts `rows` into `parts`, or as many as there are groups where these are fewer, so that groups stay whole, row counts
/// are even and every part spans the target's range. Returns the part of each of `rows`.
///
/// Groups are taken in the order of their mean target, `parts` at a time; each such block gives
/// one group to every part, the largest group to the part that has the fewest rows, ties at random.
#[must_use]
pub fn balanced_parts(
    rows: &[u32],
    groups: &[u32],
    target: &[f64],
    parts: usize,
    generator: &mut Generator,
) -> Vec<u32> {
    let (positions, mut units) = group_units(rows, groups, target);
    // Fewer groups make fewer parts: the first, for those who look at some of the parts only.
    let parts = parts.min(units.len()).max(1);
    generator.shuffle(&mut units);
    units.sort_by(|a, b| a.mean.total_cmp(&b.mean));
    let mut rows_of_part = vec![0_usize; parts];
    let mut part_of_row = vec![0; rows.len()];
    for block in units.chunks_mut(parts) {
        let mut order: Vec<usize> = (0..parts).collect();
        generator.shuffle(&mut order);
        order.sort_by_key(|part| rows_of_part[*part]);
        generator.shuffle(block);
        block.sort_by_key(|unit| std::cmp::Reverse(unit.end - unit.start));
        for (unit, part) in block.iter().zip(order) {
            rows_of_part[part] += (unit.end - unit.start) as usize;
            for &member in &positions[unit.start as usize..unit.end as usize] {
                part_of_row[member as usize] = part as u32;
            }
        }
    }
    part_of_row
}

/// The rows of one group, `start..end` of the sorted positions, and their mean target.
struct Unit {
    mean: f64,
    start: u32,
    end: u32,
}

/// Positions within `rows`, group by group, and the groups.
fn group_units(rows: &[u32], groups: &[u32], target: &[f64]) -> (Vec<u32>, Vec<Unit>) {
    let mut positions: Vec<u32> = (0..rows.len() as u32).collect();
    let group_of = |position: u32| groups[rows[position as usize] as usize];
    positions.sort_by_key(|position| group_of(*position));
    let mut end = 0;
    let units = positions.chunk_by(|a, b| group_of(*a) == group_of(*b)).map(|members| {
        let start = end;
        end += members.len() as u32;
        let sum: f64 = members.iter().map(|m| target[rows[*m as usize] as usize]).sum();
        Unit { mean: sum / members.len() as f64, start, end }
    });
    let units = units.collect();
    (positions, units)
}

fn splits_of(parts: &[u32], folds: usize, repeat: usize) -> Vec<Split> {
    let split = |fold: usize| Split {
        repeat,
        fold,
        train: rows_where(parts, |part| part != fold as u32),
        held_out: rows_where(parts, |part| part == fold as u32),
    };
    (0..folds).map(split).collect()
}

fn rows_where(parts: &[u32], keep: impl Fn(u32) -> bool) -> Vec<u32> {
    let rows = parts.iter().enumerate().filter(|(_, part)| keep(**part));
    rows.map(|(row, _)| row as u32).collect()
}

/// Whether a group has rows on both sides of a split.
fn is_cut(split: &Split, groups: &[u32]) -> bool {
    let mut trains = vec![false; groups.len()];
    split.train.iter().for_each(|row| trains[groups[*row as usize] as usize] = true);
    split.held_out.iter().any(|row| trains[groups[*row as usize] as usize])
}

/// The block of each row; rows of equal time share a block.
fn time_blocks(order: &[u32], blocks: usize) -> Vec<u32> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    let earlier = |time: u32| sorted.partition_point(|other| *other < time);
    order.iter().map(|time| (earlier(*time) * blocks / order.len()) as u32).collect()
}
