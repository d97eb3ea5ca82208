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

/// Goes on until `stop`, but for the time in which a sleeper gives the signs of life and sees that nothing else is to do. A round
/// that fails is logged, and the next one tries again.
pub async fn keep(db: &Database, pacemaker: &Pacemaker, alarm: &Alarm, stop: &CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(pacemaker.every) => {}
            () = stop.cancelled() => return,
        }
        if alarm.dozing() {
            continue;
        }
        tokio::select! {
            done = round(db, pacemaker) => if let Err(error) = done {
                warn!(%error, "maintenance round failed");
            },
            () = stop.cancelled() => return,
        }
    }
}

async fn round(db: &Database, pacemaker: &Pacemaker) -> Result<(), DbError> {
    let client = db.get().await?;
    beat(&client, pacemaker).await?;
    client.execute("DELETE FROM tintype.worker WHERE seen_at < now() - interval '1 hour'", &[]).await?;
    let parked: i64 = client.query_one("SELECT tintype.park()", &[]).await?.get(0);
    if parked > 0 {
        warn!(parked, "jobs parked as failed: three workers died while drawing them");
    }
    sweep(&client).await
}

/// A sign of life, which prolongs the claims. Leases that were not prolonged end here too.
async fn beat(client: &impl Queries, pacemaker: &Pacemaker) -> Result<(), DbError> {
    let Pacemaker { worker, name, leases, lease, .. } = pacemaker;
    client.execute(include_str!("../sql/queries/heartbeat.sql"), &[worker, name, &env!("CARGO_PKG_VERSION")]).await?;
    let (asked, until) = (leases.tokens(), Instant::now() + *lease);
    let live = if asked.is_empty() { Vec::new() } else { queue::extend(client, *worker, *lease).await? };
    leases.prolonged(&asked, &live, until);
    Ok(())
}

/// One step of the sweep of one source: the one under way, else the one whose last sweep is longest ago, an hour at least.
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
