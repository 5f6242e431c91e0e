//! What has become of one served model: its windows, its performance, its alarms.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    data::explore::quantile,
    model::{Domain, Reference},
    report::Milestone,
};

use super::{
    Comparison, DriftReference, ExpectedError, KnownTruths, LivePerformance, LoggedRow,
    MonitorConfig, ServedRow, Shadow, ShadowReport, Watched, WindowDrift, alarm::Alarm,
    judged_rows::JudgedRows, live_performance::Widths,
};

/// Windows whose comparisons are kept.
const KEPT: usize = 100;

/// The model that is watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchedModel {
    /// What answers name it by.
    pub version: String,
    /// Name of the target.
    pub target: String,
    /// Unit of the target; empty where it has none.
    pub unit: String,
    /// Share of true values that intervals should contain.
    pub level: f64,
    /// Whether columns are compared, given the others, in logarithms.
    pub logarithmic: bool,
}

/// Watches one model. Rows come in the order in which they were served; each is looked at once.
#[derive(Clone, Debug)]
pub struct ModelMonitor {
    model: WatchedModel,
    config: MonitorConfig,
    reference: Reference,
    drift: DriftReference,
    /// The newest complete windows.
    windows: Vec<WindowDrift>,
    /// Complete windows, those included that are not kept.
    finished: usize,
    /// Alarms of drift: one for each run of windows in which something has drifted, and one for what joins it.
    alarms: Vec<Alarm>,
    /// What has drifted since the last window in which nothing had.
    drifted: HashSet<(Watched, String)>,
    /// Rows of the window that is not complete yet, and the containers among them.
    open: Vec<LoggedRow>,
    containers: HashSet<String>,
    widths: Widths,
    shadow: Option<Shadow>,
    judged: JudgedRows,
    /// What true values said when they were last looked at, and which they were.
    performance: LivePerformance,
    judgement: Option<Judgement>,
    rows: usize,
    first: Option<i64>,
    last: Option<(i64, i64)>,
}

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// The true values that a model was last judged by.
#[derive(Clone, Copy, Debug)]
struct Judgement {
    truths: KnownTruths,
    /// When that was, milliseconds since 1970 (UTC).
    time: i64,
    /// When all of them were last read.
    whole: Instant,
}

/// What is known of a served model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonitorReport {
    /// The model.
    pub model: WatchedModel,
    /// How it was watched.
    pub config: MonitorConfig,
    /// When this was said, milliseconds since 1970 (UTC).
    pub time: i64,
    /// Rows that were served.
    pub rows: usize,
    /// Time of the first of them.
    pub first: Option<i64>,
    /// Time of the last of them.
    pub last: Option<i64>,
    /// Rows of the training that windows are compared with.
    pub reference_rows: usize,
    /// Complete windows, those included that are not shown.
    pub finished: usize,
    /// The newest complete windows.
    pub windows: Vec<WindowDrift>,
    /// Rows of the window that is not complete yet.
    pub open: usize,
    /// Median prediction in the training.
    pub reference_prediction: f64,
    /// What true values say.
    pub performance: LivePerformance,
    /// The error to expect without them: an estimate.
    pub expected: Option<ExpectedError>,
    /// A model that is asked the same and answers nobody.
    #[serde(default)]
    pub shadow: Option<ShadowReport>,
    /// What was decided about the model, the oldest first.
    #[serde(default)]
    pub milestones: Vec<Milestone>,
    /// Everything that asks for attention, the oldest first.
    pub alarms: Vec<Alarm>,
}

impl ModelMonitor {
    /// Watches a model of `columns` that was trained on rows like `reference`.
    #[must_use]
    pub fn new(
        model: WatchedModel,
        (reference, columns, domain): (&Reference, &[String], &Domain),
        config: &MonitorConfig,
    ) -> Self {
        let level = model.level;
        Self {
            model,
            config: config.clone(),
            drift: DriftReference::new(reference, columns, domain),
            reference: reference.clone(),
            windows: Vec::new(),
            finished: 0,
            alarms: Vec::new(),
            drifted: HashSet::new(),
            open: Vec::new(),
            containers: HashSet::new(),
            widths: Widths::default(),
            shadow: None,
            judged: JudgedRows::default(),
            performance: LivePerformance::of(&[], level, config),
            judgement: None,
            rows: 0,
            first: None,
            last: None,
        }
    }

    /// The same with a model that is asked the same.
    #[must_use]
    pub fn with_shadow(mut self, shadow: Option<Shadow>) -> Self {
        self.shadow = shadow;
        self
    }

