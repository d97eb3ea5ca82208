//! What pages ask the database: one statement at a time, over one connection of the pool at most, each within a limit, so that however
//! many visitors there are, the worker keeps its connections. A visitor who leaves does not cut a statement short.

use std::{borrow::Cow, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, Semaphore},
    time::{Instant, timeout},
};
use tokio_postgres::Row;

use crate::db::{Database, DbError, Parameter, Queries};

/// How long a visitor waits for others' statements, and what one statement may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
const READ_ONLY: &str = "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '3s'; SET LOCAL jit = off";
const BRIEFLY: &str = "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '1s'; SET LOCAL jit = off";
const READ_WRITE: &str = "SET LOCAL statement_timeout = '10s'";

/// How old an answer may be that says whether the database is there.
const FRESH: Duration = Duration::from_secs(1);
const STALE: Duration = Duration::from_secs(10);

/// How much longer than it took to count them, what waits is not counted again: so counting takes a hundredth of a core, however much it is.
const REST: u32 = 100;

/// The longest that a count stands, so that one slow moment does not hold the figures still.
const LONGEST_REST: Duration = Duration::from_secs(15);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// Others are before us.
    #[error("too many visitors ask at once")]
    Busy,
    /// The database does not answer, or refuses.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// A value for a statement that may outlive who asks.
pub(super) type Value = Box<dyn Parameter + Sync + Send>;

/// How much there is to do, and who is there to do it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// Marks and jobs.
    pub(super) depth: i64,
    /// Seconds since the oldest of them was made.
    pub(super) oldest: f64,
    /// Those that a backfill made.
    pub(super) backfill: i64,
    /// Workers that gave a sign of life within the last minute.
    pub(super) workers: i64,
    /// Pictures of the last minute.
    pub(super) recent: i64,
}

/// The one way from pages to the database. Clones share the turn.
#[derive(Clone)]
pub(super) struct Reader {
    db: Database,
    turn: Arc<Semaphore>,
    there: Arc<Mutex<Option<(Instant, bool)>>>,
    load: Arc<Mutex<Option<(Instant, Load)>>>,
}

impl Reader {
    pub(super) fn new(db: Database) -> Self {
        Self { db, turn: Arc::new(Semaphore::new(1)), there: Arc::default(), load: Arc::default() }
    }

    /// The rows of a statement that changes nothing.
    pub(super) async fn read(
        &self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, ReadError> {
        self.ask(READ_ONLY, sql.into(), values, PATIENCE).await
    }

    /// The same for one that may take long and does not matter so much: a second, and it is cut short.
    pub(super) async fn read_briefly(
        &self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, ReadError> {
        self.ask(BRIEFLY, sql.into(), values, PATIENCE).await
    }

    /// The rows of one that may.
    pub(super) async fn change(
        &self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, ReadError> {
        self.ask(READ_WRITE, sql.into(), values, PATIENCE).await
    }

    async fn ask(
        &self,
        settings: &'static str,
        sql: Cow<'static, str>,
        values: Vec<Value>,
        patience: Duration,
    ) -> Result<Vec<Row>, ReadError> {
        let turn = timeout(patience, Arc::clone(&self.turn).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(ReadError::Busy) };
        let db = self.db.clone();
        let asking = tokio::spawn(async move {
            let _turn = turn; // until the connection is back, whether or not anybody still waits
            let mut session = db.get().await?;
            let transaction = session.transaction().await?;
            transaction.batch_execute(settings).await?;
            let values: Vec<&(dyn Parameter + Sync)> = values.iter().map(|value| &**value as _).collect();
            let rows = transaction.query(&sql, &values).await?;
            transaction.commit().await?;
            Ok(rows)
        });
        asking.await.unwrap_or_else(|panic| Err(DbError::unexpected(panic.to_string()).into()))
    }

    /// Whether the database answers, found out once a second at most.
    pub(super) async fn is_there(&self) -> bool {
        let mut known = self.there.lock().await;
        if let Some((at, there)) = *known
            && at.elapsed() < FRESH
        {
            return there;
        }
        let asked = self.ask(READ_ONLY, "SELECT 1".into(), Vec::new(), FRESH / 2).await;
        let there = match asked {
            Ok(_) => true,
            // Somebody's statement is under way: the last answer stands for a while.
            Err(ReadError::Busy) => return known.is_some_and(|(at, there)| there && at.elapsed() < STALE),
            Err(ReadError::Database(_)) => false,
        };
        *known = Some((Instant::now(), there));
        there
    }

    /// How much there is to do, counted once for all who ask within a second, less often where counting takes long.
    pub(super) async fn load(&self) -> Result<Load, ReadError> {
        let known = timeout(PATIENCE, self.load.lock()).await;
        let mut known = known.map_err(|_| ReadError::Busy)?;
        if let Some((until, load)) = *known
            && Instant::now() < until
        {
            return Ok(load);
        }
        let began = Instant::now(); // with the wait for a turn, which is why the rest has an end
        let rows =
            self.read("SELECT depth, oldest_age, backfill, workers, recent FROM tintype.load()", Vec::new()).await?;
        let row = rows.first().ok_or_else(|| DbError::unexpected("no row"))?;
        let load = Load {
            depth: row.get(0),
            oldest: row.get(1),
            backfill: row.get(2),
            workers: row.get(3),
            recent: row.get(4),
        };
        *known = Some((Instant::now() + (began.elapsed() * REST).clamp(FRESH, LONGEST_REST), load));
        Ok(load)
    }
}
