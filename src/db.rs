//! Connections as libpq's users expect them: a URL or keywords, the `PG*` variables, `sslmode` in all its meanings. Gives a
//! small pool and connections that listen; each error is a situation with a hint.

mod connect;
mod conninfo;
mod error;
mod libpq;
mod listen;
mod parse;
mod session;
mod tls;

use std::{fmt, sync::Arc, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType};
use tokio::time::timeout;

use self::{
    connect::{Connector, PoolConnector, SessionLimits},
    conninfo::ConnInfo,
};
pub use self::{
    error::DbError,
    libpq::LibpqEnv,
    listen::{Line, Notification, Subscription},
    session::{Parameter, Parameters, Queries, Session, Transaction, Typed},
};

/// Where to connect, and how much.
#[derive(Clone)]
pub struct ConnectSettings {
    /// A URL or `keyword=value` pairs; without it the surroundings decide, as for `psql` without arguments.
    pub url: Option<String>,
    /// Another one for listening, where `url` leads through a pooler.
    pub listen_url: Option<String>,
    /// How many connections there are at most, those that listen aside.
    pub pool_size: usize,
    /// What `pg_stat_activity` shows, unless the URL or `PGAPPNAME` says otherwise.
    pub application_name: String,
    /// The longest that a statement may take.
    pub statement_timeout: Duration,
    /// The longest that a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// The longest that [`Database::get`] waits while all connections are in use.
    pub pool_timeout: Duration,
}

impl Default for ConnectSettings {
    fn default() -> Self {
        Self {
            url: None,
            listen_url: None,
            pool_size: 3,
            application_name: "tintype".to_owned(),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(2),
            pool_timeout: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for ConnectSettings {
    /// Without the URLs, which may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConnectSettings")
            .field("pool_size", &self.pool_size)
            .field("application_name", &self.application_name)
            .field("statement_timeout", &self.statement_timeout)
            .field("lock_timeout", &self.lock_timeout)
            .finish_non_exhaustive()
    }
}

/// How the settings want the way to the server protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encryption {
    /// libpq's `sslmode`.
    pub mode: &'static str,
    /// The way never leaves this machine.
    pub local: bool,
    /// A certificate is checked wherever there is encryption.
    pub verified: bool,
}

impl Encryption {
    /// What that means, for a person.
    #[must_use]
    pub fn words(&self) -> String {
        let meaning = match self.mode {
            _ if self.local => return "it does not leave this machine".to_owned(),
            "disable" => "never encrypted",
            "allow" => "encrypted only where the server insists",
            "prefer" => "encrypted where the server can",
            "require" if self.verified => "always encrypted, and the certificate leads to a root that was named",
            "require" => "always encrypted, and nobody's certificate is checked",
            "verify-ca" => "always encrypted, and the certificate leads to a trusted root",
            _ => "always encrypted, and the certificate is the host's own",
        };
        format!("sslmode={} means: {meaning}", self.mode)
    }
}

/// A database that can be reached. Clones share the pool.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    pool_timeout: Duration,
    connector: Arc<Connector>,
    listener: Arc<Connector>,
}

impl Database {
    /// Connects once, so that what is wrong with the settings shows now.
    pub async fn connect(settings: &ConnectSettings, env: &LibpqEnv) -> Result<Self, DbError> {
        let limits = SessionLimits { statement: settings.statement_timeout, lock: settings.lock_timeout };
        let connector = |url: Option<&str>| {
            let info = ConnInfo::resolve(url, env, &settings.application_name)?;
            Ok::<_, DbError>(Arc::new(Connector::new(info, limits)?))
        };
        let main = connector(settings.url.as_deref())?;
        let listener = match &settings.listen_url {
            Some(url) => connector(Some(url))?,
            None => Arc::clone(&main),
        };
        let pool = pool(&main, settings)?;
        let database = Self { pool, pool_timeout: settings.pool_timeout, connector: main, listener };
        match database.get().await {
            Ok(session) => database.connector.check_session(session.client()?).await?,
            Err(DbError::NoSuchDatabase { server, name, .. }) => {
                let nearest = database.nearest(&name).await;
                return Err(DbError::NoSuchDatabase { server, name, nearest });
            }
            Err(error) => return Err(error),
        }
        Ok(database)
    }

