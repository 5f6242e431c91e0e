//! The stack: cut anywhere it trains the same networks, and held-out rows never reach them.

use massay::{
    data::Generator,
    model::{Activation, BackendKind, Embedding, InputScaling, ModelConfig, Parametrisation},
    train::{Cut, EpochRecord, Loss, Regularisation, Schedule, TrainConfig, Trained},
};

use crate::support::{dataset, folds, train};

fn recipe() -> (ModelConfig, TrainConfig) {
    let model = ModelConfig { hidden: vec![16, 8], members: 3, ..ModelConfig::default() };
    let config = TrainConfig { epochs: 15, patience: 6, ..TrainConfig::default() };
    (model, config)
}

fn assert_same(a: &Trained, b: &Trained) {
    assert_eq!(a.chosen_epochs, b.chosen_epochs);
    assert_eq!(a.history, b.history);
    assert!(a.members == b.members, "weights differ");
}

#[test]
fn stacked_training_gives_the_same_bits_as_one_network_at_a_time() {
    let (model, config) = recipe();
    let data = dataset(103, 4, 2, 1);
    let plan = folds(&data, 4);
    for backend in [BackendKind::Cpu, BackendKind::Ndarray] {
        let run = |folds_per_cohort, members_per_stack| {
            let cut = Cut { folds_per_cohort, members_per_stack };
            train(&data, &plan, (&model, &config), backend, Some(cut))
        };
        let alone = run(1, 1);
        assert_same(&alone, &run(usize::MAX, usize::MAX));
        assert_same(&alone, &run(2, 3));
    }
}

#[test]
fn every_ingredient_gives_the_same_bits_however_the_stack_is_cut() {
    let data = dataset(90, 3, 1, 8);
    let plan = folds(&data, 3);
    for (embedding, copies) in [(Embedding::Pbld, 1), (Embedding::Piecewise, 3)] {
        let model = ModelConfig {
            hidden: vec![8, 6],
            activation: Activation::Mish,
            parametric_activation: true,
            dropout: 0.15,
            input_scaling: InputScaling::Robust,
            embedding,
            scaling_layer: true,
            parametrisation: Parametrisation::Ntk,
            linear_skip: true,
            copies,
            members: 2,
            ..ModelConfig::default()
        };
        let config = TrainConfig {
            epochs: 6,
            learning_rate: 0.1,
            schedule: Schedule::Cycles,
            regularisation: Regularisation::Fading,
            ..TrainConfig::default()
        };
        let run = |folds_per_cohort, members_per_stack| {
            let cut = Cut { folds_per_cohort, members_per_stack };
            train(&data, &plan, (&model, &config), BackendKind::Cpu, Some(cut))
        };
        let alone = run(1, 1);
        assert_same(&alone, &run(usize::MAX, usize::MAX));
        let first = alone.history.iter().filter(|record| record.epoch == 1);
        let last = alone.history.iter().filter(|record| record.epoch == 6);
        let sum = |records: &mut dyn Iterator<Item = &EpochRecord>| -> f64 {
            records.map(|record| record.train_loss).sum()
        };
        assert!(sum(&mut last.into_iter()) < sum(&mut first.into_iter()), "{embedding:?}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (model, config) = recipe();
    let data = dataset(90, 4, 1, 2);
    let plan = folds(&data, 3);
    for backend in [BackendKind::Cpu, BackendKind::Ndarray] {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| train(&data, &plan, (&model, &config), backend, None))
        };
        let alone = run(1);
        assert_same(&alone, &run(2));
        assert_same(&alone, &run(5));
    }
}

#[test]
fn large_batches_are_spread_over_any_number_of_threads_with_the_same_bits() {
    let (model, _) = recipe();
    let config = TrainConfig { epochs: 3, batch_size: 5000, ..TrainConfig::default() };
    let data = dataset(9000, 4, 1, 9);
    let plan = folds(&data, 2);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train(&data, &plan, (&model, &config), BackendKind::Cpu, None))
    };
    assert_same(&run(1), &run(3));
}

