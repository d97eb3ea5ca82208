//! What keeps a queue honest besides its jobs: a heartbeat, the parking of poison, and the sweep, which finds rows that no
//! trigger saw and forgets pictures of rows that are gone. All of it in small steps, one at a time.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    db::{Database, DbError, Parameters, Queries},
    lease::Leases,
    listener::Alarm,
    queue,
    vitals::{Capacity, Vitals},
};

/// Rows that one round of the sweep looks at.
const SWEEP_CHUNK: i32 = 500;

/// How long a claim lasts unless it is prolonged, and how often it is.
const LEASE: Duration = Duration::from_secs(60);
const HEARTBEAT: Duration = Duration::from_secs(10);
const _: () = assert!(HEARTBEAT.as_secs() * 4 < LEASE.as_secs(), "a heartbeat may be late, and another may fail");

/// How long a claim lasts unless it is prolonged, and how often it is.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// How long a claim lasts.
    pub lease: Duration,
    /// Time between two heartbeats, which prolong it.
    pub heartbeat: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self { lease: LEASE, heartbeat: HEARTBEAT }
    }
}

/// Announces a worker and returns its number.
pub async fn register(client: &impl Queries, name: &str) -> Result<i32, DbError> {
    let row = client
        .query_one(
            "INSERT INTO tintype.worker (name, version) VALUES ($1, $2) RETURNING id",
            &[&name, &env!("CARGO_PKG_VERSION")],
        )
        .await?;
    Ok(row.get(0))
}

/// Takes a worker's row away; what it could make is remembered.
pub async fn unregister(client: &impl Queries, worker: i32, capacity: Capacity) -> Result<(), DbError> {
    let Capacity { cards, pages } = capacity;
    client.execute("SELECT tintype.say_goodbye($1, $2, $3)", &[&worker, &cards, &pages]).await
}

/// Whose heartbeat it is, and which claims it prolongs.
#[derive(Debug, Clone)]
pub struct Pacemaker {
    /// `tintype.worker.id`.
    pub worker: i32,
    /// Host and process, for people.
    pub name: String,
    /// The claims under way.
    pub leases: Arc<Leases>,
    /// How fast pictures are made.
    pub vitals: Arc<Vitals>,
    /// Time between two rounds, and how long claims last from one.
    pub rhythm: Rhythm,
}

impl Pacemaker {
    /// That of a worker.
    pub fn new(worker: i32, name: &str, rhythm: Rhythm, leases: &Arc<Leases>, vitals: &Arc<Vitals>) -> Self {
        Self { worker, name: name.to_owned(), leases: Arc::clone(leases), vitals: Arc::clone(vitals), rhythm }
    }
}

/// Goes on until `stop`, but for the time in which a sleeper gives the signs of life and sees that nothing else is to do. Two roads,
/// so that a slow step of the sweep does not keep the heart from beating. A round that fails is logged, and the next one tries again.
pub async fn keep(db: &Database, pacemaker: &Pacemaker, alarm: &Alarm, stop: &CancellationToken) {
    tokio::select! {
        ((), ()) = async { tokio::join!(heart(db, pacemaker, alarm), chores(db, pacemaker.rhythm.heartbeat, alarm)) } => {}
        () = stop.cancelled() => {}
    }
}

async fn heart(db: &Database, pacemaker: &Pacemaker, alarm: &Alarm) {
    loop {
        tokio::time::sleep(pacemaker.rhythm.heartbeat).await;
        if !alarm.dozing()
            && let Err(error) = beat(db, pacemaker).await
        {
            warn!(%error, "the heartbeat failed");
        }
    }
}

async fn chores(db: &Database, every: Duration, alarm: &Alarm) {
    loop {
        tokio::time::sleep(every).await;
        if !alarm.dozing()
            && let Err(error) = chore(db).await
        {
            warn!(%error, "maintenance round failed");
        }
    }
}

async fn chore(db: &Database) -> Result<(), DbError> {
    let client = db.get().await?;
    client.execute("DELETE FROM tintype.worker WHERE seen_at < now() - interval '1 hour'", &[]).await?;
    let parked: i64 = client.query_one("SELECT tintype.park()", &[]).await?.get(0);
    if parked > 0 {
        warn!(parked, "jobs parked as failed: three workers died while drawing them");
    }
    sweep(&client).await
}

/// A sign of life, which prolongs the claims. Leases that were not prolonged end here too.
async fn beat(db: &Database, pacemaker: &Pacemaker) -> Result<(), DbError> {
    let Pacemaker { worker, name, leases, vitals, rhythm: Rhythm { lease, .. } } = pacemaker;
    let Capacity { cards, pages } = vitals.pace.capacity();
    let client = db.get().await?;
    let who: Parameters<'_> = &[worker, name, &env!("CARGO_PKG_VERSION"), &cards, &pages];
    client.execute(include_str!("../sql/queries/heartbeat.sql"), who).await?;
    let (asked, until) = (leases.tokens(), Instant::now() + *lease);
    let live = if asked.is_empty() { Vec::new() } else { queue::extend(&client, *worker, *lease, &asked).await? };
    leases.prolonged(&asked, &live, until);
    Ok(())
}

/// One step of the sweep of one source, any of those with a sweep under way or due: an hour after the last.
pub async fn sweep(client: &impl Queries) -> Result<(), DbError> {
    let Some(due) = client.query_opt(include_str!("../sql/queries/due_sweep.sql"), &[&SWEEP_CHUNK]).await? else {
        return Ok(());
    };
    let (name, marked): (String, i64) = (due.get(0), due.get(1));
    if marked > 0 {
        info!(source = name, marked, "sweep found rows that no trigger marked");
    }
    Ok(())
}
