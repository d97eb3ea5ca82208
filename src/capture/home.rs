//! Whose document the main frame holds: what a tab tells comes in, whether the page's own document is asking comes out. Between a
//! document's answer and the moment when the frame takes it over nobody can know which of the two asks.

use url::{Origin, Url};

use super::wire::Event;

/// The main frame, as its tab tells of it.
#[derive(Debug)]
pub(super) struct Home {
    frame: String,
    own: Origin,
    /// Whether the document that is there is of the page's own origin. Before the first there is none of anybody else.
    is_own: bool,
    /// The same of one whose answer has come and that is not there yet.
    next: Option<bool>,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// The page's own document.
    Own,
    /// Somebody else's.
    Stranger,
    /// Nobody knows yet.
    Unknown,
}

impl Home {
    pub(super) fn new(frame: String, page: &Url) -> Self {
        Self { frame, own: page.origin(), is_own: true, next: None }
    }

    /// Whether an address is of the page's own origin. One that has none of its own is nobody's.
    pub(super) fn owns(&self, url: &Url) -> bool {
        self.own.is_tuple() && url.origin() == self.own
    }

    /// Whether a frame is the main one.
    pub(super) fn is_main(&self, frame: &str) -> bool {
        frame == self.frame
    }

    /// Who asks, where something is asked for in the main frame.
    pub(super) fn asker(&self) -> Asker {
        match self.next {
            Some(next) if next != self.is_own => Asker::Unknown,
            _ if self.is_own => Asker::Own,
            _ => Asker::Stranger,
        }
    }

    /// Takes in what a tab tells.
    pub(super) fn note(&mut self, event: &Event) {
        let owns = |text: &str| Url::parse(text).is_ok_and(|url| self.owns(&url));
        let is_document = event.text("/type") == "Document";
        match event.method.as_str() {
            "Network.responseReceived" if is_document && self.is_main(event.text("/frameId")) => {
                let status = event.params.pointer("/response/status").and_then(serde_json::Value::as_u64);
                let comes = !matches!(status, Some(204 | 205)); // after these the old document stays
                self.next = comes.then(|| owns(event.text("/response/url")));
            }
            "Page.frameNavigated" if self.is_main(event.text("/frame/id")) => {
                let url = event.text("/frame/url");
                if url != "about:blank" {
                    self.is_own = owns(url);
                }
                self.next = None;
            }
            "Network.loadingFailed" if is_document => self.next = None,
            "Page.downloadWillBegin" => self.next = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(home: &mut Home, method: &str, params: &serde_json::Value) -> Asker {
        home.note(&serde_json::from_value(json!({ "method": method, "params": params })).unwrap());
        home.asker()
    }

    fn answered(home: &mut Home, url: &str, status: u16) -> Asker {
        let response = json!({ "url": url, "status": status });
        told(home, "Network.responseReceived", &json!({ "type": "Document", "frameId": "F", "response": response }))
    }

    fn moved(home: &mut Home, url: &str) -> Asker {
        told(home, "Page.frameNavigated", &json!({ "frame": { "id": "F", "url": url } }))
    }

    #[test]
    fn a_stranger_is_at_home_only_where_his_document_gave_place_to_ours() {
        let (own, strange) = ("https://app.example/a", "https://stranger.example/b");
        let mut home = Home::new("F".to_owned(), &Url::parse(own).unwrap());
        assert_eq!(home.asker(), Asker::Own);
        assert_eq!(answered(&mut home, own, 200), Asker::Own);
        assert_eq!(moved(&mut home, own), Asker::Own);
        assert_eq!(answered(&mut home, strange, 200), Asker::Unknown);
        assert_eq!(moved(&mut home, strange), Asker::Stranger);
        assert_eq!(moved(&mut home, "about:blank"), Asker::Stranger, "his empty document is his");
        assert_eq!(answered(&mut home, own, 204), Asker::Stranger, "the old document stays");
        assert_eq!(answered(&mut home, own, 200), Asker::Unknown);
        assert_eq!(told(&mut home, "Page.downloadWillBegin", &json!({ "frameId": "F" })), Asker::Stranger);
        assert_eq!(answered(&mut home, own, 200), Asker::Unknown);
        assert_eq!(told(&mut home, "Network.loadingFailed", &json!({ "type": "Document" })), Asker::Stranger);
        assert_eq!(answered(&mut home, own, 200), Asker::Unknown);
        assert_eq!(moved(&mut home, own), Asker::Own);
        assert_eq!(moved(&mut home, "chrome-error://chromewebdata/"), Asker::Stranger);
    }
}
