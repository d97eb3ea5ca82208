//! A tab in a browser context of its own behind a door of its own: opened for one capture, thrown away after it. Nothing of one tab
//! is left for the next: cookies, storage, caches and connections go with the context, and what the tab may reach is the door's.
//!
//! Opening one takes longer than a light page does, so some are opened before anybody needs them.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chromiumoxide::cdp::{
    browser_protocol::{
        browser::{BrowserContextId, SetDownloadBehaviorBehavior, SetDownloadBehaviorParams},
        inspector, log,
        network::{self, SetBypassServiceWorkerParams},
        page::{self, SetLifecycleEventsEnabledParams},
        target::{
            AttachToTargetParams, CreateBrowserContextParams, CreateTargetParams, DisposeBrowserContextParams,
            SessionId, TargetId,
        },
    },
    js_protocol::runtime::{self, EvaluateParams},
};
use chromiumoxide::types::Command;
use tokio::{runtime::Handle, sync::mpsc};

use super::{
    browser::{Browser, Lease},
    error::Trouble,
    guard::{BYPASS_LIST, Door, Rules},
    shot::Options,
    wire::{Event, WireError},
};

/// How long throwing a context away may take; a browser that needs longer is replaced.
const DISPOSE_LIMIT: Duration = Duration::from_secs(5);

/// How long a tab that was opened before may take to show that it lives.
const ALIVE_LIMIT: Duration = Duration::from_millis(500);

/// An empty tab.
#[derive(Debug)]
pub(super) struct Tab {
    /// What commands go to.
    pub(super) session: SessionId,
    /// The tab, and its main frame.
    pub(super) target: TargetId,
    /// What the tab tells.
    pub(super) events: Option<mpsc::UnboundedReceiver<Event>>,
    /// The proxy through which it reaches what it may.
    pub(super) door: Door,
    /// What the door lets through.
    rules: Arc<Rules>,
    context: Context,
}

/// A browser context. When it is dropped it is thrown away in the background.
#[derive(Debug)]
struct Context {
    id: BrowserContextId,
    session: Option<SessionId>,
    browser: Arc<Browser>,
    /// Whose capture it is for; nobody's yet.
    lease: Option<Lease>,
    runtime: Handle,
}

/// Tabs that nobody needs yet. They keep no browser alive.
#[derive(Debug, Default)]
pub(super) struct Ready {
    tabs: Mutex<Vec<Tab>>,
    /// How many are being opened.
    coming: AtomicUsize,
}

impl Ready {
    /// Takes a tab whose door has these rules.
    fn take(&self, rules: &Rules) -> Option<Tab> {
        let mut tabs = self.tabs.lock().unwrap_or_else(PoisonError::into_inner);
        let at = tabs.iter().position(|tab| *tab.rules == *rules)?;
        Some(tabs.swap_remove(at))
    }

    /// How many tabs with these rules are neither there nor coming; from now on they are coming.
    fn missing(&self, rules: &Rules, most: usize) -> usize {
        let tabs = self.tabs.lock().unwrap_or_else(PoisonError::into_inner);
        let there = tabs.iter().filter(|tab| *tab.rules == *rules).count();
        let missing = most.saturating_sub(there + self.coming.load(Ordering::Relaxed));
        self.coming.fetch_add(missing, Ordering::Relaxed);
        missing
    }

    /// Keeps a tab that was coming, if it came; gives back one that there is no room for.
    fn keep(&self, tab: Option<Tab>, most: usize) -> Option<Tab> {
        let mut tabs = self.tabs.lock().unwrap_or_else(PoisonError::into_inner);
        self.coming.fetch_sub(1, Ordering::Relaxed);
        tabs.insert(0, tab?);
        if tabs.len() > most { tabs.pop() } else { None }
    }

    /// Throws all away.
    pub(super) fn clear(&self) {
        let tabs = std::mem::take(&mut *self.tabs.lock().unwrap_or_else(PoisonError::into_inner));
        drop(tabs);
    }
}

impl Tab {
    /// A tab for a capture: one that is ready, or a new one. Work goes on where the caller is dropped, so that nothing half open is
    /// forgotten.
    pub(super) async fn take(lease: Lease, rules: &Arc<Rules>) -> Result<Self, Trouble> {
        let browser = Arc::clone(&lease.browser);
        let mut ready = browser.ready.take(rules);
        if let Some(tab) = &ready
            && !tab.lives().await
        {
            ready = None;
        }
        let mut tab = if let Some(tab) = ready {
            tab
        } else {
            let opened = browser.tasks.spawn(Self::open(Arc::clone(&browser), Arc::clone(rules))).await;
            opened.unwrap_or(Err(WireError::Gone))?
        };
        tab.lend(lease);
        Ok(tab)
    }

