//! Champion and challenger on rows that neither has seen, and which of them should predict.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{
    data::{Dataset, FoldPlan},
    evaluate::{Difference, ScoredRow},
    model::Predictor,
};

use super::{
    both_errors::{BothErrors, BothSquares, alone},
    config::RetrainConfig,
    new_rows::{NewRow, container_of},
};

/// Champion and challenger beside each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// Both ways to train on the same folds of the new table, each row judged by models that did not see its
    /// container: from the champion's rows, and from all of them.
    pub folds: BothErrors,
    /// Mean over the folds of `ln(challenger's RMSE / champion's RMSE)`. Folds with large masses have large errors of both;
    /// their ratio is what folds have in common.
    pub difference: Difference,
    /// The newest labelled rows, which train neither; `None` where there are none.
    pub newest: Option<BothErrors>,
    /// Trusted rows.
    pub anchor: BothErrors,
    /// The same by quarter of their true values; empty where there are too few of them.
    pub anchor_quarters: Vec<BothErrors>,
}

/// Quarters by their true values, the smallest first.
const ORDINALS: [&str; 4] = ["first", "second", "third", "fourth"];

/// Trusted rows from which on their quarters are looked at.
const ENOUGH: usize = 40;

/// A condition of promotion, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Whether it holds.
    pub holds: bool,
    /// In words, with its numbers.
    pub sentence: String,
}

impl Challenge {
    /// The conditions of promotion. All must hold.
    #[must_use]
    pub fn conditions(&self, config: &RetrainConfig, unit: &str) -> Vec<Condition> {
        let mut conditions = vec![self.better(config, unit)];
        let (strict, lenient) = (config.tolerance, 4.0 * config.tolerance);
        // What few rows show by chance is no reason to stay; on all trusted rows there is no excuse.
        let noise = Some(config.significance);
        if let Some(newest) = &self.newest {
            conditions.push(no_worse("on the newest rows", newest, (strict, noise), unit));
        }
        conditions.push(no_worse("on the trusted rows", &self.anchor, (strict, None), unit));
        let quarters = self.anchor_quarters.iter().zip(ORDINALS).map(|(own, ordinal)| {
            let place = format!("in the {ordinal} quarter of the trusted rows");
            no_worse(&place, own, (lenient, noise), unit)
        });
        let quarters: Vec<Condition> = quarters.collect();
        let missed = quarters.iter().position(|own| !own.holds);
        if let Some(shown) = quarters.get(missed.unwrap_or(0)) {
            let sentence = if missed.is_some() {
                shown.sentence.clone()
            } else {
                "in each quarter of the trusted rows: no worse beyond the noise".to_owned()
            };
            conditions.push(Condition { holds: missed.is_none(), sentence });
        }
        conditions
    }

    fn better(&self, config: &RetrainConfig, unit: &str) -> Condition {
        let mean = self.difference.mean;
        // One-sided: whether it is better, not whether it differs.
        let both = self.difference.p_value;
        let p_value = if mean < 0.0 { both / 2.0 } else { 1.0 - both / 2.0 };
        let holds = p_value < config.significance;
        let verdict = match (holds, mean < 0.0) {
            (true, _) => "better beyond the noise",
            (false, true) => "better by no more than chance allows",
            (false, false) => "not better",
        };
        let sentence = format!(
            "on the folds: {verdict}, RMSE {} (champion {}), p = {p_value:.3}, less than {} is asked for",
            shown(self.folds.challenger, unit),
            shown(self.folds.champion, unit),
            config.significance
        );
        Condition { holds, sentence }
    }
}

