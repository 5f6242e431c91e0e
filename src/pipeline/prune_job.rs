//! Disk space from runs that nobody needs, by a stated rule.
//!
//! | what | stays |
//! |---|---|
//! | the champion of each model, and every run that a move of the registry names | always: rollback needs it |
//! | the newest runs of each target | as many as are asked for |
//! | the run with the smallest RMSE for each target and table | always |
//! | champion and challenger of the last decision of `massay retrain` | always |
//! | unfinished runs, links and what they lead to, what is no run or cannot be read | always |
//!
//! Everything else goes: the checkpoint and its report. A run that goes is renamed first, so that readers see all of
//! it or nothing; what an interrupted removal leaves is deleted by the next one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{
    registry::Pointers,
    train::{Manifest, REMOVED, hide_folder},
};

use super::{
    ListedRun, Params,
    prune_rule::{PruneRule, Reason},
    registry_job::{is_state, list_runs_beside, name_of},
    retrain,
    tracking::environment,
};

/// What stays, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptFolder {
    /// Name in the folder of the checkpoints.
    pub name: String,
    /// Why it stays; at least one reason.
    pub reasons: Vec<Reason>,
}

/// A run that goes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RemovedRun {
    /// Its name.
    pub run: String,
    /// UTC start time; empty where it is not known.
    pub started: String,
    /// Pooled out-of-fold RMSE.
    pub rmse: Option<f64>,
    /// Unit of the target; empty where it has none.
    pub unit: String,
    /// Folder of the report that goes with it; `None` where there is none.
    pub report: Option<PathBuf>,
    /// Bytes that its folders take.
    pub bytes: u64,
}

/// What an interrupted removal has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// The folder.
    pub path: PathBuf,
    /// Bytes that it takes.
    pub bytes: u64,
}

/// What goes and what stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PrunePlan {
    /// Runs that go, the newest first.
    pub removed: Vec<RemovedRun>,
    /// What stays: runs, the newest first, then what is no finished run.
    pub kept: Vec<KeptFolder>,
    /// What earlier removals have left.
    pub leftovers: Vec<Leftover>,
    /// Bytes that this frees.
    pub bytes: u64,
}

impl PrunePlan {
    /// Whether nothing goes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.leftovers.is_empty()
    }

    fn count_bytes(&mut self) {
        let runs = self.removed.iter().map(|run| run.bytes);
        self.bytes = runs.chain(self.leftovers.iter().map(|left| left.bytes)).sum();
    }
}

/// What would go and what would stay where the `newest` newest runs of each target stay. Nothing is changed.
///
/// # Errors
/// When the folder of the checkpoints, the pointers or the decisions cannot be read.
pub fn plan_prune(params: &Params, newest: usize) -> Result<PrunePlan> {
    let folder = &params.paths.checkpoints;
    if !folder.exists() {
        return Ok(PrunePlan::default());
    }
    plan(params, &Pointers::settled(folder, &environment)?, newest)
}

/// Removes what `asked` names and the rule, asked anew, still lets go; returns what has gone and what has stayed.
/// No champion moves and nothing is retrained meanwhile.
///
/// # Errors
/// As [`plan_prune`], when a retraining is under way, and when a folder cannot be removed.
pub fn prune(params: &Params, asked: &PrunePlan, newest: usize) -> Result<PrunePlan> {
    let folder = &params.paths.checkpoints;
    let _retraining = retrain::lock(folder)?;
    // Held to the end: what is removed here is promoted by nobody.
    let pointers = Pointers::open(folder, &environment)?;
    let mut plan = plan(params, &pointers, newest)?;
    let is_meant = |run: &RemovedRun| {
        asked.removed.iter().any(|own| (&own.run, &own.started) == (&run.run, &run.started))
    };
    plan.removed.retain(is_meant);
    plan.count_bytes();
    plan.leftovers.iter().try_for_each(|left| delete(&left.path))?;
    plan.removed.iter().try_for_each(|run| remove(run, folder))?;
    Ok(plan)
}

