//! The front door: connections come in, requests go to the router. So many connections at once and no more, a limit for each
//! request's head and for a visitor who does not read, and a graceful end, so that visitors cost the worker nothing but a few file descriptors.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::line::Line;

/// How many connections there are at once; others wait before the door.
const CONNECTIONS: usize = 256;

/// How long a request's head may take, and so how long a connection may be idle; and how long it may read nothing of its answer.
const IDLE: Duration = Duration::from_secs(15);

/// How large it may be.
const HEAD_BYTES: usize = 16 * 1024;

/// How long answers may take after the door was closed.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long to wait where no connection can be taken, for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// The first of the addresses that can be listened on.
pub(super) async fn bind(addresses: &[SocketAddr]) -> io::Result<TcpListener> {
    TcpListener::bind(addresses).await
}

/// Serves until `closing`; returns when no connection is left.
pub(super) async fn serve(listener: TcpListener, router: Router, closing: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut visits = JoinSet::new();
    loop {
        while visits.try_join_next().is_some() {}
        let (stream, place) = tokio::select! {
            visitor = accept(&listener, &places) => visitor,
            () = closing.cancelled() => break,
        };
        visits.spawn(visit(stream, place, router.clone(), closing.clone()));
    }
    drop(listener);
    let _ = timeout(GOODBYE, async { while visits.join_next().await.is_some() {} }).await;
    visits.shutdown().await;
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn visit(stream: TcpStream, _place: Option<OwnedSemaphorePermit>, router: Router, closing: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let line = TokioIo::new(Line::new(stream, IDLE));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(HEAD_BYTES);
    let mut connection = pin!(builder.serve_connection(line, TowerToHyperService::new(router)));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = closing.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
