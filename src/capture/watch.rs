//! What a tab tells, as it happens: events come in, a [`View`] of the page goes out that others wait on. What a page must not be
//! kept waiting for, such as an answer to its dialogs, is answered here.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chromiumoxide::cdp::browser_protocol::{page::HandleJavaScriptDialogParams, target::SessionId};
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::{browser::Browser, error::Seen, guard::REFUSED, intercept::Intercept, wire::Event};

/// The most characters of a console's error that are kept.
const CONSOLE: usize = 500;

/// Characters on a console from which on it is a flood, and what a line counts besides its own.
const FLOOD: usize = 8 << 20;
const LINE: usize = 200;

/// A page as its tab tells of it.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)] // each comes about by itself
pub(super) struct View {
    /// The document that is there, by the name of its loading.
    pub(super) loader: String,
    /// All that were there.
    pub(super) loaders: BTreeSet<String>,
    /// How far that document is: `load`, `networkIdle` and the like.
    pub(super) reached: BTreeSet<String>,
    /// For people.
    pub(super) seen: Seen,
    /// When the server wants to be asked again.
    pub(super) retry_after: Option<Duration>,
    /// Whether the answer is the guard's own.
    pub(super) refused: bool,
    /// Why the document is not whole, where it is not, in the browser's word.
    pub(super) cut: Option<String>,
    /// Characters that it said on its console and in errors so far.
    said: usize,
    /// What is being loaded, and how often something was asked for.
    pub(super) loading: BTreeSet<String>,
    pub(super) asked: usize,
    /// Whether its process died.
    pub(super) crashed: bool,
    /// Whether it is closed, which a page may do to itself.
    pub(super) closed: bool,
    /// Whether a text was written into it.
    pub(super) written: bool,
    /// Whether it was a download.
    pub(super) download: bool,
}

/// Watches a tab until it is forgotten.
pub(super) fn watch(
    browser: &Arc<Browser>,
    frame: String,
    intercept: Option<Intercept>,
    events: mpsc::UnboundedReceiver<Event>,
) -> watch::Receiver<View> {
    let (sender, view) = watch::channel(View::default());
    drop(browser.tasks.spawn(pump(Arc::clone(browser), frame, intercept, events, sender)));
    view
}

async fn pump(
    browser: Arc<Browser>,
    frame: String,
    mut intercept: Option<Intercept>,
    mut events: mpsc::UnboundedReceiver<Event>,
    sender: watch::Sender<View>,
) {
    while let Some(event) = events.recv().await {
        if event.method == "Page.javascriptDialogOpening" {
            // Leaving a page is agreed to, everything else is dismissed.
            let leave = event.text("/type") == "beforeunload";
            let session = event.session.clone().map(SessionId::new);
            browser.wire.tell(session, &HandleJavaScriptDialogParams::new(leave));
        }
        if let Some(intercept) = &mut intercept {
            intercept.note(&browser.wire, &event);
        }
        sender.send_if_modified(|view| view.note(&event, &frame));
    }
}

impl View {
    /// Whether it says more than can be taken in.
    pub(super) fn floods(&self) -> bool {
        self.said > FLOOD
    }

    /// Takes in that something was too long to be taken in. What is loaded may be, where a page has whole pictures as addresses; what a
    /// page says has no business to be, and a request that cannot be answered would wait for ever.
    fn lose(&mut self, event: &Event) -> bool {
        let matters = !event.method.starts_with("Network.");
        if matters {
            self.said = self.said.saturating_add(event.lost);
        }
        matters
    }

