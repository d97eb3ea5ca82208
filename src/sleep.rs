//! Sleeping without missing the bell. Work that is committed before the bell is up would ring nobody, so the sleeper sets the
//! bell first, waits for every transaction that may have read it before, looks once more, and only then listens. The other
//! half of the handshake is the trigger (`sql/functions/21_statements.sql`), the flag itself `sql/functions/40_bell.sql`.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::{
    db::{Database, DbError, Queries},
    listener::{Alarm, CHANNEL},
    queue,
};

/// How long the bell stays up without being renewed: what a dead sleeper costs the host.
const BELL_SECONDS: i32 = 15;

/// How long a sleeper trusts the bell before it looks for itself.
const FALLBACK: Duration = Duration::from_secs(5);

/// The same while nobody would ring, because no connection listens or the host may use two-phase commit: the pause doubles with
/// each look that finds nothing, from the first to the last of these.
const FIRST_POLL: Duration = Duration::from_millis(100);
const LAST_POLL: Duration = Duration::from_secs(1);

/// Pauses between two looks at the transactions that may still commit a mark unseen: short at first, then patient.
const SHORT_LOOK: Duration = Duration::from_millis(5);
const LONG_LOOK: Duration = Duration::from_millis(250);

/// Why a sleep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sleep {
    /// There is work.
    Work,
    /// Somebody wants the worker to do something else.
    Interrupted,
}

/// Sleeps until there is work. Cancel safe: follow it with [`wake`] in any case.
pub async fn until_work(db: &Database, alarm: &Alarm) -> Result<Sleep, DbError> {
    let mut poll = FIRST_POLL;
    loop {
        // Each time anew: another worker may have taken the bell down and left since.
        let up = alarm.connected() && raise(db, alarm).await?;
        if up && outlast_marks(db).await? {
            return Ok(Sleep::Work);
        }
        let outlook = queue::outlook(&db.get().await?).await?;
        if outlook.work {
            return Ok(Sleep::Work);
        }
        let patience = if up { FALLBACK } else { poll };
        poll = (poll * 2).min(LAST_POLL);
        let patience = outlook.next_due.map_or(patience, |due| due.min(patience));
        let _ = timeout(patience, alarm.rung()).await;
    }
}

/// Takes the bell down where this worker has set it: whoever is awake polls, and needs no notification.
pub async fn wake(db: &Database, alarm: &Alarm) -> Result<(), DbError> {
    if alarm.note_bell(false) { set_bell(db, 0).await.map(drop) } else { Ok(()) }
}

/// Sets the bell, which only a worker that would hear it does.
async fn raise(db: &Database, alarm: &Alarm) -> Result<bool, DbError> {
    alarm.note_bell(true);
    set_bell(db, BELL_SECONDS).await
}

/// Wakes the other workers, bell or no bell: for one that has more to do than it can, or that leaves.
pub async fn rouse_others(db: &Database, worker: i32) -> Result<(), DbError> {
    db.get()
        .await?
        .execute(
            "SELECT pg_notify($1, '') WHERE EXISTS (SELECT FROM tintype.worker WHERE id <> $2)",
            &[&CHANNEL, &worker],
        )
        .await?;
    Ok(())
}

/// Whether the bell is up now.
async fn set_bell(db: &Database, seconds: i32) -> Result<bool, DbError> {
    Ok(db.get().await?.query_one("SELECT tintype.set_bell($1)", &[&seconds]).await?.get(0))
}

/// Waits until every transaction that had written a mark when this began has ended; true as soon as there is work.
async fn outlast_marks(db: &Database) -> Result<bool, DbError> {
    let before = marks_in_flight(db).await?;
    let (began, mut renewed) = (Instant::now(), Instant::now());
    while !before.is_empty() && marks_in_flight(db).await?.iter().any(|transaction| before.contains(transaction)) {
        if queue::outlook(&db.get().await?).await?.work {
            return Ok(true);
        }
        if renewed.elapsed() > FALLBACK {
            set_bell(db, BELL_SECONDS).await?;
            renewed = Instant::now();
        }
        sleep(if began.elapsed() < Duration::from_secs(1) { SHORT_LOOK } else { LONG_LOOK }).await;
    }
    Ok(false)
}

async fn marks_in_flight(db: &Database) -> Result<Vec<String>, DbError> {
    Ok(db.get().await?.query_one("SELECT tintype.marks_in_flight()", &[]).await?.get(0))
}