#[test]
fn held_out_targets_change_no_weight_of_their_fold() {
    let (model, config) = recipe();
    let data = dataset(100, 4, 2, 3);
    let plan = folds(&data, 4);
    let before = train(&data, &plan, (&model, &config), BackendKind::Cpu, None);
    let mut changed = data.clone();
    for row in &plan.splits[1].held_out {
        changed.target[*row as usize] += 1000.0;
    }
    let after = train(&changed, &plan, (&model, &config), BackendKind::Cpu, None);
    let own = 3..6;
    assert!(before.members[own.clone()] == after.members[own.clone()], "fold 1 saw its own rows");
    assert_eq!(before.scaling[own.clone()], after.scaling[own]);
    assert!(before.members[..3] != after.members[..3], "fold 0 trains on the changed rows");
}

#[test]
fn held_out_features_change_no_weight_of_their_fold() {
    let (model, config) = recipe();
    let data = dataset(100, 4, 1, 4);
    let plan = folds(&data, 4);
    let before = train(&data, &plan, (&model, &config), BackendKind::Cpu, None);
    let mut changed = data.clone();
    for column in &mut changed.features {
        for row in &plan.splits[0].held_out {
            column[*row as usize] *= 0.5;
        }
    }
    let after = train(&changed, &plan, (&model, &config), BackendKind::Cpu, None);
    assert!(before.members[..3] == after.members[..3], "fold 0 saw its held-out features");
}

/// Own arithmetic and tensors of a backend, step by step: masks, rates, losses and gradients.
#[test]
fn ndarray_and_own_arithmetic_train_the_same_networks_to_rounding() {
    let (simple, config) = recipe();
    let rich = ModelConfig {
        activation: Activation::Mish,
        parametric_activation: true,
        dropout: 0.15,
        input_scaling: InputScaling::Robust,
        embedding: Embedding::Pbld,
        scaling_layer: true,
        parametrisation: Parametrisation::Ntk,
        linear_skip: true,
        ..simple.clone()
    };
    let fading = TrainConfig {
        epochs: 4,
        learning_rate: 0.05,
        weight_decay: 0.02,
        schedule: Schedule::Cycles,
        regularisation: Regularisation::Fading,
        ..config.clone()
    };
    // A batch of many blocks on several lanes.
    let large = TrainConfig { epochs: 3, batch_size: 4000, ..fading.clone() };
    let copied = ModelConfig { embedding: Embedding::Piecewise, copies: 3, ..rich.clone() };
    let cases = [
        (80, &simple, &config),
        (80, &rich, &fading),
        (6000, &rich, &large),
        (80, &copied, &fading),
        (6000, &copied, &large),
    ];
    for (rows, model, config) in cases {
        let data = dataset(rows, 4, 1, 5);
        let plan = folds(&data, 4);
        let own = train(&data, &plan, (model, config), BackendKind::Cpu, None);
        let ndarray = train(&data, &plan, (model, config), BackendKind::Ndarray, None);
        assert_eq!(own.history.len(), ndarray.history.len());
        for (a, b) in own.history.iter().zip(&ndarray.history) {
            let is_close = |a: f64, b: f64| (a - b).abs() < 1e-4 * (1.0 + a);
            assert!(is_close(a.train_loss, b.train_loss), "{a:?} {b:?}");
            assert!(
                is_close(a.validation_loss.unwrap(), b.validation_loss.unwrap()),
                "{a:?} {b:?}"
            );
        }
        // Adam makes a step of the smallest gradient: single weights may differ by more.
        let weights = |own: &Trained| -> Vec<f32> {
            own.members.iter().flat_map(|member| member.0.iter().copied()).collect()
        };
        let (own, ndarray) = (weights(&own), weights(&ndarray));
        let size: f32 = own.iter().map(|own| own * own).sum();
        let distance: f32 = own.iter().zip(&ndarray).map(|(a, b)| (a - b) * (a - b)).sum();
        assert!((distance / size).sqrt() < 1e-3, "{}", (distance / size).sqrt());
    }
}