fn plan(params: &Params, pointers: &Pointers, newest: usize) -> Result<PrunePlan> {
    let folder = &params.paths.checkpoints;
    let runs = list_runs_beside(params, pointers)?;
    let rule = PruneRule::new(folder, pointers, &runs, newest)?;
    let links = links_in(folder)?;
    let mut plan = PrunePlan { leftovers: leftovers(params)?, ..PrunePlan::default() };
    for (run, mut reasons) in runs.iter().zip(rule.reasons(&runs)) {
        reasons.extend(on_disk(&folder.join(&run.run), &links));
        if reasons.is_empty() {
            plan.removed.push(removed(run, params)?);
        } else {
            plan.kept.push(KeptFolder { name: run.run.clone(), reasons });
        }
    }
    plan.kept.extend(others(folder, &runs)?);
    plan.count_bytes();
    Ok(plan)
}

fn removed(run: &ListedRun, params: &Params) -> Result<RemovedRun> {
    let checkpoint = params.paths.checkpoints.join(&run.run);
    let report = Some(params.paths.reports.join(&run.run)).filter(|path| is_report_of_run(path));
    let report = report.filter(|path| *path != checkpoint);
    Ok(RemovedRun {
        bytes: size(&checkpoint)? + report.as_deref().map_or(Ok(0), size)?,
        run: run.run.clone(),
        started: run.started.clone(),
        rmse: run.rmse,
        unit: run.unit.clone(),
        report,
    })
}

/// Why the folder of a run stays whatever the rule says of the run.
fn on_disk(path: &Path, links: &[PathBuf]) -> Vec<Reason> {
    let beside = |end: &str| path.with_file_name(format!("{}.{end}", name_of(path))).exists();
    let leads_here = || path.canonicalize().is_ok_and(|own| links.contains(&own));
    let mut reasons = Vec::new();
    if path.is_symlink() {
        reasons.push(Reason::Link);
    } else if leads_here() {
        reasons.push(Reason::LinkTarget);
    }
    if beside("unfinished") {
        reasons.push(Reason::TrainedAgain);
    }
    reasons
}

/// Where the links in a folder lead to.
fn links_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let links = paths_in(folder)?.into_iter().filter(|path| path.is_symlink());
    Ok(links.filter_map(|path| path.canonicalize().ok()).collect())
}

/// The folders beside `runs`, in the order of their names.
fn others(folder: &Path, runs: &[ListedRun]) -> Result<Vec<KeptFolder>> {
    let mut kept = Vec::new();
    for path in paths_in(folder)? {
        let name = name_of(&path);
        let is_known = name.starts_with('.') || runs.iter().any(|run| run.run == name);
        if is_known || !path.is_dir() {
            continue;
        }
        let reason = match path.extension() {
            Some(end) if is_state(end) => Reason::Unfinished,
            _ if path.join(Manifest::FILE).exists() => Reason::Unreadable,
            _ => Reason::NoRun,
        };
        kept.push(KeptFolder { name, reasons: vec![reason] });
    }
    Ok(kept)
}

/// What interrupted removals have left, beside checkpoints and beside reports.
fn leftovers(params: &Params) -> Result<Vec<Leftover>> {
    let mut found = Vec::new();
    for folder in [&params.paths.checkpoints, &params.paths.reports] {
        for path in if folder.exists() { paths_in(folder)? } else { Vec::new() } {
            let name = name_of(&path);
            let is_ours = name.starts_with('.') && name.ends_with(REMOVED);
            if is_ours && path.is_dir() && !path.is_symlink() {
                found.push(Leftover { bytes: size(&path)?, path });
            }
        }
    }
    Ok(found)
}

/// Whether a folder is the report of a training, and not of anything else under the same name.
fn is_report_of_run(path: &Path) -> bool {
    let has = |name: &str| path.join(name).exists();
    let is_other = has("tuning.json") || has("comparison.json");
    !path.is_symlink() && (has("report.html") || has("metrics.json")) && !is_other
}

fn remove(run: &RemovedRun, checkpoints: &Path) -> Result<()> {
    // The report first: a run that is cut short here is still there, and goes the next time.
    let report = run.report.as_deref().map(hide).transpose()?;
    let checkpoint = hide(&checkpoints.join(&run.run))?;
    [Some(checkpoint), report].iter().flatten().try_for_each(|path| delete(path))
}

fn hide(path: &Path) -> Result<PathBuf> {
    hide_folder(path).with_context(|| format!("cannot remove {}", path.display()))
}

fn delete(path: &Path) -> Result<()> {
    fs::remove_dir_all(path).with_context(|| format!("cannot remove {}", path.display()))
}

/// Bytes of all files below `path`; links are not followed.
fn size(path: &Path) -> Result<u64> {
    let about =
        fs::symlink_metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !about.is_dir() {
        return Ok(about.len());
    }
    paths_in(path)?.iter().map(|path| size(path)).sum()
}

