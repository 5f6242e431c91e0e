//! The prediction service, from parameters to its end.

use std::{io::ErrorKind, net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context, Result, anyhow, bail};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    model::{Backend, BackendKind},
    serve::{Access, ModelSlot, ServedModel, Service, Watch, serve as serve_requests},
};

use super::{
    Params,
    milestones::milestones,
    model_sources::{shadow_of, source_of},
    tracking::environment,
    validate::is_url,
};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where checkpoints are, and how the service listens.
    pub params: Params,
    /// The model that answers.
    pub model: ModelChoice,
    /// URI of the MLflow server that `models:/` is asked of, instead of the one in the parameters.
    pub mlflow: Option<String>,
    /// Where predictions are computed.
    pub backend: BackendKind,
    /// Who may ask.
    pub access: Access,
    /// Folder of a checkpoint that is asked the same and answers nobody.
    pub shadow: Option<PathBuf>,
}

/// The model that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelChoice {
    /// What is in a folder.
    Checkpoint(PathBuf),
    /// The champion of a model, or of the only one that has one.
    Champion(Option<String>),
    /// A registered model on an MLflow server, e.g. `models:/massay-mass@champion`.
    Mlflow(String),
}

impl ModelChoice {
    /// The model in a folder or on an MLflow server, else the champion, of a model where one is named.
    #[must_use]
    pub fn of(checkpoint: Option<String>, champion: Option<String>) -> Self {
        match checkpoint {
            Some(uri) if uri.starts_with("models:/") => Self::Mlflow(uri),
            Some(folder) => Self::Checkpoint(folder.into()),
            None => Self::Champion(champion),
        }
    }
}

/// A service that takes requests from now on.
#[derive(Debug)]
pub struct Serving<'a> {
    /// Where it listens.
    pub address: SocketAddr,
    /// The model that answers.
    pub model: &'a ServedModel,
    /// Whether other machines reach it and need no key.
    pub is_open: bool,
}

/// Serves until the process is asked to stop (Ctrl-C or SIGTERM), then lets what is under way end.
///
/// # Errors
/// When the model cannot be read or does not predict, or the address cannot be listened at.
pub fn serve(options: ServeOptions, on_ready: &dyn Fn(&Serving<'_>)) -> Result<()> {
    let address = options.params.serve.address.clone();
    let runtime = Runtime::new().context("the service cannot start")?;
    let outcome = runtime.block_on(async {
        // Before the model is loaded: a port that is taken is known at once.
        let listener = TcpListener::bind(&address).await.map_err(|error| {
            let hint = if error.kind() == ErrorKind::AddrInUse {
                "another program listens there; `--address 127.0.0.1:0` takes any free port"
            } else {
                "an address is `HOST:PORT`, e.g. `--address 127.0.0.1:8080`"
            };
            anyhow!("cannot listen at {address}: {error}\n\nhint: {hint}")
        })?;
        let address = listener.local_addr().context("the address cannot be told")?;
        let is_open = !address.ip().is_loopback() && !options.access.needs_key();
        let log = options.params.log.clone().with_environment(environment);
        let monitor = options.params.monitor.clone().with_environment(environment);
        if !(monitor.webhook.is_empty() || is_url(&monitor.webhook)) {
            // The address itself may be a secret.
            bail!("MASSAY_WEBHOOK_URL: it is no URL, expected one that begins with https:// or http://");
        }
        let (shadow, folder) = (options.shadow.clone(), options.params.paths.checkpoints.clone());
        if shadow.is_some() && !log.is_on() {
            bail!("a shadow is asked what the log has, and `log.url` is `none`");
        }
        let mut service = tokio::task::spawn_blocking(|| service_of(options)).await??;
        if log.is_on() {
            let served = service.slot.current();
            let shadow = shadow.map(|folder| shadow_of(&folder, &served)).transpose()?;
            let watch = Watch::open(&log, monitor).await?.with_shadow(shadow);
            let watch = watch.with_milestones(move |model| milestones(&folder, model));
            service = service.with_watch(watch);
        }
        let service = Arc::new(service);
        let stop = asked_to_stop()?;
        on_ready(&Serving { address, model: &service.slot.current(), is_open });
        serve_requests(service, listener, stop).await;
        Ok(())
    });
    // A look for another model may wait for a server: nobody waits for that any more.
    runtime.shutdown_background();
    outcome
}

fn service_of(options: ServeOptions) -> Result<Service> {
    let backend = Backend::select(options.backend)?;
    let (config, access) = (options.params.serve.clone(), options.access.clone());
    let source = source_of(options, backend)?;
    match ModelSlot::open(source) {
        Ok(slot) => Ok(Service::new(slot, config, access)),
        Err(error) => bail!("{error}"),
    }
}

/// Done once the process is asked to stop.
fn asked_to_stop() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).context("signals cannot be caught")?
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}