    /// Opens tabs for the next captures, as many as are missing. This is done once a picture is there, or it would be in its way.
    pub(super) fn refill(browser: &Arc<Browser>, rules: &Arc<Rules>) {
        for _ in 0..browser.ready.missing(rules, browser.most_ready) {
            let (browser, rules) = (Arc::clone(browser), Arc::clone(rules));
            drop(browser.tasks.clone().spawn(async move {
                let opened = Self::open(Arc::clone(&browser), rules).await;
                drop(browser.ready.keep(opened.ok(), browser.most_ready));
                if browser.gone.is_cancelled() {
                    browser.ready.clear(); // which was done before this one came
                }
            }));
        }
    }

    async fn open(browser: Arc<Browser>, rules: Arc<Rules>) -> Result<Self, WireError> {
        let wire = &browser.wire;
        let door = Door::open(Arc::clone(&rules))
            .await
            .map_err(|error| WireError::Refused { method: "a door".to_owned(), message: error.to_string() })?;
        let behind_door = CreateBrowserContextParams::builder()
            .dispose_on_detach(true)
            .proxy_server(format!("http://{}", door.address()))
            .proxy_bypass_list(BYPASS_LIST)
            .build();
        let id = wire.call(None, behind_door).await?.browser_context_id;
        let runtime = Handle::current();
        let mut context =
            Context { id: id.clone(), session: None, browser: Arc::clone(&browser), lease: None, runtime };
        let mut no_downloads = SetDownloadBehaviorParams::new(SetDownloadBehaviorBehavior::Deny);
        no_downloads.browser_context_id = Some(id.clone());
        let (denied, created) = tokio::join!(wire.call(None, no_downloads), Self::blank(&browser, id));
        denied?;
        let target = created?;
        let mut attach = AttachToTargetParams::new(target.clone());
        attach.flatten = Some(true);
        let session = wire.call(None, attach).await?.session_id;
        let events = Some(wire.listen(&session));
        context.session = Some(session.clone());
        let tab = Self { session, target, events, door, rules, context };
        tokio::try_join!(
            tab.call(page::EnableParams::default()),
            tab.call(SetLifecycleEventsEnabledParams::new(true)),
            tab.call(network::EnableParams::default()),
            tab.call(SetBypassServiceWorkerParams::new(true)),
            tab.call(runtime::EnableParams::default()),
            tab.call(log::EnableParams::default()),
            tab.call(inspector::EnableParams::default()),
        )?;
        Ok(tab)
    }

    /// An empty page in a context, of the size that most pictures have.
    async fn blank(browser: &Browser, context: BrowserContextId) -> Result<TargetId, WireError> {
        let usual = Options::default();
        let mut blank = CreateTargetParams::new("about:blank");
        (blank.width, blank.height) = (Some(usual.width.into()), Some(usual.height.into()));
        blank.browser_context_id = Some(context);
        Ok(browser.wire.call(None, blank).await?.target_id)
    }

    /// Lends it to another capture.
    pub(super) fn lend(&mut self, lease: Lease) {
        self.context.lease = Some(lease);
    }

    /// Nobody's capture needs it for now.
    pub(super) fn rest(&mut self) {
        self.context.lease = None;
    }

    /// Whether its page answers.
    pub(super) async fn lives(&self) -> bool {
        self.browser().wire.call_within(ALIVE_LIMIT, Some(&self.session), EvaluateParams::new("0")).await.is_ok()
    }

    /// Asks the tab.
    pub(super) async fn call<C: Command>(&self, command: C) -> Result<C::Response, WireError> {
        self.browser().wire.call(Some(&self.session), command).await
    }

    /// Asks the tab for a file.
    pub(super) async fn fetch<C: Command>(&self, command: C) -> Result<Vec<u8>, WireError> {
        self.browser().wire.fetch(Some(&self.session), command).await
    }

    /// The browser of this tab.
    pub(super) fn browser(&self) -> &Arc<Browser> {
        &self.context.browser
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let (id, lease, browser) = (self.id.clone(), self.lease.take(), Arc::clone(&self.browser));
        if let Some(session) = &self.session {
            browser.wire.forget(session);
        }
        let dispose = async move {
            let dispose = DisposeBrowserContextParams::new(id);
            if browser.wire.call_within(DISPOSE_LIMIT, None, dispose).await.is_err() {
                browser.retire();
            }
            drop(lease); // the browser is needed until then
        };
        drop(self.browser.tasks.spawn_on(dispose, &self.runtime));
    }
}
