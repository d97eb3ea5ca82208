//! What the host does, and what one run of it gives: throughput, CPU, WAL, notifications, the longest wait.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use super::stage::Stage;

/// A statement of the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// One new post of 200 words.
    Insert,
    /// One new body.
    Update,
    /// A view counter, beside a body of 200 words.
    Views,
    /// The same beside a body of 200 KB.
    LongViews,
    /// 10,000 posts by INSERT … SELECT.
    BulkInsert,
    /// The same by COPY.
    Copy,
    /// 10,000 new bodies in one statement.
    BulkUpdate,
    /// 10,000 view counters in one statement.
    BulkViews,
}

impl Write {
    /// Those of one row.
    pub(crate) const SINGLE: [Self; 4] = [Self::Insert, Self::Update, Self::Views, Self::LongViews];
    /// Those of 10,000.
    pub(crate) const BULK: [Self; 4] = [Self::BulkInsert, Self::Copy, Self::BulkUpdate, Self::BulkViews];

    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "body update",
            Self::Views => "view counter",
            Self::LongViews => "view counter, 200 KB body",
            Self::BulkInsert => "INSERT … SELECT",
            Self::Copy => "COPY",
            Self::BulkUpdate => "body UPDATE",
            Self::BulkViews => "view counters",
        }
    }

    /// Whether it changes what is drawn.
    pub(crate) fn marks(self) -> bool {
        !matches!(self, Self::Views | Self::LongViews | Self::BulkViews)
    }

    fn script(self, stage: &Stage) -> String {
        match self {
            Self::Insert => "\\set n random(1, 9000000000000000000)\nINSERT INTO posts (title, body, author) VALUES ('A new post', :n || repeat(' words', 200), 'Ada Lovelace');".to_owned(),
            Self::Update => "\\set n random(1, 9000000000000000000)\n\\set id random(1, 100000)\nUPDATE posts SET body = :n || repeat(' words', 200) WHERE id = :id;".to_owned(),
            Self::Views => "\\set id random(1, 100000)\nUPDATE posts SET views = views + 1 WHERE id = :id;".to_owned(),
            Self::LongViews => "\\set id random(100001, 100200)\nUPDATE posts SET views = views + 1 WHERE id = :id;".to_owned(),
            Self::BulkInsert => "INSERT INTO posts (title, body, author) SELECT 'A new post', n || repeat(' words', 200), 'Ada Lovelace' FROM generate_series(1, 10000) n;".to_owned(),
            Self::Copy => format!("COPY posts (title, body, author) FROM '{}';", copied(stage).display()),
            Self::BulkUpdate => "\\set first 10000 * random(0, 9)\nUPDATE posts SET body = id || repeat(' words', 200) || random() WHERE id > :first AND id <= :first + 10000;".to_owned(),
            Self::BulkViews => "\\set first 10000 * random(0, 9)\nUPDATE posts SET views = views + 1 WHERE id > :first AND id <= :first + 10000;".to_owned(),
        }
    }
}

/// The file that COPY reads, written once: 10,000 posts.
fn copied(stage: &Stage) -> PathBuf {
    let file = stage.scratch.folder().join("posts.copy");
    if !file.exists() {
        let words = " words".repeat(200);
        let lines: String = (0..10_000).fold(String::new(), |mut lines, n| {
            let _ = writeln!(lines, "A new post\t{n}{words}\tAda Lovelace");
            lines
        });
        fs::write(&file, lines).expect("a file to copy from");
    }
    file
}

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Amount {
    /// As many as come in this time, durable.
    Seconds(u32),
    /// So many, without waiting for flushes: for CPU and WAL.
    Times(u32),
}

/// What one run gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Statements a second.
    pub(crate) rate: f64,
    /// Microseconds of CPU that the host's connections took for a statement.
    pub(crate) cpu: f64,
    /// Bytes of WAL a statement.
    pub(crate) wal: f64,
    /// Notifications for 1,000 commits.
    pub(crate) notifications: f64,
}

/// Runs one kind of write with so many clients.
pub(crate) async fn run(stage: &Stage, write: Write, clients: u32, amount: Amount) -> Outcome {
    stage.blog.run("VACUUM posts").await;
    if write.marks() && stage.blog.number("SELECT count(*) FROM tintype.worker").await > 0.0 {
        rouse(stage).await;
    }
    let file = stage.folder.path().join("script.sql");
    fs::write(&file, write.script(stage)).expect("a script");
    let mut command = stage.pgbench();
    command.args(["-c", &clients.to_string(), "-j", &clients.min(2).to_string(), "-f"]).arg(&file);
    match amount {
        Amount::Seconds(seconds) => command.args(["-T", &seconds.to_string()]),
        Amount::Times(times) => command.args(["-t", &times.to_string()]).env("PGOPTIONS", "-c synchronous_commit=off"),
    };
    if write != Write::Copy {
        command.args(["-M", "prepared"]);
    }
    let (heard, cpu) = (stage.heard().await, stage.host_cpu().await);
    let wal = stage.blog.number("SELECT pg_current_wal_insert_lsn() - '0/0'").await;
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().await.expect("pgbench runs");
    let cpu = stage.host_cpu().await - cpu;
    let wal = stage.blog.number("SELECT pg_current_wal_insert_lsn() - '0/0'").await - wal;
    let heard = stage.heard().await - heard;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let count = after(&text, "number of transactions actually processed: ");
    let failed = after(&text, "number of failed transactions: ");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && count > 0.0 && (failed.is_nan() || failed == 0.0),
        "{}: {text}{errors}",
        write.name()
    );
    Outcome {
        rate: after(&text, "tps = "),
        cpu: cpu * 1e6 / count,
        wal: wal / count,
        notifications: heard as f64 * 1e3 / count,
    }
}

/// An edit, and the time until the worker has heard of it and taken the bell down: then it is awake, and lingers for two seconds.
async fn rouse(stage: &Stage) {
    let asked = Instant::now();
    stage.blog.run("UPDATE posts SET body = body || '.' WHERE id = 1").await;
    while stage.blog.number("SELECT last_value FROM tintype.bell").await > 0.0 {
        assert!(asked.elapsed() < Duration::from_secs(20), "the worker does not wake");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The number that follows some words.
pub(crate) fn after(text: &str, words: &str) -> f64 {
    let rest = text.split(words).nth(1).unwrap_or_default();
    rest.split([' ', '/', '\n']).next().and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
}

/// The longest transaction in milliseconds among those that pgbench noted in its files, which are taken away.
pub(crate) fn longest(stage: &Stage) -> f64 {
    let mut longest = f64::NAN;
    for entry in fs::read_dir(stage.folder.path()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("waits.") {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let times = text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok());
            longest = times.fold(longest, f64::max);
            let _ = fs::remove_file(entry.path());
        }
    }
    longest / 1e3
}
