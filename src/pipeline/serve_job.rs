//! The prediction service, from parameters to its end.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, bail};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    model::{Backend, BackendKind},
    serve::{Access, ModelSlot, ServedModel, Service, serve as serve_requests},
};

use super::{Params, model_sources::source_of};

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
}

/// The model that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelChoice {
    /// What is in a folder.
    Checkpoint(std::path::PathBuf),
    /// The champion of a model, or of the only one that has one.
    Champion(Option<String>),
    /// A registered model on an MLflow server, e.g. `models:/massay-mass@champion`.
    Mlflow(String),
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
        let listener = TcpListener::bind(&address).await.with_context(|| {
            format!(
                "cannot listen at {address}\n\nhint: `--address 127.0.0.1:0` takes any free port"
            )
        })?;
        let address = listener.local_addr().context("the address cannot be told")?;
        let is_open = !address.ip().is_loopback() && !options.access.needs_key();
        let service = tokio::task::spawn_blocking(|| service_of(options)).await??;
        let stop = asked_to_stop()?;
        on_ready(&Serving { address, model: &service.slot.current(), is_open });
        serve_requests(service, listener, stop).await;
        Ok(())
    });
    // A look for another model may wait for a server: nobody waits for that any more.
    runtime.shutdown_background();
    outcome
}

fn service_of(options: ServeOptions) -> Result<Arc<Service>> {
    let backend = Backend::select(options.backend)?;
    let (config, access) = (options.params.serve.clone(), options.access.clone());
    let source = source_of(options, backend)?;
    match ModelSlot::open(source) {
        Ok(slot) => Ok(Arc::new(Service::new(slot, config, access))),
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
