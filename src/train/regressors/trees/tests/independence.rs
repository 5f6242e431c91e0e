//! What a fit may not depend on: threads, and the targets that it is judged by.

use super::{all_rows, random_table};
use crate::features::FeatureMatrix;
use crate::model::Regressor;
use crate::train::regressors::LearningRows;
use crate::train::regressors::trees::forest_settings::{Cut, RowDraw};
use crate::train::regressors::trees::{
    BoostingSettings, Limits, Stream, Table, TreeKind, bagged::Fitted, boosting::fit_boosting,
    decision_tree::fit_decision_tree, fit_bagged, forest::fit_forest,
    forest_settings::ForestSettings,
};

const KINDS: [TreeKind; 4] =
    [TreeKind::DecisionTree, TreeKind::RandomForest, TreeKind::ExtraTrees, TreeKind::Boosting];

fn fit(kind: TreeKind, matrix: &FeatureMatrix, targets: &[f64], judged: usize) -> Fitted {
    let rows: Vec<u32> = (0..matrix.rows() as u32).filter(|row| row % 7 != 3).collect();
    let parts: Vec<u32> = rows.iter().map(|row| row % 3).collect();
    let weights = vec![1.0; matrix.rows()];
    let data =
        LearningRows { matrix, targets, weights: &weights, rows: &rows, parts: &parts, judged };
    fit_bagged(kind, data, 5, &[1, 2])
}

fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("a pool starts").install(run)
}

#[test]
fn one_and_two_threads_give_the_same_bits() {
    let (matrix, targets) = random_table(90, 1);
    for kind in KINDS {
        let run = || fit(kind, &matrix, &targets, 3);
        let (one, two) = (with_threads(1, run), with_threads(2, run));
        assert_eq!(one.model, two.model, "{kind:?}");
        assert_eq!(one.inner, two.inner, "{kind:?}");
    }
}

#[test]
fn models_learn_and_are_consistent() {
    let (matrix, targets) = random_table(150, 2);
    let (fresh, truth) = random_table(200, 3);
    let mean = truth.iter().sum::<f64>() / 200.0;
    for kind in KINDS {
        let model = fit(kind, &matrix, &targets, 3).model;
        assert!(model.is_consistent(4) && !model.is_consistent(1), "{kind:?}");
        let error = |predict: &dyn Fn(usize) -> f64| -> f64 {
            (0..200).map(|row| (predict(row) - truth[row]).powi(2)).sum()
        };
        let share = error(&|row| model.predict(fresh.row(row))) / error(&|_| mean);
        assert!(share < 0.45, "{kind:?}: {share}");
    }
}

#[test]
fn inner_predictions_cover_the_judged_parts_and_the_model_is_their_mean() {
    let (matrix, targets) = random_table(90, 4);
    for kind in KINDS {
        let inner = fit(kind, &matrix, &targets, 2).inner;
        let rows = (0..90).filter(|row| row % 7 != 3);
        for (row, inner) in rows.zip(inner) {
            assert_eq!(inner.is_some(), row % 3 < 2, "{kind:?}, row {row}");
        }
    }
}

#[test]
fn sub_model_does_not_see_the_targets_of_the_part_left_out() {
    let (matrix, targets) = random_table(90, 5);
    let mut changed = targets.clone();
    (0..90).step_by(3).for_each(|row| changed[row] = 1e6);
    let rows: Vec<u32> = all_rows(90).into_iter().filter(|row| row % 3 != 0).collect();
    let limits = Limits { leaves: 20, min_leaf: 2, ..Limits::default() };
    let draw = RowDraw::Bootstrap;
    let forest = |cut| ForestSettings { cut, trees: 4, columns: 0.5, rows: draw, limits };
    let boosting =
        BoostingSettings { rounds: 9, learning_rate: 0.1, rows: 0.7, columns: 0.7, limits };
    let stream = Stream::new(3, &[]);
    let fit_all = |targets: &[f64]| {
        let table = Table::new(matrix.clone(), targets.to_vec(), vec![1.0; 90]);
        [
            fit_decision_tree(&table, &rows, limits),
            fit_forest(&table, &rows, &forest(Cut::Best), &stream),
            fit_forest(&table, &rows, &forest(Cut::Random), &stream),
            fit_boosting(&table, &rows, &boosting, &stream),
        ]
    };
    assert_eq!(fit_all(&targets), fit_all(&changed));
}

#[test]
fn inner_predictions_never_follow_pure_noise() {
    // With targets that no column explains, a model that had seen its part would look good.
    let (matrix, _) = random_table(140, 6);
    let (_, targets) = random_table(140, 7);
    let mean = targets.iter().sum::<f64>() / 140.0;
    for kind in KINDS {
        let inner = fit(kind, &matrix, &targets, 3).inner;
        let rows: Vec<usize> = (0..140).filter(|row| row % 7 != 3).collect();
        let error: f64 = rows
            .iter()
            .zip(&inner)
            .filter_map(|(row, inner)| Some((*inner)? - targets[*row]))
            .map(|e| e * e)
            .sum();
        let spread: f64 = rows.iter().map(|row| (targets[*row] - mean).powi(2)).sum();
        assert!(error > 0.93 * spread, "{kind:?}: {}", error / spread);
    }
}

#[test]
fn degenerate_tables_give_a_constant() {
    let targets = [2.0; 12];
    for matrix in [
        FeatureMatrix::new(1, vec![1.0; 12]),
        FeatureMatrix::new(2, vec![f32::NAN; 24]),
        FeatureMatrix::new(1, (0..12_u8).map(f32::from).collect()),
    ] {
        for kind in KINDS {
            let model = fit(kind, &matrix, &targets, 3).model;
            assert!((model.predict(matrix.row(0)) - 2.0).abs() < 1e-9, "{kind:?}");
        }
    }
}

#[test]
fn empty_parts_and_weightless_rows_do_no_harm() {
    let (matrix, targets) = random_table(10, 8);
    for kind in KINDS {
        for (rows, weight) in [(0, 1.0), (1, 1.0), (10, 0.0)] {
            let (rows, weights) = (all_rows(rows), vec![weight; 10]);
            let parts = vec![1; rows.len()];
            let data = LearningRows {
                matrix: &matrix,
                targets: &targets,
                weights: &weights,
                rows: &rows,
                parts: &parts,
                judged: 2,
            };
            let fitted = fit_bagged(kind, data, 1, &[]);
            assert!(fitted.model.is_consistent(4), "{kind:?}");
        }
    }
}