/// Whether the challenger's error is at most so much larger, or, where noise is an excuse, not clearly so.
fn no_worse(
    place: &str,
    own: &BothErrors,
    (tolerance, noise): (f64, Option<f64>),
    unit: &str,
) -> Condition {
    let is_small = own.challenger <= own.champion * (1.0 + tolerance);
    let is_noise = noise.is_some_and(|significance| own.p_worse >= significance);
    let verdict = match (is_small, is_noise) {
        (true, _) => "no worse",
        (false, true) => "worse by no more than chance allows",
        (false, false) => "worse",
    };
    let sentence = format!(
        "{place} ({}): {verdict}, RMSE {} (champion {}), {:.0} % more is tolerated",
        own.rows,
        shown(own.challenger, unit),
        shown(own.champion, unit),
        100.0 * tolerance
    );
    Condition { holds: is_small || is_noise, sentence }
}

fn shown(value: f64, unit: &str) -> String {
    format!("{}{unit}", crate::report::significant(value, 4))
}

/// RMSE by fold, of both, in the order of the folds.
fn by_fold(rows: &[ScoredRow]) -> Vec<f64> {
    let mut folds: BTreeMap<(usize, usize), Vec<&ScoredRow>> = BTreeMap::new();
    for row in rows {
        folds.entry((row.repeat, row.fold)).or_default().push(row);
    }
    folds.values().map(|own| rmse(own.iter().map(|row| row.prediction - row.target))).collect()
}

/// The root of the mean of squares; 0 of none.
fn rmse(errors: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = errors.fold((0.0, 0.0), |(sum, count), e| (sum + e * e, count + 1.0));
    if count > 0.0 { f64::sqrt(sum / count) } else { 0.0 }
}

/// Both on the same folds: `rows` of the champion's way and of the challenger's, held out by `plan`.
pub(super) fn on_folds(
    (champion, challenger): (&[ScoredRow], &[ScoredRow]),
    plan: &FoldPlan,
) -> (BothErrors, Difference) {
    let pairs = by_fold(challenger).into_iter().zip(by_fold(champion));
    let ratio = |(own, other): (f64, f64)| {
        own.max(f64::MIN_POSITIVE).ln() - other.max(f64::MIN_POSITIVE).ln()
    };
    let differences: Vec<f64> = pairs.map(ratio).collect();
    (both(champion, challenger, |_| true), Difference::of(&differences, plan))
}

/// Both on some of the rows that folds held out.
pub(super) fn both(
    champion: &[ScoredRow],
    challenger: &[ScoredRow],
    is_meant: impl Fn(usize) -> bool,
) -> BothErrors {
    let squares = |rows: &[ScoredRow]| -> BTreeMap<usize, f64> {
        let mut own: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for row in rows.iter().filter(|row| is_meant(row.row)) {
            let (sum, count) = own.entry(row.row).or_default();
            *sum += (row.prediction - row.target).powi(2);
            *count += 1.0;
        }
        own.into_iter().map(|(row, (sum, count))| (row, sum / count)).collect()
    };
    let container = |row: &ScoredRow| {
        let own = row.group.as_ref().map_or_else(|| alone(row.row), ToString::to_string);
        (row.row, own)
    };
    let containers: BTreeMap<usize, String> = challenger.iter().map(container).collect();
    let pairs = squares(champion).into_values().zip(squares(challenger));
    let pair = |(champion, (row, challenger))| (champion, challenger, containers[&row].clone());
    BothErrors::of(&pairs.map(pair).collect::<Vec<_>>())
}

/// Both on trusted rows that folds held out, `rows` with their true values: altogether and by quarter. `trusted` are the
/// rows as judged by models that were trained on trusted rows alone: who is measured by the better of it and of the
/// champion cannot become a little worse each time.
pub(super) fn on_trusted(
    (champion, challenger): (&[ScoredRow], &[ScoredRow]),
    trusted: Option<&[ScoredRow]>,
    mut rows: Vec<(usize, f64)>,
) -> (BothErrors, Vec<BothErrors>) {
    rows.sort_by(|a, b| a.1.total_cmp(&b.1));
    let on = |part: &[(usize, f64)]| {
        let meant: HashSet<usize> = part.iter().map(|(row, _)| *row).collect();
        let own = both(champion, challenger, |row| meant.contains(&row));
        let first = trusted.map(|own| both(own, challenger, |row| meant.contains(&row)));
        first.filter(|first| first.champion < own.champion).unwrap_or(own)
    };
    (on(&rows), quarters(&rows).map(on).collect())
}

