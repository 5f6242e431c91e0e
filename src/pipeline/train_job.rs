//! The main job: from a table to a checkpoint and a report.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};

use crate::{
    data::Dataset,
    model::{Backend, BackendKind, ModelKind},
    registry::Pointers,
    report::{RunReport, metrics_json, write_report},
    track::Status,
    train::{Checkpoint, EpochEvent, TrainError},
};

use super::{
    JobError, Params, Tracked,
    insights::insights,
    milestones::{milestones_of, past_run},
    provenance,
    report_warnings::warnings_of,
    run_folder::{RunFolder, RunKind, RunStart},
    run_record::RunRecord,
    tracking::{Tracking, Watch, hand_over},
    training_inputs::{Accepted, Inputs},
    training_outcome::Outcome,
    training_start::start_of,
    what_if::what_if,
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
    /// Whether to train every kind of model, to compare with the one that predicts.
    pub compare: bool,
    /// URI of an MLflow server that is told, instead of the one in the parameters.
    pub mlflow: Option<String>,
    /// How many rows train, the first of the table; the others are only judged. `None`: all train, in turn. Such a
    /// run is a comparison, and nobody is told of it.
    pub only_first: Option<usize>,
}

/// Somebody who watches a training.
pub trait TrainObserver: Sync {
    /// Called while feature sets are compared: `done` of `all` are.
    fn on_choice(&self, done: usize, all: usize);
    /// Called while regressors are fitted: `done` of `all` are. From several threads.
    fn on_regressor(&self, done: usize, all: usize);
    /// Called before the first epoch.
    fn on_start(&self, start: &Start<'_>);
    /// Called after each epoch of each fold, from several threads.
    fn on_epoch(&self, event: &EpochEvent);
    /// Called when what follows has no steps to count: `what` is being done.
    fn on_stage(&self, what: &'static str);
    /// Called with what goes wrong beside the training, which goes on. From several threads.
    fn on_notice(&self, notice: &str);
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
    /// The kinds of models that are trained.
    pub kinds: &'a [ModelKind],
    /// Folds of all repeats.
    pub folds: usize,
    /// Repeats of the cross-validation.
    pub repeats: usize,
    /// Folds that are trained only to compare with the other way to split.
    pub compared_folds: usize,
    /// Warnings about the data and the folds.
    pub warnings: &'a [String],
}

/// A finished run.
pub struct Finished {
    /// The report's content.
    pub report: RunReport,
    /// Those of its warnings that only the result gave, so that nobody could be told before.
    pub warnings: Vec<String>,
    /// `metrics.json`, as text.
    pub metrics: String,
    /// Folder of the checkpoint.
    pub checkpoint: PathBuf,
    /// Folder of the report.
    pub report_folder: PathBuf,
    /// What is left to tell MLflow; `None` where it is not told.
    pub tracked: Option<Tracked>,
}

/// Trains, evaluates, saves and reports.
///
/// # Errors
/// When an input is refused, training diverges or is interrupted, or results cannot be written.
pub fn train(options: TrainOptions, observer: &dyn TrainObserver) -> Result<Finished> {
    let (resume, force) = (options.resume, options.force);
    let mlflow = options.mlflow.clone();
    let (start, dataset, backend) = start_of(options, RunKind::Training)?;
    if force && is_champion(&start) {
        observer.on_notice(&format!(
            "run `{}` is a champion: what replaces it will answer at once, without a decision and without a way back; \
             a run of another name and `massay registry promote` keep both",
            start.name
        ));
    }
    let accepted = Accepted::new(start, dataset, backend)?;
    let run = RunFolder::of(&accepted.start)?;
    if !resume {
        run.begin(&accepted.start, force)?;
    }
    let _lock = run.lock(&accepted.start.name)?;
    // Places that cannot be written are found before the work, not after it.
    let drafts = run.drafts().inspect_err(|_| {
        if !resume {
            run.discard();
        }
    })?;
    let on_choice = |done, all| observer.on_choice(done, all);
    let mut inputs =
        accepted.prepare(&on_choice).inspect_err(|error| discard_if_diverged(&run, error))?;
    run.save(&inputs.start)?;
    observer.on_start(&Start {
        name: &inputs.start.name,
        dataset: &inputs.dataset,
        params: &inputs.start.params,
        backend: &inputs.backend,
        kinds: &inputs.kinds(),
        folds: inputs.prepared.plan.splits.len(),
        repeats: inputs.prepared.plan.repeats,
        compared_folds: inputs.other.as_ref().map_or(0, |other| other.plan.splits.len()),
        warnings: &inputs.warnings,
    });
    let tracking = Tracking::begin(&inputs, (&run, mlflow), observer);
    let watch = Watch { observer, tracking: &tracking };
    let finished = fit_and_judge(&inputs, &run, &watch).and_then(|outcome| {
        inputs.prepared.forget_features();
        inputs.other = None;
        write(&inputs, &run, (&drafts, &watch), outcome)
    });
    match finished {
        Ok(mut finished) => {
            finished.tracked = tracking.finish(&finished);
            Ok(finished)
        }
        Err(error) => {
            tracking.abort(status_of(&error));
            discard_if_diverged(&run, &error);
            Err(error)
        }
    }
}

/// Whether a run of this name predicts for some model.
fn is_champion(start: &RunStart) -> bool {
    let pointers = Pointers::read(&start.params.paths.checkpoints);
    pointers.is_ok_and(|own| {
        let champion = |model: &str| own.model(model).champion.is_some_and(|c| c.run == start.name);
        own.names().any(champion)
    })
}

fn fit_and_judge(inputs: &Inputs, run: &RunFolder, observer: &Watch<'_>) -> Result<Outcome> {
    let began = Instant::now();
    let fitted = inputs.fit(run, observer)?;
    tracing::info!("trained in {:.1} s", began.elapsed().as_secs_f64());
    observer.on_stage("judging held-out rows");
    let baseline = inputs.baseline(&fitted);
    let mut judged = inputs.judge(&fitted);
    let candidates = std::mem::take(&mut judged.candidates);
    let leaderboard = inputs.leaderboard(&candidates);
    drop(candidates);
    tracing::info!("judged after {:.1} s", began.elapsed().as_secs_f64());
    let leakage = inputs.leakage(&judged.rows, run, observer)?;
    let trained = fitted.networks;
    Ok(Outcome { trained, judged, baseline, leaderboard, leakage, began })
}

/// How a run without a result ended.
fn status_of(error: &anyhow::Error) -> Status {
    match error.downcast_ref() {
        Some(JobError::Interrupted { .. }) => Status::Killed,
        _ => Status::Failed,
    }
}

/// Only a run that diverged would do so again; a full disk can be mended.
fn discard_if_diverged(run: &RunFolder, error: &anyhow::Error) {
    if matches!(error.downcast_ref(), Some(TrainError::Diverged { .. })) {
        run.discard();
    }
}

fn write(
    inputs: &Inputs,
    run: &RunFolder,
    (drafts, watch): (&(PathBuf, PathBuf), &Watch<'_>),
    mut outcome: Outcome,
) -> Result<Finished> {
    watch.on_stage("writing the report");
    let (began, tracking) = (outcome.began, watch.tracking);
    let mut report = inputs.report(&mut outcome);
    let warnings = warnings_of(&report);
    report.warnings.extend_from_slice(&warnings);
    let metrics = String::from_utf8(metrics_json(&report)?)?;
    let mut checkpoint = inputs.checkpoint(outcome, &report.evaluation.rows, &metrics)?;
    checkpoint.write(&drafts.0)?;
    add_insights(inputs, &checkpoint, &mut report);
    let what_if = what_if(&checkpoint, &inputs.start.schema, &inputs.backend);
    report.provenance.seconds = began.elapsed().as_secs_f64();
    write_report(&report, what_if.as_ref(), &drafts.1)?;
    let (provenance, rows) = (report.provenance.clone(), inputs.dataset.rows());
    RunRecord { provenance, ended: provenance::now(), rows }.write(&drafts.0)?;
    tracking.close(&metrics);
    hand_over(run, &drafts.0);
    run.finish(drafts)?;
    let (checkpoint, report_folder) = (run.checkpoint.clone(), run.report.clone());
    Ok(Finished { report, warnings, metrics, checkpoint, report_folder, tracked: None })
}

/// What a report says beyond the scores.
fn add_insights(inputs: &Inputs, checkpoint: &Checkpoint, report: &mut RunReport) {
    let (start, plan) = (&inputs.start, &inputs.prepared.plan);
    let judged = (&report.evaluation.rows[..], plan);
    let models = (checkpoint, &inputs.backend);
    report.insights = Some(insights(models, &inputs.insight_rows, judged, &start.schema));
    report.milestones = milestones_of(&start.params, &report.data.target, Some(&start.name));
    report.milestones.runs.push(past_run(report, checkpoint));
}

pub(super) fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
