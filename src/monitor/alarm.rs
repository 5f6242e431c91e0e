//! What asks for attention, in words.

use serde::{Deserialize, Serialize};

use crate::report::percent;

use super::{Comparison, LivePerformance, Watched, WindowDrift, model_monitor::WatchedModel};

/// Columns that a message names at most.
const NAMED: usize = 4;

/// Something that asks for attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// When it was known: the time of the last row that it needed, milliseconds since 1970 (UTC).
    pub time: i64,
    /// What kind of alarm it is.
    pub kind: AlarmKind,
    /// The window of rows; `None` where it is not about one.
    pub window: Option<usize>,
    /// The column that is most at fault; empty where there is none.
    pub column: String,
    /// What is the matter, for people.
    pub message: String,
}

/// Kinds of alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// Rows are no longer distributed as those of the training.
    Drift,
    /// Intervals hold less or more often than they should.
    Coverage,
}

impl Alarm {
    /// The alarm of a window, if anything in it has drifted that `is_news`. What is most at fault comes first: a value that
    /// is gone, then a detector beside the others, which explains more than what follows from it.
    pub(super) fn of_window(
        window: &WindowDrift,
        model: &WatchedModel,
        is_news: impl Fn(&Comparison) -> bool,
    ) -> Option<Self> {
        let drifted: Vec<&Comparison> = window.drifted().collect();
        let first = |watched: Watched| {
            drifted.iter().find(|own| own.watched == watched && is_news(own)).copied()
        };
        let foremost = first(Watched::Missing)
            .or_else(|| first(Watched::GivenOthers))
            .or_else(|| drifted.iter().copied().find(|own| is_news(own)))?;
        let mut message = sentence(foremost, model);
        let others: Vec<String> = drifted
            .iter()
            .filter(|own| own.watched != foremost.watched || own.column != foremost.column)
            .map(|own| name(own, model))
            .collect();
        if !others.is_empty() {
            let left = others.len().saturating_sub(NAMED);
            let more = if left > 0 { format!(" and {left} more") } else { String::new() };
            let named = others[..others.len().min(NAMED)].join(", ");
            message = format!("{message}; also changed: {named}{more}");
        }
        Some(Self {
            time: window.to,
            kind: AlarmKind::Drift,
            window: Some(window.number),
            column: foremost.column.clone(),
            message,
        })
    }

    /// The alarm of coverage, if there is one.
    pub(super) fn of_coverage(performance: &LivePerformance, model: &WatchedModel) -> Option<Self> {
        let (watch, time) = (&performance.coverage, performance.coverage_alarm?);
        let own = watch.alarm?;
        let (share, level) = (watch.missed as f64 / watch.containers as f64, 1.0 - model.level);
        let known = own.containers;
        let (what, so) = if own.misses_too_often {
            ("miss too often", "the model is less certain than it says")
        } else {
            ("miss too seldom", "the intervals are wider than they need to be")
        };
        let message = format!(
            "intervals {what}: {:.1} % of {} true values lie outside instead of {:.0} %, known since the {known}th; {so}",
            100.0 * share,
            watch.containers,
            100.0 * level
        );
        let (kind, window, column) = (AlarmKind::Coverage, None, String::new());
        Some(Self { time, kind, window, column, message })
    }
}

/// What has changed, by name.
fn name(own: &Comparison, model: &WatchedModel) -> String {
    match own.watched {
        Watched::Column => own.column.clone(),
        Watched::GivenOthers => format!("{} beside the others", own.column),
        Watched::Joint => "the pattern of all columns".to_owned(),
        Watched::Prediction => format!("predictions of {}", model.target),
        Watched::Missing => format!("how often {} is missing", own.column),
    }
}

fn sentence(own: &Comparison, model: &WatchedModel) -> String {
    let (before, now) = (short(own.reference_median), short(own.median));
    match own.watched {
        Watched::GivenOthers if model.logarithmic => {
            let percent = 100.0 * ((own.median - own.reference_median).exp() - 1.0);
            let way = if percent < 0.0 { "below" } else { "above" };
            let size = percent.abs();
            format!("{} reads {size:.0} % {way} what the other columns let expect", own.column)
        }
        Watched::GivenOthers => {
            let difference = own.median - own.reference_median;
            let way = if difference < 0.0 { "below" } else { "above" };
            let size = short(difference.abs());
            format!("{} reads {size} {way} what the other columns let expect", own.column)
        }
        Watched::Column => {
            format!("{} has a median of {now}, in training it had {before}", own.column)
        }
        Watched::Joint => {
            format!("the columns together are {now} from the training, in training {before}")
        }
        Watched::Prediction => {
            let unit =
                if model.unit.is_empty() { String::new() } else { format!(" {}", model.unit) };
            format!("predictions have a median of {now}{unit}, in training they had {before}{unit}")
        }
        Watched::Missing => format!(
            "{} is missing in {} of the rows, in training in {}",
            own.column,
            percent(own.median, 0),
            percent(own.reference_median, 0)
        ),
    }
}

fn short(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { 3 - value.abs().log10().floor() as i32 - 1 };
    format!("{value:.*}", digits.clamp(0, 8) as usize)
}
