//! The line to one browser: commands go out, answers and events come in, over two pipes that nobody has but the two processes. It always
//! holds that a call ends: with its answer, with the browser's refusal, or with [`WireError::Gone`] as soon as the browser is.
//!
//! Events are taken as JSON and not as chromiumoxide's types, so that a word which a newer browser adds to one loses nothing.

use std::{collections::HashMap, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use chromiumoxide::cdp::browser_protocol::target::SessionId;
use chromiumoxide::types::{CallId, Command, Error, MethodCall, MethodId};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use super::frames::{Frame, Frames};

/// What the browser tells without being asked.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Event {
    /// Such as `Page.lifecycleEvent`.
    pub(super) method: String,
    /// Of which tab or frame; none for the browser itself.
    #[serde(rename = "sessionId")]
    pub(super) session: Option<String>,
    /// What it says.
    #[serde(default)]
    pub(super) params: Value,
    /// How many bytes it had, where it was too long to be taken in; then it says nothing.
    #[serde(skip)]
    pub(super) lost: usize,
}

impl Event {
    /// A text within what it says, by a JSON pointer; empty where there is none.
    pub(super) fn text(&self, pointer: &str) -> &str {
        self.params.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Out of a message; one that is none says nothing about the next.
    fn read(frame: &Frame) -> Option<Self> {
        if frame.lost == 0 {
            return serde_json::from_slice(&frame.bytes).ok();
        }
        let word = |after: &str, text: &[u8]| {
            let text = String::from_utf8_lossy(text);
            text.rsplit_once(after)?.1.split('"').next().map(str::to_owned)
        };
        let (method, session) = (word("{\"method\":\"", &frame.bytes)?, word("\"sessionId\":\"", &frame.end));
        Some(Self { method, session, params: Value::Null, lost: frame.lost })
    }
}

/// Why a call brought nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum WireError {
    /// The browser is gone, or the line to it.
    #[error("the browser is gone")]
    Gone,
    /// The browser refused the command; a tab that crashed does so for ever.
    #[error("{method}: {message}")]
    Refused {
        /// The command.
        method: String,
        /// What the browser said.
        message: String,
    },
    /// The answer is none that we understand.
    #[error("{method}: an answer of another form: {what}")]
    Unreadable {
        /// The command.
        method: String,
        /// What is wrong with it.
        what: String,
    },
}

/// An answer: what was asked for, or why it is not.
#[derive(Debug, Deserialize)]
struct Answer<T> {
    result: Option<T>,
    error: Option<Error>,
}

impl<'de, T: Deserialize<'de>> Answer<T> {
    fn read(method: &MethodId, frame: &'de Frame) -> Result<T, WireError> {
        let unreadable = |what: String| WireError::Unreadable { method: method.to_string(), what };
        if frame.lost > 0 {
            return Err(unreadable(format!("it has {} bytes", frame.lost)));
        }
        match serde_json::from_slice(&frame.bytes) {
            Ok(Self { error: Some(error), .. }) => {
                Err(WireError::Refused { method: method.to_string(), message: error.message })
            }
            Ok(Self { result: Some(result), .. }) => Ok(result),
            Ok(Self { result: None, error: None }) => Err(unreadable("it is empty".to_owned())),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }
}

/// A file in Base64, as pictures come.
#[derive(Debug, Deserialize)]
struct File<'a> {
    data: &'a str,
}

/// What the task at the line is asked to do.
enum Order {
    Call { method: MethodId, params: Value, session: Option<SessionId>, answer: oneshot::Sender<Frame> },
    Listen { session: String, events: mpsc::UnboundedSender<Event> },
    Forget { session: String },
}

/// The line to one browser. Clones share it; it is closed when the last is dropped.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    orders: mpsc::UnboundedSender<Order>,
}

impl Wire {
    /// Takes the line up: what the browser says, and what is said to it. The task that serves it ends with the browser, or when nobody
    /// holds the line any more.
    pub(super) fn over(
        from: impl AsyncRead + Unpin + Send + 'static,
        to: impl AsyncWrite + Unpin + Send + 'static,
    ) -> (Self, JoinHandle<()>) {
        let (orders, taken) = mpsc::unbounded_channel();
        let (said, unsaid) = mpsc::unbounded_channel();
        // One side never waits for the other: a browser that is being told much may tell much itself before it listens.
        let task = tokio::spawn(async move {
            tokio::select! {
                () = say(unsaid, to) => {}
                () = serve(Frames::new(from), taken, said) => {}
            }
        });
        (Self { orders }, task)
    }

    /// Asks the browser, or a tab of it, and waits for the answer.
    pub(super) async fn call<C: Command>(
        &self,
        session: Option<&SessionId>,
        command: C,
    ) -> Result<C::Response, WireError> {
        let method = command.identifier();
        let frame = self.ask(session, &method, &command).await?;
        Answer::read(&method, &frame)
    }

