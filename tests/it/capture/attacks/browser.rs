//! A browser that does what a page wants: with the guard's flags, or without them.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Mutex,
    time::Duration,
};

use chromiumoxide::{
    Command as _, Connection, Method as _,
    cdp::{
        CdpEventMessage,
        browser_protocol::{
            browser::BrowserContextId,
            target::{CreateBrowserContextParams, CreateTargetParams, DisposeBrowserContextParams},
        },
    },
    types::{CallId, Message},
};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::{
    process::{Child, Command},
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use crate::support::eventually;

/// What it needs to run here at all; nothing of this keeps a page from anything.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
];

type Call = (String, Value, oneshot::Sender<Value>);

/// A running browser; all of its processes end with the value.
pub(super) struct Browser {
    child: Child,
    calls: mpsc::UnboundedSender<Call>,
    _profile: tempfile::TempDir,
    _line: JoinSet<()>,
}

impl Browser {
    pub(super) async fn launch(program: &Path, flags: &[&str]) -> Self {
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
            .unwrap();
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

    /// A clean context, behind a proxy or straight at the network.
    pub(super) async fn context(&self, mut context: CreateBrowserContextParams) -> BrowserContextId {
        context.dispose_on_detach = Some(true);
        let answer = self.call(context.identifier().as_ref(), serde_json::to_value(&context).unwrap()).await;
        CreateBrowserContextParams::response_from_value(answer).unwrap().browser_context_id
    }

    /// Opens an address in a tab of a context, or of the one that the browser begins with.
    pub(super) async fn open(&self, context: Option<&BrowserContextId>, address: &str) {
        let mut tab = CreateTargetParams::new(address);
        tab.browser_context_id = context.cloned();
        self.call(tab.identifier().as_ref(), serde_json::to_value(&tab).unwrap()).await;
    }

    /// Closes a context with all its tabs, popups and workers.
    pub(super) async fn dispose(&self, context: BrowserContextId) {
        let dispose = DisposeBrowserContextParams::new(context);
        self.call(dispose.identifier().as_ref(), serde_json::to_value(&dispose).unwrap()).await;
    }

    /// Ends it, and returns when its first process is gone.
    pub(super) async fn end(mut self) {
        kill(&self.child);
        self.child.wait().await.unwrap();
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        let (answer, answered) = oneshot::channel();
        self.calls.send((method.to_owned(), params, answer)).unwrap();
        tokio::time::timeout(Duration::from_secs(30), answered)
            .await
            .expect("an answer in time")
            .expect("a living browser")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        kill(&self.child);
    }
}

fn kill(child: &Child) {
    if let Some(group) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL); // nobody there is fine
    }
}

async fn serve(mut connection: Connection<CdpEventMessage>, mut calls: mpsc::UnboundedReceiver<Call>) {
    let waiting: Mutex<Vec<(CallId, oneshot::Sender<Value>)>> = Mutex::default();
    loop {
        tokio::select! {
            Some((method, params, answer)) = calls.recv() => {
                let id = connection.submit_command(method.into(), None, params).unwrap();
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

/// The browsers of this machine that are known to take different flags: the headless shell, and the whole browser. Without either
/// there is nothing to test.
pub(super) fn programs() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap();
    let find = |names: &[&str]| {
        let places = names.iter().flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
        places.into_iter().find(|place| place.is_file())
    };
    let shell = find(&["chromium-headless-shell", "chrome-headless-shell"]);
    let whole = find(&["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"]);
    let found: Vec<PathBuf> = shell.into_iter().chain(whole).collect();
    assert!(!found.is_empty(), "a Chromium in PATH");
    found
}
