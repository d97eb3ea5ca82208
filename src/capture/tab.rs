//! A tab in a browser context of its own behind a door of its own: opened for one capture, thrown away after it. Nothing of one tab
//! is left for the next: cookies, storage, caches and connections go with the context, and what the tab may reach is the door's.

use std::sync::Arc;
use std::time::Duration;

use chromiumoxide::cdp::browser_protocol::{
    browser::{BrowserContextId, SetDownloadBehaviorBehavior, SetDownloadBehaviorParams},
    target::{
        AttachToTargetParams, CreateBrowserContextParams, CreateTargetParams, DisposeBrowserContextParams, SessionId,
        TargetId,
    },
};
use tokio::{runtime::Handle, sync::mpsc};

use super::{
    browser::{Browser, Lease},
    error::Trouble,
    guard::{BYPASS_LIST, Door, Rules},
    wire::{Event, Wire, WireError},
};

/// How long throwing a context away may take; a browser that needs longer is replaced.
const DISPOSE_LIMIT: Duration = Duration::from_secs(5);

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
    /// Kept for its end.
    context: Context,
}

/// A browser context. When it is dropped it is thrown away in the background.
#[derive(Debug)]
struct Context {
    id: BrowserContextId,
    session: Option<SessionId>,
    lease: Option<Lease>,
    runtime: Handle,
}

impl Tab {
    /// Opens a tab. The work goes on where the caller is dropped, so that nothing half open is forgotten.
    pub(super) async fn open(lease: Lease, rules: Arc<Rules>) -> Result<Self, Trouble> {
        let tasks = lease.browser.tasks.clone();
        let opened = tasks.spawn(Self::open_here(lease, rules)).await;
        opened.unwrap_or_else(|_| Err(Trouble::BrowserDied))
    }

    async fn open_here(lease: Lease, rules: Arc<Rules>) -> Result<Self, Trouble> {
        let browser = Arc::clone(&lease.browser);
        let wire = &browser.wire;
        let door = Door::open(rules).await.map_err(|error| Trouble::Protocol { what: format!("no door: {error}") })?;
        let behind_door = CreateBrowserContextParams::builder()
            .dispose_on_detach(true)
            .proxy_server(format!("http://{}", door.address()))
            .proxy_bypass_list(BYPASS_LIST)
            .build();
        let id = wire.call(None, behind_door).await?.browser_context_id;
        let runtime = Handle::current();
        let mut context = Context { id: id.clone(), session: None, lease: Some(lease), runtime };
        let mut no_downloads = SetDownloadBehaviorParams::new(SetDownloadBehaviorBehavior::Deny);
        no_downloads.browser_context_id = Some(id.clone());
        let mut blank = CreateTargetParams::new("about:blank");
        blank.browser_context_id = Some(id);
        let (denied, created) = tokio::join!(wire.call(None, no_downloads), wire.call(None, blank));
        denied?;
        let target = created?.target_id;
        let mut attach = AttachToTargetParams::new(target.clone());
        attach.flatten = Some(true);
        let session = wire.call(None, attach).await?.session_id;
        let events = Some(wire.listen(&session));
        context.session = Some(session.clone());
        Ok(Self { session, target, events, door, context })
    }

    /// Asks the tab.
    pub(super) async fn call<C: chromiumoxide::Command>(&self, command: C) -> Result<C::Response, WireError> {
        match self.wire() {
            Some(wire) => wire.call(Some(&self.session), command).await,
            None => Err(WireError::Gone),
        }
    }

    /// The line to the browser of this tab.
    pub(super) fn wire(&self) -> Option<&Wire> {
        self.browser().map(|browser| &browser.wire)
    }

    /// The browser of this tab.
    pub(super) fn browser(&self) -> Option<&Arc<Browser>> {
        self.context.lease.as_ref().map(|lease| &lease.browser)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        if let Some(session) = &self.session {
            lease.browser.wire.forget(session);
        }
        let (id, tasks) = (self.id.clone(), lease.browser.tasks.clone());
        let dispose = async move {
            let dispose = DisposeBrowserContextParams::new(id);
            if lease.browser.wire.call_within(DISPOSE_LIMIT, None, dispose).await.is_err() {
                lease.browser.retire();
            }
        };
        drop(tasks.spawn_on(dispose, &self.runtime));
    }
}
