//! wgpu on whatever adapter there is; CI brings Mesa's software driver.

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
    let cpu = train(&data, &plan, (&model, &config), BackendKind::Flex, None);
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
        let (cpu, gpu) = (run(BackendKind::Flex), run(BackendKind::Wgpu));
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
    let (cpu, gpu) = (metrics("flex"), metrics("wgpu"));
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
    assert!(list.contains("flex") && list.contains("ndarray"), "{list}");
    assert_eq!(list.lines().filter(|line| line.starts_with('*')).count(), 2, "{list}");
}
