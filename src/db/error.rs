//! What can go wrong with a database, a variant a situation: said so that a person knows what to do, and sorted so that a
//! worker knows whether to try again.

mod causes;

use std::{error::Error as _, io, path::PathBuf, time::Duration};

use tokio_postgres::error::{DbError as ServerError, SqlState};

pub(super) use self::causes::is_tls;
use self::causes::{Failed, cause, certificate_problem, in_full, what_failed};
use super::{conninfo::ConnInfo, tls::SslMode};

/// Why there is no connection, or no answer.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The connection string cannot be used. It may hold a password and so is never shown.
    #[error("the database URL cannot be used: {what}")]
    BadUrl {
        /// What is wrong with it.
        what: String,
    },
    /// A certificate or key cannot be used.
    #[error("cannot use {}: {reason}", path.display())]
    TlsFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Nobody answers there.
    #[error("cannot reach Postgres at {server}: {reason}")]
    Unreachable {
        /// Host and port, or the socket.
        server: String,
        /// What the system said.
        reason: String,
    },
    /// The server does not know this password.
    #[error("Postgres at {server} refuses the password of `{user}`")]
    WrongPassword {
        /// Host and port.
        server: String,
        /// The role.
        user: String,
    },
    /// The server wants a password and none is known.
    #[error("Postgres at {server} asks for a password of `{user}`, and none is given")]
    PasswordMissing {
        /// Host and port.
        server: String,
        /// The role.
        user: String,
    },
    /// There is no such role.
    #[error("Postgres at {server} has no role `{user}`")]
    NoSuchRole {
        /// Host and port.
        server: String,
        /// The role.
        user: String,
    },
    /// There is no such database.
    #[error("Postgres at {server} has no database `{name}`")]
    NoSuchDatabase {
        /// Host and port.
        server: String,
        /// The database that was asked for.
        name: String,
        /// One of nearly the same name.
        nearest: Option<String>,
    },
    /// `pg_hba.conf` or a privilege keeps this user out.
    #[error("Postgres at {server} refuses the connection: {message}")]
    Refused {
        /// Host and port.
        server: String,
        /// What the server said.
        message: String,
    },
    /// TLS is required here and the server has none.
    #[error("Postgres at {server} offers no TLS, and sslmode requires it")]
    TlsRefused {
        /// Host and port.
        server: String,
    },
    /// The server does not let this user in without TLS, and `sslmode` forbids TLS.
    #[error("Postgres at {server} refuses a connection without TLS: {message}")]
    TlsRequired {
        /// Host and port.
        server: String,
        /// What the server said.
        message: String,
    },
    /// The server's certificate does not pass the checks of `sslmode`.
    #[error("the certificate of Postgres at {server} does not pass: {reason}")]
    CertificateInvalid {
        /// Host and port.
        server: String,
        /// Which check failed.
        reason: String,
    },
    /// The handshake failed for another reason.
    #[error("the TLS handshake with Postgres at {server} failed: {reason}")]
    TlsFailed {
        /// Host and port.
        server: String,
        /// What the handshake said.
        reason: String,
    },
    /// All of the server's connection slots are taken.
    #[error("Postgres at {server} has no free connection: {message}")]
    TooManyConnections {
        /// Host and port.
        server: String,
        /// What the server said.
        message: String,
    },
    /// The server is starting, stopping or recovering.
    #[error("Postgres at {server} takes no connections now: {message}")]
    NotAccepting {
        /// Host and port.
        server: String,
        /// What the server said.
        message: String,
    },
    /// Nothing came back in time.
    #[error("Postgres at {server} did not answer within {limit:?}")]
    Timeout {
        /// Host and port.
        server: String,
        /// How long was waited.
        limit: Duration,
    },
    /// All of our own connections were in use for too long.
    #[error("all {size} connections were in use for {limit:?}")]
    PoolExhausted {
        /// How many there are.
        size: usize,
        /// How long was waited.
        limit: Duration,
    },
    /// The connection ended under a statement, or while waiting for notifications.
    #[error("the connection to Postgres was lost: {reason}")]
    ConnectionLost {
        /// What ended it.
        reason: String,
    },
    /// Notifications do not reach the connection that listens.
    #[error("LISTEN at {server} hears nothing")]
    Deaf {
        /// Host and port.
        server: String,
    },
    /// This role has no rights in schema `tintype`.
    #[error("role {role} may not look into schema tintype")]
    Denied {
        /// The role.
        role: String,
        /// Who owns the schema.
        owner: String,
        /// A role whose members may, where `install --roles` made one.
        worker: Option<String>,
    },
    /// The functions of schema `tintype` answered something that this program does not know.
    #[error("schema tintype answered {what}, which this program does not understand")]
    Unexpected {
        /// The answer.
        what: String,
    },
    /// The server refused a statement.
    #[error("{}", in_full(.0))]
    Query(tokio_postgres::Error),
}

