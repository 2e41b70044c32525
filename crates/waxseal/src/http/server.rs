//! Accepts connections and hands requests on: HTTP/1.1 with limits on the head, over TLS where the operator
//! gave certificate files, until the program is asked to stop. It reads no request itself. The way in is
//! [`run`]; a change must keep every wait for a visitor bounded.

use super::certificates::Certificates;
use super::client::{Peer, client};
use super::patience::{InTime, Patient};
use super::streams::{StreamPlace, Streams};
use crate::cli::error::CliError;
use crate::limits::{
    ACCEPT_PAUSE, CONNECTIONS_PER_VISITOR_MAX, REQUEST_BODY_WAIT, REQUEST_HEAD_OCTETS_MAX,
    REQUEST_HEAD_WAIT, REQUEST_HEADERS_MAX, SHUTDOWN_GRACE, VISITOR_HANDSHAKE, VISITOR_WRITE_WAIT,
    VISITORS_MAX,
};
use axum::Router;
use axum::body::Body;
use axum::http::HeaderMap;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

/// One address that visitors come to, and what answers there.
pub(crate) struct Door {
    listener: TcpListener,
    tls: Option<Arc<Certificates>>,
    router: Router,
}

impl Door {
    /// Begins to listen.
    ///
    /// # Errors
    /// An address that is taken or not this machine's.
    pub(crate) async fn open(
        address: SocketAddr,
        tls: Option<Arc<Certificates>>,
        router: Router,
    ) -> Result<Self, CliError> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            CliError::undetermined(format!("listen on {address}: {error}"))
                .hint("choose another address with --listen")
        })?;
        Ok(Self { listener, tls, router })
    }

    /// Where it listens; with port 0 the system chose one.
    ///
    /// # Errors
    /// Whatever the system says.
    pub(crate) fn address(&self) -> Result<SocketAddr, CliError> {
        let told = self.listener.local_addr();
        told.map_err(|error| CliError::undetermined(format!("listening address: {error}")))
    }
}

/// The places that all doors share.
#[derive(Clone)]
struct Places {
    all: Arc<Semaphore>,
    of_each: Streams,
    /// They bring the connections of many.
    proxies: Arc<[IpAddr]>,
}

/// What a connection holds while it is open.
struct Place {
    _one_of_all: OwnedSemaphorePermit,
    _one_of_the_visitor: Option<StreamPlace>,
}

impl Places {
    /// The place of a connection; none for one that is its visitor's share already.
    fn take(&self, one_of_all: OwnedSemaphorePermit, peer: Peer) -> Option<Place> {
        let is_proxy = self.proxies.contains(&peer.0.ip().to_canonical());
        let own = if is_proxy {
            None
        } else {
            Some(self.of_each.enter(client(peer, &HeaderMap::new(), &[]))?)
        };
        Some(Place { _one_of_all: one_of_all, _one_of_the_visitor: own })
    }
}

/// Serves all doors until `stop` is over, then lets open requests end.
pub(crate) async fn run(doors: Vec<Door>, proxies: &[IpAddr], stop: impl Future<Output = ()>) {
    let (stopping, stopped) = watch::channel(false);
    let places = Places {
        all: Arc::new(Semaphore::new(VISITORS_MAX)),
        of_each: Streams::new(CONNECTIONS_PER_VISITOR_MAX),
        proxies: proxies.into(),
    };
    let mut open = Vec::new();
    for door in doors {
        open.push(tokio::spawn(accept(door, places.clone(), stopped.clone())));
    }
    stop.await;
    let _ = stopping.send(true);
    for door in open {
        let _ = door.await;
    }
}

async fn accept(door: Door, places: Places, mut stopped: watch::Receiver<bool>) {
    let Door { listener, tls, router } = door;
    let graceful = GracefulShutdown::new();
    loop {
        // The semaphore is never closed, so a place always comes.
        let Ok(place) = Arc::clone(&places.all).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let Ok((stream, address)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let peer = Peer(address);
        let Some(place) = places.take(place, peer) else { continue };
        let visit = Visit { router: router.clone(), peer, _place: place };
        let watcher = graceful.watcher();
        let tls = tls.as_ref().map(|certificates| certificates.acceptor());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let stream = Patient::new(stream, VISITOR_WRITE_WAIT);
            match tls {
                None => visit.serve(stream, watcher).await,
                Some(tls) => {
                    let shaken = timeout(VISITOR_HANDSHAKE, tls.accept(stream)).await;
                    if let Ok(Ok(stream)) = shaken {
                        visit.serve(stream, watcher).await;
                    }
                }
            }
        });
    }
    drop(listener);
    let _ = timeout(SHUTDOWN_GRACE, graceful.shutdown()).await;
}

/// One connection of a visitor.
struct Visit {
    router: Router,
    peer: Peer,
    _place: Place,
}

impl Visit {
    async fn serve<S>(self, stream: S, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { router, peer, _place } = self;
        let service = tower_service(router, peer);
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(REQUEST_HEAD_WAIT)
            .max_headers(REQUEST_HEADERS_MAX)
            .max_buf_size(REQUEST_HEAD_OCTETS_MAX);
        // A connection that breaks is the visitor's affair.
        let _ = watcher.watch(builder.serve_connection(TokioIo::new(stream), service)).await;
    }
}

/// The router as hyper wants it, with the peer's address beside every request.
fn tower_service(
    router: Router,
    peer: Peer,
) -> impl hyper::service::Service<
    hyper::Request<hyper::body::Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> {
    let inner = TowerToHyperService::new(router);
    hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(|body| Body::new(InTime::new(body, REQUEST_BODY_WAIT)));
        request.extensions_mut().insert(peer);
        hyper::service::Service::call(&inner, request)
    })
}
