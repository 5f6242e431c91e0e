//! The job: from a table to a report on trials and a params file.

use std::{fs, path::PathBuf, time::Instant};

use anyhow::{Context, Result, bail};

use crate::{
    data::Dataset,
    model::{Backend, BackendKind, ModelKind},
    report::{Tuning, write_tuning},
    train::{EpochEvent, Loss},
};

use super::{
    super::{
        Params, TrainOptions,
        run_folder::{RunFolder, RunKind},
        training_inputs::Accepted,
        training_start::start_of,
    },
    outcome::Outcome,
    search::{Rung, Search, rungs},
    space::Space,
    trial::Trial,
};

/// The file of the winner's parameters in the report's folder.
const PARAMS_FILE: &str = "params.toml";

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct TuneOptions {
    /// The parameters; `tune` says what is searched.
    pub params: Params,
    /// The backend; `None` for the automatic choice, or the one a resumed search was started on.
    pub backend: Option<BackendKind>,
    /// Name of the report; `None` for a new one, or the newest unfinished search.
    pub name: Option<String>,
    /// Whether to go on with an unfinished search, under its own parameters.
    pub resume: bool,
    /// Whether to replace a report of the same name.
    pub force: bool,
}

/// Somebody who watches a search.
pub trait TuneObserver: Sync {
    /// Called while feature sets are compared: `done` of `all` are.
    fn on_choice(&self, done: usize, all: usize);
    /// Called before the first rung.
    fn on_start(&self, start: &TuneStart<'_>);
    /// Called before each rung, from 0, with the trials of all splits that it trains.
    fn on_rung(&self, rung: usize, about: Rung, trainings: usize);
    /// Called during a rung with the smallest RMSE so far and that of the parameters as they stand: means
    /// over the splits, in standard deviations of the target.
    fn on_judged(&self, best: Option<f64>, untouched: Option<f64>);
    /// Called after each epoch of each trial in each split, from several threads.
    fn on_epoch(&self, event: &EpochEvent);
}

/// A search that is about to start.
#[derive(Debug)]
pub struct TuneStart<'a> {
    /// Name of the report.
    pub name: &'a str,
    /// The data.
    pub dataset: &'a Dataset,
    /// The parameters as they stand.
    pub params: &'a Params,
    /// The backend.
    pub backend: &'a Backend,
    /// Searches: one within each fold, and one within all rows.
    pub splits: usize,
    /// Trials of each search.
    pub trials: usize,
    /// The parameters that are searched.
    pub searched: Vec<&'a str>,
    /// The rungs of each search.
    pub rungs: &'a [Rung],
    /// Warnings about the data and the folds.
    pub warnings: &'a [String],
}

/// A finished search.
#[derive(Debug)]
pub struct Tuned {
    /// What was found.
    pub report: Tuning,
    /// Folder of the report.
    pub folder: PathBuf,
    /// The winner's parameters, a file that `train` takes.
    pub params_file: PathBuf,
}

/// Searches, judges the search and writes the report and the winner's parameters.
///
/// # Errors
/// When an input is refused, the rows are too few to judge trials, the search is interrupted, or the
/// report cannot be written.
pub fn tune(options: TuneOptions, observer: &dyn TuneObserver) -> Result<Tuned> {
    let TuneOptions { params, backend, name, resume, force } = options;
    let options = TrainOptions { params, backend, name, resume, force, ..TrainOptions::default() };
    let (start, dataset, backend) = start_of(options, RunKind::Tuning)?;
    let space = Space::of(&start.params)?;
    let trials = space.trials(&start.params)?;
    if trials.iter().any(|own| own.params.train.loss == Loss::Huber) {
        bail!(
            "`train.loss` is `huber`, expected `mse`: a search compares the squared errors of networks\n\nhint: tune \
             with `mse`, then train what was found with `--set train.loss=huber`"
        );
    }
    if !start.params.model.kind.parts().contains(&ModelKind::Mlp) {
        bail!(
            "`model.kind` is `{}`, expected `mlp` or `ensemble`: a search compares networks, and this model has none",
            start.params.model.kind.name()
        );
    }
    let accepted = Accepted::new(start, dataset, backend)?;
    let run = RunFolder::of(&accepted.start)?;
    if !resume {
        run.begin(&accepted.start, force)?;
    }
    let _lock = run.lock(&accepted.start.name)?;
    let drafts = run.drafts()?;
    let on_choice = |done, all| observer.on_choice(done, all);
    let inputs = accepted.with_all_rows()?.prepare(&on_choice)?;
    run.save(&inputs.start)?;
    let params = &inputs.start.params;
    let rungs = rungs(trials.len(), params.tune.keep, params.model.members);
    observer.on_start(&TuneStart {
        name: &inputs.start.name,
        dataset: &inputs.dataset,
        params,
        backend: &inputs.backend,
        splits: inputs.prepared.plan.splits.len(),
        trials: trials.len(),
        searched: space.0.iter().map(|(name, _)| name.as_str()).collect(),
        rungs: &rungs,
        warnings: &inputs.warnings,
    });
    let began = Instant::now();
    let search = Search { inputs: &inputs, trials: &trials, rungs: &rungs, run: &run, observer };
    let judged = search.run()?;
    if judged.iter().all(|one| one.loss.is_none()) {
        run.discard();
        bail!(
            "no trial could be judged: too few rows or groups for {} inner parts of each fold, or every \
             trial diverged\n\nhint: lower `train.inner_parts` (a part needs 5 rows), or the learning rates",
            params.train.inner_parts
        );
    }
    let seconds = began.elapsed().as_secs_f64();
    let outcome = Outcome {
        inputs: &inputs,
        space: &space,
        trials: &trials,
        rungs: &rungs,
        judged: &judged,
        seconds,
    };
    let report = outcome.report();
    write(&report, &trials[report.winner], &run, &drafts)?;
    let (folder, params_file) = (run.report.clone(), run.report.join(PARAMS_FILE));
    Ok(Tuned { report, folder, params_file })
}

fn write(
    report: &Tuning,
    winner: &Trial,
    run: &RunFolder,
    drafts: &(PathBuf, PathBuf),
) -> Result<()> {
    write_tuning(report, &drafts.1)?;
    let file = drafts.1.join(PARAMS_FILE);
    let text = format!(
        "# Trial {} of the search `{}`; `massay train --params FILE` trains with it.\n{}",
        winner.number,
        report.name,
        winner.to_toml()
    );
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    run.finish(drafts)
}
