//! The listener is only an alarm clock: one connection, LISTEN, the payload ignored. The tables are the truth; while nothing can
//! be heard the worker polls, and loses nothing. That something can be heard is never assumed: each new connection is tried with
//! a real notification, and asked again and again whether it still lives.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::db::{Database, DbError, Line};

/// The channel that triggers ring.
pub const CHANNEL: &str = "tintype";

/// The longest wait between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The wait after a connection that works and hears nothing, which is not likely to change soon.
const DEAF_PAUSE: Duration = Duration::from_secs(300);

/// How a listening connection proves that it lives. A peer that vanished behind a proxy or a firewall says nothing, and its
/// notifications are missed; one round trip now and then tells, at no cost to the host, which a notification would have.
#[derive(Debug, Clone, Copy)]
pub struct Pulse {
    /// Time between two round trips.
    pub every: Duration,
    /// How long one may take.
    pub limit: Duration,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { every: Duration::from_secs(10), limit: Duration::from_secs(5) }
    }
}

/// The worker's end: wakes it, and says whether anybody listens.
#[derive(Debug)]
pub struct Alarm {
    rung: Notify,
    connected: watch::Sender<bool>,
    /// Whether this worker has set the bell and not taken it down.
    bell_set: AtomicBool,
    /// The connection that listens, where a sleeper may use it.
    line: Mutex<Option<Line>>,
    /// A sleeper proves that connection now, and gives this worker's signs of life.
    dozing: AtomicBool,
    /// The sleeper had no answer on it.
    silent: Notify,
}

impl Default for Alarm {
    fn default() -> Self {
        Self {
            rung: Notify::new(),
            connected: watch::Sender::new(false),
            bell_set: AtomicBool::new(false),
            line: Mutex::new(None),
            dozing: AtomicBool::new(false),
            silent: Notify::new(),
        }
    }
}

impl Alarm {
    /// Waits until the bell was rung; at once where it was rung since the last wait.
    pub async fn rung(&self) {
        self.rung.notified().await;
    }

    /// Whether a notification would be heard.
    pub fn connected(&self) -> bool {
        *self.connected.borrow()
    }

    /// Notes whether the bell is this worker's to take down; returns what was noted before.
    pub fn note_bell(&self, set: bool) -> bool {
        self.bell_set.swap(set, Ordering::Relaxed)
    }

    /// The connection that listens, for a sleeper's statements; `None` where there is none, or it leads elsewhere than the others.
    pub fn line(&self) -> Option<Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes whether a sleeper proves the line and gives signs of life, so that nobody else has to.
    pub fn note_dozing(&self, dozing: bool) {
        self.dozing.store(dozing, Ordering::Relaxed);
    }

    /// Whether a sleeper does.
    pub fn dozing(&self) -> bool {
        self.dozing.load(Ordering::Relaxed)
    }

    /// Says that the line gave no answer: the listener opens another.
    pub fn hang_up(&self) {
        self.silent.notify_one();
    }

    /// Notes whether a connection listens now, and which; returns whether one did before.
    fn connect(&self, connected: bool, line: Option<Line>) -> bool {
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = line;
        self.connected.send_replace(connected)
    }
}

/// Listens until `stop`, connecting again with growing pauses. Each new connection rings once, for what was missed. Returns
/// early where nothing can ever be heard: the worker polls then.
pub async fn listen(db: &Database, alarm: &Alarm, pulse: Pulse, stop: &CancellationToken) {
    if !db.may_listen() {
        info!(
            "a pooler stands before the database, where LISTEN hears nothing: looking for work up to ten times a second; \
             --listen-url with the server's own address lets the database ring instead"
        );
        return;
    }
    let mut pause = Duration::from_millis(100);
    while !stop.is_cancelled() {
        let lost = tokio::select! {
            lost = hear(db, alarm, pulse) => lost,
            () = stop.cancelled() => return,
        };
        if alarm.connect(false, None) {
            alarm.rung.notify_one(); // who trusted it to hear the bell has to look
            pause = Duration::from_millis(100);
        }
        if matches!(lost, DbError::Deaf { .. }) {
            pause = DEAF_PAUSE;
        }
        warn!(error = %lost, hint = lost.hint(), retry_in = ?pause, "not listening; polling meanwhile");
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            () = stop.cancelled() => return,
        }
    }
}

/// One connection's life; returns why it ended.
async fn hear(db: &Database, alarm: &Alarm, pulse: Pulse) -> DbError {
    let mut subscription = match db.listen(CHANNEL).await {
        Ok(subscription) => subscription,
        Err(error) => return error,
    };
    if let Err(error) = subscription.prove(db, pulse.limit).await {
        return error;
    }
    info!(channel = CHANNEL, "listening");
    alarm.connect(true, db.listens_at_home().then(|| subscription.line()));
    alarm.rung.notify_one();
    loop {
        let sign = tokio::select! {
            sign = timeout(pulse.every, subscription.next()) => match sign {
                Ok(rung) => rung.map(|_| alarm.rung.notify_one()),
                Err(_) if alarm.dozing() => continue,
                Err(_) => subscription.run("SELECT 1", pulse.limit).await,
            },
            () = alarm.silent.notified() => Err(DbError::ConnectionLost { reason: "a sleeper had no answer on it".to_owned() }),
        };
        if let Err(error) = sign {
            return error;
        }
    }
}
