//! Small data sets, folders and runs of the program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use massay::{
    data::{CrossValidationConfig, Dataset, FoldPlan, Generator, Groups, Names},
    features::{CleanConfig, FeatureBlock, Layout, PerFold, Preprocessor, RawRows},
    model::{Backend, BackendKind, ModelConfig},
    train::{
        Cut, Divergence, Hooks, TrainConfig, TrainError, Trained, Training, TrainingPlan,
        TrainingTable, fit,
    },
};

/// Settings of a model that is trained in about a second and not a bad one.
pub(crate) const QUICK_MODEL: &str =
    "--set model.kind=ridge --set features.set=log1p(summary) --set cv.leakage_check=false";

/// A folder with the shipped data and parameters, and the program in it.
pub(crate) struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        for file in ["params.toml", "data/simulations.csv"] {
            fs::copy(file, folder.path().join(file)).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Copies a file of the project, by its relative name.
    pub(crate) fn copy(&self, name: &str) {
        fs::copy(name, self.path(name)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_massay"));
        command.args(line.split_whitespace()).current_dir(self.folder.path());
        // Without it Mesa, where it is installed, complains on standard error.
        command.env("XDG_RUNTIME_DIR", self.folder.path());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// Runs the program, which must succeed, and returns its standard output.
    pub(crate) fn succeed(&self, line: &str) -> String {
        let output = self.run(line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "massay {line}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the program, which must fail cleanly, and returns its standard error.
    pub(crate) fn fail(&self, line: &str) -> String {
        let output = self.run(line);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_some_and(|code| code != 0), "massay {line} succeeded");
        assert!(!errors.contains("panicked"), "massay {line} panicked: {errors}");
        assert!(output.stdout.is_empty(), "massay {line} wrote before it failed");
        errors
    }
}

impl Workshop {
    /// Runs the program, which must fail, having written what it found; returns its standard error.
    pub(crate) fn fail_after(&self, line: &str) -> String {
        let output = self.run(line);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_some_and(|code| code != 0), "massay {line} succeeded");
        assert!(!output.stdout.is_empty(), "massay {line} wrote nothing");
        errors
    }
}

/// Short training, so that a test takes seconds.
pub(crate) const SHORT: &str = "--set train.epochs=12 --set model.hidden=[8] --set model.members=2 \
                                --set features=log1p(raw) --set train.recipe=none \
                                --set model.kind=mlp";

/// A data set whose target is a smooth function of its features plus noise.
pub(crate) fn dataset(rows: usize, features: usize, rows_per_group: usize, seed: u64) -> Dataset {
    let mut generator = Generator::new(seed, &[99]);
    let columns: Vec<Vec<f64>> =
        (0..features).map(|_| (0..rows).map(|_| generator.normal()).collect()).collect();
    let target = (0..rows).map(|row| {
        let (a, b) = (columns[0][row], columns[1][row]);
        (a + 0.5 * b).sin() + 0.3 * a * b + 0.1 * generator.normal()
    });
    let ids: Vec<u32> = (0..rows as u32).map(|row| row / rows_per_group as u32).collect();
    let names = Arc::new((0..=ids[rows - 1]).map(|id| format!("g{id}")).collect::<Names>());
    Dataset {
        path: "made".to_owned(),
        sha256: String::new(),
        target_name: "y".to_owned(),
        target: target.collect(),
        feature_names: (0..features).map(|index| format!("x{index}")).collect(),
        features: columns,
        weights: None,
        uncertainty: None,
        groups: (rows_per_group > 1).then(|| Groups { column: "group".to_owned(), ids, names }),
        order: None,
        text: Vec::new(),
    }
}

/// The raw columns as features, fitted on the training rows of each fold.
pub(crate) fn preprocessors(dataset: &Dataset, plan: &FoldPlan) -> PerFold<Preprocessor> {
    let (names, columns) = (&dataset.feature_names[..], &dataset.features[..]);
    let layout = Layout::plain(columns.len());
    let fit = |rows: &[u32]| {
        let raw = RawRows { names, columns, rows };
        Preprocessor::fit(&CleanConfig::default(), &[FeatureBlock::Raw], &layout, raw)
    };
    PerFold::new(plan.splits.iter().map(|split| fit(&split.train)).collect())
}

/// The raw columns of all rows, unchanged but for their range.
pub(crate) fn plain(dataset: &Dataset) -> Preprocessor {
    let rows: Vec<u32> = (0..dataset.rows() as u32).collect();
    let (names, columns) = (&dataset.feature_names[..], &dataset.features[..]);
    Preprocessor::plain(false, RawRows { names, columns, rows: &rows })
}

pub(crate) fn folds(dataset: &Dataset, folds: usize) -> FoldPlan {
    let config = CrossValidationConfig { folds, ..CrossValidationConfig::default() };
    FoldPlan::new(&config, dataset, 3).unwrap()
}

/// Trains on `dataset` without files.
pub(crate) fn train(
    dataset: &Dataset,
    plan: &FoldPlan,
    (model, config): (&ModelConfig, &TrainConfig),
    backend: BackendKind,
    cut: Option<Cut>,
) -> Trained {
    let hooks = Hooks { on_epoch: &|_| {}, interrupted: &|| false, state_folder: None };
    let backend = Backend::select(backend).unwrap();
    train_on(dataset, plan, (model, config), (&backend, cut), &hooks).unwrap()
}

/// [`train`] on any backend, told and telling by `hooks`.
pub(crate) fn train_on(
    dataset: &Dataset,
    plan: &FoldPlan,
    (model, config): (&ModelConfig, &TrainConfig),
    (backend, cut): (&Backend, Option<Cut>),
    hooks: &Hooks<'_>,
) -> Result<Trained, TrainError> {
    let features = preprocessors(dataset, plan).map(|one| one.transform_columns(&dataset.features));
    let (groups, weights) = (dataset.group_ids(), dataset.row_weights(|_| 1.0));
    let (targets, weights) = (&dataset.target[..], &weights[..]);
    let table = TrainingTable { features: &features, targets, weights, groups: &groups };
    let plan = TrainingPlan::new(table, plan, model, config);
    let cut = cut.unwrap_or(Cut::for_backend(backend));
    let divergence = Divergence::Fails;
    fit(Training { table, plan: &plan, model, config, backend, cut, divergence }, hooks)
}

/// Every file below `folder` with its content, by relative name.
pub(crate) fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
