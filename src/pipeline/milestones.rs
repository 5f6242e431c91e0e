//! What was decided about a model, in sentences.

use std::path::Path;

use anyhow::Result;

use crate::{
    registry::{Action, Move, Pointers},
    report::{Milestone, Milestones, PastRun, RunReport},
    train::Checkpoint,
};

use super::{Decision, Decisions, ListedRun, Params, Verdict, list_runs};

/// Every decision and every move of the champion of `model`, whose checkpoints are in `folder`, the oldest first.
pub(super) fn milestones(folder: &Path, model: &str) -> Vec<Milestone> {
    let decisions = Decisions::of(folder).about(model).unwrap_or_else(|error| {
        tracing::warn!("{error:#}");
        Vec::new()
    });
    let moves = Pointers::read(folder).map(|own| own.model(model).moves).unwrap_or_default();
    let mut all: Vec<Milestone> = decisions.iter().map(decided).collect();
    all.extend(moves.iter().map(moved));
    // Decisions stand before the moves of the same second, which follow from them.
    all.sort_by(|a, b| a.time.cmp(&b.time));
    all
}

/// The finished runs that predict `target`, the oldest first, and what was decided about them; without the run
/// `but`, which is about to be replaced. What cannot be read is left out with a warning: a report is worth having
/// without it.
pub(super) fn milestones_of(params: &Params, target: &str, but: Option<&str>) -> Milestones {
    read(params, target, but).unwrap_or_else(|error| {
        tracing::warn!("the report lacks the runs before: {error:#}");
        Milestones::default()
    })
}

fn read(params: &Params, target: &str, but: Option<&str>) -> Result<Milestones> {
    let folder = &params.paths.checkpoints;
    let is_other = |own: &ListedRun| own.target == target && Some(own.run.as_str()) != but;
    let mut all: Vec<ListedRun> = list_runs(params)?.into_iter().filter(is_other).collect();
    all.reverse();
    let mut models: Vec<&str> = all.iter().map(|own| own.model.as_str()).collect();
    models.sort_unstable();
    models.dedup();
    let mut decisions: Vec<Milestone> =
        models.into_iter().flat_map(|model| milestones(folder, model)).collect();
    decisions.sort_by(|a, b| a.time.cmp(&b.time));
    decisions.dedup();
    Ok(Milestones { runs: all.into_iter().filter_map(past).collect(), decisions })
}

fn past(own: ListedRun) -> Option<PastRun> {
    Some(PastRun {
        rmse: own.rmse?,
        name: own.run,
        started: own.started,
        data_sha256: own.data_sha256,
        model: own.kind,
        r2: own.r2,
        champion: own.champion,
    })
}

/// A run that has just ended, among the others.
pub(super) fn past_run(report: &RunReport, checkpoint: &Checkpoint) -> PastRun {
    let kind = checkpoint.manifest.parameters["model"]["kind"].as_str();
    PastRun {
        name: report.name.clone(),
        started: report.provenance.started.clone(),
        data_sha256: report.data.sha256.clone(),
        model: kind.unwrap_or_default().to_owned(),
        rmse: report.evaluation.pooled.rmse,
        r2: report.evaluation.pooled.r2,
        champion: false,
    }
}

fn decided(own: &Decision) -> Milestone {
    let (champion, challenger) = (&own.champion, &own.challenger);
    let verdict = match (own.verdict, own.dry_run) {
        (Verdict::Promote, false) => format!("it is better than {champion}"),
        (Verdict::Promote, true) => format!("it is better than {champion}, which stays: a dry run"),
        (Verdict::Keep, _) => format!("{champion} stays"),
    };
    let missed = own.conditions.iter().find(|condition| !condition.holds);
    let reason = missed.map_or_else(String::new, |own| format!("; {}", own.sentence));
    let what = format!(
        "{challenger} was trained with {} new rows ({} set apart): {verdict}{reason}",
        own.rows.added, own.rows.quarantined
    );
    Milestone { time: own.time.clone(), what }
}

fn moved(own: &Move) -> Milestone {
    let instead = own.from.as_ref().map_or_else(String::new, |from| format!(" instead of {from}"));
    let what = match own.action {
        Action::Promote => format!("{} became the champion{instead}", own.to),
        Action::Rollback => format!("{} became the champion again{instead}", own.to),
    };
    Milestone { time: own.time.clone(), what }
}
