//! The main job: from a table to a checkpoint and a report.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};

use crate::{
    data::{Dataset, FoldPlan},
    evaluate::{
        Evaluation, Judged, OutOfFoldInputs, Scores, judge_baseline, judge_stack,
        refuse_small_calibration,
    },
    features::{FeatureMatrix, Preprocessor, TargetTransform},
    model::{Backend, BackendKind},
    report::{Baseline, DataSummary, Provenance, RunReport, write_report},
    train::{
        Checkpoint, Cut, EpochEvent, FORMAT_VERSION, Hooks, Loss, Manifest, Schema, TrainError,
        Trained, Training, TrainingPlan, TrainingTable, fit,
    },
};

use super::{
    JobError, Params, interrupted, provenance,
    run_folder::{RunFolder, RunStart, default_name, find_unfinished},
};

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct TrainOptions {
    /// The parameters.
    pub params: Params,
    /// The backend; `None` for the automatic choice, or the one a resumed run was started on.
    pub backend: Option<BackendKind>,
    /// Name of the run; `None` for a new one, or the newest unfinished run.
    pub name: Option<String>,
    /// Whether to go on with an unfinished run, under its own parameters.
    pub resume: bool,
    /// Whether to replace a run of the same name.
    pub force: bool,
}

/// Somebody who watches a training.
pub trait TrainObserver: Sync {
    /// Called before the first epoch.
    fn on_start(&self, start: &Start<'_>);
    /// Called after each epoch of each fold, from several threads.
    fn on_epoch(&self, event: &EpochEvent);
}

/// A training that is about to start.
#[derive(Debug)]
pub struct Start<'a> {
    /// Name of the run.
    pub name: &'a str,
    /// The data.
    pub dataset: &'a Dataset,
    /// The parameters.
    pub params: &'a Params,
    /// The backend.
    pub backend: &'a Backend,
    /// Folds of all repeats.
    pub folds: usize,
    /// Warnings about the data and the folds.
    pub warnings: &'a [String],
}

/// A finished run.
#[derive(Debug)]
pub struct Finished {
    /// The report's content.
    pub report: RunReport,
    /// `metrics.json`, as text.
    pub metrics: String,
    /// Folder of the checkpoint.
    pub checkpoint: PathBuf,
    /// Folder of the report.
    pub report_folder: PathBuf,
}

/// Trains, evaluates, saves and reports.
///
/// # Errors
/// When an input is refused, training diverges or is interrupted, or results cannot be written.
pub fn train(options: TrainOptions, observer: &dyn TrainObserver) -> Result<Finished> {
    let (resume, force) = (options.resume, options.force);
    let (start, dataset, backend) = start_of(options)?;
    let inputs = Inputs::new(start, dataset, backend)?;
    let run = RunFolder::new(&inputs.start.params.paths, &inputs.start.name)?;
    if !resume {
        run.begin(&inputs.start, force)?;
    }
    let _lock = run.lock(&inputs.start.name)?;
    // Places that cannot be written are found before the work, not after it.
    run.drafts()?;
    observer.on_start(&Start {
        name: &inputs.start.name,
        dataset: &inputs.dataset,
        params: &inputs.start.params,
        backend: &inputs.backend,
        folds: inputs.plan.splits.len(),
        warnings: &inputs.warnings,
    });
    let began = Instant::now();
    let trained = inputs.fit(&run, observer)?;
    let seconds = began.elapsed().as_secs_f64();
    tracing::info!("trained in {seconds:.1} s");
    let baseline = inputs.baseline();
    let judged = inputs.judge(&trained);
    tracing::info!("judged after {:.1} s", began.elapsed().as_secs_f64());
    let finished = inputs.write(&run, Outcome { trained, judged, baseline, seconds })?;
    tracing::info!("reported after {:.1} s", began.elapsed().as_secs_f64());
    Ok(finished)
}

