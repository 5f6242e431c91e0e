//! What has become of a served model, from its log.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use tokio::runtime::Builder;

use crate::{
    model::{Backend, BackendKind},
    monitor::{LogConfig, LogStore, ModelMonitor, MonitorReport, render},
    serve::{ModelIdentity, ModelSlot, Watch},
    train::write_atomically,
};

use super::{
    Params, ServeOptions,
    milestones::milestones,
    model_sources::{shadow_of, source_of},
    tracking::environment,
};

/// A look at the log.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What is known.
    pub report: MonitorReport,
    /// The page.
    pub page: PathBuf,
}

/// Looks at everything that the log has of a model, and writes the page `report.html` and `monitor.json` into
/// `folder` (where `None`: `monitor-RUN` among the reports); of windows and alarms, those from `since`
/// (milliseconds since 1970) on are shown.
///
/// # Errors
/// When the model or the log cannot be read, or nothing was served by this model.
pub fn observe(options: ServeOptions, since: i64, folder: Option<&Path>) -> Result<Observed> {
    let params = options.params.clone();
    let (model, report) = served_report(options, &mut None)?;
    if report.rows == 0 {
        bail!(
            "the log has no row that {} answered\n\nhint: `massay serve` writes it; `--set log.url=...` names \
             another",
            report.model.version
        );
    }
    let report = report.since(since);
    let usual = params.paths.reports.join(format!("monitor-{}", model.run));
    let folder = folder.map_or(usual, Path::to_owned);
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        write_atomically(&path, |file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))
    };
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    write("monitor.json", serde_json::to_string_pretty(&report)? + "\n")?;
    write("report.html", render(&report))?;
    Ok(Observed { report, page: folder.join("report.html") })
}

/// Everything that the log has of a model; where `seen` has looked at it before, it goes on from there.
pub(super) fn report_of(
    options: ServeOptions,
    seen: &mut Option<ModelMonitor>,
) -> Result<MonitorReport> {
    served_report(options, seen).map(|(_, report)| report)
}

fn served_report(
    options: ServeOptions,
    seen: &mut Option<ModelMonitor>,
) -> Result<(ModelIdentity, MonitorReport)> {
    let params = options.params.clone();
    let log = log_of(&params)?;
    let backend = Backend::select(BackendKind::Cpu)?;
    let shadow = options.shadow.clone();
    let slot = ModelSlot::open(source_of(options, backend)?)?;
    let model = slot.current();
    let shadow = shadow.map(|folder| shadow_of(&folder, &model)).transpose()?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let report = runtime.block_on(async {
        let store = LogStore::open_existing(&log.url).await?;
        let known = (&params.monitor, shadow.as_ref());
        let mut report = Watch::report_of(&store, &model, known, seen).await?;
        store.close().await;
        report.milestones = milestones(&params.paths.checkpoints, &model.identity.model);
        anyhow::Ok(report)
    })?;
    Ok((model.identity.clone(), report))
}

/// The log, which must be one.
pub(super) fn log_of(params: &Params) -> Result<LogConfig> {
    let log = params.log.clone().with_environment(environment);
    if !log.is_on() {
        bail!("`log.url` is `none`, expected the log of predictions that the service writes");
    }
    Ok(log)
}
