//! Rows that are equal but for noise.

use rayon::prelude::*;

use crate::data::{
    Dataset,
    explore::{
        Finding, FindingKind, Severity,
        statistics::{quantile, sorted},
        wording::{counted, rows},
    },
};

use super::{
    close_pairs::Points,
    identifiers::follows_rows,
    scale::Scale,
    table::{Table, is_fine},
};

/// Tolerances in robust standard deviations of each column, widest first. The widest is what
/// counting noise leaves of a signal; 0.02 is 2 % of a column that spreads over one e-fold.
const TOLERANCES: [f64; 5] = [0.05, 0.02, 0.01, 0.005, 0.001];
/// Pairs must outnumber those expected by chance this many times.
const MORE_THAN_CHANCE: f64 = 100.0;
/// Tolerances for rows with exactly the same target: these are so few in a table of measurements
/// that chance brings none of them close.
const SAME_TARGET_TOLERANCES: [f64; 2] = [0.2, 0.1];
/// Pairs of them from which they are no chance: rows with one target have somewhat like features.
const FEWEST_SAME_TARGETS: usize = 2;
/// Pairs with one target that are compared; there are more only where targets are coarse.
const MOST_SAME_TARGETS: usize = 1_000_000;
/// Chance pairs per row from which pairs are not even looked for: a tenth of the rows would have to
/// be near duplicates to stand out.
const TOO_MANY: f64 = 0.001;
/// Pairs that are listed at most.
const MOST_PAIRS: usize = 100_000;
/// Rows whose distances are measured to tell what chance gives.
const SAMPLE: usize = 1200;
/// Shares of the sampled distances between which their growth is measured.
const SHARES: (f64, f64) = (0.02, 0.1);
/// Columns of nearly all different values that it takes for rows not to agree by chance.
const FEWEST_SIGNALS: usize = 3;
/// Rows from which distances say something.
const FEWEST_ROWS: usize = 10;

