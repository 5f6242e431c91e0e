//! What was decided about a model, in sentences.

use std::path::Path;

use crate::{
    monitor::Milestone,
    registry::{Action, Move, Pointers},
};

use super::{Decision, Decisions, Verdict};

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
