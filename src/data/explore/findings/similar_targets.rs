//! Columns of text whose rows have similar targets: the same countries, plants or patients, seen several times.

use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use crate::data::{
    Groups,
    explore::{Finding, FindingKind, OneWay, Severity, correlation::Ranked, wording::names},
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
    let ranks = Ranked::new(&table.dataset.target).ranks;
    let text = table.dataset.text.iter();
    text.filter_map(|own| Some(finding(table, own, alike(&own.ids, &ranks)?))).collect()
}

/// The intraclass correlation of `values` by `ids` (Shrout and Fleiss, 1979, case 1), where the column could name things
/// and an analysis of variance says that it is no chance.
fn alike(ids: &[u32], values: &[f64]) -> Option<f64> {
    let groups = ids.iter().max().map_or(0, |last| *last as usize + 1);
    let mut sizes = vec![0_usize; groups];
    for id in ids {
        sizes[*id as usize] += 1;
    }
    let rows = values.len() as f64;
    let largest = sizes.iter().copied().max().unwrap_or(0) as f64;
    let is_fit = groups >= FEWEST_VALUES && rows >= FEWEST_ROWS * groups as f64;
    if !is_fit || largest > LARGEST_SHARE * rows {
        return None;
    }
    let own = OneWay::of(ids, values);
    let law = FisherSnedecor::new(own.freedom[0], own.freedom[1]).ok()?;
    let correlation = own.correlation();
    let is_chance = law.sf(own.between / own.within) >= CHANCE;
    (correlation >= ALIKE && !is_chance).then_some(correlation)
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

    fn ranks(values: &[f64]) -> Vec<f64> {
        Ranked::new(values).ranks.iter().map(|rank| rank - 1.0).collect()
    }

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
