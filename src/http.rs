//! What a worker shows over HTTP: whether it lives, its metrics, the live page, pictures on demand. It reads what worker and database
//! say and is in nobody's way: one connection of the pool at most, a bounded number of visitors, and it ends after the worker.

mod access;
mod board;
mod card;
mod demand;
mod events;
mod files;
mod front;
mod headers;
mod health;
mod line;
mod metrics;
mod page;
mod pages;
mod picture;
mod reading;
mod row;
mod secret;
mod settings;
mod tile;

use std::{io, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{Method, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::{board::Board, demand::Demand, reading::Reader};
pub use self::{
    secret::Secret,
    settings::{HttpError, Settings},
};
use crate::{db::Database, listener::Alarm, storage::Storage, studio::Studio, vitals::Vitals};

/// The longest form, and how long it may take to come and be answered.
const FORM: usize = 4 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// What there is to be shown.
pub struct Exhibits {
    /// The application's database.
    pub db: Database,
    /// Where pictures are.
    pub storage: Storage,
    /// The renderers of cards.
    pub studio: Arc<Studio>,
    /// The niceness of the threads that draw what is asked for.
    pub nice: i32,
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
    storage: Storage,
    vitals: Arc<Vitals>,
    alarm: Arc<Alarm>,
    stop: CancellationToken,
    closing: CancellationToken,
    token: Option<Secret>,
    card_secret: Option<Secret>,
    demand: Arc<Demand>,
    board: Board,
    viewers: Arc<Semaphore>,
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
    let Exhibits { db, storage, studio, nice, vitals, alarm, stop } = exhibits;
    let reader = Reader::new(db);
    let board = Board::new(reader.clone(), storage.clone(), Arc::clone(&vitals), Arc::clone(&alarm), stop.clone());
    let viewers = Arc::new(Semaphore::new(events::VIEWERS));
    let policy = headers::policy(&storage);
    let (token, card_secret) = (settings.token.clone(), settings.card_secret.clone());
    let demand = Arc::new(Demand::new(studio, nice));
    let site = Arc::new(Site {
        reader,
        storage,
        vitals,
        alarm,
        stop,
        closing: closing.clone(),
        token,
        card_secret,
        demand,
        board,
        viewers,
    });
    let mut helpers = JoinSet::new();
    let mut routes = probes();
    if !settings.probes {
        routes = routes.merge(open_to_all()).merge(behind_the_token(&site)).fallback(nothing_here);
        let (site, closing) = (Arc::clone(&site), closing.clone());
        helpers.spawn(async move { site.board.keep(&closing).await });
    }
    let routes = routes
        .layer(middleware::from_fn_with_state(policy, headers::add))
        .layer(DefaultBodyLimit::max(FORM))
        .layer(middleware::from_fn(in_time))
        .with_state(site);
    front::serve(listener, routes, closing).await;
    while helpers.join_next().await.is_some() {}
}

/// A form that does not come, or comes a letter a minute, is not waited for: it would hold a place that others want.
async fn in_time(request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let answer = tokio::time::timeout(PATIENCE, next.run(request)).await;
    answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

/// What supervisors and scrapers ask.
fn probes() -> Router<Arc<Site>> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
}

/// What the world may have: pictures, and what a page is dressed with.
fn open_to_all() -> Router<Arc<Site>> {
    Router::new()
        .route("/assets/{name}", get(files::asset))
        .route("/pictures/{*path}", get(files::picture))
        .route("/i/{source}/{file}", get(picture::picture))
        .route("/card.png", get(card::card))
        .route("/login", get(pages::login).post(pages::log_in))
}

/// What shows rows, or changes something.
fn behind_the_token(site: &Arc<Site>) -> Router<Arc<Site>> {
    Router::new()
        .route("/", get(pages::wall))
        .route("/events", get(events::events))
        .route("/row/{source}/{key}", get(row::row))
        .route("/row/{source}/{key}/retry", post(pages::retry_row))
        .route("/failures", get(pages::failures))
        .route("/failures/retry", post(pages::retry_cause))
        .route("/logout", post(pages::log_out))
        .layer(middleware::from_fn_with_state(Arc::clone(site), access::check))
}

async fn nothing_here() -> Response {
    page::message(
        StatusCode::NOT_FOUND,
        "There is no such page",
        "The wall, the failures and the pages of rows are all there is.",
    )
}