#[test]
fn a_smooth_function_is_learned() {
    let model = ModelConfig { hidden: vec![32, 32], dropout: 0.0, ..ModelConfig::default() };
    let config = TrainConfig { epochs: 150, ..TrainConfig::default() };
    let data = dataset(400, 3, 1, 6);
    let trained = train(&data, &folds(&data, 4), (&model, &config), BackendKind::Cpu, None);
    let best = |fold| {
        let own = trained.history.iter().filter(|record| record.fold == fold);
        let losses = own.filter_map(|record| record.validation_loss);
        losses.fold(f64::INFINITY, f64::min)
    };
    for fold in 0..4 {
        assert!(best(fold) < 0.12, "fold {fold}: {}", best(fold));
    }
}

#[test]
fn every_variant_of_the_recipe_trains() {
    let data = dataset(70, 3, 1, 7);
    let plan = folds(&data, 3);
    let (model, config) = recipe();
    let variants = [
        (ModelConfig { dropout: 0.3, ..model.clone() }, config.clone()),
        (model.clone(), TrainConfig { loss: Loss::Huber, ..config.clone() }),
        (model.clone(), TrainConfig { patience: 0, batch_size: 1000, ..config.clone() }),
        (model, TrainConfig { weight_decay: 1.0, batch_size: 7, ..config }),
    ];
    for (model, config) in variants {
        let trained = train(&data, &plan, (&model, &config), BackendKind::Cpu, None);
        let first = mean_loss(&trained.history, 1);
        let last = mean_loss(&trained.history, *trained.chosen_epochs.iter().min().unwrap());
        assert!(last < first, "{first} -> {last} with {config:?}");
    }
}

fn mean_loss(history: &[EpochRecord], epoch: usize) -> f64 {
    let losses: Vec<f64> =
        history.iter().filter(|record| record.epoch == epoch).map(|r| r.train_loss).collect();
    losses.iter().sum::<f64>() / losses.len() as f64
}

#[test]
fn dropout_is_reproducible_and_independent_of_the_cut() {
    let (model, config) = recipe();
    let model = ModelConfig { dropout: 0.4, ..model };
    let data = dataset(60, 3, 1, 8);
    let plan = folds(&data, 3);
    let run = |size| {
        let cut = Cut { folds_per_cohort: size, members_per_stack: size };
        train(&data, &plan, (&model, &config), BackendKind::Cpu, Some(cut))
    };
    assert_same(&run(1), &run(usize::MAX));
}

#[test]
fn few_rows_train_a_fixed_number_of_epochs() {
    let (model, config) = recipe();
    let data = dataset(24, 2, 1, 9);
    let trained = train(&data, &folds(&data, 3), (&model, &config), BackendKind::Cpu, None);
    assert_eq!(trained.chosen_epochs, [config.epochs; 3]);
    assert!(trained.history.iter().all(|record| record.validation_loss.is_none()));
}

#[test]
fn folds_keep_groups_whole_and_span_the_target() {
    let mut generator = Generator::new(1, &[]);
    for trial in 0..50 {
        let data = dataset(40 + generator.below(100), 2, 1 + trial % 4, trial as u64);
        let groups = data.group_ids();
        let plan = folds(&data, 2 + trial % 5);
        let mut seen = vec![0; data.rows()];
        let overall = data.target.iter().sum::<f64>() / data.rows() as f64;
        for split in &plan.splits {
            for row in &split.held_out {
                seen[*row as usize] += 1;
                let group = groups[*row as usize];
                assert!(split.train.iter().all(|other| groups[*other as usize] != group));
            }
            let held: f64 = split.held_out.iter().map(|row| data.target[*row as usize]).sum();
            assert!((held / split.held_out.len() as f64 - overall).abs() < 0.6);
        }
        assert!(seen.iter().all(|count| *count == 1));
    }
}
