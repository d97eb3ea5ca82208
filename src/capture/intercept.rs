//! What a page asks for, before it leaves: each request of a page comes in, and goes on, goes on with headers for the page's own
//! origin, or goes nowhere. Used only where a shot has something to say about requests.

use std::{mem::take, sync::Arc};

use chromiumoxide::cdp::browser_protocol::{
    fetch::{self, ContinueRequestParams, FailRequestParams, HeaderEntry, RequestPattern},
    network::ErrorReason,
    target::{SessionId, SetAutoAttachParams},
};
use chromiumoxide::cdp::js_protocol::runtime::RunIfWaitingForDebuggerParams;
use url::Url;

use super::{
    block::{Asked, BlockList},
    home::{Asker, Home},
    shot::{ResourceKind, Shot, Subject},
    wire::{Event, Wire},
};

/// What is done with requests.
#[derive(Debug)]
pub(super) struct Intercept {
    page: Url,
    home: Home,
    headers: Vec<(String, String)>,
    kinds: Vec<ResourceKind>,
    list: Option<Arc<BlockList>>,
    /// Requests that wait until it is known who asks.
    held: Vec<Event>,
}

impl Intercept {
    /// None where a shot lets all requests go as they are.
    pub(super) fn of(shot: &Shot, list: &Arc<BlockList>, frame: String) -> Option<Self> {
        let page = match &shot.subject {
            Subject::Address(url) => url.clone(),
            Subject::Html { base, .. } => base.clone().or_else(|| Url::parse("about:blank").ok())?,
        };
        let list = shot.options.block_ads.then(|| Arc::clone(list));
        let (headers, kinds) = (shot.credentials.headers.clone(), shot.options.block_types.clone());
        let needed = list.is_some() || !headers.is_empty() || !kinds.is_empty();
        needed.then(|| Self { home: Home::new(frame, &page), page, headers, kinds, list, held: Vec::new() })
    }