    /// The same for a command whose answer is a file: its bytes. The answer may be large: it is there once, and read on a thread that may
    /// take its time.
    pub(super) async fn fetch<C: Command>(
        &self,
        session: Option<&SessionId>,
        command: C,
    ) -> Result<Vec<u8>, WireError> {
        let method = command.identifier();
        let frame = self.ask(session, &method, &command).await?;
        let decoded = tokio::task::spawn_blocking(move || {
            let File { data } = Answer::read(&method, &frame)?;
            let unreadable = |error| WireError::Unreadable { method: method.to_string(), what: format!("{error}") };
            BASE64_STANDARD.decode(data).map_err(unreadable)
        });
        decoded.await.unwrap_or(Err(WireError::Gone))
    }

    async fn ask<C: Command>(
        &self,
        session: Option<&SessionId>,
        method: &MethodId,
        command: &C,
    ) -> Result<Frame, WireError> {
        let unreadable =
            |what: serde_json::Error| WireError::Unreadable { method: method.to_string(), what: what.to_string() };
        let params = serde_json::to_value(command).map_err(unreadable)?;
        let (answer, answered) = oneshot::channel();
        let order = Order::Call { method: method.clone(), params, session: session.cloned(), answer };
        self.orders.send(order).map_err(|_| WireError::Gone)?;
        answered.await.map_err(|_| WireError::Gone)
    }

    /// Tells the browser, or a tab of it, and waits for nothing.
    pub(super) fn tell<C: Command>(&self, session: Option<SessionId>, command: &C) {
        let method = command.identifier();
        if let Ok(params) = serde_json::to_value(command) {
            let (answer, _) = oneshot::channel();
            let _ = self.orders.send(Order::Call { method, params, session, answer }); // the next call tells
        }
    }

    /// The same with a limit of its own; an answer that does not come in time is as good as none.
    pub(super) async fn call_within<C: Command>(
        &self,
        limit: Duration,
        session: Option<&SessionId>,
        command: C,
    ) -> Result<C::Response, WireError> {
        timeout(limit, self.call(session, command)).await.unwrap_or(Err(WireError::Gone))
    }

    /// What a session tells from now on, with what the sessions tell that it attaches by itself, and that it has ended, which comes from
    /// the browser.
    pub(super) fn listen(&self, session: &SessionId) -> mpsc::UnboundedReceiver<Event> {
        let (events, heard) = mpsc::unbounded_channel();
        let _ = self.orders.send(Order::Listen { session: session.inner().clone(), events }); // the next call tells
        heard
    }

    /// Forgets a session and those that it attached.
    pub(super) fn forget(&self, session: &SessionId) {
        let _ = self.orders.send(Order::Forget { session: session.inner().clone() });
    }
}

/// Says to the browser what it is to hear, until it hears no more.
async fn say(mut unsaid: mpsc::UnboundedReceiver<Vec<u8>>, mut to: impl AsyncWrite + Unpin) {
    while let Some(message) = unsaid.recv().await {
        if to.write_all(&message).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
}

/// Serves the line until the browser goes or nobody needs it.
async fn serve<R: AsyncRead + Unpin>(
    mut frames: Frames<R>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    said: mpsc::UnboundedSender<Vec<u8>>,
) {
    let mut calls: HashMap<usize, oneshot::Sender<Frame>> = HashMap::new();
    let mut listeners: HashMap<String, mpsc::UnboundedSender<Event>> = HashMap::new();
    let mut number = 0;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Call { method, params, session, answer }) => {
                    calls.retain(|_, waiting| !waiting.is_closed());
                    number += 1;
                    let session_id = session.map(String::from);
                    let call = MethodCall { id: CallId::new(number), method, session_id, params };
                    if let Ok(mut message) = serde_json::to_vec(&call) {
                        message.push(0);
                        calls.insert(number, answer);
                        let _ = said.send(message); // where nobody says it, the line is about to end
                    }
                }
                Some(Order::Listen { session, events }) => drop(listeners.insert(session, events)),
                Some(Order::Forget { session }) => {
                    if let Some(gone) = listeners.remove(&session) {
                        listeners.retain(|_, listener| !listener.same_channel(&gone));
                    }
                }
                None => return,
            },
            frame = frames.next() => match frame {
                Some(frame) => match frame.answers() {
                    Some(number) => {
                        if let Some(answer) = calls.remove(&number) {
                            let _ = answer.send(frame); // who asked may have given up
                        }
                    }
                    None => if let Some(event) = Event::read(&frame) { pass(event, &mut listeners) },
                },
                None => return,
            },
        }
    }
}

