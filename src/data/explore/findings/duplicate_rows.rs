//! Rows that are equal, and rows with equal features but different targets.

use crate::data::{
    Dataset,
    explore::{
        Finding, FindingKind, Severity,
        wording::{counted, number, rows},
    },
};

use super::{row_keys::equal_rows, table::Table};

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    let dataset = table.dataset;
    let features: Vec<&[f64]> = dataset.features.iter().map(Vec::as_slice).collect();
    let duplicates = equal_rows_of(dataset);
    let conflicts: Vec<Vec<usize>> = equal_rows(&features, None)
        .into_iter()
        .filter(|set| other_target(&dataset.target, set).is_some())
        .collect();
    // Where nothing is measured finely, equal rows are what chance gives.
    let severity = if table.features().iter().any(super::table::Column::is_continuous) {
        Severity::Warning
    } else {
        Severity::Note
    };
    let found = [
        (!duplicates.is_empty()).then(|| exact(&duplicates, severity)),
        (!conflicts.is_empty()).then(|| conflicting(table, &conflicts, severity)),
    ];
    found.into_iter().flatten().collect()
}

/// Sets of rows that are equal in features, target and, where there are such, weight, uncertainty and group; each in
/// ascending order.
#[must_use]
pub fn equal_rows_of(dataset: &Dataset) -> Vec<Vec<usize>> {
    let features = dataset.features.iter().map(Vec::as_slice);
    let others = [&dataset.weights, &dataset.uncertainty].into_iter().flatten();
    let others = others.map(Vec::as_slice).chain([dataset.target.as_slice()]);
    let columns: Vec<&[f64]> = features.chain(others).collect();
    equal_rows(&columns, dataset.groups.as_ref().map(|groups| groups.ids.as_slice()))
}

fn exact(sets: &[Vec<usize>], severity: Severity) -> Finding {
    let mut again: Vec<usize> = sets.iter().flat_map(|set| &set[1..]).copied().collect();
    again.sort_unstable();
    let (verb, noun) = if again.len() == 1 { ("repeats", "row") } else { ("repeat", "rows") };
    let first = &sets[0];
    let what = format!(
        "{} {noun} {verb} another row in every column ({}); e.g. row {} repeats row {}",
        again.len(),
        rows(&again),
        first[1] + 1,
        first[0] + 1
    );
    let why = "a row that is trained on and judged by makes the scores too good";
    let training = "duplicates are kept unless `clean.duplicates = \"drop\"`: then a fold trains on one \
                    of them, and on none that it is judged on";
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::ExactDuplicates, severity, sentences).in_rows(&again)
}

/// Two rows of a set with different targets.
fn other_target(target: &[f64], set: &[usize]) -> Option<(usize, usize)> {
    let mut rows = set.iter().copied().filter(|row| !target[*row].is_nan());
    let first = rows.next()?;
    rows.find(|row| target[*row] != target[first]).map(|other| (first, other))
}

fn conflicting(table: &Table<'_>, sets: &[Vec<usize>], severity: Severity) -> Finding {
    let mut concerned: Vec<usize> = sets.iter().flatten().copied().collect();
    concerned.sort_unstable();
    let target = &table.dataset.target;
    let (first, other) = other_target(target, &sets[0]).unwrap_or_default();
    let what = format!(
        "{} ({}) have the same features as another row but a different `{}`; e.g. {} in row {} and \
         {} in row {}",
        counted(concerned.len(), "row"),
        rows(&concerned),
        table.target().name,
        number(target[first]),
        first + 1,
        number(target[other]),
        other + 1
    );
    let why = "no model can be right about both; one of the targets may be a mistake";
    let training = "nothing: the rows are used as they are";
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::ConflictingRows, severity, sentences).in_rows(&concerned)
}
