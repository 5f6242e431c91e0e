//! `massay runs prune`

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use crate::{
    pipeline::{KeptFolder, Params, PrunePlan, RemovedRun, plan_prune, prune},
    report::counted,
};

use super::{
    columns::in_columns,
    emit,
    runs::{in_unit, minutes, no_runs},
    summary::short,
};

/// Remove runs that nobody needs, and free their disk space.
///
/// What stays: every champion and every run that a move of the registry names, so that rollback works; the newest
/// runs of each target (`--keep`); the run with the smallest RMSE for each target and table; champion and challenger
/// of the last decision of `massay retrain`; unfinished runs, links and what they lead to, and whatever is no run or
/// cannot be read. Everything else goes: its folder among the checkpoints, and its report. What MLflow and DVC have
/// of it stays there.
#[derive(Debug, Args)]
pub(super) struct PruneArguments {
    /// How many of the newest runs of each target stay
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true)]
    keep: usize,
    /// Say what would go, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove without asking
    #[arg(long)]
    yes: bool,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Told<'a> {
    /// Whether anything was removed, rather than only planned.
    done: bool,
    #[serde(flatten)]
    plan: &'a PrunePlan,
}

impl PruneArguments {
    pub(super) fn run(&self, params: &Params, json: bool) -> Result<()> {
        let plan = plan_prune(params, self.keep)?;
        if self.dry_run || plan.is_empty() {
            return emit(&told(params, &plan, (json, false))?);
        }
        // What an interrupted removal has left was agreed to then.
        let asks = !self.yes && !plan.removed.is_empty();
        if asks && !is_agreed(&plan)? {
            let kept = "nothing was removed\n".to_owned();
            return emit(&if json { told(params, &plan, (json, false))? } else { kept });
        }
        let plan = prune(params, &plan, self.keep)?;
        if asks && !json {
            return emit(&sum(&plan, true));
        }
        emit(&told(params, &plan, (json, true))?)
    }
}

/// Shows the plan and asks whether it is meant.
fn is_agreed(plan: &PrunePlan) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!(
            "{} would be removed, and standard input is no terminal to ask at\n\nhint: see what goes \
             with `--dry-run`, remove it with `--yes`",
            counted(plan.removed.len(), "run")
        );
    }
    let question = format!("{}\nRemove {}? [y/N] ", lines(plan, false), amount(plan));
    let mut output = std::io::stderr().lock();
    output.write_all(question.as_bytes())?;
    output.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

fn told(params: &Params, plan: &PrunePlan, (json, done): (bool, bool)) -> Result<String> {
    if json {
        return Ok(serde_json::to_string_pretty(&Told { done, plan })? + "\n");
    }
    if plan.is_empty() && plan.kept.is_empty() {
        return Ok(no_runs(params));
    }
    Ok(format!("{}\n{}", lines(plan, done), sum(plan, done)))
}

/// A line for each run, with what becomes of it and why.
fn lines(plan: &PrunePlan, done: bool) -> String {
    let verb = if done { "removed" } else { "remove" };
    let removed = plan.removed.iter().map(|run| vec![verb.to_owned(), run.run.clone(), about(run)]);
    let leftovers = plan.leftovers.iter().map(|left| {
        let reason = format!("left of an interrupted removal, {}", size(left.bytes));
        vec![verb.to_owned(), left.path.display().to_string(), reason]
    });
    let kept = plan.kept.iter().map(|kept| vec!["keep".to_owned(), kept.name.clone(), why(kept)]);
    in_columns(&removed.chain(leftovers).chain(kept).collect::<Vec<_>>(), &[])
}

fn about(run: &RemovedRun) -> String {
    let rmse = run.rmse.map_or_else(|| "-".to_owned(), short);
    let report = if run.report.is_some() { "" } else { ", no report" };
    format!(
        "{}, RMSE {}, {}{report}",
        minutes(&run.started),
        in_unit(&rmse, &run.unit),
        size(run.bytes)
    )
}

fn why(kept: &KeptFolder) -> String {
    let reasons: Vec<String> = kept.reasons.iter().map(ToString::to_string).collect();
    reasons.join("; ")
}

/// What was done, or would be, in a line.
fn sum(plan: &PrunePlan, done: bool) -> String {
    match (plan.is_empty(), done) {
        (true, _) => "nothing to remove\n".to_owned(),
        (false, true) => format!("removed {}\n", amount(plan)),
        (false, false) => format!("{} would go; nothing was removed\n", amount(plan)),
    }
}

fn amount(plan: &PrunePlan) -> String {
    format!("{} ({})", counted(plan.removed.len(), "run"), size(plan.bytes))
}

/// Bytes in the unit of their size.
fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e3 => format!("{bytes:.0} B"),
        ..1e6 => format!("{:.1} kB", bytes / 1e3),
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Reason;

    fn plan() -> PrunePlan {
        PrunePlan {
            removed: vec![RemovedRun {
                run: "old".to_owned(),
                started: "2026-01-02T03:04:05Z".to_owned(),
                rmse: Some(12.0),
                unit: "g".to_owned(),
                report: None,
                bytes: 4_700_000,
            }],
            kept: vec![KeptFolder {
                name: "drums".to_owned(),
                reasons: vec![Reason::Champion, Reason::Best],
            }],
            leftovers: Vec::new(),
            bytes: 4_700_000,
        }
    }

    #[test]
    fn a_plan_says_what_goes_what_stays_and_why() {
        assert_eq!(
            told(&Params::default(), &plan(), (false, false)).unwrap(),
            "remove  old    2026-01-02 03:04, RMSE 12.00 g, 4.7 MB, no report\n\
             keep    drums  champion; smallest RMSE on its table\n\n\
             1 run (4.7 MB) would go; nothing was removed\n"
        );
        assert_eq!(sum(&plan(), true), "removed 1 run (4.7 MB)\n");
        assert_eq!(sum(&PrunePlan::default(), false), "nothing to remove\n");
    }

    #[test]
    fn a_plan_as_json_names_runs_reasons_and_bytes() {
        let text = told(&Params::default(), &plan(), (true, false)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["done"], &value["bytes"]), (&false.into(), &4_700_000.into()));
        assert_eq!(value["removed"][0]["run"], "old");
        assert_eq!(value["kept"][0]["reasons"], serde_json::json!(["champion", "best"]));
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        assert!(is_yes("y\n") && is_yes(" Yes \n"));
        assert!(!is_yes("\n") && !is_yes("no\n") && !is_yes("yo\n"));
    }

    #[test]
    fn sizes_use_the_unit_of_their_size() {
        let shown = [12, 1_500, 14_200_000, 3_000_000_000].map(size);
        assert_eq!(shown, ["12 B", "1.5 kB", "14.2 MB", "3.0 GB"]);
    }
}
