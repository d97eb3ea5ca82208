//! The stage: a Postgres of the bench's own that commits durably, databases with a table of posts as a small blog has it, and
//! `tintype run` as a process beside it.

use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tintype::{
    scratch::{Scratch, ScratchOptions},
    storage::StorageSettings,
};
use tokio::process::{Child, Command};
use tokio_postgres::{Client, NoTls};

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

/// The longest that anything is waited for.
const LIMIT: Duration = Duration::from_secs(300);

/// The running server.
pub(crate) struct Stage {
    scratch: Scratch,
}

impl Stage {
    /// Starts the server; ends the process with a hint where it cannot be started.
    pub(crate) fn set() -> Self {
        let settings = SETTINGS.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let programs = std::env::var_os("TINTYPE_PG_BIN").map(PathBuf::from);
        let options = ScratchOptions { programs, search_path: std::env::var_os("PATH"), settings };
        let scratch = Scratch::start(&options).unwrap_or_else(|error| {
            eprintln!("{error}\n{}", error.hint().unwrap_or_default());
            std::process::exit(1);
        });
        Self { scratch }
    }

    /// The server's log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.scratch.log()).expect("the server's log")
    }

    /// A new database with a table of posts that is watched; `options` are more arguments of `tintype.attach`.
    pub(crate) async fn blog(&self, name: &str, options: &str) -> Blog {
        self.scratch.create_database(name).await.expect("a database");
        let url = self.scratch.url(name);
        let client = connect(&url).await;
        let blog = Blog { url, client, folder: tempfile::tempdir().expect("a folder") };
        blog.run(&tintype::install::up(&[])).await;
        blog.run(POSTS).await;
        blog.run(&format!("SELECT tintype.attach('posts'{options})")).await;
        if blog.number(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{WORKER}'")).await < 1.0 {
            blog.run(&format!("CREATE ROLE {WORKER} LOGIN SUPERUSER")).await;
        }
        blog
    }
}

/// A database with posts, and a connection to it.
pub(crate) struct Blog {
    url: String,
    pub(crate) client: Client,
    folder: TempDir,
}

impl Blog {
    /// One more connection.
    pub(crate) async fn connect(&self) -> Client {
        connect(&self.url).await
    }

    /// How it is reached.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements.
    pub(crate) async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// One number.
    pub(crate) async fn number(&self, sql: &str) -> f64 {
        let row = self.client.query_one(&format!("SELECT ({sql})::float8"), &[]).await;
        row.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
    }

    /// Waits until a number is above nothing; how soon that is seen does not matter.
    pub(crate) async fn until(&self, what: &str, sql: &str) {
        let asked = Instant::now();
        while self.number(sql).await <= 0.0 {
            assert!(asked.elapsed() < LIMIT, "still waiting: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until no mark and no job is left.
    pub(crate) async fn until_done(&self) {
        let done = "SELECT (NOT EXISTS (SELECT FROM tintype.change) AND NOT EXISTS (SELECT FROM tintype.job))::integer";
        self.until("all is drawn", done).await;
    }

    /// Waits until a worker sleeps: only then the bell is up.
    pub(crate) async fn until_asleep(&self) {
        let asleep = "SELECT (last_value > extract(epoch FROM clock_timestamp()))::integer FROM tintype.bell";
        self.until("the worker sleeps", asleep).await;
    }

    /// Starts a worker; returns once it is at work. Without settings it stores its pictures in a folder.
    pub(crate) async fn work(&self, arguments: &[&str], storage: Option<&StorageSettings>) -> Worker {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tintype"));
        command.args(["run", "--log", "error", "--public-base-url", "https://cdn.example/og"]).args(arguments);
        command.env("DATABASE_URL", self.url.replacen("postgres@", &format!("{WORKER}@"), 1));
        match storage {
            None => command.arg("--storage").arg(self.folder.path().join("pictures")),
            Some(settings) => {
                let keys = settings.credentials.as_ref().expect("keys of the bucket");
                let endpoint = settings.endpoint_url.as_deref().expect("the server's address");
                command.env("AWS_ACCESS_KEY_ID", &keys.id).env("AWS_SECRET_ACCESS_KEY", &keys.secret);
                command.env("AWS_ENDPOINT_URL_S3", endpoint).args(["--storage", &settings.url])
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().expect("tintype runs");
        self.until("the worker comes", "SELECT count(*) FROM tintype.worker").await;
        Worker(child)
    }

    /// Seconds of CPU that the server's processes of one role have taken so far, those that are still there.
    pub(crate) async fn cpu_of_role(&self, role: &str) -> f64 {
        let rows = self.client.query("SELECT pid FROM pg_stat_activity WHERE usename = $1", &[&role]).await;
        rows.expect("who is connected").iter().map(|row| cpu(row.get::<_, i32>(0).unsigned_abs())).sum()
    }
}

/// A running worker.
pub(crate) struct Worker(Child);

impl Worker {
    /// Seconds of CPU that it has taken so far.
    pub(crate) fn cpu(&self) -> f64 {
        cpu(self.0.id().expect("it runs"))
    }

    /// Asks it to stop, and waits.
    pub(crate) async fn stop(mut self) {
        let id = self.0.id().expect("it runs").to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status().await;
        let _ = self.0.wait().await;
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// Seconds of CPU that a process has taken in all its threads, exact to the nanosecond.
fn cpu(process: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let times = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    times.sum::<f64>() / 1e9
}
