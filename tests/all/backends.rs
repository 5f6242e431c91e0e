//! wgpu on whatever adapter there is; CI brings Mesa's software driver.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use burn_cubecl::cubecl::logging::{LaunchObservation, LaunchObserver};
use massay::{
    data::{Dataset, FoldPlan},
    model::{
        Activation, Backend, BackendKind, Embedding, InputScaling, ModelConfig, Parametrisation,
    },
    train::{Cut, EpochEvent, Hooks, TrainConfig, Trained},
};

use crate::support::{SHORT, Workshop, dataset, folds, train, train_on};

/// The adapter for each way of training on it: by tensors, and by one kernel for whole epochs, which a real one takes
/// for small networks.
fn ways() -> [Backend; 2] {
    let adapter = Backend::select(BackendKind::Wgpu).unwrap();
    [true, false].map(|emulated| Backend { emulated, ..adapter.clone() })
}

/// Trains without being interrupted.
fn train_through(
    (data, plan): (&Dataset, &FoldPlan),
    recipe: (&ModelConfig, &TrainConfig),
    (backend, cut): (&Backend, Option<Cut>),
) -> Trained {
    let hooks = Hooks { on_epoch: &|_| {}, interrupted: &|| false, state_folder: None };
    train_on(data, plan, recipe, (backend, cut), &hooks).unwrap()
}

#[test]
#[ignore = "needs a graphics adapter; CI runs it on Mesa's software Vulkan driver"]
fn wgpu_trains_the_networks_of_the_cpu() {
    let model = ModelConfig { hidden: vec![12, 8], members: 2, dropout: 0.1, ..Default::default() };
    let config = TrainConfig { epochs: 4, patience: 1, ..TrainConfig::default() };
    let data = dataset(83, 4, 1, 11);
    let plan = folds(&data, 3);
    let cpu = train(&data, &plan, (&model, &config), BackendKind::Cpu, None);
    for way in ways() {
        let gpu = train_through((&data, &plan), (&model, &config), (&way, None));
        assert_eq!(cpu.chosen_epochs, gpu.chosen_epochs);
        assert_eq!(cpu.history.len(), gpu.history.len());
        for (a, b) in cpu.history.iter().zip(&gpu.history) {
            assert!((a.train_loss - b.train_loss).abs() < 1e-4, "{a:?} {b:?}");
            let (a, b) = (a.validation_loss.unwrap(), b.validation_loss.unwrap());
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
        for (a, b) in cpu.members.iter().zip(&gpu.members) {
            let worst = a.0.iter().zip(&b.0).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-3, "weights differ by {worst}");
        }
        let alone = Cut { folds_per_cohort: 1, members_per_stack: 1 };
        let cut = train_through((&data, &plan), (&model, &config), (&way, Some(alone)));
        for (a, b) in cut.history.iter().zip(&gpu.history) {
            assert!((a.train_loss - b.train_loss).abs() < 1e-5, "the cut matters: {a:?} {b:?}");
        }
    }
}

#[test]
#[ignore = "needs a graphics adapter; CI runs it on Mesa's software Vulkan driver"]
fn wgpu_computes_every_ingredient_of_the_recipes_as_the_cpu_does() {
    let data = dataset(60, 3, 1, 12);
    let plan = folds(&data, 2);
    for (embedding, copies) in [(Embedding::Pbld, 1), (Embedding::Piecewise, 2)] {
        let model = ModelConfig {
            hidden: vec![6],
            activation: Activation::Mish,
            parametric_activation: true,
            input_scaling: InputScaling::Robust,
            embedding,
            scaling_layer: true,
            parametrisation: Parametrisation::Ntk,
            linear_skip: true,
            copies,
            members: 1,
            ..Default::default()
        };
        let config = TrainConfig { epochs: 3, learning_rate: 0.02, ..TrainConfig::default() };
        let cpu = train(&data, &plan, (&model, &config), BackendKind::Cpu, None);
        for way in ways() {
            let gpu = train_through((&data, &plan), (&model, &config), (&way, None));
            for (a, b) in cpu.history.iter().zip(&gpu.history) {
                assert!((a.train_loss - b.train_loss).abs() < 1e-3, "{embedding:?} {a:?} {b:?}");
            }
        }
    }
}

#[test]
#[ignore = "needs a graphics adapter; CI runs it on Mesa's software Vulkan driver"]
fn a_training_on_wgpu_goes_on_to_the_bit_where_it_was_interrupted() {
    let model = ModelConfig { hidden: vec![9], members: 2, ..Default::default() };
    let config = TrainConfig { epochs: 6, patience: 4, ..TrainConfig::default() };
    let data = dataset(60, 3, 1, 13);
    let plan = folds(&data, 2);
    let way = &ways()[1];
    let whole = train_through((&data, &plan), (&model, &config), (way, None));
    let folder = tempfile::tempdir().unwrap();
    let state_folder = Some(folder.path());
    let stops = |epochs: usize| {
        let seen = AtomicUsize::new(0);
        let on_epoch = |event: &EpochEvent| {
            seen.fetch_max(event.epoch, Ordering::Relaxed);
        };
        let interrupted = || seen.load(Ordering::Relaxed) >= epochs;
        let hooks = Hooks { on_epoch: &on_epoch, interrupted: &interrupted, state_folder };
        train_on(&data, &plan, (&model, &config), (way, None), &hooks)
    };
    for epochs in [1, 3] {
        assert!(stops(epochs).unwrap_err().is_interruption());
    }
    let again = stops(usize::MAX).unwrap();
    assert_eq!((whole.members, whole.history), (again.members, again.history));
}

