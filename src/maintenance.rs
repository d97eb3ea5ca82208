//! What keeps a queue honest besides its jobs: a heartbeat, the parking of poison, and the sweep, which finds rows that no
//! trigger saw and forgets pictures of rows that are gone. All of it in small steps, one at a time.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    db::{Database, DbError, Queries},
    lease::Leases,
    listener::Alarm,
    queue,
};

/// Rows that one round of the sweep looks at.
const SWEEP_CHUNK: i32 = 500;

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

/// Takes a worker's row away.
pub async fn unregister(client: &impl Queries, worker: i32) -> Result<(), DbError> {
    client.execute("DELETE FROM tintype.worker WHERE id = $1", &[&worker]).await?;
    Ok(())
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
    /// Time between two rounds.
    pub every: Duration,
    /// How long claims last from a round.
    pub lease: Duration,
}

/// Goes on until `stop`, but for the time in which a sleeper gives the signs of life and sees that nothing else is to do. Two roads,
/// so that a slow step of the sweep does not keep the heart from beating. A round that fails is logged, and the next one tries again.
pub async fn keep(db: &Database, pacemaker: &Pacemaker, alarm: &Alarm, stop: &CancellationToken) {
    tokio::select! {
        ((), ()) = async { tokio::join!(heart(db, pacemaker, alarm), chores(db, pacemaker.every, alarm)) } => {}
        () = stop.cancelled() => {}
    }
}

async fn heart(db: &Database, pacemaker: &Pacemaker, alarm: &Alarm) {
    loop {
        tokio::time::sleep(pacemaker.every).await;
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
    let Pacemaker { worker, name, leases, lease, .. } = pacemaker;
    let client = db.get().await?;
    client.execute(include_str!("../sql/queries/heartbeat.sql"), &[worker, name, &env!("CARGO_PKG_VERSION")]).await?;
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
