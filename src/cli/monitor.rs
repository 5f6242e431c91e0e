//! `massay monitor`

use std::{fmt::Write as _, path::PathBuf};

use anyhow::{Context, Result};
use clap::{ArgGroup, Args};
use jiff::{SignedDuration, Timestamp};

use crate::{
    model::BackendKind,
    monitor::{MonitorReport, ShadowReport},
    pipeline::{ModelChoice, Observed, Params, ServeOptions, observe},
    serve::Access,
};

use super::{emit, summary::short};

/// Tell what has become of a served model: drift of what it is asked, and how right it still is.
///
/// Reads the log that `massay serve` writes, and writes a page. Exits with 0 whatever it finds, unless
/// `--strict` is given.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("model").required(true).args(["checkpoint", "champion"]))]
pub(super) struct MonitorArguments {
    /// Folder of a checkpoint, or `models:/NAME@ALIAS` on an MLflow server
    #[arg(long, value_name = "FOLDER")]
    checkpoint: Option<String>,
    /// Look at the champion; of MODEL where there are several
    #[arg(long, value_name = "MODEL", num_args = 0..=1)]
    champion: Option<Vec<String>>,
    /// Show windows and alarms of this time only, e.g. `7d`, `12h` [default: all]
    #[arg(long, value_name = "TIME", value_parser = span)]
    since: Option<SignedDuration>,
    /// Folder of the page [default: `monitor-RUN` among the reports]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Fail where there is an alarm
    #[arg(long)]
    strict: bool,
    /// MLflow server of `models:/` [default: `MLFLOW_TRACKING_URI`]
    #[arg(long, value_name = "URI")]
    mlflow: Option<String>,
    /// Folder of a checkpoint that is asked the same and answers nobody: see how it would do
    #[arg(long, value_name = "FOLDER")]
    shadow: Option<PathBuf>,
    /// Parameters [default: params.toml where there is one]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Any other parameter, e.g. `log.url` or `monitor.window`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

/// A time span such as `7d`.
pub(super) fn span(text: &str) -> Result<SignedDuration, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: Option<i64> = text[..end].parse().ok();
    let hours = match (number, &text[end..]) {
        (Some(number), "h") => Some(number),
        (Some(number), "d") => number.checked_mul(24),
        (Some(number), "w") => number.checked_mul(24 * 7),
        _ => None,
    };
    let hours = hours.filter(|hours| *hours <= 24 * 36_500);
    hours
        .map(SignedDuration::from_hours)
        .ok_or_else(|| format!("`{text}` is no time, expected one such as `12h`, `7d` or `4w`"))
}

/// The time that lies so far back, milliseconds since 1970.
pub(super) fn ago(span: Option<SignedDuration>) -> Result<i64> {
    let Some(span) = span else { return Ok(0) };
    let time = Timestamp::now().checked_sub(span).context("`--since` is too long ago")?;
    Ok(time.as_millisecond())
}

impl MonitorArguments {
    pub(super) fn run(self) -> Result<()> {
        let champion = self.champion.unwrap_or_default().pop();
        let options = ServeOptions {
            params: Params::load(self.params.as_deref(), &self.sets)?,
            model: ModelChoice::of(self.checkpoint, champion),
            mlflow: self.mlflow,
            backend: BackendKind::Cpu,
            access: Access::default(),
            shadow: self.shadow,
        };
        let Observed { report, page } = observe(options, ago(self.since)?, self.out.as_deref())?;
        if self.json {
            emit(&(serde_json::to_string_pretty(&report)? + "\n"))?;
        } else {
            emit(&format!("{}\nreport     {}\n", summary(&report), page.display()))?;
        }
        if self.strict && !report.alarms.is_empty() {
            anyhow::bail!("there are alarms: {}", report.alarms.len());
        }
        Ok(())
    }
}

fn summary(report: &MonitorReport) -> String {
    let mut text = format!(
        "{}  {} rows served, {} windows of {}, {} rows in the open one\n",
        report.model.version, report.rows, report.finished, report.config.window, report.open
    );
    if let Some(newest) = report.windows.last() {
        let _ = writeln!(text, "\nnewest window, largest shifts     shift      p, corrected");
        for own in newest.comparisons.iter().take(5) {
            let name = format!("{} {}", own.watched.name().replace('_', " "), own.column);
            let mark = if own.drifted { "  drifted" } else { "" };
            let _ =
                writeln!(text, "  {name:<28} {:>+8.2} sd {:>10.2e}{mark}", own.shift, own.adjusted);
        }
    }
    if let Some(scores) = &report.performance.scores {
        let _ = writeln!(
            text,
            "\n{} true values   RMSE {}   MAE {}   coverage {:.1} % of {:.0} %",
            scores.rows,
            short(scores.rmse),
            short(scores.mae),
            100.0 * scores.coverage,
            100.0 * report.model.level
        );
    }
    if let Some(shadow) = &report.shadow {
        let _ = writeln!(text, "\n{}", shadow_line(shadow));
    }
    if report.alarms.is_empty() {
        text += "\nno alarm\n";
    }
    for alarm in &report.alarms {
        let time = Timestamp::from_millisecond(alarm.time)
            .map_or_else(|_| String::new(), |own| own.to_string());
        let _ = writeln!(text, "\nalarm      {time}  {}", alarm.message);
    }
    text
}

fn shadow_line(own: &ShadowReport) -> String {
    let scores = own.scores.as_ref().map_or_else(String::new, |(served, shadow)| {
        format!("; RMSE {} where the served model has {}", short(shadow.rmse), short(served.rmse))
    });
    format!(
        "shadow     {}: differs by {} on average over {} rows{scores}",
        own.version,
        short(own.mean_absolute_difference),
        own.rows
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_hours_days_or_weeks() {
        for (text, hours) in [("12h", 12), ("7d", 168), ("2w", 336)] {
            assert_eq!(span(text), Ok(SignedDuration::from_hours(hours)));
        }
        for text in ["", "7", "d", "-1d", "7m", "99999999999999999999d", "9223372036854775807d"] {
            assert!(span(text).unwrap_err().contains("expected one such as"), "{text}");
        }
    }
}