impl DbError {
    /// An answer that nobody foresaw.
    pub(crate) fn unexpected(what: impl Into<String>) -> Self {
        Self::Unexpected { what: what.into() }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::BadUrl { .. } => {
                "it looks like postgres://USER:PASSWORD@HOST:5432/DATABASE, with `/ ? @ : #` in a password percent-encoded".into()
            }
            Self::Unreachable { .. } => "is the server running, and are host and port right? Try `pg_isready`".into(),
            Self::PasswordMissing { .. } => "put it into the URL, PGPASSWORD or ~/.pgpass".into(),
            Self::NoSuchRole { user, .. } => format!("create it with `createuser {user}`, or name another in the URL"),
            Self::NoSuchDatabase { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::NoSuchDatabase { name, .. } => format!("create it with `createdb {name}`, or name another in the URL"),
            Self::Refused { .. } => "pg_hba.conf on the server says who may connect from where".into(),
            Self::TlsRefused { .. } => {
                "turn `ssl` on at the server; only where the network between is trusted, set sslmode=disable".into()
            }
            Self::TlsRequired { .. } => "set sslmode=require, or better verify-full with sslrootcert".into(),
            Self::CertificateInvalid { .. } => {
                "name the right host, and the authority that signed the certificate with sslrootcert=FILE (or `system`)".into()
            }
            Self::TooManyConnections { .. } => "lower --connections, or raise max_connections".into(),
            Self::PoolExhausted { .. } => "raise --connections, or lower --concurrency".into(),
            Self::Deaf { .. } => "it has to lead to the server itself or a pool in session mode, and to the same database".into(),
            Self::Denied { role, worker: Some(worker), .. } => format!("GRANT {worker} TO {role};   -- as an administrator"),
            Self::Denied { role, owner, worker: None } => {
                format!("tintype install --roles   # as {owner}; then: GRANT tintype_worker TO {role};")
            }
            Self::Unexpected { .. } => "tintype install brings the schema's functions to this version".into(),
            Self::TlsFile { .. }
            | Self::WrongPassword { .. }
            | Self::TlsFailed { .. }
            | Self::NotAccepting { .. }
            | Self::Timeout { .. }
            | Self::ConnectionLost { .. } => return None,
            Self::Query(error) => return error.as_db_error().and_then(advice),
        })
    }

    /// Whether the same request may well succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TooManyConnections { .. }
            | Self::NotAccepting { .. }
            | Self::Timeout { .. }
            | Self::PoolExhausted { .. }
            | Self::Deaf { .. }
            | Self::ConnectionLost { .. } => true,
            Self::BadUrl { .. }
            | Self::TlsFile { .. }
            | Self::WrongPassword { .. }
            | Self::PasswordMissing { .. }
            | Self::NoSuchRole { .. }
            | Self::NoSuchDatabase { .. }
            | Self::Refused { .. }
            | Self::TlsRefused { .. }
            | Self::TlsRequired { .. }
            | Self::CertificateInvalid { .. }
            | Self::TlsFailed { .. }
            | Self::Denied { .. }
            | Self::Unexpected { .. } => false,
            Self::Query(error) => error.code().is_some_and(passes),
        }
    }

    /// The server's error code, where the server answered a statement with one.
    #[must_use]
    pub fn sql_state(&self) -> Option<&SqlState> {
        match self {
            Self::Query(error) => error.code(),
            _ => None,
        }
    }

    /// Whether a lock of others was in the way: for too long, or they waited for one of ours as well.
    #[must_use]
    pub fn is_lock_trouble(&self) -> bool {
        let states = [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED];
        self.sql_state().is_some_and(|state| states.contains(state))
    }

    /// Whether a person has to bring something back that was there before: schema `tintype`, a right, a login.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        const TAKEN_AWAY: [SqlState; 5] = [
            SqlState::INVALID_SCHEMA_NAME,
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_FUNCTION,
            SqlState::UNDEFINED_COLUMN,
            SqlState::INSUFFICIENT_PRIVILEGE,
        ];
        match self {
            Self::Query(error) => error.code().is_some_and(|code| TAKEN_AWAY.contains(code)),
            // A way that breaks off in the middle of a handshake is told as this.
            Self::Unexpected { .. } | Self::TlsFailed { .. } => false,
            error => !error.is_transient(),
        }
    }

    /// Whether it was asked for something that is not there or cannot be: a table, a column, a condition.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        const ASKED_AMISS: [SqlState; 8] = [
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_COLUMN,
            SqlState::UNDEFINED_OBJECT,
            SqlState::DATATYPE_MISMATCH,
            SqlState::WRONG_OBJECT_TYPE,
            SqlState::INVALID_PARAMETER_VALUE,
            SqlState::AMBIGUOUS_ALIAS,
            SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
        ];
        self.sql_state().is_some_and(|state| ASKED_AMISS.contains(state))
    }

    /// Whether a person has to change a setting or a right before it can work.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Query(error) => error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE),
            error => !error.is_transient(),
        }
    }

    /// Sorts what came of an attempt to connect.
    pub(super) fn from_attempt(error: tokio_postgres::Error, info: &ConnInfo) -> Self {
        let server = info.servers();
        if let Some(answer) = error.as_db_error() {
            return Self::from_refusal(answer, info).unwrap_or(Self::Query(error));
        }
        match (what_failed(&error), cause(&error)) {
            (Failed::Tls, reason) if reason == NO_TLS => Self::TlsRefused { server },
            (Failed::Tls, reason) => match certificate_problem(&error) {
                Some(reason) => Self::CertificateInvalid { server, reason },
                None => Self::TlsFailed { server, reason },
            },
            (Failed::Connect, reason) => Self::Unreachable { server, reason },
            (Failed::Password, _) => Self::PasswordMissing { server, user: info.user.clone() },
            (Failed::Other, _) => Self::from(error),
        }
    }

    fn from_refusal(answer: &ServerError, info: &ConnInfo) -> Option<Self> {
        let (server, user, message) = (info.servers(), info.user.clone(), answer.message().to_owned());
        Some(match *answer.code() {
            SqlState::INVALID_PASSWORD => Self::WrongPassword { server, user },
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION if message.ends_with("does not exist") => {
                Self::NoSuchRole { server, user }
            }
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION
                if info.tls.mode == SslMode::Disable && UNENCRYPTED.iter().any(|end| message.ends_with(end)) =>
            {
                Self::TlsRequired { server, message }
            }
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION | SqlState::INSUFFICIENT_PRIVILEGE => {
                Self::Refused { server, message }
            }
            SqlState::UNDEFINED_DATABASE => Self::NoSuchDatabase { server, name: info.database.clone(), nearest: None },
            SqlState::TOO_MANY_CONNECTIONS => Self::TooManyConnections { server, message },
            SqlState::CANNOT_CONNECT_NOW => Self::NotAccepting { server, message },
            _ => return None,
        })
    }
}

