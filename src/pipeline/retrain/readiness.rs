//! Whether it is time to retrain, and a tidy place to do it in.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::{
    super::{JobError, Params, tracking::environment},
    champion::Champion,
    config::RetrainConfig,
    decision::{Decision, Decisions, Verdict},
    extended_table,
    job::RetrainOptions,
    screening::Screened,
};
use crate::track::{Address, Alias, Registry};

/// What the folder of the trainings that only compare ends with.
pub(super) const ASIDE: &str = ".retraining";

/// Keeps other retrainings of the checkpoints in `folder` waiting elsewhere for as long as it is held.
pub(in crate::pipeline) fn lock(folder: &Path) -> Result<fs::File> {
    let path = folder.join("retraining.lock");
    let file =
        fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Err(JobError::Retraining.into()),
        // Some network file systems know no locks: then two at once are the user's to avoid.
        Err(fs::TryLockError::Error(error)) => {
            tracing::warn!("{} cannot be locked: {error}", path.display());
        }
    }
    Ok(file)
}

/// Removes what retrainings that were killed have left. Whoever calls holds the lock.
pub(super) fn sweep(params: &Params) {
    let folder = &params.paths.checkpoints;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(ASIDE) else { continue };
        tracing::warn!("{name}: a retraining was killed here; what it left is removed");
        let _ = fs::remove_dir_all(entry.path());
        let _ = fs::remove_dir_all(folder.join(format!("{name}.unfinished")));
        if !folder.join(name).exists() {
            let _ = fs::remove_file(params.retrain.tables.join(format!("{name}.csv")));
        }
    }
}

/// Writes the line for a decision whose retraining was killed between the move of the champion and it. Whoever calls
/// holds the lock.
pub(super) fn catch_up(params: &Params, champion: &Champion) -> Result<()> {
    let folder = params.paths.reports.join(&champion.pointer.run);
    let Some(decision) = Decision::read(&folder) else { return Ok(()) };
    let moved = decision.verdict == Verdict::Promote
        && !decision.dry_run
        && (&decision.model, &decision.challenger) == (&champion.model, &champion.pointer.run);
    let decisions = Decisions::of(&params.paths.checkpoints);
    let is_same = |known: &Decision| {
        (&known.time, &known.challenger) == (&decision.time, &decision.challenger)
    };
    if moved && !decisions.about(&champion.model)?.iter().any(is_same) {
        tracing::warn!(
            "`{}` became the champion by a retraining that was killed; its decision is written down",
            decision.challenger
        );
        decisions.add(&decision)?;
    }
    Ok(())
}

/// Finds out, before hours of training, whether the champion could move at all: its server answers, and DVC starts where
/// it keeps tables.
pub(super) fn check_movable(champion: &Champion) -> Result<()> {
    if let Some(version) = &champion.pointer.version {
        let address = Address::parse(&champion.pointer.server, environment)?;
        Registry::new(address, &version.model)
            .version(Alias::Champion)
            .context("nothing was trained: the champion could not move")?;
    }
    extended_table::check_dvc().context("nothing was trained: its table could not be kept")
}

/// Why it is too early after the last decision, if it is.
pub(super) fn cooling(last: Option<&Decision>, config: &RetrainConfig) -> Option<String> {
    let time: Timestamp = last?.time.parse().ok()?;
    let left = config.cooldown_hours - Timestamp::now().duration_since(time).as_secs_f64() / 3600.0;
    let until =
        time.checked_add(jiff::SignedDuration::from_secs_f64(3600.0 * config.cooldown_hours));
    let until = until.map_or_else(|_| String::new(), |own| format!(", until {own:.0}"));
    (left > 0.0).then(|| {
        format!(
            "the last decision is too recent, `retrain.cooldown_hours` asks for {}{until}",
            config.cooldown_hours
        )
    })
}

/// Why it is not yet time, if it is not.
pub(super) fn not_yet(
    options: &RetrainOptions,
    champion: &Champion,
    screened: &Screened,
) -> Result<Option<String>> {
    let config = &options.params.retrain;
    let last = Decisions::of(&options.params.paths.checkpoints).last(&champion.model)?;
    // Somebody is there who wants it now.
    let is_asked = options.force || options.dry_run || options.accept_quarantined;
    // What a decision knew of is no news: asked often enough, chance says yes.
    let after = last.as_ref().filter(|_| !is_asked).map_or(i64::MIN, |own| own.until);
    let fresh = screened.new_containers(champion, after);
    if fresh == 0 || (fresh < config.minimum && !options.force) {
        let since = if after > i64::MIN { " since the last decision" } else { "" };
        let others = [
            (screened.quarantined.len(), "rows are set apart"),
            (screened.unnamed, "rows name no container and cannot train"),
        ];
        let others: Vec<String> = others
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("; {count} {what}"))
            .collect();
        return Ok(Some(format!(
            "{fresh} new containers with a true value{since}, `retrain.minimum` asks for {}{}",
            config.minimum,
            others.concat()
        )));
    }
    Ok(cooling(last.as_ref(), config).filter(|_| !is_asked))
}
