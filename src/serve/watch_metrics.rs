//! What Prometheus is told of the log and of what was seen in it.

use prometheus_client::{
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::monitor::{AlarmKind, MonitorReport};

use super::{
    Watch,
    metrics::{FloatGauge, Labels},
};

/// Sizes of the log, drift and live performance.
#[derive(Default)]
pub(super) struct WatchMetrics {
    log: Family<Labels, Gauge>,
    windows: Gauge,
    alarms: Family<Labels, Gauge>,
    shift: Family<Labels, FloatGauge>,
    distance: Family<Labels, FloatGauge>,
    rmse: FloatGauge,
    coverage: FloatGauge,
    evidence: Family<Labels, FloatGauge>,
}

impl WatchMetrics {
    pub(super) fn register(&self, own: &mut Registry) {
        // Not nought until something is known: a rule for too low a coverage would ask for help.
        self.rmse.set(f64::NAN);
        self.coverage.set(f64::NAN);
        own.register(
            "log_rows",
            "Rows on their way into the log: waiting, written, dropped",
            self.log.clone(),
        );
        own.register(
            "monitor_windows",
            "Windows of rows that were compared with the training",
            self.windows.clone(),
        );
        own.register("monitor_alarms", "Alarms of the model, by kind", self.alarms.clone());
        own.register(
            "drift_shift",
            "Shift of the newest window's median from the training's, in standard deviations of the training",
            self.shift.clone(),
        );
        own.register(
            "drift_distance",
            "Wasserstein distance of the newest window from the training, in standard deviations of the training",
            self.distance.clone(),
        );
        own.register("live_rmse", "RMSE of the rows whose true value came back", self.rmse.clone());
        own.register("live_coverage", "Share of them within their interval", self.coverage.clone());
        own.register(
            "coverage_evidence",
            "Evidence that intervals miss too often or too seldom, as a share of what raises an alarm",
            self.evidence.clone(),
        );
    }

    /// Takes over what is known now.
    pub(super) fn set(&self, watch: &Watch) {
        let (waiting, written, dropped) = watch.counts();
        for (state, count) in
            [("waiting", waiting as i64), ("written", written as i64), ("dropped", dropped as i64)]
        {
            self.log.get_or_create(&vec![("state", state.to_owned())]).set(count);
        }
        if let Some(report) = watch.report() {
            self.set_report(&report);
        }
    }

    fn set_report(&self, report: &MonitorReport) {
        self.windows.set(report.finished as i64);
        for (kind, name) in [(AlarmKind::Drift, "drift"), (AlarmKind::Coverage, "coverage")] {
            let count = report.alarms.iter().filter(|alarm| alarm.kind == kind).count();
            self.alarms.get_or_create(&vec![("kind", name.to_owned())]).set(count as i64);
        }
        // Another model may have other columns.
        self.shift.clear();
        self.distance.clear();
        for own in report.windows.last().iter().flat_map(|window| &window.comparisons) {
            let labels =
                vec![("watched", own.watched.name().to_owned()), ("column", own.column.clone())];
            self.shift.get_or_create(&labels).set(own.shift);
            self.distance.get_or_create(&labels).set(own.wasserstein);
        }
        // Not those of a former model.
        let scores = report.performance.scores.as_ref();
        self.rmse.set(scores.map_or(f64::NAN, |own| own.rmse));
        self.coverage.set(scores.map_or(f64::NAN, |own| own.coverage));
        let coverage = &report.performance.coverage;
        let (often, seldom) = coverage.evidence();
        for (way, evidence) in [("too_often", often), ("too_seldom", seldom)] {
            let labels = vec![("misses", way.to_owned())];
            self.evidence.get_or_create(&labels).set(evidence / coverage.limit());
        }
    }
}
