//! `tintype run`: the worker, until a signal or until there is nothing to do.

use std::{sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::Semaphore,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Context, pages};
use crate::{
    capture::{self, Chrome},
    cli::Run,
    db::Database,
    drawing::Engines,
    error::Error,
    executor::Workshop,
    http::{self, Exhibits},
    install,
    listener::Alarm,
    publish::Publisher,
    queue, source,
    storage::{Storage, StorageSettings},
    studio::Studio,
    worker::{self, Tally},
};

/// What a worker that is told to stop does.
pub(super) const NO_NEW_JOBS: &str = "no new jobs";

/// How long a page's job waits for a turn of its host before it gives its place to the pages of others.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn run(context: &Context, flags: &Run) -> Result<(), Error> {
    let stop = stop_on_signal(NO_NEW_JOBS); // first: as process 1 of a container, a signal without a handler is ignored
    let shown = match context.config.http(&flags.http)? {
        Some(settings) => Some((listen(&settings).await?, settings)),
        None => None,
    };
    tokio::select! {
        prepared = prepare(context, flags) => {
            let (db, storage, studio) = prepared?;
            work(context, flags, (&db, storage, studio), shown, stop).await
        }
        () = stop.cancelled() => Ok(()),
    }
}

/// Finds out what is wrong with database, store or looks before anything is claimed.
async fn prepare(context: &Context, flags: &Run) -> Result<(Database, Storage, Studio), Error> {
    let studio = Studio::new(context.config.looks(&flags.looks)?, flags.scale, context.config.format(flags.format)?);
    let settings = context.config.storage(&flags.storage)?;
    refuse_file_urls(&settings)?;
    let storage = Storage::open(&settings).await?;
    let db = context.installed().await?;
    try_storage(&storage).await?;
    for trouble in source::policy_troubles(&db.get().await?, None).await? {
        warn!(hint = trouble.hint, "{}", trouble.words);
    }
    Ok((db, storage, studio))
}

async fn work(
    context: &Context,
    flags: &Run,
    (db, storage, studio): (&Database, Storage, Studio),
    shown: Option<(TcpListener, http::Settings)>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let (options, concurrency) = context.config.worker(flags)?;
    info!(worker = options.name, concurrency, slots = options.slots, "started");
    let engines = engines(context, flags, studio, concurrency)?;
    let chrome = engines.chrome.clone();
    let (workshop, desk) = workshop(db, storage, engines, flags.announce);
    let alarm = Arc::new(Alarm::default());
    let closing = CancellationToken::new();
    let visitors = shown.map(|(listener, settings)| {
        let exhibits = exhibits(&workshop, &alarm, &stop);
        tokio::spawn(http::serve(listener, settings, exhibits, closing.clone()))
    });
    let tally = worker::run(workshop, &options, alarm, stop).await;
    closing.cancel(); // after the worker's end: until then its drain can be watched
    if let Some(visitors) = visitors {
        let _ = visitors.await;
    }
    chrome.close().await;
    let tally = match tally {
        Ok(tally) => tally,
        Err(error) => {
            install::require(&db.get().await?).await?; // which says it as it would have at the start
            return Err(error.into());
        }
    };
    let _ = desk.await; // ends with the last publisher, which the worker has dropped
    info!(published = tally.published, skipped = tally.skipped, failed = tally.failed, "stopped");
    if !options.exit_when_idle {
        return Ok(());
    }
    verdict(tally, queue::postponed(&db.get().await?).await?)
}

/// What a worker has to show.
pub(super) fn exhibits(workshop: &Workshop, alarm: &Arc<Alarm>, stop: &CancellationToken) -> Exhibits {
    Exhibits {
        db: workshop.db.clone(),
        storage: workshop.storage.clone(),
        studio: Arc::clone(&workshop.engines.studio),
        nice: workshop.engines.nice,
        vitals: Arc::clone(&workshop.vitals),
        alarm: Arc::clone(alarm),
        stop: stop.clone(),
    }
}

/// Takes the address that is served at.
pub(super) async fn listen(settings: &http::Settings) -> Result<TcpListener, Error> {
    let address = settings.addresses.first().map(ToString::to_string).unwrap_or_default();
    let listener = http::open(settings).await.map_err(|error| Error::Listen { address, error })?;
    if let Ok(address) = listener.local_addr() {
        info!(%address, "serving");
    }
    Ok(listener)
}

/// Who draws for this worker.
fn engines(context: &Context, flags: &Run, studio: Studio, concurrency: usize) -> Result<Engines, Error> {
    let gallery = pages::gallery(context, &context.config.looks(&flags.looks)?, &flags.browser)?;
    let pool = context.config.pool(&flags.browser, &flags.pool)?;
    let chrome = Chrome::new(capture::Settings { nice: flags.nice, patience: Some(PATIENCE), ..pool });
    let easels = Arc::new(Semaphore::new(concurrency));
    Ok(Engines { studio: Arc::new(studio), easels, nice: flags.nice, chrome, gallery })
}

/// URLs that only this machine can open are nothing to write into rows.
fn refuse_file_urls(settings: &StorageSettings) -> Result<(), Error> {
    if settings.url.starts_with("s3://") || settings.public_base_url.is_some() {
        return Ok(());
    }
    Err(Error::Config {
        what: format!("how does the world reach the pictures in {}?", settings.url),
        hint: "--public-base-url https://cdn.example/og, or /og for URLs without a host".to_owned(),
    })
}

/// Stores a small text once, so that a wrong bucket or key shows now; a store that is only away may come back later.
async fn try_storage(storage: &Storage) -> Result<(), Error> {
    match storage.probe().await {
        Err(error) if error.is_configuration() => Err(error.into()),
        Err(error) => {
            warn!(%error, "the store does not answer; pictures will wait for it");
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

/// Everything a worker works with. The handle is the publisher's desk, which ends after the worker.
pub(super) fn workshop(
    db: &Database,
    storage: Storage,
    engines: Engines,
    announce: bool,
) -> (Workshop, JoinHandle<()>) {
    let (publisher, desk) = Publisher::new(db.clone(), announce);
    let workshop = Workshop { db: db.clone(), engines, storage, publisher, vitals: Arc::default() };
    (workshop, tokio::spawn(desk))
}

fn verdict(tally: Tally, postponed: u64) -> Result<(), Error> {
    match tally.failed + postponed {
        0 => Ok(()),
        _ => Err(Error::PartlyDone { failed: tally.failed, postponed }),
    }
}

/// A token that SIGTERM or SIGINT cancels, with words for the log. Where a handler cannot be set, the signal ends the process as it always did.
pub(super) fn stop_on_signal(words: &'static str) -> CancellationToken {
    let stop = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let Ok(mut signal) = signal(kind) else { continue };
        let stop = stop.clone();
        tokio::spawn(async move {
            signal.recv().await;
            info!("stopping: {words}");
            stop.cancel();
        });
    }
    stop
}
