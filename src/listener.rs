//! The listener is only an alarm clock: one connection, LISTEN, the payload ignored. The tables are the truth; while the
//! connection is down the worker polls, and loses nothing.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::db::{Database, DbError};

/// The channel that triggers ring.
pub const CHANNEL: &str = "tintype";

/// The longest wait between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The worker's end: wakes it, and says whether anybody listens.
#[derive(Debug)]
pub struct Alarm {
    rung: Notify,
    connected: watch::Sender<bool>,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { rung: Notify::new(), connected: watch::Sender::new(false) }
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
}

/// Listens until `stop`, connecting again with growing pauses. Each new connection rings once, for what was missed.
pub async fn listen(db: &Database, alarm: &Alarm, stop: &CancellationToken) {
    let mut pause = Duration::from_millis(100);
    while !stop.is_cancelled() {
        let lost = tokio::select! {
            lost = hear(db, alarm) => lost,
            () = stop.cancelled() => return,
        };
        if alarm.connected.send_replace(false) {
            pause = Duration::from_millis(100);
        }
        warn!(error = %lost, retry_in = ?pause, "not listening; polling meanwhile");
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            () = stop.cancelled() => return,
        }
    }
}

/// One connection's life; returns why it ended.
async fn hear(db: &Database, alarm: &Alarm) -> DbError {
    let mut subscription = match db.listen(CHANNEL).await {
        Ok(subscription) => subscription,
        Err(error) => return error,
    };
    if subscription.pooled() {
        warn!(
            "the listening connection goes through a pooler, which may swallow notifications: polling as well; give --listen-url"
        );
    } else {
        info!(channel = CHANNEL, "listening");
    }
    alarm.connected.send_replace(!subscription.pooled());
    loop {
        alarm.rung.notify_one();
        if let Err(error) = subscription.next().await {
            return error;
        }
    }
}
