//! Rows that belong together although no group column says so.

use std::collections::HashSet;

use crate::data::explore::{
    Finding, FindingKind, Severity,
    wording::{counted, names, number},
};

use super::{similar_targets as similar, table::Table};

/// Values that a group column has at least: two or three kinds of containers are no groups.
const FEWEST_GROUPS: usize = 5;
/// Groups of several rows from which sharing the target is more than chance.
const FEWEST_REPEATED: usize = 2;
/// Share of the groups with a target of their own.
const OWN_TARGET: f64 = 0.9;
/// Repeated targets must outnumber those that their rounding explains this many times.
const MORE_THAN_CHANCE: f64 = 10.0;
/// Pairs of rows with one target, and share of the rows in them, from which they are worth naming.
const FEWEST_PAIRS: usize = 5;
const LEAST_SHARE: f64 = 0.05;
/// Decimals that a table may carry.
const MOST_DECIMALS: i32 = 12;

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    if table.dataset.groups.is_some() {
        return Vec::new();
    }
    let target = &table.dataset.target;
    let text = table.dataset.text.iter();
    let text = text.map(|text| (text.column.as_str(), text.ids.clone()));
    let numbers = table.features().iter().filter(|column| column.integers);
    let numbers = numbers
        .filter(|column| column.profile.missing == 0 && column.profile.distinct < table.rows());
    let numbers = numbers.map(|column| (column.name, ids(&column.sorted, column.values)));
    let candidates =
        text.chain(numbers).filter_map(|(name, ids)| Some((name, Repeated::of(&ids, target)?)));
    let named: Vec<Finding> =
        candidates.map(|(name, found)| unnamed(table, name, &found)).collect();
    if !named.is_empty() {
        return named;
    }
    let alike: Vec<Finding> = similar::check(table);
    if alike.is_empty() { repeated_targets(table).into_iter().collect() } else { alike }
}

/// The place of each value among the different ones.
fn ids(sorted: &[f64], values: &[f64]) -> Vec<u32> {
    let different: Vec<f64> = sorted.chunk_by(|a, b| a == b).map(|equal| equal[0]).collect();
    values.iter().map(|value| different.partition_point(|other| other < value) as u32).collect()
}

/// Groups whose rows share their target.
struct Repeated {
    groups: usize,
    repeated: usize,
}

impl Repeated {
    /// `None` where rows of a group differ in their target, or groups share targets.
    fn of(ids: &[u32], target: &[f64]) -> Option<Self> {
        let count = ids.iter().max().map_or(0, |last| *last as usize + 1);
        let (mut first, mut rows) = (vec![f64::NAN; count], vec![0_usize; count]);
        for (id, value) in ids.iter().zip(target) {
            let id = *id as usize;
            if rows[id] > 0 && first[id] != *value {
                return None;
            }
            (first[id], rows[id]) = (*value, rows[id] + 1);
        }
        let targets: HashSet<u64> = first.iter().map(|value| value.to_bits()).collect();
        let repeated = rows.iter().filter(|rows| **rows > 1).count();
        let apart = targets.len() as f64 >= OWN_TARGET * count as f64;
        (count >= FEWEST_GROUPS && repeated >= FEWEST_REPEATED && apart)
            .then_some(Self { groups: count, repeated })
    }
}

fn unnamed(table: &Table<'_>, name: &str, found: &Repeated) -> Finding {
    let what = format!(
        "{} seems to name containers: {} of its {} values stand in several rows, which always \
         share their `{}`; name it with `--group {name}`",
        names(&[name]),
        found.repeated,
        found.groups,
        table.target().name
    );
    let training = if table.dataset.text.iter().any(|text| text.column == name) {
        "columns of text are not used, and rows are split one by one, until `--group` names it"
    } else {
        "it is used as a feature, and rows are split one by one, until `--group` names it"
    };
    let sentences = [what, WHY.to_owned(), training.to_owned()];
    Finding::new(FindingKind::UnnamedGroup, Severity::Warning, sentences)
        .about(&[name])
        .counting(table.rows())
}

const WHY: &str = "rows of one container on both sides of a split make the score too good";

/// Many rows with exactly the same target, where targets are written finely.
fn repeated_targets(table: &Table<'_>) -> Option<Finding> {
    let target = table.target();
    let counts = target.sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).filter(|rows| *rows > 1);
    let pairs: usize = counts.clone().map(|rows| rows * (rows - 1) / 2).sum();
    let (values, rows) = (counts.clone().count(), counts.sum::<usize>());
    let spread = target.quantile(0.75) - target.quantile(0.25);
    let levels = 2.0 * spread / resolution(&target.sorted);
    let expected = (target.sorted.len() as f64).powi(2) / (2.0 * levels.max(1.0));
    let share = rows as f64 / table.rows() as f64;
    if pairs < FEWEST_PAIRS || share < LEAST_SHARE || pairs as f64 <= MORE_THAN_CHANCE * expected {
        return None;
    }
    let repeated = |row: &usize| {
        let value = target.values[*row];
        let below = target.sorted.partition_point(|other| *other < value);
        target.sorted.get(below + 1).is_some_and(|next| *next == value)
    };
    let concerned: Vec<usize> = (0..table.rows()).filter(repeated).collect();
    let example = concerned[0];
    let what = format!(
        "{} share their `{}` exactly with another row ({}, e.g. {} in row {}), and no column names \
         containers",
        counted(rows, "row"),
        target.name,
        counted(values, "such value"),
        number(target.values[example]),
        example + 1
    );
    let training = "rows are split one by one; where they are repeated measurements, add a column \
                    that names the container and give `--group COLUMN`";
    let sentences = [what, WHY.to_owned(), training.to_owned()];
    let finding = Finding::new(FindingKind::UnnamedGroup, Severity::Warning, sentences);
    Some(finding.about(&[target.name]).in_rows(&concerned))
}

/// The power of ten of which all values are multiples, as they are written.
fn resolution(sorted: &[f64]) -> f64 {
    let multiple = |step: f64| {
        sorted.iter().all(|value| {
            let steps = value / step;
            (steps - steps.round()).abs() <= 1e-9 * steps.abs()
        })
    };
    let steps = (-MOST_DECIMALS..=MOST_DECIMALS).rev().map(|power| 10_f64.powi(power));
    steps.into_iter().find(|step| multiple(*step)).unwrap_or(10_f64.powi(-MOST_DECIMALS))
}
