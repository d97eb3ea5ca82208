//! What a worker shows over HTTP: whether it lives, its metrics, the live page, pictures on demand. It reads what worker and database
//! say and is in nobody's way: one connection of the pool at most, a bounded number of visitors, and it ends after the worker.

mod front;
mod health;
mod metrics;
mod reading;
mod secret;
mod settings;

use std::{io, sync::Arc};

use axum::{Router, routing::get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::reading::Reader;
pub use self::{
    secret::Secret,
    settings::{HttpError, Settings},
};
use crate::{db::Database, listener::Alarm, vitals::Vitals};

/// What there is to be shown.
pub struct Exhibits {
    /// The application's database.
    pub db: Database,
    /// The worker's signs of life.
    pub vitals: Arc<Vitals>,
    /// Whether it hears the bell.
    pub alarm: Arc<Alarm>,
    /// Tells the worker to stop.
    pub stop: CancellationToken,
}

/// What every answer may need.
struct Site {
    reader: Reader,
    vitals: Arc<Vitals>,
    alarm: Arc<Alarm>,
    stop: CancellationToken,
}

/// Listens; nothing is answered yet.
///
/// # Errors
/// Where the address is taken, or not this machine's.
pub async fn open(settings: &Settings) -> io::Result<TcpListener> {
    front::bind(&settings.addresses).await
}

/// Answers until `closing`, which comes after the worker's end.
pub async fn serve(listener: TcpListener, settings: Settings, exhibits: Exhibits, closing: CancellationToken) {
    let Exhibits { db, vitals, alarm, stop } = exhibits;
    let site = Arc::new(Site { reader: Reader::new(db), vitals, alarm, stop });
    let routes = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .with_state(site);
    front::serve(listener, routes, closing).await;
}
