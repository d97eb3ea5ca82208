//! The line to one browser: commands go out, answers and events come in, through chromiumoxide's connection. It always holds that
//! a call ends: with its answer, with the browser's refusal, or with [`WireError::Gone`] as soon as the browser is.
//!
//! Events are taken as JSON and not as chromiumoxide's types, so that a word which a newer browser adds to one loses nothing.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use chromiumoxide::{
    Command, Connection, Method,
    cdp::browser_protocol::target::SessionId,
    types::{CallId, EventMessage, Message, MethodId, Response},
};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

/// What the browser tells without being asked.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Event {
    /// Such as `Page.lifecycleEvent`.
    pub(super) method: String,
    /// Of which tab or frame; none for the browser itself.
    #[serde(rename = "sessionId")]
    pub(super) session: Option<String>,
    /// What it says.
    #[serde(default)]
    pub(super) params: Value,
}

impl Event {
    /// A text within what it says, by a JSON pointer; empty where there is none.
    pub(super) fn text(&self, pointer: &str) -> &str {
        self.params.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Method for Event {
    fn identifier(&self) -> MethodId {
        Cow::Owned(self.method.clone())
    }
}

impl EventMessage for Event {
    fn session_id(&self) -> Option<&str> {
        self.session.as_deref()
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

/// What the task at the line is asked to do.
enum Order {
    Call { method: MethodId, params: Value, session: Option<SessionId>, answer: oneshot::Sender<Response> },
    Listen { session: String, events: mpsc::UnboundedSender<Event> },
    Forget { session: String },
}

/// The line to one browser. Clones share it; it is closed when the last is dropped.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    orders: mpsc::UnboundedSender<Order>,
}

impl Wire {
    /// Opens the line. The task that serves it ends with the browser, or when nobody holds the line any more.
    pub(super) async fn connect(url: &str) -> Result<(Self, JoinHandle<()>), WireError> {
        let connection = Connection::<Event>::connect(url).await.map_err(|_| WireError::Gone)?;
        let (orders, taken) = mpsc::unbounded_channel();
        Ok((Self { orders }, tokio::spawn(serve(connection, taken))))
    }

    /// Asks the browser, or a tab of it, and waits for the answer.
    pub(super) async fn call<C: Command>(
        &self,
        session: Option<&SessionId>,
        command: C,
    ) -> Result<C::Response, WireError> {
        let method = command.identifier();
        let unreadable =
            |what: serde_json::Error| WireError::Unreadable { method: method.to_string(), what: what.to_string() };
        let params = serde_json::to_value(&command).map_err(unreadable)?;
        let (answer, answered) = oneshot::channel();
        let order = Order::Call { method: method.clone(), params, session: session.cloned(), answer };
        self.orders.send(order).map_err(|_| WireError::Gone)?;
        let response = answered.await.map_err(|_| WireError::Gone)?;
        if let Some(error) = response.error {
            return Err(WireError::Refused { method: method.to_string(), message: error.message });
        }
        C::response_from_value(response.result.unwrap_or_default()).map_err(unreadable)
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

    /// What a session tells from now on, with what the sessions tell that it attaches by itself.
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

/// Serves the line until the browser goes or nobody needs it.
async fn serve(mut connection: Connection<Event>, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut calls: HashMap<CallId, oneshot::Sender<Response>> = HashMap::new();
    let mut listeners: HashMap<String, mpsc::UnboundedSender<Event>> = HashMap::new();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Call { method, params, session, answer }) => {
                    calls.retain(|_, waiting| !waiting.is_closed());
                    if let Ok(id) = connection.submit_command(method, session, params) {
                        calls.insert(id, answer);
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
            message = connection.next() => match message {
                Some(Ok(Message::Response(response))) => {
                    if let Some(answer) = calls.remove(&response.id) {
                        let _ = answer.send(response); // who asked may have given up
                    }
                }
                Some(Ok(Message::Event(event))) => pass(event, &mut listeners),
                // One message that cannot be read says nothing about the next.
                Some(Err(chromiumoxide::error::CdpError::InvalidMessage(..))) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

/// Brings an event to whom it concerns; what a session attaches by itself is heard where the session is.
fn pass(event: Event, listeners: &mut HashMap<String, mpsc::UnboundedSender<Event>>) {
    let Some(listener) = event.session.as_ref().and_then(|session| listeners.get(session)) else { return };
    let listener = listener.clone();
    if event.method == "Target.attachedToTarget" {
        listeners.insert(event.text("/sessionId").to_owned(), listener.clone());
    } else if event.method == "Target.detachedFromTarget" {
        listeners.remove(event.text("/sessionId"));
    }
    let _ = listener.send(event); // who listened may be gone
}