/// Brings an event to whom it concerns; what a session attaches by itself is heard where the session is.
fn pass(event: Event, listeners: &mut HashMap<String, mpsc::UnboundedSender<Event>>) {
    let is_end = event.method == "Target.detachedFromTarget";
    // That a session itself has ended, the browser tells.
    let of = event.session.as_deref().or(is_end.then(|| event.text("/sessionId")));
    let Some(listener) = of.and_then(|session| listeners.get(session)) else { return };
    let listener = listener.clone();
    if event.method == "Target.attachedToTarget" {
        listeners.insert(event.text("/sessionId").to_owned(), listener.clone());
    } else if is_end {
        listeners.remove(event.text("/sessionId"));
    }
    let _ = listener.send(event); // who listened may be gone
}

#[cfg(test)]
mod tests {
    use chromiumoxide::cdp::browser_protocol::{browser::GetVersionParams, page::CaptureScreenshotParams};
    use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, duplex};

    use super::*;
    use crate::capture::frames::LARGEST_EVENT;

    /// A line whose other end is the test.
    struct Other {
        heard: BufReader<DuplexStream>,
        says: DuplexStream,
    }

    fn line() -> (Wire, Other) {
        let ((from, says), (heard, to)) = (duplex(1 << 16), duplex(1 << 16));
        (Wire::over(from, to).0, Other { heard: BufReader::new(heard), says })
    }

    impl Other {
        async fn hears(&mut self) -> Value {
            let mut message = Vec::new();
            self.heard.read_until(0, &mut message).await.unwrap();
            assert_eq!(message.pop(), Some(0), "the line is closed");
            serde_json::from_slice(&message).unwrap()
        }

        /// Something long, without holding it.
        async fn says(&mut self, start: &str, filling: usize, end: &str) {
            self.says.write_all(start.as_bytes()).await.unwrap();
            let block = vec![b'A'; 1 << 16];
            for at in (0..filling).step_by(block.len()) {
                self.says.write_all(&block[..block.len().min(filling - at)]).await.unwrap();
            }
            self.says.write_all(&[end.as_bytes(), &[0]].concat()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn answers_find_those_who_asked() {
        let (wire, mut other) = line();
        let session = SessionId::new("T");
        let mut events = wire.listen(&session);
        let talk = async {
            assert_eq!(other.hears().await["method"], "Browser.getVersion");
            let shot = other.hears().await;
            assert_eq!((&shot["id"], &shot["sessionId"]), (&2.into(), &"T".into()));
            other.says(r#"{"method":"Page.loadEventFired","params":{"timestamp":1},"sessionId":"T"}"#, 0, "").await;
            other.says("this is nothing", 0, "").await;
            other.says(r#"{"id":2,"result":{"data":""#, 1 << 20, r#""},"sessionId":"T"}"#).await;
            other.says(r#"{"id":1,"error":{"code":-32000,"message":"not now"}}"#, 0, "").await;
            other.says(r#"{"method":"Target.detachedFromTarget","params":{"sessionId":"T"}}"#, 0, "").await;
            other
        };
        let (told, file, other) = tokio::join!(
            biased;
            wire.call(None, GetVersionParams::default()),
            wire.fetch(Some(&session), CaptureScreenshotParams::default()),
            talk
        );
        assert_eq!(told.unwrap_err().to_string(), "Browser.getVersion: not now");
        assert_eq!(file.unwrap(), vec![0; 3 << 18]);
        assert_eq!(events.recv().await.unwrap().method, "Page.loadEventFired");
        let end = events.recv().await.unwrap();
        assert!(end.method == "Target.detachedFromTarget" && end.session.is_none());
        drop(other);
        let gone = wire.call(None, GetVersionParams::default()).await.unwrap_err();
        assert!(matches!(gone, WireError::Gone), "{gone}");
    }

    #[tokio::test]
    async fn what_a_page_tells_is_not_taken_in_where_it_is_too_long() {
        let (wire, mut other) = line();
        let mut events = wire.listen(&SessionId::new("T"));
        let start = r#"{"method":"Runtime.consoleAPICalled","params":{"args":[{"value":""#;
        for more in [0, 1, 300, 1 << 20] {
            other.says(start, LARGEST_EVENT - start.len() + more, r#""}]},"sessionId":"T"}"#).await;
            let event = events.recv().await.unwrap();
            assert_eq!((event.method.as_str(), event.session.as_deref()), ("Runtime.consoleAPICalled", Some("T")));
            assert!(event.lost > LARGEST_EVENT && event.params.is_null());
        }
        let talk = async {
            other.hears().await;
            other.says(r#"{"id":1,"result":{"data":""#, LARGEST_EVENT + 4, r#""}}"#).await;
            other
        };
        let (file, _other) = tokio::join!(wire.fetch(None, CaptureScreenshotParams::default()), talk);
        assert!(file.unwrap().len() > LARGEST_EVENT / 2, "what was asked for may be longer");
    }
}
