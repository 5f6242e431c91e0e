//! Columns of text whose rows have similar targets: the same countries, plants or patients, seen several times.

use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use crate::data::{
    Groups,
    explore::{Finding, FindingKind, Severity, wording::names},
};

use super::table::Table;

/// Values that such a column has at least: fewer are kinds rather than things.
const FEWEST_VALUES: usize = 10;
/// Rows that a value has on average.
const FEWEST_ROWS: f64 = 2.0;
/// Share of the rows that one value may have.
const LARGEST_SHARE: f64 = 0.2;
/// Share of the variance of the ranks that lies between values.
const ALIKE: f64 = 0.3;
/// Probability of that by chance.
const CHANCE: f64 = 1e-6;

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    let ranks = ranks(&table.dataset.target);
    let text = table.dataset.text.iter();
    text.filter_map(|own| Some(finding(table, own, alike(&own.ids, &ranks)?))).collect()
}

/// The rank of each value; equal ones share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = first as f64 + (equal.len() - 1) as f64 / 2.0;
        for place in equal {
            ranks[*place] = rank;
        }
        first += equal.len();
    }
    ranks
}

/// The intraclass correlation of `values` by `ids` (Shrout and Fleiss, 1979, case 1), where the column could name things
/// and an analysis of variance says that it is no chance.
fn alike(ids: &[u32], values: &[f64]) -> Option<f64> {
    let groups = ids.iter().max().map_or(0, |last| *last as usize + 1);
    let (mut sums, mut counts) = (vec![0.0; groups], vec![0.0_f64; groups]);
    for (id, value) in ids.iter().zip(values) {
        sums[*id as usize] += value;
        counts[*id as usize] += 1.0;
    }
    let rows = values.len() as f64;
    let largest = counts.iter().copied().fold(0.0, f64::max);
    let is_fit = groups >= FEWEST_VALUES && rows >= FEWEST_ROWS * groups as f64;
    if !is_fit || largest > LARGEST_SHARE * rows {
        return None;
    }
    let mean = sums.iter().sum::<f64>() / rows;
    let pairs = sums.iter().zip(&counts).filter(|(_, count)| **count > 0.0);
    let between: f64 = pairs.map(|(sum, count)| count * (sum / count - mean).powi(2)).sum();
    let all: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let (of_groups, of_rows) = (groups as f64 - 1.0, rows - groups as f64);
    let (between, within) = (between / of_groups, (all - between) / of_rows);
    let size = (rows - counts.iter().map(|count| count * count).sum::<f64>() / rows) / of_groups;
    let correlation = (between - within) / (between + (size - 1.0) * within);
    let law = FisherSnedecor::new(of_groups, of_rows).ok()?;
    (correlation >= ALIKE && law.sf(between / within) < CHANCE).then_some(correlation)
}

fn finding(table: &Table<'_>, own: &Groups, correlation: f64) -> Finding {
    let (name, target) = (&own.column, table.target().name);
    let what = format!(
        "rows that share their {} have similar `{target}` (intraclass correlation {correlation:.2}); if new rows come \
         from others than these {}, name it with `--group '{name}'`",
        names(&[name]),
        own.names.len()
    );
    let why =
        "rows of one thing on both sides of a split make the score too good for another thing";
    let training =
        "columns of text are not used, and rows are split one by one, until `--group` names it";
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::UnnamedGroup, Severity::Warning, sentences)
        .about(&[name])
        .counting(table.rows())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    #[test]
    fn rows_of_one_thing_are_alike_and_chance_is_not() {
        let mut generator = Generator::new(5, &[]);
        let levels: Vec<f64> = (0..20).map(|_| generator.normal()).collect();
        let ids: Vec<u32> = (0..200).map(|row| row % 20).collect();
        let mut values = |share: f64| -> Vec<f64> {
            ids.iter().map(|id| share * levels[*id as usize] + generator.normal()).collect()
        };
        let (alone, shared) = (values(0.0), values(2.0));
        assert_eq!(alike(&ids, &ranks(&alone)), None);
        assert!(alike(&ids, &ranks(&shared)).unwrap() > 0.5);
        let few: Vec<u32> = ids.iter().map(|id| id % 4).collect();
        assert_eq!(alike(&few, &ranks(&shared)), None);
    }

    #[test]
    fn the_correlation_is_that_of_the_closed_form() {
        // 10 things of 2 rows each, 2 k and 2 k + 1: mean squares 66 between (df 9), 0.5 within (df 10).
        let ids: Vec<u32> = (0..20).map(|row| row / 2).collect();
        let values: Vec<f64> = (0..20).map(f64::from).collect();
        let between = 2.0 * (0..10).map(|k| (2.0 * f64::from(k) - 9.0).powi(2)).sum::<f64>() / 9.0;
        let expected = (between - 0.5) / (between + 0.5);
        assert!((alike(&ids, &ranks(&values)).unwrap() - expected).abs() < 1e-12);
        assert_eq!(ranks(&[5.0, 1.0, 5.0]), [1.5, 0.0, 1.5]);
    }
}
