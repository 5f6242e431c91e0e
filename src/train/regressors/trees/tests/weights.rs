//! A weight means the same as repeating the row.

use super::{all_rows, formula_table};
use crate::model::{Regressor, TreeEnsemble};
use crate::train::regressors::trees::{
    BoostingSettings, Limits, Stream, Table,
    boosting::fit_boosting,
    decision_tree::fit_decision_tree,
    forest::fit_forest,
    forest_settings::{Cut, ForestSettings, RowDraw},
};

/// The formula table with row `i` weighing `1 + i % 3`, and with that many copies of the row.
fn weighted_and_repeated() -> (Table, Table) {
    let weighted = formula_table(|row| (1 + row % 3) as f64);
    let rows: Vec<u32> =
        (0..60).flat_map(|row| std::iter::repeat_n(row, 1 + row as usize % 3)).collect();
    let targets: Vec<f64> = rows.iter().map(|row| weighted.targets[*row as usize]).collect();
    let weights = vec![1.0; rows.len()];
    let repeated = Table::new(weighted.matrix.gather(&rows), targets, weights);
    (weighted, repeated)
}

fn assert_same(a: &TreeEnsemble, b: &TreeEnsemble, table: &Table) {
    for row in 0..60 {
        let (a, b) = (a.predict(table.features(row)), b.predict(table.features(row)));
        assert!((a - b).abs() < 1e-6, "row {row}: {a}, {b}");
    }
}

#[test]
fn weight_equals_repeating_the_row_in_a_tree() {
    let (weighted, repeated) = weighted_and_repeated();
    let limits = Limits { leaves: 12, ..Limits::default() };
    let a = fit_decision_tree(&weighted, &all_rows(60), limits);
    let b = fit_decision_tree(&repeated, &all_rows(repeated.rows()), limits);
    assert_same(&a, &b, &weighted);
}

#[test]
fn weight_equals_repeating_the_row_in_extra_trees() {
    let (weighted, repeated) = weighted_and_repeated();
    let settings = ForestSettings {
        cut: Cut::Random,
        trees: 5,
        columns: 1.0,
        rows: RowDraw::Fraction(1.0),
        limits: Limits { leaves: 4, ..Limits::default() },
    };
    let stream = Stream::new(1, &[]);
    let a = fit_forest(&weighted, &all_rows(60), &settings, &stream);
    let b = fit_forest(&repeated, &all_rows(repeated.rows()), &settings, &stream);
    assert_same(&a, &b, &weighted);
}

#[test]
fn weight_equals_repeating_the_row_in_boosting() {
    let (weighted, repeated) = weighted_and_repeated();
    let limits = Limits { leaves: 5, l2: 1.0, ..Limits::default() };
    let settings =
        BoostingSettings { rounds: 20, learning_rate: 0.2, rows: 1.0, columns: 1.0, limits };
    let stream = Stream::new(1, &[]);
    let a = fit_boosting(&weighted, &all_rows(60), &settings, &stream);
    let b = fit_boosting(&repeated, &all_rows(repeated.rows()), &settings, &stream);
    assert_same(&a, &b, &weighted);
}

#[test]
fn row_without_weight_changes_nothing() {
    let table = formula_table(|row| if row < 50 { 1.0 } else { 0.0 });
    let settings = ForestSettings {
        cut: Cut::Best,
        trees: 5,
        columns: 0.6,
        rows: RowDraw::Bootstrap,
        limits: Limits { min_leaf: 3, ..Limits::default() },
    };
    let stream = Stream::new(1, &[]);
    let with = fit_forest(&table, &all_rows(60), &settings, &stream);
    assert_eq!(with, fit_forest(&table, &all_rows(50), &settings, &stream));
}
