//! A window of a real browser on a page of ours: it runs scripts in it and tells what went wrong there.

use std::{process::Stdio, sync::Mutex, time::Duration};

use chromiumoxide::{
    Connection,
    cdp::{CdpEventMessage, browser_protocol::target::SessionId},
    types::{CallId, Message},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::eventually;

const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
];

/// Notes, before any script of a page runs, what its policy refuses and what goes wrong.
const WATCH: &str = "window.faults = [];
    addEventListener('securitypolicyviolation', event => faults.push(`${event.violatedDirective}: ${event.blockedURI}`));
    addEventListener('error', event => faults.push(`${event.message ?? 'not loaded: ' + event.target?.outerHTML}`), true);
    addEventListener('unhandledrejection', event => faults.push(`${event.reason}`));";

type Call = (&'static str, Option<SessionId>, Value, oneshot::Sender<Value>);

/// A window; its browser ends with the value.
pub(crate) struct Window {
    child: Child,
    calls: mpsc::UnboundedSender<Call>,
    session: Option<SessionId>,
    _profile: tempfile::TempDir,
    _line: JoinSet<()>,
}

impl Window {
    pub(crate) async fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let child = Command::new("chromium-headless-shell")
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium-headless-shell in PATH");
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
        let mut window = Self { child, calls, session: None, _profile: profile, _line: line };
        let tab = window.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": tab["targetId"], "flatten": true });
        let attached = window.call("Target.attachToTarget", attach).await;
        window.session = Some(serde_json::from_value(attached["sessionId"].clone()).unwrap());
        window.call("Page.enable", json!({})).await;
        window.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WATCH })).await;
        window
    }

    /// Goes to an address, and waits until it is loaded.
    pub(crate) async fn go(&self, address: &str) {
        self.call("Page.navigate", json!({ "url": address })).await;
        self.until("location.href !== 'about:blank' && document.readyState === 'complete'").await;
    }

    /// How it looks: `light` or `dark`, and so many pixels wide.
    pub(crate) async fn dress(&self, scheme: &str, width: u32) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }, { "name": "prefers-reduced-motion", "value": "reduce" }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// What a script gives; an error in it fails the test.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let ask = json!({ "expression": script, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let answer = self.call("Runtime.evaluate", ask).await;
        assert!(answer.get("exceptionDetails").is_none(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until a script's value is true. While a page is left for another there is none.
    pub(crate) async fn until(&self, script: &str) {
        eventually(script, Duration::from_secs(30), async || {
            let ask = json!({ "expression": script, "returnByValue": true });
            (self.call("Runtime.evaluate", ask).await["result"]["value"] == true).then_some(())
        })
        .await;
    }

    /// What went wrong on this page so far.
    pub(crate) async fn faults(&self) -> Value {
        self.run("faults").await
    }

    async fn call(&self, method: &'static str, params: Value) -> Value {
        let (answer, answered) = oneshot::channel();
        self.calls.send((method, self.session.clone(), params, answer)).unwrap();
        let limit = Duration::from_secs(30);
        tokio::time::timeout(limit, answered).await.expect("an answer in time").expect("a living browser")
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if let Some(group) = self.child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL); // nobody there is fine
        }
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