/// The quarters of rows in the order of their true values; none where there are too few.
fn quarters<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let enough = if rows.len() < ENOUGH { &rows[..0] } else { rows };
    enough.chunks(rows.len().div_ceil(ORDINALS.len()).max(1))
}

/// Both on rows that neither was trained on.
pub(super) fn on_rows(
    (champion, challenger): (&Predictor, &Predictor),
    rows: &[NewRow],
) -> Option<BothErrors> {
    let raw: Vec<f64> = rows.iter().flat_map(|row| row.inputs.iter().copied()).collect();
    let targets: Vec<f64> = rows.iter().map(|row| row.truth).collect();
    let containers = rows.iter().map(|row| row.container.clone()).collect();
    on_values((champion, challenger), &raw, &targets, containers)
}

/// Both on a table that neither was trained on: altogether and by quarter.
pub(super) fn on_table(
    both: (&Predictor, &Predictor),
    table: &Dataset,
) -> Option<(BothErrors, Vec<BothErrors>)> {
    let mut order: Vec<usize> = (0..table.rows()).collect();
    order.sort_by(|a, b| table.target[*a].total_cmp(&table.target[*b]));
    let on = |rows: &[usize]| {
        let values = |row: usize| table.features.iter().map(move |column| column[row]);
        let raw: Vec<f64> = rows.iter().flat_map(|row| values(*row)).collect();
        let targets: Vec<f64> = rows.iter().map(|row| table.target[*row]).collect();
        let containers = rows.iter().map(|row| container_of(table, *row)).collect();
        on_values(both, &raw, &targets, containers)
    };
    Some((on(&order)?, quarters(&order).filter_map(on).collect()))
}

