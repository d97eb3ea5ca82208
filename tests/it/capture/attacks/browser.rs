//! A browser that does what a page wants: with the guard's flags, or without them.

use std::path::{Path, PathBuf};

use chromiumoxide::{
    Command as _, Method as _,
    cdp::browser_protocol::{
        browser::BrowserContextId,
        target::{CreateBrowserContextParams, CreateTargetParams, DisposeBrowserContextParams},
    },
};

use crate::support::chromium::Chromium;

/// What keeps it quiet by itself; nothing of this keeps a page from anything.
const QUIET: [&str; 5] = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
];

/// A running browser; all of its processes end with the value.
pub(super) struct Browser(Chromium);

impl Browser {
    pub(super) async fn launch(program: &Path, flags: &[&str]) -> Self {
        Self(Chromium::launch(program, &[&QUIET, flags].concat()).await)
    }

    /// A clean context, behind a proxy or straight at the network.
    pub(super) async fn context(&self, mut context: CreateBrowserContextParams) -> BrowserContextId {
        context.dispose_on_detach = Some(true);
        let answer = self.0.call(None, context.identifier().as_ref(), serde_json::to_value(&context).unwrap()).await;
        CreateBrowserContextParams::response_from_value(answer).unwrap().browser_context_id
    }

    /// Opens an address in a tab of a context, or of the one that the browser begins with.
    pub(super) async fn open(&self, context: Option<&BrowserContextId>, address: &str) {
        let mut tab = CreateTargetParams::new(address);
        tab.browser_context_id = context.cloned();
        self.0.call(None, tab.identifier().as_ref(), serde_json::to_value(&tab).unwrap()).await;
    }

    /// Closes a context with all its tabs, popups and workers.
    pub(super) async fn dispose(&self, context: BrowserContextId) {
        let dispose = DisposeBrowserContextParams::new(context);
        self.0.call(None, dispose.identifier().as_ref(), serde_json::to_value(&dispose).unwrap()).await;
    }

    /// Ends it, and returns when its first process is gone.
    pub(super) async fn end(self) {
        self.0.end().await;
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
