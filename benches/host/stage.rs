//! The stage: a Postgres of the bench's own that commits durably, a table of posts as a host has it, one connection that works and
//! one that listens and counts. The host's statements come from pgbench, as a role that has no rights in schema `tintype`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::poll_fn};
use tintype::scratch::Scratch;
use tokio::process::Command;
use tokio_postgres::{AsyncMessage, NoTls};

use super::server::{self, Database, RUN, Worker, cpu_of_children};

/// The role that the host's statements run as; the processes of its connections bear this name.
pub(crate) const HOST: &str = "host_app";

/// Commits are flushed, in groups, and a flush takes 3.3 ms more than it does here: as long as on a disk behind a network, where most
/// hosts' databases are. On a local disk that says at once that it has written, eight clients saturate two cores, and there is no room
/// for an empty trigger even. Checkpoints and vacuum come when the bench wants them, and no page is logged whole, so that WAL can be counted.
const SETTINGS: [(&str, &str); 10] = [
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("commit_delay", "3300"),
    ("commit_siblings", "0"),
    ("shared_buffers", "512MB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "1h"),
    ("autovacuum", "off"),
    ("track_io_timing", "off"),
    ("log_min_messages", "error"),
];

/// A table of posts with the indexes that such a table has: 100,000 rows of 200 words, and 200 rows of 200 KB.
const POSTS: &str = "
    CREATE TABLE posts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, slug text NOT NULL UNIQUE DEFAULT gen_random_uuid()::text, title text, body text NOT NULL, author text,
        published_at timestamptz NOT NULL DEFAULT now(), views integer NOT NULL DEFAULT 0, og_image_url text);
    CREATE INDEX ON posts (published_at);
    INSERT INTO posts (slug, title, body, author)
        SELECT 'first-' || n, 'Post ' || n, md5(n::text) || repeat(' words', 200), 'Ada Lovelace' FROM generate_series(1, 100000) n;
    INSERT INTO posts (slug, title, body, author)
        SELECT 'long-' || n, 'Long ' || n, (SELECT string_agg(md5(n || '/' || part), ' ') FROM generate_series(1, 6200) part), 'Grace Hopper'
          FROM generate_series(1, 200) n;
    GRANT SELECT, INSERT, UPDATE ON posts TO host_app; GRANT pg_read_server_files TO host_app;
    CREATE SCHEMA bench;
    CREATE FUNCTION bench.empty() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TABLE bench.job (post bigint PRIMARY KEY, queued_at timestamptz NOT NULL DEFAULT now());
    -- What a tutorial writes: a row in a table of jobs, and a notification that says which.
    CREATE FUNCTION bench.tutorial() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        INSERT INTO bench.job (post) VALUES (NEW.id) ON CONFLICT (post) DO UPDATE SET queued_at = excluded.queued_at;
        PERFORM pg_notify('posts_changed', json_build_object('table', TG_TABLE_NAME, 'id', NEW.id)::text);
        RETURN NULL;
    END $$;";

/// The running stage.
pub(crate) struct Stage {
    pub(crate) blog: Database,
    pub(crate) scratch: Scratch,
    pgbench: PathBuf,
    postmaster: u32,
    heard: Arc<AtomicU64>,
    ends: Arc<AtomicU64>,
    pub(crate) folder: tempfile::TempDir,
}

impl Stage {
    /// Starts the server and fills the table; ends the process with a hint where something is missing.
    pub(crate) async fn set() -> Self {
        let Some(pgbench) = find_pgbench() else {
            eprintln!(
                "bench-host needs pgbench, which comes with the Postgres server (Debian: apt-get install postgresql-contrib)"
            );
            std::process::exit(1);
        };
        let scratch = server::start(&SETTINGS);
        let blog = Database::create(&scratch, "blog").await;
        let (heard, ends) = (Arc::default(), Arc::default());
        listen(&blog.url, Arc::clone(&heard), Arc::clone(&ends)).await;
        let lock = fs::read_to_string(scratch.folder().join("data/postmaster.pid")).unwrap_or_default();
        let postmaster = lock.lines().next().and_then(|line| line.parse().ok()).expect("the server's process");
        let folder = tempfile::tempdir().expect("a folder");
        let stage = Self { blog, scratch, pgbench, postmaster, heard, ends, folder };
        stage.blog.run(&format!("CREATE ROLE {HOST} LOGIN")).await;
        stage.blog.run(POSTS).await;
        stage.blog.run("VACUUM ANALYZE posts").await; // alone, because it runs in no transaction
        stage.tintype(&["install"]).await;
        stage
    }

    /// `tintype` with these arguments on the stage's database, to its end.
    pub(crate) async fn tintype(&self, arguments: &[&str]) {
        let output = self.blog.program(None, arguments).stderr(Stdio::piped()).output().await.expect("tintype runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts a worker that stores its pictures in a folder.
    pub(crate) async fn work(&self) -> Worker {
        let mut command = self.blog.program(None, &RUN);
        command.arg(self.folder.path().join("pictures"));
        self.blog.work(command).await
    }

    /// pgbench on the stage's database, over its socket.
    pub(crate) fn pgbench(&self) -> Command {
        let mut command = Command::new(&self.pgbench);
        command.arg("-h").arg(self.scratch.folder()).arg("-p").arg(self.scratch.port().to_string());
        command.args(["-U", HOST, "-n"]).arg("blog").kill_on_drop(true).current_dir(self.folder.path());
        command
    }

    /// Notifications that were heard so far: one of our own comes after all that were committed before.
    pub(crate) async fn heard(&self) -> u64 {
        let before = self.ends.load(Ordering::Acquire);
        self.blog.run("NOTIFY bench_end").await;
        let asked = Instant::now();
        while self.ends.load(Ordering::Acquire) == before {
            assert!(asked.elapsed() < Duration::from_secs(30), "no notification comes");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.heard.load(Ordering::Acquire)
    }

    /// Seconds of CPU that the host's connections have taken, once all of them have ended: a server process counts its children
    /// when they are gone. tintype's own connections and the bench's live on and are not in it.
    pub(crate) async fn host_cpu(&self) -> f64 {
        let children = format!("/proc/{0}/task/{0}/children", self.postmaster);
        let asked = Instant::now();
        loop {
            let children = fs::read_to_string(&children).unwrap_or_default();
            let working = children.split_whitespace().any(|child| {
                let title = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
                title.is_empty() || title.contains(HOST)
            });
            if !working {
                break;
            }
            assert!(asked.elapsed() < Duration::from_secs(60), "the host's connections do not end");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        cpu_of_children(self.postmaster)
    }
}

/// Counts what is notified on tintype's channel and the tutorial's.
async fn listen(url: &str, heard: Arc<AtomicU64>, ends: Arc<AtomicU64>) {
    let (client, mut connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(async move {
        let mut messages = poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message {
                let count = if notification.channel() == "bench_end" { &ends } else { &heard };
                count.fetch_add(1, Ordering::AcqRel);
            }
        }
    });
    client.batch_execute("LISTEN tintype; LISTEN posts_changed; LISTEN bench_end").await.expect("it listens");
    tokio::spawn(async move {
        let _open = client;
        std::future::pending::<()>().await;
    });
}

/// pgbench beside the server's programs, or on the PATH.
fn find_pgbench() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("TINTYPE_PG_BIN").map(PathBuf::from).into_iter().collect();
    let mut packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    packaged.sort();
    folders.extend(packaged.into_iter().rev());
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    folders.iter().map(|folder: &PathBuf| Path::new(folder).join("pgbench")).find(|program| program.exists())
}
