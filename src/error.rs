//! What can go wrong in a command, a variant a situation: each has one line that names the thing, a hint with the next command
//! to try, and an exit code.

use std::path::PathBuf;

use crate::{
    capture::CaptureError, card::CardError, db::DbError, http::HttpError, scratch::ScratchError, storage::StorageError,
};

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database, or what it said of a table.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The renderer.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The browser, or the page.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// What would be served cannot be, or should not.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The demo's own Postgres.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// There is no schema `tintype`.
    #[error("tintype is not installed in this database")]
    NotInstalled,
    /// The schema is older than this program.
    #[error("schema tintype is at migration {have} and lacks {lacks}, which this program needs")]
    SchemaBehind {
        /// The last migration applied.
        have: i32,
        /// The first migration that was not.
        lacks: &'static str,
    },
    /// The schema is newer than this program.
    #[error("schema tintype is at migration {have}, this program only knows {want}")]
    SchemaAhead {
        /// The last migration applied.
        have: i32,
        /// The last migration known.
        want: i32,
    },
    /// A setting is missing or cannot be used.
    #[error("{what}")]
    Config {
        /// What is wrong, and with which setting.
        what: String,
        /// What to set.
        hint: String,
    },
    /// The command line asks for something that cannot be.
    #[error("{what}")]
    Usage {
        /// What cannot be.
        what: String,
        /// What to type instead.
        hint: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// No address to serve on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Host and port.
        address: String,
        /// Why not.
        error: std::io::Error,
    },
    /// The async runtime could not be started.
    #[error("cannot start: {0}")]
    Runtime(std::io::Error),
    /// A part of the program failed in a way it should not.
    #[error("internal error: {0}")]
    Panicked(String),
    /// The role that installs may not create roles.
    #[error("role {role} may not create the roles, or may not join them")]
    RolesDenied {
        /// What an administrator has to run.
        sql: String,
        /// The role that was refused.
        role: String,
    },
    /// The roles could not be dropped.
    #[error("the roles stay: {error}")]
    RolesStay {
        /// What an administrator has to run.
        sql: String,
        /// What Postgres said.
        error: DbError,
    },
    /// The post calls for no picture.
    #[error("nothing to draw: {0}")]
    Nothing(String),
    /// The healthcheck found nobody at work.
    #[error("no worker has been seen in this database for a minute")]
    NoWorker,
    /// The doctor found something.
    #[error("found {}, {}", counted(*errors, "error"), counted(*warnings, "warning"))]
    Found {
        /// What keeps pictures from being made.
        errors: usize,
        /// What somebody should know.
        warnings: usize,
    },
    /// Some rows have no picture.
    #[error("{failed} rows have no picture, {postponed} wait for another attempt")]
    PartlyDone {
        /// Rows recorded as failed.
        failed: u64,
        /// Rows that will be tried again.
        postponed: u64,
    },
}

/// `1 error`, `2 errors`.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

impl Error {
    /// What a person can do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Db(error) => error.hint(),
            Self::Storage(error) => error.hint(),
            Self::Card(CardError::UnknownLook { .. } | CardError::UnknownTheme { .. }) => Some(
                "tintype render --list-looks and --list-themes show what there is; --looks DIR adds looks of your own"
                    .to_owned(),
            ),
            Self::Card(CardError::UnknownTemplate { .. }) => Some(
                "tintype render --list-templates shows what there is; --looks DIR adds templates of your own".to_owned(),
            ),
            Self::Card(CardError::Look(_)) => {
                Some("docs/LOOKS.md explains every key of a look, docs/TEMPLATES.md what a template may hold".to_owned())
            }
            Self::Capture(error) => error.trouble.hint(),
            Self::Http(error) => Some(error.hint()),
            Self::Scratch(error) => error.hint().map(str::to_owned),
            Self::NotInstalled | Self::SchemaBehind { .. } => {
                Some("tintype install (or tintype install --print-sql, to see what that would do)".to_owned())
            }
            Self::SchemaAhead { .. } => {
                Some("use the tintype that brought it: SELECT version FROM tintype.instance".to_owned())
            }
            Self::Config { hint, .. } | Self::Usage { hint, .. } => Some(hint.clone()),
            Self::Card(_) | Self::File { .. } | Self::Runtime(_) | Self::Panicked(_) | Self::Nothing(_) => None,
            Self::Listen { .. } => Some("--http 127.0.0.1:PORT names another".to_owned()),
            Self::RolesDenied { role, .. } => Some(format!(
                "have an administrator run the SQL that was printed, then as {role} this again"
            )),
            Self::RolesStay { .. } => Some(
                "have an administrator run the SQL that was printed, in each database where they own or may do something after DROP OWNED BY them"
                    .to_owned(),
            ),
            Self::Found { .. } => Some("under each finding stands what mends it; tintype doctor --json has the same for scripts".to_owned()),
            Self::NoWorker => Some("start one with tintype run".to_owned()),
            Self::PartlyDone { .. } => Some("tintype status shows the last reason, SELECT key, reason FROM tintype.image WHERE state = 'failed' all; tintype retry tries again".to_owned()),
        }
    }

    /// 1 failed, 2 wrong usage, 3 configuration, 4 partly done.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Db(error) if error.is_usage() => 2,
            Self::Db(error) if error.is_configuration() => 3,
            Self::Storage(error) if error.is_configuration() => 3,
            Self::Capture(error) if error.trouble.is_configuration() => 3,
            Self::Card(
                CardError::UnknownLook { .. } | CardError::UnknownTheme { .. } | CardError::UnknownTemplate { .. },
            )
            | Self::Usage { .. } => 2,
            Self::Card(CardError::Look(_))
            | Self::Http(_)
            | Self::Scratch(_)
            | Self::NotInstalled
            | Self::SchemaBehind { .. }
            | Self::SchemaAhead { .. }
            | Self::RolesDenied { .. }
            | Self::RolesStay { .. }
            | Self::Found { .. }
            | Self::Config { .. } => 3,
            Self::Db(_)
            | Self::Storage(_)
            | Self::Card(_)
            | Self::Capture(_)
            | Self::File { .. }
            | Self::Listen { .. }
            | Self::Runtime(_)
            | Self::Panicked(_)
            | Self::Nothing(_)
            | Self::NoWorker => 1,
            Self::PartlyDone { .. } => 4,
        }
    }
}
