//! `tintype run`: the worker, until a signal or until there is nothing to do.

use std::sync::Arc;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Semaphore,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Context, pages};
use crate::{
    capture::Chrome,
    cli::Run,
    db::Database,
    drawing::Engines,
    error::Error,
    executor::Workshop,
    listener::Alarm,
    publish::Publisher,
    queue, source,
    storage::{Storage, StorageSettings},
    studio::Studio,
    worker::{self, Tally},
};

pub(super) async fn run(context: &Context, flags: &Run) -> Result<(), Error> {
    let stop = stop_on_signal(); // first: as process 1 of a container, a signal without a handler is ignored
    tokio::select! {
        prepared = prepare(context, flags) => {
            let (db, storage, studio) = prepared?;
            work(context, flags, (&db, storage, studio), stop).await
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
    stop: CancellationToken,
) -> Result<(), Error> {
    let (options, concurrency) = context.config.worker(flags)?;
    info!(worker = options.name, concurrency, slots = options.slots, "started");
    let engines = engines(context, flags, studio, concurrency)?;
    let chrome = engines.chrome.clone();
    let (workshop, desk) = workshop(db, storage, engines, flags.announce);
    let tally = worker::run(workshop, &options, Arc::new(Alarm::default()), stop).await;
    chrome.close().await;
    let tally = tally?;
    let _ = desk.await; // ends with the last publisher, which the worker has dropped
    info!(published = tally.published, skipped = tally.skipped, failed = tally.failed, "stopped");
    if !options.exit_when_idle {
        return Ok(());
    }
    verdict(tally, queue::postponed(&db.get().await?).await?)
}

/// Who draws for this worker.
fn engines(context: &Context, flags: &Run, studio: Studio, concurrency: usize) -> Result<Engines, Error> {
    let gallery = pages::gallery(context, &context.config.looks(&flags.looks)?, &flags.browser)?;
    let chrome = Chrome::new(context.config.pool(&flags.browser, &flags.pool)?);
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
    let workshop = Workshop { db: db.clone(), engines, storage, publisher };
    (workshop, tokio::spawn(desk))
}

fn verdict(tally: Tally, postponed: u64) -> Result<(), Error> {
    match tally.failed + postponed {
        0 => Ok(()),
        _ => Err(Error::PartlyDone { failed: tally.failed, postponed }),
    }
}

/// A token that SIGTERM or SIGINT cancels. Where a handler cannot be set, the signal ends the process as it always did.
pub(super) fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let Ok(mut signal) = signal(kind) else { continue };
        let stop = stop.clone();
        tokio::spawn(async move {
            signal.recv().await;
            info!("stopping: no new jobs");
            stop.cancel();
        });
    }
    stop
}
