//! Sleeping without missing the bell. Work that is committed before the bell is up would ring nobody, so the sleeper sets the
//! bell first, waits for every transaction that may have read it before, looks once more, and only then listens. The other
//! half of the handshake is the trigger (`sql/functions/21_statements.sql`), the flag itself `sql/functions/40_bell.sql`.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::{
    db::{Database, DbError, Line, Parameters, Queries},
    listener::{Alarm, CHANNEL},
    queue::{self, Outlook},
    vitals::Capacity,
};

/// How long a sleeper trusts the bell before it looks for itself: together with what the look needs, twice a minute.
const FALLBACK: Duration = Duration::from_secs(28);

/// How long the bell stays up without being renewed: what a dead sleeper costs the host.
const BELL: Duration = Duration::from_secs(35);

/// How long that look may take, before the connection that listens counts as dead.
const ANSWER: Duration = Duration::from_secs(5);

/// Pauses between two looks while nobody would ring, because no connection listens or the host may use two-phase commit: they double with
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

/// Who sleeps, and how deep.
#[derive(Debug, Clone)]
pub struct Sleeper<'a> {
    /// `tintype.worker.id`.
    pub worker: i32,
    /// Host and process, for people.
    pub name: &'a str,
    /// What it could make if it were awake.
    pub capacity: Capacity,
    /// How long it trusts the bell.
    pub fallback: Duration,
    /// How long the bell stays up without being renewed, longer than that.
    pub bell: Duration,
}

impl<'a> Sleeper<'a> {
    /// One that sleeps as deep as workers do.
    #[must_use]
    pub fn new(worker: i32, name: &'a str) -> Self {
        Self { worker, name, capacity: Capacity::default(), fallback: FALLBACK, bell: BELL }
    }
}

/// Sleeps until there is work. Cancel safe: follow it with [`wake`] in any case.
pub async fn until_work(db: &Database, alarm: &Alarm, sleeper: &Sleeper<'_>) -> Result<Sleep, DbError> {
    let (mut poll, mut may_ring) = (FIRST_POLL, true);
    loop {
        // Each time anew: another worker may have taken the bell down and left since.
        let rings = if may_ring && alarm.connected() { raise(db, alarm, sleeper).await? } else { None };
        let outlook = if let Some(outlook) = rings {
            outlook
        } else {
            alarm.note_dozing(false);
            may_ring &= !alarm.connected(); // it would be heard, but the host may use two-phase commit
            queue::outlook(&db.get().await?).await?
        };
        if outlook.work {
            return Ok(Sleep::Work);
        }
        let patience = if rings.is_some() { sleeper.fallback } else { poll };
        poll = (poll * 2).min(LAST_POLL);
        let patience = outlook.next_due.map_or(patience, |due| due.min(patience));
        let _ = timeout(patience, alarm.rung()).await;
    }
}

/// Takes the bell down where this worker has set it: whoever is awake polls, and needs no notification.
pub async fn wake(db: &Database, alarm: &Alarm) -> Result<(), DbError> {
    alarm.note_dozing(false);
    if alarm.note_bell(false) { set_bell(db, Duration::ZERO).await } else { Ok(()) }
}

/// Sets the bell, which only a worker that would hear it does, waits for the marks of those who may have read it before, and looks
/// ahead; `None` where the bell cannot ring.
async fn raise(db: &Database, alarm: &Alarm, sleeper: &Sleeper<'_>) -> Result<Option<Outlook>, DbError> {
    alarm.note_bell(true);
    let line = alarm.line();
    let doze = doze(db, line.as_ref(), sleeper).await;
    if matches!(doze, Err(DbError::Timeout { .. })) && line.is_some() {
        alarm.hang_up();
    }
    let doze = doze?;
    alarm.note_dozing(doze.up && !doze.chores && doze.in_flight.is_empty() && line.is_some());
    if !doze.up {
        return Ok(None);
    }
    if doze.in_flight.is_empty() || doze.outlook.work {
        return Ok(Some(doze.outlook));
    }
    outlast(db, &doze.in_flight, sleeper).await.map(Some)
}

/// What one statement says to a sleeper.
struct Doze {
    up: bool,
    in_flight: Vec<String>,
    outlook: Outlook,
    chores: bool,
}

/// Sets the bell and gives a sign of life: over the connection that listens, which is proved by it, else over any.
async fn doze(db: &Database, line: Option<&Line>, sleeper: &Sleeper<'_>) -> Result<Doze, DbError> {
    let sql = include_str!("../sql/queries/doze.sql");
    let seconds = queue::seconds(sleeper.bell);
    let Capacity { cards, pages } = sleeper.capacity;
    let who: Parameters<'_> = &[&sleeper.worker, &sleeper.name, &env!("CARGO_PKG_VERSION"), &seconds, &cards, &pages];
    let row = match line {
        Some(line) => line.query_one(sql, who, ANSWER).await?,
        None => db.get().await?.query_one(sql, who).await?,
    };
    Ok(Doze {
        up: row.get("up"),
        in_flight: row.get("in_flight"),
        outlook: Outlook::of(&row),
        chores: row.get("chores"),
    })
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

async fn set_bell(db: &Database, time: Duration) -> Result<(), DbError> {
    db.get().await?.execute("SELECT tintype.set_bell($1)", &[&queue::seconds(time)]).await
}

/// Waits until every one of the transactions that had written a mark has ended, or until there is work.
async fn outlast(db: &Database, before: &[String], sleeper: &Sleeper<'_>) -> Result<Outlook, DbError> {
    let (began, mut renewed) = (Instant::now(), Instant::now());
    loop {
        let held = marks_in_flight(db).await?.iter().any(|transaction| before.contains(transaction));
        let outlook = queue::outlook(&db.get().await?).await?;
        if outlook.work || !held {
            return Ok(outlook);
        }
        if renewed.elapsed() > sleeper.fallback {
            set_bell(db, sleeper.bell).await?;
            renewed = Instant::now();
        }
        sleep(if began.elapsed() < Duration::from_secs(1) { SHORT_LOOK } else { LONG_LOOK }).await;
    }
}

async fn marks_in_flight(db: &Database) -> Result<Vec<String>, DbError> {
    Ok(db.get().await?.query_one("SELECT tintype.marks_in_flight()", &[]).await?.get(0))
}
