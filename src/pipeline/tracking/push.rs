//! Tells MLflow of a run that is done.

use anyhow::{Context, Result, bail};

use crate::{
    pipeline::{Params, run_record::RunRecord},
    track::{Address, Delivery, Receipt},
    train::Manifest,
};

use super::{Tracked, environment, facts::RunFacts, live::server_of, results};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct PushOptions {
    /// Where runs are, and who is told.
    pub params: Params,
    /// Name of the run.
    pub name: String,
    /// URI of the server; `None` for that in the parameters, or the one that was told before.
    pub mlflow: Option<String>,
}

/// Sends what MLflow does not know yet of a finished run, tracked before or not; `on_file` hears how many of
/// all files are there. Returns the receipt, and whether there was anything to send.
///
/// # Errors
/// When there is no such run, no server is named, or it cannot be reached or refuses.
pub fn push(options: &PushOptions, on_file: &dyn Fn(usize, usize)) -> Result<(Receipt, bool)> {
    let (paths, name) = (&options.params.paths, &options.name);
    let track = options.params.track.with_environment(environment);
    let (checkpoint, report) = (paths.checkpoints.join(name), paths.reports.join(name));
    let Some(uri) = server_of(options.mlflow.clone(), &track, &checkpoint)? else {
        bail!(
            "no MLflow server is named\n\nhint: `--mlflow http://127.0.0.1:5000`, or set MLFLOW_TRACKING_URI"
        );
    };
    let address = Address::parse(&uri, environment)?;
    let manifest = Manifest::read(&checkpoint)?;
    let record = RunRecord::read(&checkpoint)?;
    let facts = RunFacts {
        name,
        provenance: &record.provenance,
        parameters: &manifest.parameters,
        data_sha256: &manifest.data_sha256,
        rows: record.rows,
        columns: &manifest.schema.features,
        target: &manifest.schema.target,
        folds: results::folds_of(&manifest),
    };
    let delivery = Delivery::new(address, facts.tracked(&track), &checkpoint)?;
    if delivery.receipt().complete {
        return Ok((delivery.receipt().clone(), false));
    }
    let journal = results::journal_of(&checkpoint)?;
    let unsent = journal.moments().get(delivery.sent()..).unwrap_or_default().to_vec();
    let tracked = Tracked::of_finished((delivery, unsent), (checkpoint, report));
    Ok((tracked.deliver(on_file).with_context(|| format!("run `{name}`"))?, true))
}