/// What the run starts from: a new name, or what an unfinished run was started with.
fn start_of(options: TrainOptions) -> Result<(RunStart, Dataset, Backend)> {
    let read = |params: &Params| Dataset::read(&params.data, &params.cv.order_column);
    if options.resume {
        let start = find_unfinished(&options.params.paths, options.name.as_deref())?;
        if options.backend.is_some_and(|backend| backend != start.backend) {
            return Err(changed(
                &start,
                "another backend is asked for",
                &start.backend.to_string(),
            ));
        }
        let dataset = read(&start.params)?;
        if dataset.sha256 != start.data_sha256 {
            let found = format!("{} has changed", dataset.path);
            return Err(changed(&start, &found, "the data it was started with"));
        }
        let backend = Backend::select(start.backend)?;
        return Ok((start, dataset, backend));
    }
    let params = options.params;
    let dataset = read(&params)?;
    let backend = Backend::select(options.backend.unwrap_or_default())?;
    let name = options.name.unwrap_or_else(|| default_name(&params, &dataset.sha256));
    RunFolder::new(&params.paths, &name)
        .and_then(|run| if options.force { Ok(()) } else { run.refuse_existing(&name) })?;
    let (started, data_sha256) = (provenance::now(), dataset.sha256.clone());
    let start = RunStart { name, started, backend: backend.kind, data_sha256, params };
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

/// What a training gives.
struct Outcome {
    trained: Trained,
    judged: Judged,
    baseline: Option<Baseline>,
    seconds: f64,
}

/// Everything a training is a function of.
struct Inputs {
    start: RunStart,
    dataset: Dataset,
    backend: Backend,
    plan: FoldPlan,
    preprocessor: Preprocessor,
    matrix: FeatureMatrix,
    transformed: Vec<f64>,
    warnings: Vec<String>,
}

impl Inputs {
    fn new(start: RunStart, mut dataset: Dataset, backend: Backend) -> Result<Self> {
        let params = &start.params;
        let transformed = params.target.apply_all(&dataset.target_name, &dataset.target)?;
        let plan = FoldPlan::new(&params.cv, &dataset, params.train.seed)?;
        refuse_small_calibration(&plan, &dataset.group_ids(), params.interval.level)?;
        let (names, columns) = (&dataset.feature_names, &dataset.features);
        let preprocessor = Preprocessor::new(&params.features, names, columns);
        let matrix = preprocessor.transform_columns(columns);
        // The matrix stands for the raw features from here on.
        dataset.features = Vec::new();
        let warnings = warnings(&dataset, &plan);
        Ok(Self { start, dataset, backend, plan, preprocessor, matrix, transformed, warnings })
    }

    fn fit(&self, run: &RunFolder, observer: &dyn TrainObserver) -> Result<Trained> {
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

    fn judge(&self, trained: &Trained) -> Judged {
        let shape = self.start.params.model.shape(self.matrix.columns());
        judge_stack(self.out_of_fold(), &shape, &trained.members, &trained.scaling, &self.backend)
    }

    fn write(self, run: &RunFolder, mut outcome: Outcome) -> Result<Finished> {
        let report = self.report(&mut outcome);
        let drafts = run.drafts()?;
        write_report(&report, &drafts.1)?;
        let metrics = read_text(&drafts.1.join("metrics.json"))?;
        self.checkpoint(outcome, &metrics)?.write(&drafts.0)?;
        let file = drafts.0.join("run.json");
        let text = serde_json::to_string_pretty(&report.provenance)? + "\n";
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        run.finish(&drafts)?;
        let (checkpoint, report_folder) = (run.checkpoint.clone(), run.report.clone());
        Ok(Finished { report, metrics, checkpoint, report_folder })
    }

    fn checkpoint(&self, outcome: Outcome, metrics: &str) -> Result<Checkpoint> {
        let Outcome { trained, judged, .. } = outcome;
        let (params, dataset) = (&self.start.params, &self.dataset);
        let manifest = Manifest {
            format: FORMAT_VERSION,
            schema: Schema {
                target: dataset.target_name.clone(),
                unit: params.data.unit.clone(),
                group: dataset.groups.as_ref().map_or(String::new(), |g| g.column.clone()),
                features: dataset.feature_names.clone(),
            },
            preprocessor: self.preprocessor.clone(),
            shape: params.model.shape(self.matrix.columns()),
            scaling: trained.scaling,
            folds: judged.folds,
            calibration: judged.calibration,
            domain: judged.domain,
            parameters: parameters_of(params)?,
            data_sha256: dataset.sha256.clone(),
            metrics: serde_json::from_str(metrics)?,
            checksums: BTreeMap::new(),
        };
        Ok(Checkpoint { manifest, members: trained.members })
    }

    /// The report; takes the judged rows and the history, which a checkpoint does not need.
    fn report(&self, outcome: &mut Outcome) -> RunReport {
        let trained = &mut outcome.trained;
        let (params, dataset) = (&self.start.params, &self.dataset);
        let splits = self.plan.splits.iter().zip(&trained.chosen_epochs);
        let epochs: Vec<(usize, usize, usize)> =
            splits.map(|(split, epoch)| (split.repeat, split.fold, *epoch)).collect();
        RunReport {
            name: self.start.name.clone(),
            data: data_summary(dataset, &params.data.unit),
            evaluation: Evaluation::new(
                std::mem::take(&mut outcome.judged.rows),
                params.interval.level,
                &epochs,
            ),
            baseline: outcome.baseline.take(),
            history: std::mem::take(&mut trained.history),
            loss_name: loss_name(params),
            warnings: self.warnings.clone(),
            params: params.to_toml(),
            provenance: self.provenance(outcome.seconds),
        }
    }

    /// Ridge regression of the target or of its transform, whichever does better on these folds:
    /// choosing after the fact favours the baseline.
    fn baseline(&self) -> Option<Baseline> {
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

    fn provenance(&self, seconds: f64) -> Provenance {
        Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.start.started.clone(),
            seconds,
            seed: self.start.params.train.seed,
            backend: format!("{} ({})", self.backend.kind, self.backend.reason),
            hardware: provenance::hardware(&self.backend),
            git_commit: provenance::git_commit(),
        }
    }
}

pub(super) fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The parameters without the paths, which do not change a model.
fn parameters_of(params: &Params) -> Result<serde_json::Value> {
    let mut value = serde_json::to_value(params)?;
    if let Some(sections) = value.as_object_mut() {
        sections.remove("paths");
    }
    Ok(value)
}

pub(super) fn data_summary(dataset: &Dataset, unit: &str) -> DataSummary {
    DataSummary {
        path: dataset.path.clone(),
        sha256: dataset.sha256.clone(),
        rows: dataset.rows(),
        groups: dataset.groups.as_ref().map(|groups| groups.names.len()),
        target: dataset.target_name.clone(),
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
        group: dataset.groups.as_ref().map(|groups| groups.column.clone()),
        features: dataset.feature_names.clone(),
        skipped: dataset.skipped.clone(),
    }
}

fn loss_name(params: &Params) -> String {
    let loss = match params.train.loss {
        Loss::Mse => "mean squared error",
        Loss::Huber => "Huber loss",
    };
    let target = &params.data.target;
    match params.target.transform {
        TargetTransform::None => format!("{loss} of the standardised {target}"),
        TargetTransform::Log => format!("{loss} of the standardised ln({target})"),
    }
}

fn warnings(dataset: &Dataset, plan: &FoldPlan) -> Vec<String> {
    let mut warnings = Vec::new();
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
