//! Rows with equal values, found by their fingerprints.

use rayon::prelude::*;

/// Sets of rows with the same bits in all `columns` (and the same `labels`, where given), each in
/// ascending order; sets in the order of their first rows. Missing values are equal to each other.
pub(super) fn equal_rows(columns: &[&[f64]], labels: Option<&[u32]>) -> Vec<Vec<usize>> {
    let Some(count) = columns.first().map(|column| column.len()) else { return Vec::new() };
    let mut keys: Vec<(u64, u32)> = (0..count as u32)
        .into_par_iter()
        .with_min_len(4096)
        .map(|row| (fingerprint(columns, labels, row as usize), row))
        .collect();
    keys.par_sort_unstable();
    let alike = keys.chunk_by(|a, b| a.0 == b.0).filter(|rows| rows.len() > 1);
    let mut sets: Vec<Vec<usize>> = alike
        .flat_map(|keys| confirmed(columns, labels, keys))
        .filter(|rows| rows.len() > 1)
        .collect();
    sets.sort_unstable();
    sets
}

/// Rows of one fingerprint, apart where they differ all the same.
fn confirmed(columns: &[&[f64]], labels: Option<&[u32]>, keys: &[(u64, u32)]) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for row in keys.iter().map(|key| key.1 as usize) {
        let same = |other: usize| {
            columns.iter().all(|column| bits(column[row]) == bits(column[other]))
                && labels.is_none_or(|labels| labels[row] == labels[other])
        };
        match sets.iter_mut().find(|set| same(set[0])) {
            Some(set) => set.push(row),
            None => sets.push(vec![row]),
        }
    }
    sets
}

/// Mixes the bits of a row (the finaliser of Stafford's variant 13, as in `SplitMix64`).
fn fingerprint(columns: &[&[f64]], labels: Option<&[u32]>, row: usize) -> u64 {
    let label = labels.map_or(0, |labels| u64::from(labels[row]));
    columns.iter().fold(label, |state, column| {
        let mut mixed = (state ^ bits(column[row])).wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    })
}

fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}
