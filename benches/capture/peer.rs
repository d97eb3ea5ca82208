//! A peer: `node/driver.mjs` with Playwright or Puppeteer, asked a line at a time. Where the bench is root, it and its browser run as
//! the user `nobody`, as tintype's browser does, so that both keep their sandbox.

use std::{fs, os::unix::fs::chown, path::Path, process::Stdio};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::engine::{Pictures, peers};

/// The number of `nobody` and of its group on all systems that this bench runs on.
const NOBODY: u32 = 65_534;

/// A peer's Node process.
pub(crate) struct Peer {
    child: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    out: std::path::PathBuf,
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    times: Vec<f64>,
    #[serde(default)]
    all: f64,
    error: Option<String>,
}

impl Peer {
    /// Whether there are peers to ask.
    pub(crate) fn is_installed() -> bool {
        peers().join("node_modules/playwright-core").exists()
    }

    /// Starts one with its browser.
    pub(crate) async fn open(name: &str, program: &Path, folder: &Path) -> Self {
        let slug = match name {
            "Playwright" => "playwright",
            "Puppeteer" => "puppeteer",
            _ => "puppeteer-quick",
        };
        let home = folder.join(slug);
        fs::create_dir_all(&home).expect("the folder takes another");
        let mut command = Command::new("node");
        command.arg(peers().join("driver.mjs")).arg(slug).arg(program).current_dir(&home);
        for variable in ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            command.env(variable, &home);
        }
        if rustix::process::geteuid().is_root() {
            chown(&home, Some(NOBODY), Some(NOBODY)).expect("root may give a folder away");
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut child = command
            .env("NODE_ENV", "production")
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let requests = child.stdin.take().expect("it has a standard input");
        let answers = BufReader::new(child.stdout.take().expect("it has a standard output")).lines();
        let mut peer = Self { child, requests, answers, out: home.join("last.png") };
        peer.ask(json!({ "do": "open" })).await;
        peer
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub(crate) async fn fresh(&mut self, url: &str, count: usize, at_once: usize) -> Pictures {
        self.ask(json!({ "do": "fresh", "url": url, "count": count, "at_once": at_once, "out": self.out })).await
    }

    pub(crate) async fn texts(&mut self, texts: Vec<String>) -> Pictures {
        self.ask(json!({ "do": "kept", "html": texts, "out": self.out })).await
    }

    pub(crate) async fn close(mut self) {
        self.ask(json!({ "do": "close" })).await;
        drop(self.requests);
        let _ = self.child.wait().await; // its input has ended, so it does
    }

    async fn ask(&mut self, request: Value) -> Pictures {
        let line = format!("{request}\n");
        self.requests.write_all(line.as_bytes()).await.expect("the peer listens");
        let answer = self.answers.next_line().await.expect("the peer answers").expect("the peer lives");
        let Answer { times, all, error } = serde_json::from_str(&answer).expect("it answers in JSON");
        assert!(error.is_none(), "the peer: {}", error.unwrap_or_default());
        let last =
            if request.get("out").is_some() { fs::read(&self.out).expect("it wrote a picture") } else { Vec::new() };
        Pictures { times, all, last }
    }
}
