//! Everything a training is a function of, and what it computes from it.

use anyhow::Result;

use crate::{
    data::{Dataset, FoldPlan},
    evaluate::{
        Judged, OutOfFoldInputs, Scores, judge_baseline, judge_stack, refuse_small_calibration,
    },
    features::{FeatureMatrix, Preprocessor, TargetTransform},
    model::{Backend, BackendKind},
    report::Baseline,
    train::{Cut, Hooks, TrainError, Trained, Training, TrainingPlan, TrainingTable, fit},
};

use super::{
    JobError, TrainObserver, TrainOptions, interrupted, provenance,
    run_folder::{RunFolder, RunStart, default_name, find_unfinished},
};

/// What the run starts from: a new name, or what an unfinished run was started with.
pub(super) fn start_of(options: TrainOptions) -> Result<(RunStart, Dataset, Backend)> {
    if options.resume { resumed_start(&options) } else { new_start(options) }
}

fn new_start(options: TrainOptions) -> Result<(RunStart, Dataset, Backend)> {
    let params = options.params;
    let dataset = Dataset::read(&params.data, &params.cv.order_column)?;
    let backend = Backend::select(options.backend.unwrap_or_default())?;
    let name = options.name.unwrap_or_else(|| default_name(&params, &dataset.sha256));
    let run = RunFolder::new(&params.paths, &name)?;
    if !options.force {
        run.refuse_existing(&name)?;
    }
    let start = RunStart {
        name,
        started: provenance::now(),
        backend: backend.kind,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_sha256: dataset.sha256.clone(),
        folds_sha256: String::new(),
        params,
    };
    Ok((start, dataset, backend))
}

fn resumed_start(options: &TrainOptions) -> Result<(RunStart, Dataset, Backend)> {
    let start = find_unfinished(&options.params.paths, options.name.as_deref())?;
    let asked = options.backend.unwrap_or_default();
    if asked != BackendKind::Auto && asked != start.backend {
        let expected = start.backend.to_string();
        return Err(changed(&start, "another backend is asked for", &expected));
    }
    let version = env!("CARGO_PKG_VERSION");
    if start.version != version {
        return Err(changed(&start, &format!("this is massay {version}"), &start.version));
    }
    let dataset = Dataset::read(&start.params.data, &start.params.cv.order_column)?;
    if dataset.sha256 != start.data_sha256 {
        let found = format!("{} has changed", dataset.path);
        return Err(changed(&start, &found, "the data it was started with"));
    }
    let backend = Backend::select(start.backend)?;
    Ok((start, dataset, backend))
}

fn changed(start: &RunStart, found: &str, expected: &str) -> anyhow::Error {
    JobError::Changed {
        name: start.name.clone(),
        found: found.to_owned(),
        expected: expected.to_owned(),
        hint: format!("undo the change, or start anew with `--force --name {}`", start.name),
    }
    .into()
}

/// Everything a training is a function of.
pub(super) struct Inputs {
    pub(super) start: RunStart,
    pub(super) dataset: Dataset,
    pub(super) backend: Backend,
    pub(super) plan: FoldPlan,
    pub(super) preprocessor: Preprocessor,
    pub(super) matrix: FeatureMatrix,
    pub(super) transformed: Vec<f64>,
    pub(super) warnings: Vec<String>,
}

impl Inputs {
    pub(super) fn new(mut start: RunStart, mut dataset: Dataset, backend: Backend) -> Result<Self> {
        let params = &start.params;
        dataset.refuse_constant_target()?;
        let transformed = params.target.apply_all(&dataset.target_name, &dataset.target)?;
        let plan = FoldPlan::new(&params.cv, &dataset, params.train.seed)?;
        let folds_sha256 = plan.sha256();
        if !start.folds_sha256.is_empty() && start.folds_sha256 != folds_sha256 {
            return Err(changed(&start, "the folds have changed", "the folds it was started with"));
        }
        refuse_small_calibration(&plan, &dataset.group_ids(), params.interval.level)?;
        let (names, columns) = (&dataset.feature_names, &dataset.features);
        let preprocessor = Preprocessor::new(&params.features, names, columns);
        let matrix = preprocessor.transform_columns(columns);
        // The matrix stands for the raw features from here on.
        dataset.features = Vec::new();
        let warnings = warnings(&dataset, &plan);
        start.folds_sha256 = folds_sha256;
        Ok(Self { start, dataset, backend, plan, preprocessor, matrix, transformed, warnings })
    }

    pub(super) fn fit(&self, run: &RunFolder, observer: &dyn TrainObserver) -> Result<Trained> {
        let params = &self.start.params;
        let groups = self.dataset.group_ids();
        let table =
            TrainingTable { features: &self.matrix, targets: &self.transformed, groups: &groups };
        let plan = TrainingPlan::new(table, &self.plan, params.model.members, &params.train);
        let hooks = Hooks {
            on_epoch: &|event| observer.on_epoch(event),
            interrupted: &interrupted,
            state_folder: Some(&run.unfinished),
        };
        let training = Training {
            table,
            plan: &plan,
            model: &params.model,
            config: &params.train,
            backend: &self.backend,
            cut: Cut::for_backend(&self.backend),
        };
        fit(training, &hooks).map_err(|error| match error {
            TrainError::Interrupted => {
                let name = self.start.name.clone();
                JobError::Interrupted { name, flags: params.paths.flags() }.into()
            }
            other => other.into(),
        })
    }

    fn out_of_fold(&self) -> OutOfFoldInputs<'_> {
        OutOfFoldInputs {
            dataset: &self.dataset,
            matrix: &self.matrix,
            transformed: &self.transformed,
            plan: &self.plan,
            target: &self.start.params.target,
            level: self.start.params.interval.level,
        }
    }

    pub(super) fn judge(&self, trained: &Trained) -> Judged {
        let shape = self.start.params.model.shape(self.matrix.columns());
        judge_stack(self.out_of_fold(), &shape, &trained.members, &trained.scaling, &self.backend)
    }

    /// Ridge regression of the target or of its transform, whichever does better on these folds:
    /// choosing after the fact favours the baseline.
    pub(super) fn baseline(&self) -> Option<Baseline> {
        let (target, transform) = (&self.dataset.target_name, self.start.params.target.transform);
        let plain = (format!("ridge of {target}"), TargetTransform::None);
        let mut candidates = vec![plain];
        if transform == TargetTransform::Log {
            candidates.push((format!("ridge of ln {target}"), transform));
        }
        let judge = |(name, transform): (String, TargetTransform)| {
            let rows = judge_baseline(self.out_of_fold(), transform);
            Baseline { name, scores: Scores::of(&rows.iter().collect::<Vec<_>>()) }
        };
        let judged = candidates.into_iter().map(judge);
        judged.min_by(|a, b| a.scores.rmse.total_cmp(&b.scores.rmse))
    }
}

fn warnings(dataset: &Dataset, plan: &FoldPlan) -> Vec<String> {
    let mut warnings = Vec::new();
    if dataset.order.is_some() {
        warnings.push(
            "folds in time: the model is the mean of networks trained on longer and longer pasts, \
             and none of them has learned from the last block"
                .to_owned(),
        );
    }
    if let (true, Some(groups)) = (plan.leaks_groups, &dataset.groups) {
        warnings.push(format!(
            "the given folds put rows of one `{}` on both sides of a split: the scores are too good",
            groups.column
        ));
    }
    if !dataset.skipped.is_empty() {
        let names: Vec<String> = dataset.skipped.iter().map(|name| format!("`{name}`")).collect();
        warnings.push(format!("columns of text are not used: {}", names.join(", ")));
    }
    warnings
}
