//! A Chromium as a child process, and the line to it: commands go in, answers come out. Whatever is started ends with the value.

use std::{path::Path, process::Stdio, sync::Mutex, time::Duration};

use chromiumoxide::{
    Connection,
    cdp::{CdpEventMessage, browser_protocol::target::SessionId},
    types::{CallId, Message},
};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::{
    process::{Child, Command},
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::eventually;

/// What it needs to run here at all; nothing of this keeps a page from anything.
const FLAGS: [&str; 6] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
];

type Call = (String, Option<SessionId>, Value, oneshot::Sender<Value>);

/// A running browser.
pub(crate) struct Chromium {
    child: Child,
    calls: mpsc::UnboundedSender<Call>,
    _profile: tempfile::TempDir,
    _line: JoinSet<()>,
}

impl Chromium {
    /// Starts one with these flags besides.
    pub(crate) async fn launch(program: &Path, flags: &[&str]) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let child = Command::new(program)
            .args(FLAGS)
            .args(flags)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let file = profile.path().join("DevToolsActivePort");
        let address = eventually("the browser listens", Duration::from_secs(60), async || {
            let text = tokio::fs::read_to_string(&file).await.ok()?;
            let (port, path) = text.split_once('\n').filter(|(_, path)| path.starts_with('/'))?;
            Some(format!("ws://127.0.0.1:{port}{path}"))
        })
        .await;
        let connection = Connection::<CdpEventMessage>::connect(&address).await.unwrap();
        let (calls, taken) = mpsc::unbounded_channel();
        let mut line = JoinSet::new();
        line.spawn(serve(connection, taken));
        Self { child, calls, _profile: profile, _line: line }
    }

    /// What a command answers: of the browser itself, or of a tab.
    pub(crate) async fn call(&self, session: Option<&SessionId>, method: &str, params: Value) -> Value {
        let (answer, answered) = oneshot::channel();
        self.calls.send((method.to_owned(), session.cloned(), params, answer)).unwrap();
        let limit = Duration::from_secs(30);
        tokio::time::timeout(limit, answered).await.expect("an answer in time").expect("a living browser")
    }

    /// Ends it, and returns when its first process is gone.
    pub(crate) async fn end(mut self) {
        self.kill();
        self.child.wait().await.unwrap();
    }

    fn kill(&self) {
        if let Some(group) = self.child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL); // nobody there is fine
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn serve(mut connection: Connection<CdpEventMessage>, mut calls: mpsc::UnboundedReceiver<Call>) {
    let waiting: Mutex<Vec<(CallId, oneshot::Sender<Value>)>> = Mutex::default();
    loop {
        tokio::select! {
            Some((method, session, params, answer)) = calls.recv() => {
                let id = connection.submit_command(method.into(), session, params).unwrap();
                waiting.lock().unwrap().push((id, answer));
            }
            message = connection.next() => match message {
                Some(Ok(Message::Response(response))) => {
                    let mut waiting = waiting.lock().unwrap();
                    if let Some(place) = waiting.iter().position(|(id, _)| *id == response.id) {
                        let _ = waiting.swap_remove(place).1.send(response.result.unwrap_or_default());
                    }
                }
                Some(_) => {}
                None => return,
            },
        }
    }
}