    /// The version of the model.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.model.version
    }

    /// The number in the log of the last row that was looked at.
    #[must_use]
    pub fn last_id(&self) -> i64 {
        self.last.map_or(0, |(id, _)| id)
    }

    /// Looks at the rows that follow; those of other models are left aside.
    pub fn add(&mut self, rows: Vec<LoggedRow>) {
        self.last = rows.last().map(|row| (row.id, row.time)).or(self.last);
        let columns = self.reference.columns;
        let is_own =
            |row: &LoggedRow| row.model == self.model.version && row.inputs.len() == columns;
        let own: Vec<LoggedRow> = rows.into_iter().filter(is_own).collect();
        if let Some(shadow) = &mut self.shadow {
            shadow.add(&own);
        }
        for row in own {
            self.first.get_or_insert(row.time);
            self.rows += 1;
            self.widths.add(&row);
            // What was measured again within a window is no second witness.
            let container = row.container.clone();
            if container.is_none_or(|container| self.containers.insert(container)) {
                self.open.push(row);
            }
            if self.open.len() >= self.config.window.max(1) {
                self.finish_window();
            }
        }
    }

    fn finish_window(&mut self) {
        let rows: Vec<ServedRow<'_>> = self
            .open
            .iter()
            .map(|row| ServedRow {
                time: row.time,
                inputs: &row.inputs,
                prediction: row.prediction,
                out_of_domain: row.out_of_domain,
            })
            .collect();
        self.finished += 1;
        let window = self.drift.compare(self.finished, &rows, &self.config);
        let key = |own: &Comparison| (own.watched, own.column.clone());
        // What goes on as it was is no news.
        let is_news = |own: &Comparison| !self.drifted.contains(&key(own));
        self.alarms.extend(Alarm::of_window(&window, &self.model, is_news));
        if window.drifted().next().is_none() {
            self.drifted.clear();
        }
        self.drifted.extend(window.drifted().map(key));
        self.windows.push(window);
        if self.windows.len() > KEPT {
            self.windows.remove(0);
        }
        self.open.clear();
        self.containers.clear();
    }

    /// From which time on true values came, or were corrected, that it may not have been judged by; `None` where
    /// `truths` are those that it was judged by. Clocks of several services may differ by as much as an hour, and once an
    /// hour all are asked for: rows may come later than their true values, and clocks may be wrong by more.
    #[must_use]
    pub fn unjudged_since(&self, truths: KnownTruths) -> Option<i64> {
        let Some(known) = &self.judgement else { return Some(i64::MIN) };
        if known.truths == truths {
            return None;
        }
        let is_old = known.whole.elapsed() > Duration::from_millis(HOUR as u64);
        Some(if is_old { i64::MIN } else { known.truths.last.min(known.time) - HOUR })
    }

    /// Whether it needs the raw values of rows whose true values are known.
    #[must_use]
    pub fn asks_for_inputs(&self) -> bool {
        self.shadow.is_some()
    }

    /// Takes rows in whose true values are known, new ones and those that it may know.
    pub fn learn(&mut self, rows: &[LoggedRow]) {
        self.judged.add(rows);
        if let Some(shadow) = &mut self.shadow {
            shadow.learn(rows);
        }
    }

    /// Judges the model by the rows whose true values are known, which `truths` stands for and of which those `since` a
    /// time were learned just now; the log begins with the row `first`.
    pub fn judge(&mut self, first: i64, truths: KnownTruths, since: i64) {
        self.judged.forget_before(first);
        let (level, rows) = (self.model.level, self.judged.in_order());
        self.performance = LivePerformance::of(&rows, level, &self.config);
        if let Some(shadow) = &mut self.shadow {
            shadow.judge(&rows, level);
        }
        let whole = self.judgement.as_ref().filter(|_| since > i64::MIN).map(|own| own.whole);
        self.judgement = Some(Judgement {
            truths,
            time: jiff::Timestamp::now().as_millisecond(),
            whole: whole.unwrap_or_else(Instant::now),
        });
    }

    /// What is known, at a time.
    #[must_use]
    pub fn report(&self, time: i64) -> MonitorReport {
        let performance = self.performance.clone();
        let mut alarms = self.alarms.clone();
        alarms.extend(Alarm::of_coverage(&performance, &self.model));
        alarms.sort_by_key(|alarm| alarm.time);
        let mut predictions = self.reference.predictions.clone();
        predictions.sort_by(f64::total_cmp);
        MonitorReport {
            model: self.model.clone(),
            config: self.config.clone(),
            time,
            rows: self.rows,
            first: self.first,
            last: self.last.map(|(_, time)| time),
            reference_rows: self.reference.targets.len(),
            finished: self.finished,
            windows: self.windows.clone(),
            open: self.open.len(),
            reference_prediction: quantile(&predictions, 0.5).unwrap_or(0.0),
            performance,
            expected: self.widths.expected(&self.reference),
            shadow: self.shadow.as_ref().map(Shadow::report),
            milestones: Vec::new(),
            alarms,
        }
    }
}

impl MonitorReport {
    /// Only the windows and alarms from a time on; what was spent before stays spent.
    #[must_use]
    pub fn since(mut self, time: i64) -> Self {
        self.windows.retain(|window| window.to >= time);
        self.alarms.retain(|alarm| alarm.time >= time);
        self
    }

    /// The comparisons of the newest window, column by column.
    #[must_use]
    pub fn newest(&self, watched: Watched) -> Vec<&super::Comparison> {
        let newest = self.windows.last();
        newest
            .iter()
            .flat_map(|own| &own.comparisons)
            .filter(|own| own.watched == watched)
            .collect()
    }
}