/// Everything in a folder, in the order of its names.
fn paths_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", folder.display());
    let entries = fs::read_dir(folder).with_context(cannot)?;
    let paths: std::io::Result<Vec<PathBuf>> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.with_context(cannot)?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(folder: &Path) -> Params {
        let mut params = Params::default();
        params.paths.checkpoints = folder.join("checkpoints");
        params.paths.reports = folder.join("reports");
        fs::create_dir_all(&params.paths.checkpoints).unwrap();
        fs::create_dir_all(&params.paths.reports).unwrap();
        params
    }

    fn write(folder: &Path, name: &str, bytes: usize) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(name), vec![b'x'; bytes]).unwrap();
    }

    fn run(params: &Params, name: &str) -> RemovedRun {
        removed(&super::super::runs_job::sample_run(name, 1, "a", None), params).unwrap()
    }

    #[test]
    fn a_run_goes_with_its_report_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let params = params(folder.path());
        let checkpoints = &params.paths.checkpoints;
        write(&checkpoints.join("old"), Manifest::FILE, 100);
        write(&params.paths.reports.join("old/figures"), "loss.svg", 20);
        write(&params.paths.reports.join("old"), "report.html", 3);
        let gone = run(&params, "old");
        assert_eq!(gone.bytes, 123);
        remove(&gone, checkpoints).unwrap();
        for folder in [checkpoints, &params.paths.reports] {
            assert_eq!(paths_in(folder).unwrap(), Vec::<PathBuf>::new());
        }
    }

    #[test]
    fn the_report_of_something_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let params = params(folder.path());
        write(&params.paths.checkpoints.join("old"), Manifest::FILE, 100);
        write(&params.paths.reports.join("old"), "notes.txt", 3);
        assert_eq!(run(&params, "old").report, None);
        write(&params.paths.reports.join("old"), "report.html", 3);
        write(&params.paths.reports.join("old"), "tuning.json", 3);
        assert_eq!(run(&params, "old").report, None);
    }

    #[test]
    fn what_an_interrupted_removal_left_is_deleted_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let params = params(folder.path());
        write(&params.paths.checkpoints.join(".old.removed"), Manifest::FILE, 7);
        write(&params.paths.reports.join(".old.removed"), "report.html", 5);
        write(&params.paths.reports.join(".new.draft"), "report.html", 5);
        let plan = plan_prune(&params, 10).unwrap();
        assert_eq!((plan.removed.len(), plan.leftovers.len(), plan.bytes), (0, 2, 12));
        assert!(plan.kept.is_empty() && !plan.is_empty());
        prune(&params, &plan, 10).unwrap();
        assert!(!params.paths.checkpoints.join(".old.removed").exists());
        assert!(!params.paths.reports.join(".old.removed").exists());
        assert!(params.paths.reports.join(".new.draft").exists());
    }

    #[test]
    fn what_is_no_finished_run_stays() {
        let folder = tempfile::tempdir().unwrap();
        let params = params(folder.path());
        for name in ["a.unfinished", "b.tuning", "damaged"] {
            write(&params.paths.checkpoints.join(name), Manifest::FILE, 1);
        }
        write(&params.paths.checkpoints.join("mine"), "notes.txt", 1);
        let plan = plan_prune(&params, 0).unwrap();
        let reasons: Vec<(&str, Reason)> =
            plan.kept.iter().map(|kept| (kept.name.as_str(), kept.reasons[0])).collect();
        let expected = [
            ("a.unfinished", Reason::Unfinished),
            ("b.tuning", Reason::Unfinished),
            ("damaged", Reason::Unreadable),
            ("mine", Reason::NoRun),
        ];
        assert_eq!(reasons, expected);
        assert!(plan.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_and_what_they_lead_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let params = params(folder.path());
        let checkpoints = &params.paths.checkpoints;
        write(&checkpoints.join("run"), Manifest::FILE, 1);
        std::os::unix::fs::symlink("run", checkpoints.join("latest")).unwrap();
        let links = links_in(checkpoints).unwrap();
        assert_eq!(on_disk(&checkpoints.join("latest"), &links), [Reason::Link]);
        assert_eq!(on_disk(&checkpoints.join("run"), &links), [Reason::LinkTarget]);
        assert!(size(&checkpoints.join("latest")).unwrap() < 100);
    }
}
