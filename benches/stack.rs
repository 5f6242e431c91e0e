//! Speed of training a stack: CPU time per network and step, rows per second.
//!
//! `cargo bench --bench stack -- --folds 5 --batch 32 --epochs 200 --hidden 128,128 --rows 104`
//! prints one line of JSON. `benches/peers.py` measures scikit-learn and `PyTorch` on the same data
//! and folds; `RAYON_NUM_THREADS` sets the threads.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops where it fails")]

use std::time::Instant;

use massay::{
    data::{CrossValidationConfig, Dataset, FoldPlan, Generator},
    features::{PerFold, Preprocessor, RawRows},
    model::{Activation, Backend, BackendKind, ModelConfig},
    train::{
        Cut, Divergence, Hooks, Schedule, TrainConfig, Training, TrainingPlan, TrainingTable, fit,
    },
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let text = |name: &str, default: &str| argument(name).unwrap_or_else(|| default.to_owned());
    let number = |name: &str, default: &str| text(name, default).parse::<usize>().unwrap();
    let rows = number("rows", "104");
    let data = dataset(rows, number("features", "15"));
    let folds = FoldPlan::new(
        &CrossValidationConfig { folds: number("folds", "5"), ..Default::default() },
        &data,
        1,
    )
    .unwrap();
    let model = ModelConfig {
        hidden: text("hidden", "128,128").split(',').map(|width| width.parse().unwrap()).collect(),
        activation: Activation::Relu,
        dropout: 0.0,
        members: number("members", "1"),
        ..Default::default()
    };
    let config = TrainConfig {
        epochs: number("epochs", "200"),
        patience: 0,
        batch_size: number("batch", "32"),
        learning_rate: 1e-3,
        schedule: Schedule::Constant,
        weight_decay: 0.0,
        // So few inner validation rows that none are set apart on small tables.
        inner_parts: 100,
        ..Default::default()
    };
    let backend = match text("backend", "cpu").as_str() {
        "ndarray" => BackendKind::Ndarray,
        "wgpu" => BackendKind::Wgpu,
        _ => BackendKind::Cpu,
    };
    run(&data, &folds, &model, &config, &Backend::select(backend).unwrap());
}

fn run(
    data: &Dataset,
    folds: &FoldPlan,
    model: &ModelConfig,
    config: &TrainConfig,
    backend: &Backend,
) {
    let rows: Vec<u32> = (0..data.rows() as u32).collect();
    let raw = RawRows { names: &data.feature_names, columns: &data.features, rows: &rows };
    let matrix = Preprocessor::plain(false, raw).transform_columns(&data.features);
    let features = PerFold::shared(matrix, folds.splits.len());
    let (groups, weights) = (data.group_ids(), data.row_weights(|_| 1.0));
    let (targets, weights) = (&data.target[..], &weights[..]);
    let table = TrainingTable { features: &features, targets, weights, groups: &groups };
    let plan = TrainingPlan::new(table, folds, model, config);
    let tasks = || plan.folds.iter().flat_map(|fold| &fold.members);
    let steps: usize = tasks().map(|task| config.epochs * task.steps(config.batch_size)).sum();
    let seen: usize = tasks().map(|task| config.epochs * task.train.len()).sum();
    let cut = match argument("stacked") {
        None => Cut::for_backend(backend),
        Some(_) => Cut { folds_per_cohort: usize::MAX, members_per_stack: usize::MAX },
    };
    let divergence = Divergence::Fails;
    let training = Training { table, plan: &plan, model, config, backend, cut, divergence };
    let hooks = Hooks { on_epoch: &|_| {}, interrupted: &|| false, state_folder: None };
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let trained = fit(training, &hooks).unwrap();
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    println!(
        "{{\"backend\":\"{}\",\"threads\":{},\"networks\":{},\"wall\":{wall:.3},\"cpu\":{cpu:.3},\
         \"cpu_us_per_model_step\":{:.1},\"wall_us_per_model_step\":{:.1},\
         \"krows_per_wall_s\":{:.1},\"peak_mb\":{:.0}}}",
        backend.kind,
        rayon::current_num_threads(),
        trained.members.len(),
        cpu * 1e6 / steps as f64,
        wall * 1e6 / steps as f64,
        seen as f64 / wall / 1e3,
        peak_megabytes(),
    );
}

fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| *argument != format!("--{name}"));
    arguments.nth(1)
}

fn dataset(rows: usize, features: usize) -> Dataset {
    let mut generator = Generator::new(7, &[]);
    let columns: Vec<Vec<f64>> =
        (0..features).map(|_| (0..rows).map(|_| generator.normal()).collect()).collect();
    let target = (0..rows).map(|row| {
        let x = |column: usize| columns[column][row];
        (x(0) + 0.5 * x(1)).sin() + 0.3 * x(2) * x(3) + 0.1 * x(4)
    });
    Dataset {
        path: "made".to_owned(),
        sha256: String::new(),
        target_name: "y".to_owned(),
        target: target.collect(),
        feature_names: (0..features).map(|index| format!("x{index}")).collect(),
        features: columns,
        weights: None,
        uncertainty: None,
        groups: None,
        order: None,
        text: Vec::new(),
    }
}

/// User and system time of this process, in seconds (Linux; 0 elsewhere).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |field: usize| -> f64 {
        after_name.split_whitespace().nth(field).and_then(|text| text.parse().ok()).unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

/// Largest resident size of this process (Linux; 0 elsewhere).
fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
