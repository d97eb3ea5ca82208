//! Opens one connection as libpq would: server after server, encrypted or not in the order that `sslmode` gives, with the
//! session settings that our statements count on. A pooler that refuses or forgets those is noticed, and then gets none.

use std::{
    fmt::Write as _,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinHandle;
use tokio_postgres::{
    Client, Config, Connection, Error, SimpleQueryMessage, Socket,
    config::{SslMode as Encryption, SslNegotiation},
    error::SqlState,
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    DbError,
    conninfo::{ConnInfo, Endpoint, Host},
    error::is_tls,
    tls::SslMode,
};

/// The half of a connection that moves the bytes.
pub(super) type Wire = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// The search path of our sessions; with it, whatever is not qualified is the system's own.
const SEARCH_PATH: &str = "pg_catalog,pg_temp";

/// What our statements count on besides the search path and the limits.
const SETTINGS: [(&str, &str); 9] = [
    ("client_min_messages", "warning"),
    ("timezone", "UTC"),
    ("datestyle", "ISO"),
    ("intervalstyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("jit", "off"),
    ("idle_in_transaction_session_timeout", "60000"),
    ("default_transaction_isolation", "read committed"),
];

/// A peer that says nothing for this long, although asked, is gone.
const DEAD_PEER: Duration = Duration::from_secs(30);

/// A server that has not even refused a statement this long after its time was up is gone, whatever the connection looks like.
const SILENCE: Duration = Duration::from_secs(5);

/// Limits that the server keeps for our sessions.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionLimits {
    pub(super) statement: Duration,
    pub(super) lock: Duration,
}

/// Knows how to connect, any number of times.
pub(super) struct Connector {
    pub(super) info: ConnInfo,
    tls: MakeRustlsConnect,
    /// Command-line options for the server: the user's, then ours.
    options: String,
    /// Our settings as statements for one transaction, for where the session cannot have them.
    local: String,
    patience: Duration,
    pooled: AtomicBool,
}

impl Connector {
    pub(super) fn new(info: ConnInfo, limits: SessionLimits) -> Result<Self, DbError> {
        let tls = info.tls.connector()?;
        let (statement, lock) = (limits.statement.as_millis(), limits.lock.as_millis());
        let mut options = format!(
            "{} -c search_path={SEARCH_PATH} -c statement_timeout={statement} -c lock_timeout={lock}",
            info.options.as_deref().unwrap_or_default(),
        );
        let mut local = format!(
            "SET LOCAL search_path = {SEARCH_PATH}; SET LOCAL statement_timeout = {statement}; SET LOCAL lock_timeout = {lock}"
        );
        for (name, value) in SETTINGS {
            let _ = write!(options, " -c {name}={}", value.replace(' ', "\\ "));
            let _ = write!(local, "; SET LOCAL {name} = '{value}'");
        }
        Ok(Self { info, tls, options, local, patience: limits.statement + SILENCE, pooled: AtomicBool::new(false) })
    }

    /// Whether a pooler stands between, so that the session is not ours alone and has none of our settings.
    pub(super) fn pooled(&self) -> bool {
        self.pooled.load(Ordering::Relaxed)
    }

    /// What a transaction sets for itself where the session is not ours alone.
    pub(super) fn preamble(&self) -> Option<&str> {
        self.pooled().then_some(&self.local)
    }

    /// How long a statement may go unanswered: longer than the server lets it run.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// A connection to the first server that takes it. A server that answered, but refused us, is the last that is tried;
    /// one that is only starting up or shutting down is not.
    pub(super) async fn open(&self, database: &str) -> Result<(Client, Wire), Error> {
        let mut result = self.open_at(&self.info.first, database).await;
        for endpoint in &self.info.others {
            match &result {
                Err(error) if error.code().is_none_or(|code| *code == SqlState::CANNOT_CONNECT_NOW) => {
                    result = self.open_at(endpoint, database).await;
                }
                _ => break,
            }
        }
        result
    }

    /// At most twice: encrypted and not, in the order of `sslmode`.
    async fn open_at(&self, endpoint: &Endpoint, database: &str) -> Result<(Client, Wire), Error> {
        let (wanted, other) = match (&endpoint.host, self.info.tls.mode) {
            (Host::Unix(_), _) | (_, SslMode::Disable) => (Encryption::Disable, None),
            (_, SslMode::Allow) => (Encryption::Disable, Some(Encryption::Require)),
            (_, SslMode::Prefer) => (Encryption::Prefer, Some(Encryption::Disable)),
            (_, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull) => (Encryption::Require, None),
        };
        match (self.start(endpoint, database, wanted).await, other) {
            (Err(first), Some(other)) if not_encrypted_rightly(&first) => {
                let second = self.start(endpoint, database, other).await;
                second.map_err(|second| if not_encrypted_rightly(&second) { first } else { second })
            }
            (result, _) => result,
        }
    }

    /// With our options, and without any of them where a pooler will not have them.
    async fn start(
        &self,
        endpoint: &Endpoint,
        database: &str,
        encryption: Encryption,
    ) -> Result<(Client, Wire), Error> {
        let config = self.config(endpoint, database, encryption);
        if self.pooled() {
            return config.connect(self.tls.clone()).await;
        }
        match config.clone().options(&self.options).connect(self.tls.clone()).await {
            Err(error) if refuses_options(&error) => {
                let opened = config.connect(self.tls.clone()).await?;
                self.pooled.store(true, Ordering::Relaxed);
                Ok(opened)
            }
            result => result,
        }
    }

    fn config(&self, endpoint: &Endpoint, database: &str, encryption: Encryption) -> Config {
        let info = &self.info;
        let mut config = Config::new();
        config.user(&info.user).dbname(database).application_name(&info.application_name).port(endpoint.port);
        match &endpoint.host {
            Host::Unix(folder) => config.host_path(folder),
            Host::Tcp { name, .. } => config.host(name),
        };
        if let Host::Tcp { address: Some(address), .. } = endpoint.host {
            config.hostaddr(address);
        }
        if let Some(password) = &endpoint.password {
            config.password(&password.0);
        }
        if let Some(options) = &info.options {
            config.options(options);
        }
        config
            .ssl_mode(encryption)
            .channel_binding(info.channel_binding)
            .target_session_attrs(info.target_session_attrs);
        if info.tls.direct {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        config.connect_timeout(info.connect_timeout).tcp_user_timeout(DEAD_PEER);
        config.keepalives_idle(DEAD_PEER / 2).keepalives_interval(DEAD_PEER / 6).keepalives_retries(3);
        config
    }

    /// Some poolers take our options and forget them; asks whether they hold.
    pub(super) async fn check_session(&self, client: &Client) -> Result<(), DbError> {
        let answer = client.simple_query("SHOW search_path").await?;
        let holds = answer.iter().any(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0) == Some(SEARCH_PATH),
            _ => false,
        });
        if !holds {
            self.pooled.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// What it is called when that was not enough.
    pub(super) fn timed_out(&self) -> DbError {
        DbError::Timeout { server: self.info.servers(), limit: self.limit() }
    }

    /// How long all servers together may take: each its own time to connect, and the one that answers as much to log in.
    pub(super) fn limit(&self) -> Duration {
        let steps = u32::try_from(self.info.others.len()).unwrap_or(u32::MAX).saturating_add(2);
        self.info.connect_timeout.saturating_mul(steps)
    }
}

/// Failures that may come from connecting with TLS, or from connecting without.
fn not_encrypted_rightly(error: &Error) -> bool {
    is_tls(error) || error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// As pgbouncer and its kin put it (a protocol violation), and RDS Proxy (a missing feature).
fn refuses_options(error: &Error) -> bool {
    error.code().is_some_and(|code| [SqlState::PROTOCOL_VIOLATION, SqlState::FEATURE_NOT_SUPPORTED].contains(code))
}

/// A connector as the pool knows it.
pub(super) struct PoolConnector(pub(super) Arc<Connector>);

impl deadpool_postgres::Connect for PoolConnector {
    fn connect(
        &self,
        _: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        Box::pin(async {
            let (client, wire) = self.0.open(&self.0.info.database).await?;
            // Its error also ends the statement under way, which tells it to somebody who can act on it.
            let task = tokio::spawn(async { drop(wire.await) });
            Ok((client, task))
        })
    }
}
