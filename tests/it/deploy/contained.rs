//! The worker under the conditions of its image, made by bubblewrap on this machine's own root: process 1 of a namespace, a user without a
//! name and without capabilities, a root that cannot be written, and `/tmp` in memory.

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::support::{
    eventually,
    program::run,
    worker::{BASE, LIMIT, blog, until},
};

/// What is outside of a container: its store, its looks, and its log.
struct Outside {
    folder: TempDir,
    url: String,
}

/// A container that runs; it ends with this process.
struct Container {
    shepherd: Child,
    /// Its first process, as this machine numbers it.
    init: String,
}

impl Outside {
    fn new(url: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["pictures", "looks"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder, url }
    }

    /// The command that runs `tintype` with these arguments inside.
    fn command(&self, arguments: &[&str]) -> Command {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let mut command = Command::new("sh");
        // Where bubblewrap tells the number of the process that it starts.
        command.args(["-c", "exec bwrap --info-fd 3 \"$@\" 3>\"$0\"", &at("info")]);
        command.args(["--unshare-user", "--uid", "10001", "--gid", "10001", "--cap-drop", "ALL"]);
        command.args(["--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts", "--hostname", "tintype"]);
        command.args([
            "--die-with-parent",
            "--ro-bind",
            "/",
            "/",
            "--dev",
            "/dev",
            "--proc",
            "/proc",
            "--tmpfs",
            "/tmp",
        ]);
        command.args(["--ro-bind", env!("CARGO_BIN_EXE_tintype"), "/tmp/tintype", "--chdir", "/tmp"]);
        command.args(["--bind", &at("pictures"), "/tmp/pictures", "--ro-bind", &at("looks"), "/tmp/looks"]);
        command.args(["/tmp/tintype"]).args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOSTNAME", "tintype").env("HOME", "/nonexistent").env("DATABASE_URL", &self.url);
        command.env("TINTYPE_STORAGE", "/tmp/pictures").env("TINTYPE_PUBLIC_BASE_URL", BASE);
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Starts the worker.
    async fn start(&self, arguments: &[&str]) -> Container {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let shepherd = self.command(&[&["run"], arguments].concat()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let info = self.folder.path().join("info");
        let init = eventually("bubblewrap says whom it started", LIMIT, async || {
            let told: Value = serde_json::from_str(&fs::read_to_string(&info).ok()?).ok()?;
            Some(told["child-pid"].as_u64()?.to_string())
        })
        .await;
        Container { shepherd, init }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    async fn is_healthy(&self) -> bool {
        let mut command = self.command(&["healthcheck"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        run(command).await.code == 0
    }
}

impl Container {
    /// A field of what the system says of its first process.
    fn says(&self, field: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.init)).expect("a process that runs");
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).expect(field);
        line.split_whitespace().next_back().unwrap_or_default().to_owned()
    }

    /// Asks it to end, and returns its exit code.
    async fn end(&mut self) -> Option<i32> {
        let sent = Command::new("kill").args(["-s", "TERM", &self.init]).status().await.unwrap();
        assert!(sent.success());
        tokio::time::timeout(LIMIT, self.shepherd.wait()).await.expect("it ends").unwrap().code()
    }

    /// The children of its first process: number, state, and command line.
    fn children(&self) -> Vec<(String, char, String)> {
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        processes.filter_map(|path| self.child(&path)).collect()
    }

    fn child(&self, path: &Path) -> Option<(String, char, String)> {
        let stat = fs::read_to_string(path.join("stat")).ok()?;
        let mut fields = stat.rsplit(')').next()?.split_whitespace(); // behind the name: state, parent
        let (state, parent) = (fields.next()?.chars().next()?, fields.next()?);
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        (parent == self.init).then(|| (path.file_name().unwrap().display().to_string(), state, line))
    }
}

#[tokio::test]
async fn process_1_draws_is_healthy_and_drains() {
    let (database, client) = blog().await;
    let outside = Outside::new(database.url());
    let mut container = outside.start(&["--grace", "20"]).await;
    client.batch_execute("INSERT INTO posts (id, title, body) VALUES (1, 'Ada', 'Lovelace')").await.unwrap();
    until(&client, "a first picture", "SELECT count(og_image_url) = 1 FROM posts").await;
    assert_eq!([container.says("NSpid"), container.says("CapEff")], ["1", "0000000000000000"]);
    assert!(outside.folder.path().join("pictures/posts/1").is_dir(), "{}", outside.log());
    assert!(outside.is_healthy().await);

    let many = "INSERT INTO posts (id, title, body) SELECT n, 'Row ' || n, 'Text' FROM generate_series(2, 2000) n";
    client.batch_execute(many).await.unwrap();
    until(&client, "work under way", "SELECT count(og_image_url) > 5 FROM posts").await;
    let asked = Instant::now();
    assert_eq!(container.end().await, Some(0), "{}", outside.log());
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    let row = client.query_one("SELECT count(*) FROM tintype.job WHERE lease IS NOT NULL", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0, "nothing is held by a worker that is gone");
    assert!(!outside.is_healthy().await);
}

#[tokio::test]
async fn process_1_buries_the_browsers_that_are_killed() {
    let (database, client) = blog().await;
    let outside = Outside::new(database.url());
    fs::write(outside.folder.path().join("looks/note.html"), "<h1>{{ title }}</h1>").unwrap();
    client.batch_execute("SELECT tintype.attach('posts', html => 'note')").await.unwrap();
    let mut container = outside.start(&["--looks", "/tmp/looks"]).await;
    for round in 1..=2 {
        let insert = format!("INSERT INTO posts (id, title, body) VALUES ({round}, 'Grace', 'Hopper')");
        client.batch_execute(&insert).await.unwrap();
        until(&client, "a page", &format!("SELECT count(og_image_url) = {round} FROM posts")).await;
        let children = container.children();
        let browser = children.iter().find(|(_, _, line)| line.contains("--remote-debugging-pipe")).expect("a browser");
        let killed = Command::new("kill").args(["-s", "KILL", &browser.0]).status().await.unwrap();
        assert!(killed.success());
        eventually("nobody is left unburied", LIMIT, async || {
            container.children().iter().all(|(number, state, _)| *state != 'Z' && *number != browser.0).then_some(())
        })
        .await;
    }
    assert_eq!(container.end().await, Some(0), "{}", outside.log());
}
