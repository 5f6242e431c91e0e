//! `massay retrain`, and what is said of a retraining.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Result;
use clap::Args;

use crate::pipeline::{
    Params, RetrainObserver, RetrainOptions, Retrained, Tracked, TrainObserver, Verdict, retrain,
};

use super::{
    backends::BackendArgument, emit, progress::TrainProgress, say, stop_on_interrupt, track,
};

/// Train the champion's successor from rows whose true values have come, and promote it if it is better.
///
/// New rows come from the log of the service (with the true values of `POST /feedback`) and from `--data`. The
/// challenger is trained as the champion was; both are judged on the same folds, on the newest rows and on
/// trusted rows. It takes over only if it is better beyond the noise and nowhere worse. Exits with 0 whatever is
/// decided.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(super) struct RetrainArguments {
    #[command(flatten)]
    what: RetrainingArguments,
    /// Name of the challenger [default: `retrained-` and the UTC time]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Train with the true values that would be set apart: somebody has looked at them
    #[arg(long)]
    accept_quarantined: bool,
    /// Leave the champion as it is whatever comes out
    #[arg(long)]
    dry_run: bool,
    /// Train however few rows are new, and however short the last retraining was ago
    #[arg(long)]
    force: bool,
    /// Print the decision as JSON
    #[arg(long)]
    json: bool,
}

/// What a retraining works on.
#[derive(Debug, Args)]
pub(super) struct RetrainingArguments {
    /// Model whose champion is challenged, where there are several
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Labelled table besides the log; `--set log.url=none` for the table alone
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    #[command(flatten)]
    backend: BackendArgument,
    /// Parameters [default: params.toml where there is one]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Any other parameter, e.g. `retrain.minimum`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Print no progress
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl RetrainingArguments {
    /// The retraining, under the usual rules.
    pub(super) fn options(self) -> Result<RetrainOptions> {
        Ok(RetrainOptions {
            params: Params::load(self.params.as_deref(), &self.sets)?,
            model: self.model,
            data: self.data,
            backend: self.backend.backend,
            ..RetrainOptions::default()
        })
    }
}

impl RetrainArguments {
    pub(super) fn run(self) -> Result<()> {
        let quiet = self.what.quiet;
        let options = RetrainOptions {
            name: self.name,
            accept_quarantined: self.accept_quarantined,
            dry_run: self.dry_run,
            force: self.force,
            ..self.what.options()?
        };
        stop_on_interrupt();
        let outcome = retrain(&options, &RetrainProgress { quiet })?;
        if self.json { emit(&as_json(&outcome)?) } else { emit(&told(&outcome)) }
    }
}

fn as_json(outcome: &Retrained) -> Result<String> {
    let value = match outcome {
        Retrained::NotYet(reason) => serde_json::json!({ "verdict": "not_yet", "reason": reason }),
        Retrained::Decided { decision, .. } => serde_json::to_value(decision)?,
    };
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}

/// What came of it, for people.
pub(super) fn told(outcome: &Retrained) -> String {
    let (decision, quarantine) = match outcome {
        Retrained::NotYet(reason) => return format!("not retrained: {reason}\n"),
        Retrained::Decided { decision, quarantine } => (decision, quarantine),
    };
    let rows = &decision.rows;
    let unnamed = match rows.unnamed {
        0 => String::new(),
        count => format!(", {count} name no container and cannot train"),
    };
    let mut text = format!(
        "{}  {} rows and {} new ones; {} of the newest only judge, {} were known, {} are set apart{}\n",
        decision.challenger,
        rows.before,
        rows.added,
        rows.newest,
        rows.known,
        rows.quarantined,
        unnamed
    );
    for condition in &decision.conditions {
        let mark = if condition.holds { "yes" } else { "no " };
        let _ = writeln!(text, "  {mark}  {}", condition.sentence);
    }
    let (own, champion) = (&decision.challenger, &decision.champion);
    let model = &decision.model;
    let _ = match (decision.verdict, decision.dry_run) {
        (Verdict::Promote, false) => {
            writeln!(text, "\n{own} is the champion of {model}, instead of {champion}")
        }
        (Verdict::Promote, true) => writeln!(
            text,
            "\n{champion} stays, this was a dry run; `massay registry promote {own}` makes the better one the \
             champion"
        ),
        (Verdict::Keep, _) => writeln!(text, "\n{champion} stays the champion of {model}"),
    };
    if let Some(path) = quarantine {
        let _ = writeln!(
            text,
            "\nset apart  {}\n           look at these true values; `massay retrain --accept-quarantined` trains \
             with them",
            path.display()
        );
    }
    text
}

/// Progress on standard error.
pub(super) struct RetrainProgress {
    pub(super) quiet: bool,
}

impl RetrainObserver for RetrainProgress {
    fn on_step(&self, step: &str) {
        if !self.quiet {
            say(&format!("==> {step}"));
        }
    }

    fn training(&self) -> Box<dyn TrainObserver + '_> {
        Box::new(TrainProgress::new(self.quiet))
    }

    fn deliver(&self, tracked: Tracked, name: &str) {
        track::deliver(tracked, name, self.quiet);
    }
}
