//! A database with tintype in it, and its worker as a child process with a folder for its pictures.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio_postgres::Client;

use super::{eventually, postgres::TestDatabase};

/// The longest that a test waits for a worker.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Where the world is told to find the pictures.
pub(crate) const BASE: &str = "https://cdn.example/og";

/// A table as a small blog has it.
pub(crate) const POSTS: &str = "CREATE TABLE posts (
    id bigint PRIMARY KEY, title text, body text, og_image_url text, views integer NOT NULL DEFAULT 0)";

/// Installs the schema of tintype.
pub(crate) async fn install(client: &Client) {
    let script = format!("BEGIN;\n{}\nCOMMIT", tintype::install::up(&[]));
    client.batch_execute(&script).await.expect("tintype installs");
}

/// A database with tintype and the attached table `posts`, and a connection to it.
pub(crate) async fn blog() -> (TestDatabase, Client) {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    install(&client).await;
    client.batch_execute(&format!("{POSTS}; SELECT tintype.attach('posts')")).await.expect("a table to watch");
    (database, client)
}

/// Where workers of one database put their pictures and their logs.
pub(crate) struct Workplace {
    folder: TempDir,
    url: String,
    started: AtomicU32,
}

impl Workplace {
    pub(crate) fn new(url: String) -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), url, started: AtomicU32::new(0) }
    }

    /// The folder that pictures go to.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("pictures")
    }

    /// Every picture in the store, as its path below it.
    pub(crate) fn pictures(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.store()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    _ => found.push(below(&entry.path(), &self.store())),
                }
            }
        }
        // Files that are not complete yet, the one that says whether the folder can be written, and the one that says whose it is.
        found.retain(|path| {
            !path.contains("/.tintype-") && ![".tintype-instance", "tintype-check.txt"].contains(&&**path)
        });
        found.sort();
        found
    }

    /// A folder for the looks of workers that are started with `--looks`.
    pub(crate) fn looks(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Starts `tintype run` with these arguments besides.
    pub(crate) fn start(&self, arguments: &[&str]) -> Worker {
        self.start_with_store(&self.store(), arguments)
    }

    /// The same with another folder for the pictures.
    pub(crate) fn start_with_store(&self, store: &Path, arguments: &[&str]) -> Worker {
        self.start_with(store, arguments, &[])
    }

    /// The same as [`Self::start`] with variables besides.
    pub(crate) fn start_with_secrets(&self, arguments: &[&str], secrets: &[(&str, &str)]) -> Worker {
        self.start_with(&self.store(), arguments, secrets)
    }

    fn start_with(&self, store: &Path, arguments: &[&str], secrets: &[(&str, &str)]) -> Worker {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let log = self.folder.path().join(format!("worker{number}.log"));
        let child = Command::new(env!("CARGO_BIN_EXE_tintype"))
            .arg("run")
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("TINTYPE_LOG")
            .env("TINTYPE_DATABASE_URL", &self.url)
            .env("TINTYPE_STORAGE", store)
            .env("TINTYPE_PUBLIC_BASE_URL", BASE)
            .envs(secrets.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a file for the log"))
            .kill_on_drop(true)
            .spawn()
            .expect("the program tintype");
        Worker { child, log }
    }

    /// Lets a worker do all there is to do, and returns its exit code.
    pub(crate) async fn work(&self) -> i32 {
        self.start(&["--exit-when-idle"]).exit().await.code().expect("an exit code")
    }
}

fn below(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).expect("a path in the store").display().to_string()
}

/// A running worker; killed when it is dropped.
pub(crate) struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    /// Sends a signal by its name, such as `TERM`.
    pub(crate) async fn signal(&self, name: &str) {
        let process = self.child.id().expect("a worker that runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status().await.expect("the program kill");
        assert!(sent.success(), "kill -s {name}");
    }

    /// The niceness of each of its threads.
    pub(crate) fn niceness(&self) -> Vec<i32> {
        let process = self.child.id().expect("a worker that runs");
        let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("its threads").flatten();
        let stats = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
        // proc(5): nice is the 19th field, and the 17th behind the name, which may hold anything but a last parenthesis
        stats.filter_map(|stat| stat.rsplit(')').next()?.split_whitespace().nth(16)?.parse().ok()).collect()
    }

    /// The most memory that it has had so far, in bytes.
    pub(crate) fn most_memory(&self) -> u64 {
        let process = self.child.id().expect("a worker that runs");
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("its status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak.and_then(|kilobytes| kilobytes.parse::<u64>().ok()).expect("its peak") * 1024
    }

    /// Waits until it has ended.
    pub(crate) async fn exit(&mut self) -> ExitStatus {
        let Ok(ended) = tokio::time::timeout(LIMIT, self.child.wait()).await else {
            panic!("the worker still runs; its log:\n{}", self.text());
        };
        ended.expect("a child to wait for")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.log).expect("a log")
    }

    /// What it has logged so far with a message that begins like this.
    pub(crate) fn logged_with(&self, start: &str) -> Vec<Value> {
        let begins = |line: &Value| line["message"].as_str().is_some_and(|message| message.starts_with(start));
        self.text().lines().filter_map(|line| serde_json::from_str(line).ok()).filter(begins).collect()
    }

    /// Whether it has written this line, which is none of its log.
    pub(crate) fn said(&self, line: &str) -> bool {
        self.text().lines().any(|one| one == line)
    }

    /// What it has logged with this message so far.
    pub(crate) fn logged(&self, message: &str) -> Vec<Value> {
        let lines = self.text();
        lines
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["message"] == message)
            .collect()
    }
}

/// Waits until a statement's first column is true.
pub(crate) async fn until(client: &Client, what: &str, statement: &str) {
    eventually(what, LIMIT, async || {
        let row = client.query_one(statement, &[]).await.expect(statement);
        row.get::<_, Option<bool>>(0).unwrap_or(false).then_some(())
    })
    .await;
}

/// Waits until every post has the URL of the picture that was made from what it says now.
pub(crate) async fn until_drawn(client: &Client) {
    until(client, "every post shows the picture of its content", DRAWN).await;
}

/// Whether each row of `posts` holds the URL that the ledger has for its present content, and nothing is left to do.
const DRAWN: &str =
    "SELECT NOT EXISTS (SELECT FROM tintype.change) AND NOT EXISTS (SELECT FROM tintype.job) AND NOT EXISTS (
    SELECT FROM posts p JOIN tintype.source s ON s.name = 'posts' CROSS JOIN LATERAL tintype.read_row(s, p.id::text) r
      LEFT JOIN tintype.image i ON i.source = s.id AND i.key = p.id::text
     WHERE p.og_image_url IS NULL OR i.content IS DISTINCT FROM r.content OR i.url IS DISTINCT FROM p.og_image_url)";

/// Waits until a worker of this database sleeps: only then the bell is up.
pub(crate) async fn until_asleep(client: &Client) {
    until(
        client,
        "a worker sleeps",
        "SELECT pg_sequence_last_value('tintype.bell') > extract(epoch FROM clock_timestamp())",
    )
    .await;
}