fn on_values(
    (champion, challenger): (&Predictor, &Predictor),
    raw: &[f64],
    targets: &[f64],
    containers: Vec<String>,
) -> Option<BothErrors> {
    let squares = |predictor: &Predictor| -> Vec<f64> {
        let predictions = predictor.predict(raw).into_iter().zip(targets);
        predictions.map(|(own, target)| (own.value - target).powi(2)).collect()
    };
    let pairs = squares(champion).into_iter().zip(squares(challenger)).zip(containers);
    let all: Vec<BothSquares> = pairs.map(|((own, other), name)| (own, other, name)).collect();
    (!targets.is_empty()).then(|| BothErrors::of(&all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Split;

    fn scored(row: usize, fold: usize, error: f64) -> ScoredRow {
        ScoredRow {
            row,
            group: None,
            repeat: 0,
            fold,
            target: 1.0,
            prediction: 1.0 + error,
            lower: 0.0,
            upper: 2.0,
            out_of_domain: false,
            weight: 1.0,
        }
    }

    fn plan() -> FoldPlan {
        let split = |fold: usize| {
            let (held_out, train) = (0..10).partition(|row| row % 5 == fold as u32);
            Split { repeat: 0, fold, train, held_out }
        };
        FoldPlan {
            splits: (0..5).map(split).collect(),
            repeats: 1,
            leaks_groups: false,
            in_time: false,
        }
    }

    fn challenge(champion: [f64; 5], challenger: [f64; 5]) -> Challenge {
        let rows = |errors: [f64; 5]| -> Vec<ScoredRow> {
            (0..10).map(|row| scored(row, row % 5, errors[row % 5])).collect()
        };
        let (old, new) = (rows(champion), rows(challenger));
        let (folds, difference) = on_folds((&old, &new), &plan());
        let anchor = both(&old, &new, |row| row < 5);
        Challenge { folds, difference, newest: None, anchor, anchor_quarters: Vec::new() }
    }

    /// A challenger that is better on every fold.
    fn better() -> Challenge {
        let (champion, ratios) = ([0.4, 0.5, 0.6, 0.5, 0.55], [-0.3, -0.1, -0.4, -0.2, -0.25]);
        challenge(champion, std::array::from_fn(|fold| champion[fold] * f64::exp(ratios[fold])))
    }

    #[test]
    fn the_difference_is_that_of_the_corrected_t_test() {
        let own = better();
        // Of these ratios numpy and scipy give the mean -0.25, the corrected standard error 0.075 and p = 0.0290154.
        assert!((own.difference.mean + 0.25).abs() < 1e-12);
        assert!((own.difference.p_value - 0.029_015_4).abs() < 1e-5);
        let squares = 0.16 + 0.25 + 0.36 + 0.25 + 0.3025;
        assert!((own.folds.champion - f64::sqrt(squares / 5.0)).abs() < 1e-12);
        assert_eq!((own.folds.rows, own.anchor.rows), (10, 5));
        assert!(own.conditions(&RetrainConfig::default(), " g").iter().all(|own| own.holds));
    }

    #[test]
    fn what_is_better_by_chance_or_worse_on_trusted_rows_is_not_promoted() {
        let config = RetrainConfig::default();
        let holds = |own: &Challenge| -> Vec<bool> {
            own.conditions(&config, "").iter().map(|own| own.holds).collect()
        };
        let chance = challenge([0.4, 0.5, 0.6, 0.5, 0.5], [0.1, 0.7, 0.3, 0.6, 0.4]);
        assert_eq!(holds(&chance), [false, true]);
        let mut worse = better();
        worse.anchor.challenger = 1.06 * worse.anchor.champion;
        worse.newest = Some(BothErrors { rows: 9, champion: 1.0, challenger: 1.049, p_worse: 0.0 });
        assert_eq!(holds(&worse), [true, true, false]);
        let sentence = &worse.conditions(&config, " g")[2].sentence;
        assert!(sentence.starts_with("on the trusted rows (5): worse, RMSE "), "{sentence}");
    }

    #[test]
    fn the_paired_test_equals_scipys_and_noise_excuses_few_rows_only() {
        // scipy.stats.ttest_rel([2, 1, 4, 3, 6], [1, 1.5, 2, 2.5, 3], alternative="greater").pvalue = 0.058977366
        let squares = [(1.0, 2.0), (1.5, 1.0), (2.0, 4.0), (2.5, 3.0), (3.0, 6.0)];
        let rows = squares.iter().enumerate().map(|(row, own)| (own.0, own.1, alone(row)));
        let own = BothErrors::of(&rows.collect::<Vec<_>>());
        assert!((own.p_worse - 0.058_977_366).abs() < 1e-6, "{}", own.p_worse);
        assert!((own.champion - f64::sqrt(2.0)).abs() < 1e-12);
        let mut challenge = better();
        (challenge.newest, challenge.anchor_quarters) = (Some(own), vec![own; 4]);
        let holds = |own: &Challenge, significance: f64| -> Vec<bool> {
            let config = RetrainConfig { significance, ..RetrainConfig::default() };
            own.conditions(&config, "").iter().map(|own| own.holds).collect()
        };
        assert_eq!(holds(&challenge, 0.05), [true; 4]);
        assert_eq!(holds(&challenge, 0.1), [true, false, true, false]);
        challenge.anchor = own;
        assert_eq!(holds(&challenge, 0.05), [true, true, false, true]);
    }

    #[test]
    fn trusted_rows_are_measured_by_the_better_of_champion_and_trusted_training() {
        let rows = |error: f64| -> Vec<ScoredRow> {
            (0..40).map(|row| scored(row, row % 5, error)).collect()
        };
        let meant = || (0..40).map(|row| (row, row as f64)).collect();
        let (champion, challenger, trusted) = (rows(0.3), rows(0.31), rows(0.2));
        let (own, quarters) = on_trusted((&champion, &challenger), None, meant());
        assert!((own.champion - 0.3).abs() < 1e-12 && quarters.len() == 4);
        let (own, _) = on_trusted((&champion, &challenger), Some(&trusted), meant());
        assert!((own.champion - 0.2).abs() < 1e-12);
    }
}