    /// Takes in what happened; whether anybody could care.
    fn note(&mut self, event: &Event, frame: &str) -> bool {
        if event.lost > 0 {
            return self.lose(event);
        }
        let ours = event.text("/frameId") == frame;
        let asks = self.note_request(event);
        match event.method.as_str() {
            "Page.lifecycleEvent" if ours => {
                let (name, loader) = (event.text("/name"), event.text("/loaderId"));
                if name == "init" || self.loader != loader {
                    self.loader = loader.to_owned();
                    self.loaders.insert(loader.to_owned());
                    self.reached.clear();
                    self.loading.clear();
                    self.cut = None;
                }
                self.reached.insert(name.to_owned());
            }
            "Network.requestWillBeSent" if ours && event.text("/type") == "Document" => {
                self.seen.requested = Some(event.text("/request/url").to_owned());
                (self.seen.status, self.refused, self.retry_after) = (None, false, None);
            }
            "Network.responseReceived" if ours && event.text("/type") == "Document" => {
                self.seen.final_url = Some(event.text("/response/url").to_owned());
                let status = event.params.pointer("/response/status").and_then(serde_json::Value::as_u64);
                self.seen.status = status.and_then(|status| u16::try_from(status).ok()).filter(|status| *status > 0);
                let headers = event.params.pointer("/response/headers").and_then(serde_json::Value::as_object);
                let named = |wanted: &str| {
                    let mut all = headers.into_iter().flatten();
                    all.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).and_then(|(_, value)| value.as_str())
                };
                self.retry_after = named("retry-after").and_then(|text| delay(text, Timestamp::now()));
                self.refused = headers.is_some_and(|all| all.keys().any(|name| name.eq_ignore_ascii_case(REFUSED)));
                if self.refused {
                    (self.seen.status, self.seen.final_url) = (None, None); // no server has said anything
                }
            }
            "Page.frameNavigated" if event.text("/frame/id") == frame => {
                let address = format!("{}{}", event.text("/frame/url"), event.text("/frame/urlFragment"));
                if address != "about:blank" {
                    self.seen.final_url = Some(address);
                }
            }
            // A document that another takes the place of before it was whole is cancelled, not cut.
            "Network.loadingFailed"
                if event.text("/requestId") == self.loader
                    && !self.loader.is_empty()
                    && event.params.pointer("/canceled") != Some(&serde_json::Value::Bool(true)) =>
            {
                self.cut = Some(event.text("/errorText").to_owned());
            }
            "Page.downloadWillBegin" if ours => self.download = true,
            "Page.documentOpened" if event.text("/frame/id") == frame => {
                self.written = true;
                self.reached.clear(); // what was reached was the empty page's
            }
            "Inspector.targetCrashed" => self.crashed = true,
            "Target.detachedFromTarget" if event.session.is_none() => self.closed = true,
            "Runtime.exceptionThrown" => {
                let described = event.text("/exceptionDetails/exception/description");
                let said = if described.is_empty() { event.text("/exceptionDetails/text") } else { described };
                self.said = self.said.saturating_add(said.len());
                self.seen.console = Some(said.chars().take(CONSOLE).collect());
            }
            "Runtime.consoleAPICalled" => {
                let arguments = event.params.pointer("/args").and_then(serde_json::Value::as_array);
                let lengths = arguments.into_iter().flatten().flat_map(|argument| {
                    ["value", "description"].map(|part| argument[part].as_str().map_or(0, str::len))
                });
                self.said = lengths.fold(self.said.saturating_add(LINE), usize::saturating_add);
                if event.text("/type") != "error" {
                    return self.floods();
                }
                let words = arguments.into_iter().flatten().filter_map(|argument| {
                    let value =
                        argument.get("value").map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
                    value.or_else(|| Some(argument.get("description")?.as_str()?.to_owned()))
                });
                self.seen.console = Some(words.collect::<Vec<_>>().join(" ").chars().take(CONSOLE).collect());
            }
            // That a site has no icon is nobody's error.
            "Log.entryAdded"
                if event.text("/entry/level") == "error" && !event.text("/entry/url").ends_with("/favicon.ico") =>
            {
                let (text, url) = (event.text("/entry/text"), event.text("/entry/url"));
                let said = if url.is_empty() { text.to_owned() } else { format!("{text} ({url})") };
                self.seen.console = Some(said.chars().take(CONSOLE).collect());
            }
            _ => return asks,
        }
        true
    }

    /// Takes in what begins to be loaded and what is done; whether it is either.
    fn note_request(&mut self, event: &Event) -> bool {
        match event.method.as_str() {
            "Network.requestWillBeSent" => {
                self.asked += 1;
                self.loading.insert(event.text("/requestId").to_owned());
            }
            "Network.loadingFinished" | "Network.loadingFailed" => drop(self.loading.remove(event.text("/requestId"))),
            _ => return false,
        }
        true
    }
}

/// What `Retry-After` says: seconds, or a moment.
fn delay(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    Some(Duration::try_from(moment.duration_since(now)).unwrap_or_default()) // one that is over is now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_when_in_seconds_or_by_the_clock() {
        let now = "2026-11-26T12:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Thu, 26 Nov 2026 12:01:30 GMT", Some(90)),
            ("Thu, 26 Nov 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(delay(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