    /// A connection out of the pool, a new one where all are in use and there may be more.
    pub async fn get(&self) -> Result<Session, DbError> {
        let client = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => DbError::from_attempt(error, &self.connector.info),
            PoolError::Timeout(TimeoutType::Wait) => {
                DbError::PoolExhausted { size: self.pool.status().max_size, limit: self.pool_timeout }
            }
            PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => self.connector.timed_out(),
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                DbError::ConnectionLost { reason: "the pool is closed".to_owned() }
            }
        })?;
        Ok(Session::new(client, Arc::clone(&self.connector)))
    }

    /// Whether listening makes sense at all. Through a pooler that shares sessions LISTEN hears nothing and would stick to a
    /// session that the host's application gets next; a URL that was given for listening is taken at its word, and tried.
    #[must_use]
    pub fn may_listen(&self) -> bool {
        !(Arc::ptr_eq(&self.listener, &self.connector) && self.pooled())
    }

    /// Whether the connection that listens is as good as any other: it leads where all the others do, and shares nothing.
    #[must_use]
    pub fn listens_at_home(&self) -> bool {
        Arc::ptr_eq(&self.listener, &self.connector) && !self.pooled()
    }

    /// A connection of its own that listens on a channel.
    pub async fn listen(&self, channel: &str) -> Result<Subscription, DbError> {
        let connector = &self.listener;
        let opened = timeout(connector.limit(), connector.open(&connector.info.database)).await;
        let (client, wire) = opened
            .map_err(|_| connector.timed_out())?
            .map_err(|error| DbError::from_attempt(error, &connector.info))?;
        let mut subscription = Subscription::new(client, wire, connector.info.servers());
        connector.check_session(subscription.client()).await?;
        subscription.set_pooled(connector.pooled());
        subscription.listen(channel).await?;
        Ok(subscription)
    }

    /// Whether a pooler stands between, which shares sessions and so has none of our session settings: each statement then
    /// sets them for itself.
    #[must_use]
    pub fn pooled(&self) -> bool {
        self.connector.pooled()
    }

    /// How the way there is protected, as far as the settings decide.
    #[must_use]
    pub fn encryption(&self) -> Encryption {
        let info = &self.connector.info;
        Encryption { mode: info.tls.mode.word(), local: info.is_local(), verified: info.tls.is_verified() }
    }

    /// What this is, for a person: `blog on db.example.com:5432 as ada`.
    #[must_use]
    pub fn describe(&self) -> String {
        let info = &self.connector.info;
        format!("{} on {} as {}", info.database, info.servers(), info.user)
    }

    /// A database of nearly this name on the same server, where that can be found out quickly.
    async fn nearest(&self, name: &str) -> Option<String> {
        let names = timeout(Duration::from_secs(2), async {
            let (client, wire) = self.connector.open("postgres").await.ok()?;
            let query = async move {
                let rows = client
                    .query_typed("SELECT datname::text FROM pg_database WHERE datallowconn AND NOT datistemplate", &[]);
                rows.await.ok()
            };
            futures_util::future::join(query, wire).await.0
        });
        let rows = names.await.ok()??;
        let names = rows.iter().filter_map(|row| row.try_get::<_, String>(0).ok());
        let nearest = names.min_by_key(|known| strsim::damerau_levenshtein(known, name))?;
        let close_enough = strsim::damerau_levenshtein(&nearest, name) <= 1 + name.chars().count() / 4;
        close_enough.then_some(nearest)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Database({})", self.describe())
    }
}

fn pool(connector: &Arc<Connector>, settings: &ConnectSettings) -> Result<Pool, DbError> {
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let unused = tokio_postgres::Config::new();
    let manager = Manager::from_connect(unused, PoolConnector(Arc::clone(connector)), recycling);
    Pool::builder(manager)
        .max_size(settings.pool_size.max(1))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(settings.pool_timeout))
        .create_timeout(Some(connector.limit()))
        .build()
        .map_err(|error| DbError::BadUrl { what: error.to_string() })
}