    /// Which hosts and ports no web socket goes to; none where all may. Of a web socket only its host is known: of a list the rules hold
    /// that name no path.
    pub(super) fn sockets(&self) -> Option<impl Fn(&str, u16) -> bool + Send + Sync + 'static> {
        let all = self.kinds.contains(&ResourceKind::Websocket);
        let (list, page) = (self.list.clone(), self.page.clone());
        (all || list.is_some()).then_some(move |host: &str, port: u16| {
            let url = Url::parse(&format!("wss://{host}:{port}/"));
            let listed = |list: &Arc<BlockList>| {
                url.as_ref().is_ok_and(|url| list.blocks(&Asked { url, page: &page, kind: "websocket" }))
            };
            all || list.as_ref().is_some_and(listed)
        })
    }

    /// Has a tab, or a frame of it that lives elsewhere, bring its requests here; then lets it run.
    pub(super) fn begin(wire: &Wire, session: &SessionId) {
        let all = RequestPattern::builder().url_pattern("*").build();
        wire.tell(Some(session.clone()), &fetch::EnableParams::builder().pattern(all).build());
        let mut attach = SetAutoAttachParams::new(true, true);
        attach.flatten = Some(true);
        wire.tell(Some(session.clone()), &attach);
        wire.tell(Some(session.clone()), &RunIfWaitingForDebuggerParams::default());
    }

    /// Takes in what a tab tells.
    pub(super) fn note(&mut self, wire: &Wire, event: &Event) {
        match event.method.as_str() {
            "Target.attachedToTarget" => Self::begin(wire, &SessionId::new(event.text("/sessionId"))),
            "Fetch.requestPaused" => self.decide(wire, event),
            _ => {
                self.home.note(event);
                if self.home.asker() != Asker::Unknown {
                    for held in take(&mut self.held) {
                        self.decide(wire, &held);
                    }
                }
            }
        }
    }

    fn decide(&mut self, wire: &Wire, event: &Event) {
        let session = event.session.clone().map(SessionId::new);
        let id = event.text("/requestId").to_owned();
        let Ok(url) = Url::parse(event.text("/request/url")) else {
            return wire.tell(session, &ContinueRequestParams::new(id));
        };
        if self.blocks(&url, event) {
            return wire.tell(session, &FailRequestParams::new(id, ErrorReason::BlockedByClient));
        }
        let mut on = ContinueRequestParams::new(id);
        if !self.headers.is_empty() {
            on.headers = match self.asker(&url, event) {
                Asker::Own => Some(self.with_ours(event)),
                Asker::Stranger => self.without_ours(event),
                Asker::Unknown => return self.held.push(event.clone()),
            };
        }
        wire.tell(session, &on);
    }

    /// Whether a request is to our own origin and made by our own page, which a stranger's frame within it is not, nor a stranger's page
    /// to which it moved. A move back to our own page is ours.
    fn asker(&self, url: &Url, event: &Event) -> Asker {
        match event.text("/resourceType") {
            _ if !self.home.owns(url) || !self.home.is_main(event.text("/frameId")) => Asker::Stranger,
            "Document" => Asker::Own,
            _ => self.home.asker(),
        }
    }

    /// Whether a request goes nowhere. The page itself always goes.
    fn blocks(&self, url: &Url, event: &Event) -> bool {
        let kind = event.text("/resourceType");
        if kind == "Document" && self.home.is_main(event.text("/frameId")) {
            return false;
        }
        let asked = Asked { url, page: &self.page, kind: listed(kind) };
        self.kinds.iter().any(|unwanted| is(*unwanted, kind))
            || self.list.as_ref().is_some_and(|list| list.blocks(&asked))
    }

    /// The request's headers without ours, where it has them: it was sent to the page's own origin first, and redirected.
    fn without_ours(&self, event: &Event) -> Option<Vec<HeaderEntry>> {
        let ours = |name: &str, value: &str| {
            self.headers.iter().any(|(own, secret)| own.eq_ignore_ascii_case(name) && value.trim() == secret.trim())
        };
        let all = event.params.pointer("/request/headers").and_then(serde_json::Value::as_object)?;
        let all = all.iter().map(|(name, value)| (name, value.as_str().unwrap_or_default()));
        let rest: Vec<_> = all.clone().filter(|(name, value)| !ours(name, value)).collect();
        let entries =
            || rest.iter().map(|(name, value)| HeaderEntry::new((*name).clone(), (*value).to_owned())).collect();
        (rest.len() < all.count()).then(entries)
    }

    /// The request's own headers with ours, which win.
    fn with_ours(&self, event: &Event) -> Vec<HeaderEntry> {
        let ours = |name: &str| self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let own = event.params.pointer("/request/headers").and_then(serde_json::Value::as_object).into_iter().flatten();
        let own = own
            .filter(|(name, _)| !ours(name))
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
        own.chain(self.headers.iter().cloned()).map(|(name, value)| HeaderEntry::new(name, value)).collect()
    }
}

/// Whether the browser's kind is one of ours.
fn is(unwanted: ResourceKind, kind: &str) -> bool {
    match unwanted {
        ResourceKind::Image => kind == "Image",
        ResourceKind::Media => matches!(kind, "Media" | "TextTrack"),
        ResourceKind::Font => kind == "Font",
        ResourceKind::Stylesheet => kind == "Stylesheet",
        ResourceKind::Script => kind == "Script",
        ResourceKind::Fetch => matches!(kind, "XHR" | "Fetch" | "EventSource" | "Ping"),
        ResourceKind::Websocket => kind == "WebSocket",
        ResourceKind::Frame => kind == "Document",
    }
}

/// The browser's kind as lists call it.
fn listed(kind: &str) -> &'static str {
    match kind {
        "Image" => "image",
        "Media" | "TextTrack" => "media",
        "Font" => "font",
        "Stylesheet" => "stylesheet",
        "Script" => "script",
        "XHR" | "Fetch" | "EventSource" => "xmlhttprequest",
        "Ping" | "CSPViolationReport" => "ping",
        "WebSocket" => "websocket",
        "Document" => "subdocument",
        _ => "other",
    }
}
