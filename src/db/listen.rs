//! A connection kept for LISTEN: its task forwards notifications for as long as both ends live, and what ends the connection
//! is an error of `next`. Nobody may sit in a transaction on it, or the server's queue of notifications fills up.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_postgres::{AsyncMessage, Client, Row};

use super::{Database, DbError, Parameters, Queries, connect::Wire, session::typed};

/// Notifications that wait to be read; those beyond are dropped, because the table is the truth and they are only a bell.
const WAITING: usize = 4096;

/// What somebody sent with NOTIFY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The channel it was sent to.
    pub channel: String,
    /// Its text, often empty.
    pub payload: String,
}

/// A connection that listens. Dropping it closes the connection.
#[derive(Debug)]
pub struct Subscription {
    client: Arc<Client>,
    notifications: mpsc::Receiver<Result<Notification, DbError>>,
    task: JoinHandle<()>,
    server: String,
    pooled: bool,
}

impl Subscription {
    pub(super) fn new(client: Client, wire: Wire, server: String) -> Self {
        let (sender, notifications) = mpsc::channel(WAITING);
        let task = tokio::spawn(forward(wire, sender));
        Self { client: Arc::new(client), notifications, task, server, pooled: false }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn set_pooled(&mut self, pooled: bool) {
        self.pooled = pooled;
    }

    /// Whether a pooler stands between: then nothing may ever be heard, and only polling is sure.
    #[must_use]
    pub fn pooled(&self) -> bool {
        self.pooled
    }

    /// Waits for the next notification; may be cancelled and called again without losing one. The end of the connection is
    /// an error.
    pub async fn next(&mut self) -> Result<Notification, DbError> {
        let lost = || DbError::ConnectionLost { reason: "the listening connection ended".to_owned() };
        self.notifications.recv().await.unwrap_or_else(|| Err(lost()))
    }

    /// Listens on one more channel.
    pub async fn listen(&self, channel: &str) -> Result<(), DbError> {
        self.run(&format!("LISTEN \"{}\"", channel.replace('"', "\"\"")), Duration::from_secs(10)).await
    }

    /// Proves that notifications get through, with a real one on a channel that nobody else knows, sent by another connection: a
    /// pooler in transaction mode, or an address that leads elsewhere, would take LISTEN and hear nothing.
    pub async fn prove(&mut self, db: &Database, limit: Duration) -> Result<(), DbError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let now = jiff::Timestamp::now().as_nanosecond();
        let trial = format!("tintype_trial_{}_{now}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        self.listen(&trial).await?;
        db.get().await?.execute("SELECT pg_notify($1, '')", &[&trial]).await?;
        let heard = timeout(limit, async {
            while self.next().await?.channel != trial {}
            Ok::<_, DbError>(())
        });
        if let Ok(heard) = heard.await {
            heard?;
            return self.run(&format!("UNLISTEN {trial}"), limit).await;
        }
        self.run("UNLISTEN *", limit).await?; // nothing shall stick to a session that is shared
        Err(DbError::Deaf { server: self.server.clone() })
    }

    /// The same connection for somebody who has a statement to send now and then: an answer proves that it lives.
    #[must_use]
    pub fn line(&self) -> Line {
        Line { client: Arc::clone(&self.client), server: self.server.clone() }
    }

    /// Runs statements on this connection, such as `SELECT 1` to learn whether it still lives.
    pub async fn run(&self, statements: &str, limit: Duration) -> Result<(), DbError> {
        match timeout(limit, self.client.batch_execute(statements)).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(DbError::Timeout { server: self.server.clone(), limit }),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A way to send statements over a connection that listens.
#[derive(Debug, Clone)]
pub struct Line {
    client: Arc<Client>,
    server: String,
}

impl Line {
    /// Runs a statement that gives one row.
    pub async fn query_one(&self, sql: &str, parameters: Parameters<'_>, limit: Duration) -> Result<Row, DbError> {
        match timeout(limit, self.client.query_typed(sql, &typed(parameters))).await {
            Ok(rows) => rows?.pop().ok_or_else(|| DbError::unexpected("no row")),
            Err(_) => Err(DbError::Timeout { server: self.server.clone(), limit }),
        }
    }
}

/// Reads the connection to its end. It never waits for the receiver, so that statements on the same connection get on.
async fn forward(mut wire: Wire, sender: mpsc::Sender<Result<Notification, DbError>>) {
    loop {
        let item = match poll_fn(|context| wire.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(sent))) => {
                Ok(Notification { channel: sent.channel().to_owned(), payload: sent.payload().to_owned() })
            }
            Some(Ok(_)) => continue,
            Some(Err(error)) => Err(error.into()),
            None => return,
        };
        let ended = item.is_err();
        // Full or closed: either way nobody misses what the table says too.
        let _ = sender.try_send(item);
        if ended {
            return;
        }
    }
}
