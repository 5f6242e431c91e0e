//! wgpu on whatever adapter there is; CI brings Mesa's software driver.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use burn_cubecl::cubecl::logging::{LaunchObservation, LaunchObserver};
use massay::{
    model::{
        Activation, Backend, BackendKind, Embedding, InputScaling, ModelConfig, Parametrisation,
    },
    train::{Cut, TrainConfig},
};

use crate::support::{SHORT, Workshop, dataset, folds, train};

#[test]
#[ignore = "needs a graphics adapter; CI runs it on Mesa's software Vulkan driver"]
fn wgpu_trains_the_networks_of_the_cpu() {
    let model = ModelConfig { hidden: vec![12, 8], members: 2, dropout: 0.1, ..Default::default() };
    let config = TrainConfig { epochs: 4, patience: 1, ..TrainConfig::default() };
    let data = dataset(83, 4, 1, 11);
    let plan = folds(&data, 3);
    let cpu = train(&data, &plan, (&model, &config), BackendKind::Cpu, None);
    let gpu = train(&data, &plan, (&model, &config), BackendKind::Wgpu, None);
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
    let cut = train(&data, &plan, (&model, &config), BackendKind::Wgpu, Some(alone));
    for (a, b) in cut.history.iter().zip(&gpu.history) {
        assert!((a.train_loss - b.train_loss).abs() < 1e-5, "the cut matters: {a:?} {b:?}");
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
        let run = |backend| train(&data, &plan, (&model, &config), backend, None);
        let (cpu, gpu) = (run(BackendKind::Cpu), run(BackendKind::Wgpu));
        for (a, b) in cpu.history.iter().zip(&gpu.history) {
            assert!((a.train_loss - b.train_loss).abs() < 1e-3, "{embedding:?} {a:?} {b:?}");
        }
    }
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

/// Kernels of a training of one stack of networks with two hidden layers, and the steps it took.
fn launches(epochs: usize) -> (BTreeMap<&'static str, usize>, usize) {
    let model = ModelConfig { hidden: vec![32, 32], members: 2, ..Default::default() };
    let config = TrainConfig { epochs, batch_size: 16, ..TrainConfig::default() };
    let data = dataset(400, 4, 1, 11);
    let plan = folds(&data, 2);
    let counts = Arc::new(Launches::default());
    IS_COUNTED.set(true);
    let observation = LaunchObservation::new(counts.clone());
    train(&data, &plan, (&model, &config), BackendKind::Wgpu, None);
    drop(observation);
    IS_COUNTED.set(false);
    let counts = counts.0.lock().unwrap().clone();
    // Adam takes one for each of three matrices and three biases.
    let steps = counts.iter().filter(|(name, _)| name.contains("AdamKernel"));
    let steps = steps.map(|(_, count)| count / 6).sum();
    (counts, steps)
}

#[test]
#[ignore = "needs a graphics adapter; CI runs it on Mesa's software Vulkan driver"]
fn a_step_on_wgpu_takes_few_kernels() {
    let ((short, fewer), (long, more)) = (launches(1), launches(2));
    let steps = (more - fewer) as f64;
    assert!(steps >= 10.0, "{steps}");
    let mut each = 0.0;
    for (name, count) in &long {
        let own = (count - short.get(name).unwrap_or(&0)) as f64 / steps;
        println!("{own:6.2} {}", name.split('<').next().unwrap());
        each += own;
    }
    println!("{each:6.2} in all, with the share of an epoch's end");
    assert!(each > 20.0 && each < 55.0, "{each}");
}