/// Pairs of rows, counted from 0, that agree in every feature within a small tolerance and do not
/// share a group; at most 100 000.
///
/// Features are compared in robust standard deviations, of their logarithms where they are
/// positive and span decades; columns that number the rows are left out. The tolerance is the
/// widest at which there are far more pairs than independent rows would give. That number follows
/// from how the number of pairs grows with their distance r, as r to the power of the dimension
/// (Grassberger and Procaccia 1983). So tables of few columns or of few different values, where
/// rows agree by chance, have no such pairs.
#[must_use]
pub fn near_duplicates(dataset: &Dataset) -> Vec<(u32, u32)> {
    let sorted: Vec<Vec<f64>> = dataset.features.par_iter().map(|values| sorted(values)).collect();
    pairs_of(dataset, &sorted.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// The pairs, given the sorted values of each feature.
fn pairs_of(dataset: &Dataset, sorted: &[&[f64]]) -> Vec<(u32, u32)> {
    // Rows of few fine signals agree by chance, and coarse ones add little to tell them apart.
    if sorted.iter().filter(|own| is_fine(own)).count() < FEWEST_SIGNALS {
        return Vec::new();
    }
    let Some(points) = points(dataset, sorted) else { return Vec::new() };
    let natural = Natural::new(&points, dataset);
    let mut pairs = close(dataset, &points, &natural);
    pairs.extend(close_with_same_target(dataset, &points, &natural));
    pairs.sort_unstable();
    pairs.dedup();
    pairs.truncate(MOST_PAIRS);
    pairs
}

/// Pairs that are closer than chance brings any two rows.
fn close(dataset: &Dataset, points: &Points, natural: &Natural) -> Vec<(u32, u32)> {
    let all = 0.5 * dataset.rows() as f64 * (dataset.rows() as f64 - 1.0);
    for tolerance in TOLERANCES {
        let expected = all * natural.share_within(tolerance);
        if expected > TOO_MANY * dataset.rows() as f64 {
            continue;
        }
        let mut pairs = points.close_pairs(tolerance as f32, MOST_PAIRS);
        pairs.retain(|pair| !share_group(dataset, *pair));
        if !pairs.is_empty() && pairs.len() as f64 > MORE_THAN_CHANCE * expected {
            return pairs;
        }
    }
    Vec::new()
}

/// Pairs with exactly the same target that are closer than chance brings so few pairs.
fn close_with_same_target(
    dataset: &Dataset,
    points: &Points,
    natural: &Natural,
) -> Vec<(u32, u32)> {
    let mut rows: Vec<u32> = (0..dataset.rows() as u32).collect();
    let target = |row: &u32| dataset.target[*row as usize];
    rows.retain(|row| !target(row).is_nan());
    rows.sort_unstable_by(|a, b| target(a).total_cmp(&target(b)).then(a.cmp(b)));
    let sets = rows.chunk_by(|a, b| target(a) == target(b));
    let count: usize = sets.clone().map(|set| set.len() * (set.len() - 1) / 2).sum();
    if count > MOST_SAME_TARGETS {
        return Vec::new();
    }
    let pairs = sets.flat_map(|set| {
        set.iter().enumerate().flat_map(|(place, &a)| set[place + 1..].iter().map(move |&b| (a, b)))
    });
    let pairs: Vec<(u32, u32)> = pairs.filter(|pair| !share_group(dataset, *pair)).collect();
    for tolerance in SAME_TARGET_TOLERANCES {
        let near = |(a, b): &&(u32, u32)| f64::from(points.distance(*a, *b)) <= tolerance;
        let near: Vec<(u32, u32)> = pairs.iter().filter(near).copied().collect();
        let expected = pairs.len() as f64 * natural.share_within(tolerance);
        if near.len() >= FEWEST_SAME_TARGETS && near.len() as f64 > MORE_THAN_CHANCE * expected {
            return near;
        }
    }
    Vec::new()
}

fn share_group(dataset: &Dataset, (a, b): (u32, u32)) -> bool {
    let ids = dataset.groups.as_ref().map(|groups| &groups.ids);
    ids.is_some_and(|ids| ids[a as usize] == ids[b as usize])
}

/// The rows as points; `None` where there are too few rows or no column varies.
fn points(dataset: &Dataset, sorted: &[&[f64]]) -> Option<Points> {
    let columns = dataset.features.par_iter().zip(sorted);
    let usable = columns.filter(|(values, _)| !numbers_rows(values));
    let places: Vec<Vec<f32>> = usable
        .filter_map(|(values, sorted)| {
            let scale = Scale::of(sorted)?;
            Some(values.iter().map(|value| place(*value, &scale)).collect())
        })
        .collect();
    if places.is_empty() || dataset.rows() < FEWEST_ROWS {
        return None;
    }
    let mut coordinates = vec![0.0; dataset.rows() * places.len()];
    let points = coordinates.par_chunks_mut(places.len()).with_min_len(4096).enumerate();
    points.for_each(|(row, point)| {
        point.iter_mut().zip(&places).for_each(|(coordinate, column)| *coordinate = column[row]);
    });
    Some(Points { coordinates, dimensions: places.len() })
}

/// A value on its scale; missing values agree with missing values only.
fn place(value: f64, scale: &Scale) -> f32 {
    if value.is_nan() { -1e6 } else { scale.standard(value).clamp(-1e5, 1e5) as f32 }
}

fn numbers_rows(values: &[f64]) -> bool {
    values.iter().all(|value| value.fract() == 0.0) && follows_rows(values)
}

/// How many pairs of rows that have nothing to do with each other are close.
struct Natural {
    /// Distances in a sample that are no near duplicates, sorted.
    distances: Vec<f64>,
}

impl Natural {
    fn new(points: &Points, dataset: &Dataset) -> Self {
        let rows = dataset.rows();
        let sample: Vec<u32> = (0..rows as u32).step_by(rows.div_ceil(SAMPLE)).collect();
        let mut distances = Vec::with_capacity(sample.len() * sample.len() / 2);
        for (place, &a) in sample.iter().enumerate() {
            let others = sample[place + 1..].iter().filter(|b| !share_group(dataset, (a, **b)));
            distances.extend(others.map(|&b| f64::from(points.distance(a, b))));
        }
        distances.sort_unstable_by(f64::total_cmp);
        Self { distances }
    }

    /// Share of the pairs within `tolerance` that chance gives: from the pairs at larger distances
    /// down, by the power with which their number grows there.
    fn share_within(&self, tolerance: f64) -> f64 {
        let first = self.distances.partition_point(|distance| *distance <= 2.0 * tolerance);
        let beyond = &self.distances[first..];
        let share = |share| quantile(beyond, share).unwrap_or(0.0);
        let (near, far) = (share(SHARES.0), share(SHARES.1));
        if near <= 2.0 * tolerance || far <= near {
            return f64::INFINITY;
        }
        let dimension = (SHARES.1 / SHARES.0).ln() / (far / near).ln();
        SHARES.0 * (tolerance / near).powf(dimension)
    }
}

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    let dataset = table.dataset;
    let sorted: Vec<&[f64]> =
        table.features().iter().map(|column| column.sorted.as_slice()).collect();
    let mut pairs = pairs_of(dataset, &sorted);
    // Rows with equal features are other findings, but for equal rows of different groups.
    pairs.retain(|&(a, b)| {
        let equal = dataset.features.iter().all(|column| {
            let (a, b) = (column[a as usize], column[b as usize]);
            a == b || (a.is_nan() && b.is_nan())
        });
        !equal || (dataset.groups.is_some() && same_target(dataset, (a, b)))
    });
    if pairs.is_empty() { Vec::new() } else { vec![finding(table, &pairs)] }
}

fn same_target(dataset: &Dataset, (a, b): (u32, u32)) -> bool {
    dataset.target[a as usize] == dataset.target[b as usize]
}

fn finding(table: &Table<'_>, pairs: &[(u32, u32)]) -> Finding {
    let mut concerned: Vec<usize> =
        pairs.iter().flat_map(|(a, b)| [*a as usize, *b as usize]).collect();
    concerned.sort_unstable();
    concerned.dedup();
    let agreeing = pairs.iter().filter(|pair| same_target(table.dataset, **pair)).count();
    let target = table.target().name;
    let targets = match agreeing {
        0 => format!("`{target}` differs in {}", if pairs.len() == 1 { "it" } else { "all" }),
        _ if agreeing == pairs.len() => format!("`{target}` is the same"),
        _ => format!("`{target}` is the same in {agreeing} of them"),
    };
    let (a, b) = pairs[0];
    let apart = table
        .dataset
        .groups
        .as_ref()
        .map_or_else(String::new, |groups| format!(" of different `{}`", groups.column));
    let what = format!(
        "{} of rows{apart} have nearly the same features, and {targets}; e.g. rows {} and {} ({} \
         in all: {})",
        counted(pairs.len(), "pair"),
        a + 1,
        b + 1,
        counted(concerned.len(), "row"),
        rows(&concerned)
    );
    let what = if pairs.len() == 1 { what.replacen(" have ", " has ", 1) } else { what };
    let why = "they may be one container measured again: on both sides of a split they make the \
               scores too good";
    let training = if table.dataset.groups.is_some() {
        "rows are kept together by the group column only; give such rows one group"
    } else {
        "rows are split one by one unless a column names their container: `--group COLUMN`"
    };
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::NearDuplicates, Severity::Warning, sentences).in_rows(&concerned)
}
