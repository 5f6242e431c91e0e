//! The report of a finished run, made anew from what the run left behind.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{
    data::nearest,
    evaluate::{ColumnSet, Importance, Retraining},
    model::{Backend, BackendKind},
    report::{RunReport, read_report, write_report},
    train::{Checkpoint, Manifest, replace_folder},
};

use super::{
    JobError, Params, TrainObserver,
    insights::rings,
    milestones::milestones_of,
    retraining::{MOST_DROPPED, retrain_varied, sampled},
    run_folder::{RunStart, check_name, draft_of, empty},
    training_inputs::Accepted,
    training_start::{read, schema_of},
    verify_job::{params_of, refuse_other_table},
    what_if::what_if,
};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    /// Where runs are.
    pub params: Params,
    /// Name of the run.
    pub name: String,
    /// Whether to train again without each column and on fewer groups, and to keep what that tells.
    pub retrain: bool,
    /// The run's table, where it is elsewhere now; only looked at to train again.
    pub data: Option<PathBuf>,
    /// Where networks are trained.
    pub backend: BackendKind,
}

/// A report that was written.
#[derive(Clone, Debug)]
pub struct Reported {
    /// What it says.
    pub report: RunReport,
    /// Its folder.
    pub folder: PathBuf,
}

/// Writes the report of a finished run anew; nothing is trained unless that is asked for.
///
/// # Errors
/// When there is no such run, a file of it cannot be read, the table has changed, or a file cannot be written.
pub fn report(options: &ReportOptions, observer: &dyn TrainObserver) -> Result<Reported> {
    let paths = &options.params.paths;
    check_name(&options.name)?;
    let folder = paths.reports.join(&options.name);
    if !folder.join("report.json").exists() {
        return Err(no_report(options, &folder));
    }
    let mut report = read_report(&folder)?;
    let checkpoint = checkpoint(&paths.checkpoints.join(&options.name))?;
    if options.retrain {
        let Some(checkpoint) = &checkpoint else {
            bail!(
                "{}: the run has no checkpoint to train like\n\nhint: `massay train`",
                folder.display()
            );
        };
        let importance = report.insights.as_ref().map_or(&[][..], |own| &own.columns);
        let known = (&checkpoint.manifest, importance);
        report.retraining = Some(retrained(options, known, observer)?);
    }
    report.milestones = milestones_of(&options.params, &report.data.target, None);
    let backend = Backend::select(BackendKind::Cpu)?;
    let panel = checkpoint.as_ref().map(|own| {
        let schema = params_of(&own.manifest, None).and_then(|params| schema_of(&params));
        what_if(own, &schema.unwrap_or_default(), &backend)
    });
    let draft = empty(draft_of(&folder))?;
    write_report(&report, panel.flatten().as_ref(), &draft)?;
    replace_folder(&draft, &folder)
        .with_context(|| format!("cannot write {}", folder.display()))?;
    Ok(Reported { report, folder })
}

/// The run's checkpoint; `None` for an evaluation, which has none.
fn checkpoint(folder: &Path) -> Result<Option<Checkpoint>> {
    let exists = folder.join(Manifest::FILE).exists();
    Ok(if exists { Some(Checkpoint::read(folder)?) } else { None })
}

/// There is no such report; the nearest name may be what was meant.
fn no_report(options: &ReportOptions, folder: &Path) -> anyhow::Error {
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.ok().filter(|entry| entry.path().join("report.json").exists())?;
        Some(entry.file_name().to_string_lossy().into_owned())
    };
    let known = std::fs::read_dir(&options.params.paths.reports);
    let known: Vec<String> = known.into_iter().flatten().filter_map(name).collect();
    let meant = nearest(&options.name, known.iter().map(String::as_str));
    let hint = match meant {
        _ if folder.exists() => {
            "it was written by an earlier version of massay; train the run again".to_owned()
        }
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`massay runs` lists the runs that there are".to_owned(),
    };
    JobError::NothingToReport { folder: folder.to_owned(), hint }.into()
}

/// Each column by itself; of many the most important ones.
fn worth_dropping(names: &[String], importance: &[Importance]) -> Vec<ColumnSet> {
    let single = names.iter().enumerate().map(ColumnSet::single);
    if names.len() <= MOST_DROPPED {
        return single.collect();
    }
    let first: Vec<&ColumnSet> = importance.iter().map(|own| &own.set).take(MOST_DROPPED).collect();
    single.filter(|own| first.contains(&own)).collect()
}

/// What training again tells of the run that `manifest` describes, whose columns are as important as `importance`
/// says.
fn retrained(
    options: &ReportOptions,
    (manifest, importance): (&Manifest, &[Importance]),
    observer: &dyn TrainObserver,
) -> Result<Retraining> {
    let mut params = params_of(manifest, options.data.as_deref())?;
    params.cv.repeats = 1;
    params.cv.leakage_check = false;
    refuse_other_table(&params.data.path, manifest)?;
    let dataset = read(&params)?;
    if !params.cv.is_drawn() {
        bail!(
            "run `{}`: its folds were given or cut by time, which training again cannot repeat\n\nhint: \
             leave out `--retrain`",
            options.name
        );
    }
    let dataset = sampled(dataset);
    let schema = schema_of(&params)?;
    let mut sets = worth_dropping(&dataset.feature_names, importance);
    sets.extend(rings(&schema, &dataset.feature_names));
    let backend = Backend::select(options.backend)?;
    let start = RunStart {
        name: options.name.clone(),
        backend: backend.kind,
        ..RunStart::unnamed(params, schema, &dataset.sha256)
    };
    let accepted = Accepted::new(start, dataset, backend)?;
    retrain_varied(accepted, &sets, observer).map_err(|error| match error.downcast_ref() {
        Some(JobError::Interrupted { .. }) => JobError::Stopped { what: "training again" }.into(),
        _ => error,
    })
}
