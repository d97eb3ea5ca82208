//! Statements as all of tintype sends them: unnamed, in one round trip, so that they need nothing of a session and pass any
//! pooler. Behind one, each is a transaction that sets for itself what a session of ours would have, and leaves nothing behind.

use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use deadpool_postgres::Object;
use futures_util::future::join3;
use tokio::time::timeout;
use tokio_postgres::{
    Client, Error, Row,
    types::{Json, ToSql, Type},
};

use super::{DbError, connect::Connector};

/// A type of a parameter, which the statement has to name because nobody asks the server for it.
pub trait Typed {
    /// What Postgres calls it.
    const SQL: Type;
}

macro_rules! typed {
    ($($rust:ty => $sql:ident),* $(,)?) => { $(impl Typed for $rust { const SQL: Type = Type::$sql; })* };
}

typed! {
    bool => BOOL, i16 => INT2, i32 => INT4, i64 => INT8, f64 => FLOAT8, str => TEXT, String => TEXT, Vec<String> => TEXT_ARRAY,
    Vec<i64> => INT8_ARRAY, Cow<'_, str> => TEXT,
}

impl<T> Typed for Json<T> {
    const SQL: Type = Type::JSONB;
}

impl<T: Typed> Typed for Option<T> {
    const SQL: Type = T::SQL;
}

impl<T: Typed + ?Sized> Typed for &T {
    const SQL: Type = T::SQL;
}

/// A value for a parameter of a statement.
pub trait Parameter: ToSql {
    /// What Postgres calls its type.
    fn sql_type(&self) -> Type;
}

impl<T: ToSql + Typed> Parameter for T {
    fn sql_type(&self) -> Type {
        T::SQL
    }
}

/// The values for a statement's `$1`, `$2` …
pub type Parameters<'a> = &'a [&'a (dyn Parameter + Sync)];

/// What takes statements: a [`Session`], or a [`Transaction`] on one.
pub trait Queries: Sync {
    /// Runs a statement and returns its rows.
    fn query(&self, sql: &str, parameters: Parameters<'_>) -> impl Future<Output = Result<Vec<Row>, DbError>> + Send;

    /// Runs statements without parameters; all of them happen, or none.
    fn batch_execute(&self, sql: &str) -> impl Future<Output = Result<(), DbError>> + Send;

    /// Runs a statement that gives one row, or none.
    fn query_opt(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> impl Future<Output = Result<Option<Row>, DbError>> + Send {
        async move {
            let mut rows = self.query(sql, parameters).await?;
            let row = rows.pop();
            if rows.is_empty() { Ok(row) } else { Err(DbError::unexpected("more rows than one")) }
        }
    }

    /// Runs a statement that gives one row.
    fn query_one(&self, sql: &str, parameters: Parameters<'_>) -> impl Future<Output = Result<Row, DbError>> + Send {
        async move { self.query_opt(sql, parameters).await?.ok_or_else(|| DbError::unexpected("no row")) }
    }

    /// Runs a statement whose rows do not matter.
    fn execute(&self, sql: &str, parameters: Parameters<'_>) -> impl Future<Output = Result<(), DbError>> + Send {
        async move { self.query(sql, parameters).await.map(drop) }
    }
}

/// A connection out of the pool, to which it goes back. One that let a statement wait for too long is closed instead.
pub struct Session {
    client: Option<Object>,
    connector: Arc<Connector>,
    silent: AtomicBool,
}

impl Session {
    pub(super) fn new(client: Object, connector: Arc<Connector>) -> Self {
        Self { client: Some(client), connector, silent: AtomicBool::new(false) }
    }

    pub(super) fn client(&self) -> Result<&Client, DbError> {
        self.client.as_deref().map(|wrapper| &**wrapper).ok_or_else(gone)
    }

    /// Begins a transaction; dropping it takes everything back.
    pub async fn transaction(&mut self) -> Result<Transaction<'_>, DbError> {
        let settings = self.connector.preamble();
        let transaction = self.client.as_mut().ok_or_else(gone)?.transaction().await?;
        if let Some(settings) = settings {
            transaction.batch_execute(settings).await?;
        }
        Ok(Transaction { inner: transaction })
    }

    /// `work`, which sends one statement when it is first polled, within a transaction where the session's settings are not ours.
    async fn settled<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, DbError> {
        let client = self.client()?;
        let Some(settings) = self.connector.preamble() else { return Ok(work.await?) };
        // All three are under way before the first is answered. COMMIT after a failure is a rollback.
        let start = format!("BEGIN ISOLATION LEVEL READ COMMITTED; {settings}");
        let (started, done, ended) = join3(client.batch_execute(&start), work, client.batch_execute("COMMIT")).await;
        started?;
        let done = done?;
        ended?;
        Ok(done)
    }
}

impl Queries for Session {
    async fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, DbError> {
        let client = self.client()?;
        let limit = self.connector.patience();
        let answer = timeout(limit, self.settled(client.query_typed(sql, &typed(parameters)))).await;
        answer.unwrap_or_else(|_| {
            self.silent.store(true, Ordering::Relaxed);
            Err(DbError::Timeout { server: self.connector.info.servers(), limit })
        })
    }

    async fn batch_execute(&self, sql: &str) -> Result<(), DbError> {
        self.settled(self.client()?.batch_execute(sql)).await
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.silent.load(Ordering::Relaxed) {
            drop(self.client.take().map(Object::take));
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").finish_non_exhaustive()
    }
}

/// A transaction on a [`Session`].
pub struct Transaction<'a> {
    inner: deadpool_postgres::Transaction<'a>,
}

impl Transaction<'_> {
    /// Makes what was done stay.
    pub async fn commit(self) -> Result<(), DbError> {
        Ok(self.inner.commit().await?)
    }

    /// Takes everything back.
    pub async fn rollback(self) -> Result<(), DbError> {
        Ok(self.inner.rollback().await?)
    }
}

impl Queries for Transaction<'_> {
    async fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, DbError> {
        Ok(self.inner.query_typed(sql, &typed(parameters)).await?)
    }

    async fn batch_execute(&self, sql: &str) -> Result<(), DbError> {
        Ok(self.inner.batch_execute(sql).await?)
    }
}

pub(super) fn typed(parameters: Parameters<'_>) -> Vec<(&(dyn ToSql + Sync), Type)> {
    parameters.iter().map(|&value| (value as &(dyn ToSql + Sync), value.sql_type())).collect()
}

fn gone() -> DbError {
    DbError::ConnectionLost { reason: "it was closed".to_owned() }
}
