//! A Postgres of the bench's own, a database on it, and `tintype run` as a process beside it.

#![allow(dead_code, reason = "not every bench needs all of it")]

use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use tintype::scratch::{Scratch, ScratchOptions};
use tokio::process::{Child, Command};
use tokio_postgres::{Client, NoTls};

/// The longest that anything is waited for.
const LIMIT: Duration = Duration::from_secs(300);

/// Starts a server with these settings; ends the process with a hint where it cannot be started.
pub(crate) fn start(settings: &[(&str, &str)]) -> Scratch {
    let settings = settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let programs = std::env::var_os("TINTYPE_PG_BIN").map(PathBuf::from);
    let options = ScratchOptions { programs, search_path: std::env::var_os("PATH"), settings };
    Scratch::start(&options).unwrap_or_else(|error| {
        eprintln!("{error}\n{}", error.hint().unwrap_or_default());
        std::process::exit(1);
    })
}

/// One more connection.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// A database, and a connection to it.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) client: Client,
}

impl Database {
    /// A new one on this server.
    pub(crate) async fn create(server: &Scratch, name: &str) -> Self {
        server.create_database(name).await.expect("a database");
        let url = server.url(name);
        Self { client: connect(&url).await, url }
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

    /// `tintype` with these arguments on this database, as this role where one is named.
    pub(crate) fn program(&self, role: Option<&str>, arguments: &[&str]) -> Command {
        let url = role.map_or_else(|| self.url.clone(), |role| self.url.replacen("postgres@", &format!("{role}@"), 1));
        let mut command = Command::new(env!("CARGO_BIN_EXE_tintype"));
        command.args(arguments).env("DATABASE_URL", url).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Starts a worker out of [`Self::program`]; returns once it is at work.
    pub(crate) async fn work(&self, mut command: Command) -> Worker {
        let child = command.spawn().expect("tintype runs");
        self.until("the worker comes", "SELECT count(*) FROM tintype.worker").await;
        Worker(child)
    }
}

/// The arguments of a worker; where its pictures go comes next.
pub(crate) const RUN: [&str; 6] = ["run", "--log", "error", "--public-base-url", "https://cdn.example/og", "--storage"];

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

/// Seconds of CPU that a process has taken, with the threads that have ended.
pub(crate) fn cpu(process: u32) -> f64 {
    seconds(process, [11, 12]) // utime and stime
}

/// Seconds of CPU that the children of a process had taken which have ended.
pub(crate) fn cpu_of_children(process: u32) -> f64 {
    seconds(process, [13, 14]) // cutime and cstime
}

/// The sum of two times in /proc/PID/stat, counted from behind the name (proc(5)); Linux shows hundredths.
fn seconds(process: u32, fields: [usize; 2]) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let all: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = fields.map(|at| all.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(f64::NAN));
    (ticks[0] + ticks[1]) / 100.0
}