#[test]
fn wgpu_without_an_adapter_is_a_clear_error() {
    let workshop = Workshop::new();
    let mut command = workshop.command(&format!("train --backend wgpu --name gpu {SHORT}"));
    // Hides Vulkan drivers and, on Linux, the OpenGL ones.
    for (name, value) in [
        ("VK_ICD_FILENAMES", "/dev/null"),
        ("VK_DRIVER_FILES", "/dev/null"),
        ("__EGL_VENDOR_LIBRARY_FILENAMES", "/dev/null"),
    ] {
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let refused = errors.contains("no graphics adapter was found") && errors.contains("hint: use");
    assert!(refused || output.status.success(), "{errors}");
    assert!(output.status.success() || !workshop.exists("checkpoints/gpu.unfinished"));
}

#[test]
#[ignore = "needs a graphics adapter; CI runs it on Mesa's software Vulkan driver"]
fn a_whole_run_on_wgpu_has_the_metrics_of_the_cpu() {
    let workshop = Workshop::new();
    let metrics = |backend: &str| {
        let short = format!("{SHORT} --set train.epochs=3");
        let line = format!("train --backend {backend} --name {backend} --json --quiet {short}");
        let text = workshop.succeed(&line);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["cv"]["rmse"].as_f64().unwrap()
    };
    let (cpu, gpu) = (metrics("cpu"), metrics("wgpu"));
    assert!((cpu - gpu).abs() < 1e-3 * cpu, "{cpu} {gpu}");
}

#[test]
fn the_automatic_backend_is_never_a_software_adapter() {
    let automatic = Backend::select(BackendKind::Auto).unwrap();
    let software = ["llvmpipe", "lavapipe", "SwiftShader", "WARP"];
    assert!(!software.iter().any(|name| automatic.name.contains(name)), "{automatic:?}");
    assert_eq!(automatic.kind, Backend::available()[0].kind);
}

#[test]
fn the_list_of_backends_names_both_cpu_backends() {
    let list = Workshop::new().succeed("backends");
    assert!(list.contains("cpu ") && list.contains("ndarray"), "{list}");
    assert_eq!(list.lines().filter(|line| line.starts_with('*')).count(), 2, "{list}");
}

/// Kernels that this thread sends to an adapter, by name.
#[derive(Default)]
struct Launches(Mutex<BTreeMap<&'static str, usize>>);

thread_local! {
    static IS_COUNTED: Cell<bool> = const { Cell::new(false) };
}

impl LaunchObserver for Launches {
    fn launched(&self, kernel: &'static str) {
        if IS_COUNTED.get() {
            *self.0.lock().unwrap().entry(kernel).or_default() += 1;
        }
    }
}

/// Kernels of a training of one stack of networks with two hidden layers, for some epochs.
fn launches(epochs: usize, way: &Backend) -> BTreeMap<&'static str, usize> {
    let model = ModelConfig { hidden: vec![32, 32], members: 2, ..Default::default() };
    let config = TrainConfig { epochs, batch_size: 16, ..TrainConfig::default() };
    let data = dataset(400, 4, 1, 11);
    let plan = folds(&data, 2);
    let counts = Arc::new(Launches::default());
    IS_COUNTED.set(true);
    let observation = LaunchObservation::new(counts.clone());
    train_through((&data, &plan), (&model, &config), (way, None));
    drop(observation);
    IS_COUNTED.set(false);
    counts.0.lock().unwrap().clone()
}

/// Kernels of one more epoch, by name.
fn of_an_epoch(way: &Backend) -> Vec<(&'static str, usize)> {
    let (short, long) = (launches(1, way), launches(2, way));
    let more = |(name, count): (&'static str, usize)| {
        (name, count - short.get(name).copied().unwrap_or(0))
    };
    long.into_iter().map(more).filter(|(_, count)| *count > 0).collect()
}

#[test]
#[ignore = "needs a graphics adapter; CI runs it on Mesa's software Vulkan driver"]
fn a_step_on_wgpu_takes_few_kernels() {
    let [by_tensors, by_epochs] = ways().map(|way| of_an_epoch(&way));
    // Adam takes one for each of three matrices and three biases.
    let steps = by_tensors.iter().filter(|(name, _)| name.contains("AdamKernel"));
    let steps = steps.map(|(_, count)| count / 6).sum::<usize>() as f64;
    assert!(steps >= 10.0, "{steps}");
    let mut each = 0.0;
    for (name, count) in &by_tensors {
        let own = *count as f64 / steps;
        println!("{own:6.2} {}", name.split('<').next().unwrap());
        each += own;
    }
    println!("{each:6.2} in all, with the share of an epoch's end");
    assert!(each > 20.0 && each < 55.0, "{each}");
    // One for the epoch, and one that keeps the best weights.
    println!("{by_epochs:?}");
    assert!(by_epochs.iter().any(|(name, _)| name.contains("Learn")), "{by_epochs:?}");
    assert!(by_epochs.iter().map(|(_, count)| count).sum::<usize>() <= 2, "{by_epochs:?}");
}