impl From<tokio_postgres::Error> for DbError {
    /// Sorts what came of a statement.
    fn from(error: tokio_postgres::Error) -> Self {
        let lost = error.is_closed() || error.source().is_some_and(<dyn std::error::Error>::is::<io::Error>);
        let ended = error.code().is_some_and(|code| ENDED.contains(code));
        if lost || ended {
            return Self::ConnectionLost { reason: cause(&error) };
        }
        Self::Query(error)
    }
}

/// The server's own hint; where a right is missing and it has none, who could give it.
fn advice(answer: &ServerError) -> Option<String> {
    if answer.hint().is_some() || *answer.code() != SqlState::INSUFFICIENT_PRIVILEGE {
        return answer.hint().map(str::to_owned);
    }
    let database = answer.message().strip_prefix("permission denied for database ");
    Some(database.map_or_else(
        || "as the role that installed tintype, or a member of one that tintype install --roles makes: docs/ROLES.md".to_owned(),
        |database| format!("GRANT CREATE ON DATABASE {database} TO …;   -- the role that installs; or install as the database's owner"),
    ))
}

/// The server ended the session: shut down by its administrator, after a crash, with its database, or idle for too long.
const ENDED: [SqlState; 4] =
    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::DATABASE_DROPPED, SqlState::IDLE_SESSION_TIMEOUT];

/// Codes behind which nothing is wrong with the statement: conflicts, limits, lost servers, a standby that became primary.
fn passes(code: &SqlState) -> bool {
    let class = code.code().get(..2).unwrap_or_default();
    matches!(class, "08" | "40" | "53")
        || ENDED.contains(code)
        || [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::QUERY_CANCELED,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::READ_ONLY_SQL_TRANSACTION,
        ]
        .contains(code)
}

/// How the server ends its refusal of a connection without TLS, today and up to version 13.
const UNENCRYPTED: [&str; 2] = ["no encryption", "SSL off"];

/// What tokio-postgres says where the server declines TLS.
const NO_TLS: &str = "server does not support TLS";
