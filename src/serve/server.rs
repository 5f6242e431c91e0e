//! The socket: connections in, requests to the router, and an end without broken answers.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::Request};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tower::ServiceExt;

use super::{Peer, Service, patient_stream::PatientStream, router};

/// Longest time for a client to take the next part of its answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest time for the log to take what waits, at the end.
const LOG_PATIENCE: Duration = Duration::from_secs(10);

/// Times between two looks at the log after which a look no longer gives way to answers.
const LOOKS: u32 = 3;

/// Pause after the system has refused a connection, for want of file handles mostly.
const REFUSED_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is done, then lets what is under way end, for as long as the parameters say.
pub async fn serve(service: Arc<Service>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let router = router(Arc::clone(&service));
    let connections = Arc::new(Semaphore::new(service.config.max_connections));
    let graceful = GracefulShutdown::new();
    let keep_alive = Duration::from_secs_f64(service.config.keep_alive);
    let watching = tokio::spawn(watch(Arc::clone(&service)));
    let looking = tokio::spawn(look(Arc::clone(&service)));
    // Whoever sends requests learns from `/ready` that no more should come, before none are taken.
    let mut stopped = std::pin::pin!(async {
        stop.await;
        service.leave();
        sleep(Duration::from_secs_f64(service.config.notice)).await;
    });
    loop {
        let (stream, peer, place) = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            () = &mut stopped => break,
        };
        connect(&router, (&graceful, keep_alive), (stream, peer, place));
    }
    drop(listener);
    watching.abort();
    looking.abort();
    let drain = Duration::from_secs_f64(service.config.drain);
    if timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were cut off after {} s", service.config.drain);
    }
    let lost = service.close_log(LOG_PATIENCE).await;
    if lost > 0 {
        tracing::error!("{lost} served rows could not be written to the log");
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed: there is always a place in the end.
    let place = Arc::clone(connections).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::error!("no connection can be taken: {error}");
                sleep(REFUSED_PAUSE).await;
            }
        }
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Answers the requests of one connection in a task of its own.
fn connect(
    router: &Router,
    (graceful, keep_alive): (&GracefulShutdown, Duration),
    (stream, peer, place): (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>),
) {
    // Small answers leave at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("{peer}: {error}");
    }
    let own = router.clone().map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        request
    });
    let stream = TokioIo::new(PatientStream::new(stream, PATIENCE));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Between two requests too; and who sends a head drop by drop does not keep a connection.
        .header_read_timeout(keep_alive)
        .serve_connection(stream, TowerToHyperService::new(own));
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        // A client that breaks off is no event.
        if let Err(error) = watched.await {
            tracing::debug!("{peer}: {error}");
        }
        drop(place);
    });
}

/// Looks for another model from time to time.
async fn watch(service: Arc<Service>) {
    if service.config.reload <= 0.0 {
        return;
    }
    let mut ticks = interval(Duration::from_secs_f64(service.config.reload));
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let own = Arc::clone(&service);
        // What the source says is logged and counted there; a panic, by its hook.
        let _ = tokio::task::spawn_blocking(move || own.reload(false)).await;
    }
}

/// Looks at the log from time to time.
async fn look(service: Arc<Service>) {
    let Some(watch) = service.watch.as_ref().filter(|watch| watch.config.every > 0.0) else {
        return;
    };
    let mut ticks = interval(Duration::from_secs_f64(watch.config.every));
    // Where a look takes long the next one is later, not at once.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let patience = LOOKS * ticks.period();
        if let Err(error) = watch.look_quietly(&service.slot.current(), patience).await {
            tracing::warn!("{error}");
        }
    }
}
