//! The stage: a Postgres of the bench's own that commits durably, databases with a table of posts as a small blog has it, and
//! `tintype run` as a process beside it.

use std::fs;

use tempfile::TempDir;
use tintype::{scratch::Scratch, storage::StorageSettings};

use super::server::{self, Database, RUN, Worker, cpu};

/// As a server is set up: commits are flushed, autovacuum runs. The log tells who said what, where somebody is listened to.
const SETTINGS: [(&str, &str); 6] = [
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("synchronous_commit", "on"),
    ("shared_buffers", "512MB"),
    ("max_wal_size", "4GB"),
    ("log_line_prefix", "%u "),
];

/// The role that workers connect as.
pub(crate) const WORKER: &str = "tintype_worker";

const POSTS: &str = "CREATE TABLE posts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text, body text NOT NULL, author text DEFAULT 'Ada Lovelace', og_image_url text,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp())";

/// The running server.
pub(crate) struct Stage {
    scratch: Scratch,
}

impl Stage {
    /// Starts the server; ends the process with a hint where it cannot be started.
    pub(crate) fn set() -> Self {
        Self { scratch: server::start(&SETTINGS) }
    }

    /// The server's log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.scratch.log()).expect("the server's log")
    }

    /// A new database with a table of posts that is watched; `options` are more arguments of `tintype.attach`.
    pub(crate) async fn blog(&self, name: &str, options: &str) -> Blog {
        let db = Database::create(&self.scratch, name).await;
        db.run(&tintype::install::up(&[])).await;
        db.run(POSTS).await;
        db.run(&format!("SELECT tintype.attach('posts'{options})")).await;
        if db.number(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{WORKER}'")).await < 1.0 {
            db.run(&format!("CREATE ROLE {WORKER} LOGIN SUPERUSER")).await;
        }
        Blog { db, folder: tempfile::tempdir().expect("a folder") }
    }
}

/// A database with posts, and a folder for their pictures.
pub(crate) struct Blog {
    pub(crate) db: Database,
    folder: TempDir,
}

impl Blog {
    /// Waits until no mark and no job is left.
    pub(crate) async fn until_done(&self) {
        let done = "SELECT (NOT EXISTS (SELECT FROM tintype.change) AND NOT EXISTS (SELECT FROM tintype.job))::integer";
        self.db.until("all is drawn", done).await;
    }

    /// Waits until a worker sleeps: only then the bell is up.
    pub(crate) async fn until_asleep(&self) {
        let asleep = "SELECT (last_value > extract(epoch FROM clock_timestamp()))::integer FROM tintype.bell";
        self.db.until("the worker sleeps", asleep).await;
    }

    /// Starts a worker; returns once it is at work. Without settings it stores its pictures in the blog's folder.
    pub(crate) async fn work(&self, arguments: &[&str], storage: Option<&StorageSettings>) -> Worker {
        let mut command = self.db.program(Some(WORKER), &RUN);
        match storage {
            None => command.arg(self.folder.path().join("pictures")),
            Some(settings) => {
                let keys = settings.credentials.as_ref().expect("keys of the bucket");
                let endpoint = settings.endpoint_url.as_deref().expect("the server's address");
                command.env("AWS_ACCESS_KEY_ID", &keys.id).env("AWS_SECRET_ACCESS_KEY", &keys.secret);
                command.env("AWS_ENDPOINT_URL_S3", endpoint).arg(&settings.url)
            }
        };
        command.args(arguments);
        self.db.work(command).await
    }

    /// Seconds of CPU that the server's processes of one role have taken so far, those that are still there.
    pub(crate) async fn cpu_of_role(&self, role: &str) -> f64 {
        let rows = self.db.client.query("SELECT pid FROM pg_stat_activity WHERE usename = $1", &[&role]).await;
        rows.expect("who is connected").iter().map(|row| cpu(row.get::<_, i32>(0).unsigned_abs())).sum()
    }
}
