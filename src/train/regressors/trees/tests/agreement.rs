//! The same numbers as scikit-learn 1.9 on a small table.

use super::{all_rows, formula_table};
use crate::model::{Regressor, TreeEnsemble};
use crate::train::regressors::trees::{
    BoostingSettings, Limits, Stream, Table, boosting::fit_boosting,
    decision_tree::fit_decision_tree,
};

fn nine_leaves() -> Limits {
    Limits { leaves: 9, min_leaf: 4, ..Limits::default() }
}

fn boosting(l2: f64) -> BoostingSettings {
    let limits = Limits { leaves: 7, min_leaf: 5, l2, ..Limits::default() };
    BoostingSettings { rounds: 25, learning_rate: 0.2, rows: 1.0, columns: 1.0, limits }
}

fn assert_predicts(model: &TreeEnsemble, table: &Table, expected: &[f64], tolerance: f64) {
    for (row, expected) in expected.iter().enumerate() {
        let predicted = model.predict(table.features(row as u32));
        assert!((predicted - expected).abs() < tolerance, "row {row}: {predicted}, {expected}");
    }
}

#[test]
fn decision_tree_predicts_what_scikit_learn_predicts() {
    // DecisionTreeRegressor(max_leaf_nodes=9, min_samples_leaf=4)
    let table = formula_table(|_| 1.0);
    let model = fit_decision_tree(&table, &all_rows(60), nine_leaves());
    let expected = [
        -0.322_261_516,
        0.470_497_231,
        4.345_802_014,
        0.488_992_84,
        1.889_489_836,
        4.345_802_014,
        0.488_992_84,
        3.482_970_986,
        0.488_992_84,
        1.889_489_836,
        3.592_863_178,
        0.488_992_84,
    ];
    assert_predicts(&model, &table, &expected, 1e-6);
}

#[test]
fn thresholds_lie_midway_between_the_values_of_the_node() {
    // The same tree on rows that it has not seen.
    let table = formula_table(|_| 1.0);
    let model = fit_decision_tree(&table, &all_rows(60), nine_leaves());
    let expected = [
        -0.322_261_516,
        -0.322_261_516,
        -0.322_261_516,
        -0.322_261_516,
        0.470_497_231,
        1.889_489_836,
        1.889_489_836,
        3.482_970_986,
        3.482_970_986,
        4.345_802_014,
        4.345_802_014,
        4.345_802_014,
    ];
    for (row, expected) in expected.iter().enumerate() {
        let [a, b, c] = [(row * 7) % 61, (row * 5) % 59, (row * 3) % 53].map(|x| x as f32);
        let predicted = model.predict(&[a + 0.3, b + 0.6, c + 0.1]);
        assert!((predicted - expected).abs() < 1e-6, "row {row}: {predicted}, {expected}");
    }
}

#[test]
fn weighted_decision_tree_predicts_what_scikit_learn_predicts() {
    let table = formula_table(|row| (1 + row % 3) as f64);
    let model = fit_decision_tree(&table, &all_rows(60), nine_leaves());
    let expected = [
        0.852_856_09,
        -0.294_586_566,
        4.625_765_804,
        0.430_218_784,
        2.337_249_321,
        4.625_765_804,
        0.430_218_784,
        3.423_217_903,
        0.430_218_784,
        2.337_249_321,
        3.564_349_751,
        0.430_218_784,
    ];
    assert_predicts(&model, &table, &expected, 1e-6);
}

#[test]
fn boosting_predicts_what_scikit_learn_predicts() {
    // HistGradientBoostingRegressor(max_iter=25, learning_rate=0.2, max_leaf_nodes=7,
    // min_samples_leaf=5, l2_regularization=0.5, early_stopping=False), which sums in single
    // precision.
    let table = formula_table(|_| 1.0);
    let model = fit_boosting(&table, &all_rows(60), &boosting(0.5), &Stream::new(0, &[]));
    let expected = [
        -0.029_193_48,
        0.364_704_47,
        4.536_126_29,
        0.712_510_65,
        2.175_860_38,
        4.558_914_18,
        0.700_096_59,
        3.414_363_83,
        0.637_004_32,
        2.096_354_6,
        3.801_966_14,
        0.284_262_92,
    ];
    assert_predicts(&model, &table, &expected, 1e-5);
}

#[test]
fn weighted_boosting_predicts_what_scikit_learn_predicts() {
    let table = formula_table(|row| (1 + row % 3) as f64);
    let model = fit_boosting(&table, &all_rows(60), &boosting(0.0), &Stream::new(0, &[]));
    let expected = [
        0.129_320_56,
        0.424_963_15,
        4.666_865_21,
        0.657_608_66,
        2.142_031_48,
        4.718_526_85,
        0.647_602_42,
        3.433_809_4,
        0.646_717_15,
        2.128_674_05,
        3.778_462_05,
        0.258_732_07,
    ];
    assert_predicts(&model, &table, &expected, 1e-5);
}
