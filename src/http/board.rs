//! The wall as it is now, for all who look at it: one task asks the database while there are viewers, four times a second at most, and each
//! viewer gets what differs from what it has. No viewer asks anything itself.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::{
    sync::{Mutex as Turn, watch},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    page,
    reading::{Load, PATIENCE, ReadError, Reader},
    tile::{COLUMNS, Tile},
};
use crate::{listener::Alarm, storage::Storage, vitals::Vitals};

/// The time between two looks, and the least between two where something was drawn here.
const POLL: Duration = Duration::from_millis(500);
const SOON: Duration = Duration::from_millis(250);

/// How much longer than a look the pause after it is: a database that is slow is left alone.
const REST: u32 = 20;

/// How many tiles hang on the wall.
const TILES: i32 = 48;

/// How long the rate is looked at by which a backfill's end is foretold.
const RATE: Duration = Duration::from_secs(60);

/// A tile as HTML.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hung {
    pub(super) id: String,
    pub(super) revision: String,
    pub(super) html: String,
}

/// All that the page shows at one moment.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// Newest first.
    pub(super) tiles: Vec<Arc<Hung>>,
    /// The strip with the figures, as HTML.
    pub(super) strip: String,
}

/// What the strip tells.
#[derive(Debug, Serialize)]
struct Strip {
    depth: i64,
    oldest: String,
    recent: i64,
    wait: Option<String>,
    listening: bool,
    workers: i64,
    draining: bool,
    backfill: Option<Backfill>,
}

/// How far a backfill is.
#[derive(Debug, Serialize)]
struct Backfill {
    left: i64,
    /// Out of so many, as far as this process has seen.
    of: i64,
    time_left: Option<String>,
}

/// The wall.
pub(super) struct Board {
    reader: Reader,
    storage: Storage,
    vitals: Arc<Vitals>,
    alarm: Arc<Alarm>,
    stop: CancellationToken,
    now: watch::Sender<Arc<Snapshot>>,
    looked: Turn<Option<Instant>>,
    backlog: Mutex<VecDeque<(Instant, i64)>>,
    most: Mutex<i64>,
}

impl Board {
    pub(super) fn new(
        reader: Reader,
        storage: Storage,
        vitals: Arc<Vitals>,
        alarm: Arc<Alarm>,
        stop: CancellationToken,
    ) -> Self {
        let now = watch::Sender::new(Arc::default());
        let (looked, backlog, most) = (Turn::default(), Mutex::default(), Mutex::default());
        Self { reader, storage, vitals, alarm, stop, now, looked, backlog, most }
    }

    /// What there is to see, and will be.
    pub(super) fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.now.subscribe()
    }

    /// The wall as it is now, or was half a second ago.
    pub(super) async fn snapshot(&self) -> Result<Arc<Snapshot>, ReadError> {
        let looked = timeout(PATIENCE, self.looked.lock()).await;
        let mut looked = looked.map_err(|_| ReadError::Busy)?;
        if looked.is_none_or(|at| at.elapsed() >= POLL) {
            self.look().await?;
            *looked = Some(Instant::now());
        }
        Ok(Arc::clone(&self.now.borrow()))
    }

    /// Keeps the wall as it should be while somebody looks, until `closing`.
    pub(super) async fn keep(&self, closing: &CancellationToken) {
        let watching = async {
            loop {
                let _ = timeout(POLL, self.vitals.news.notified()).await;
                if self.now.receiver_count() == 0 {
                    continue;
                }
                let mut looked = self.looked.lock().await;
                let began = Instant::now();
                let _ = self.look().await; // what is away comes back
                *looked = Some(Instant::now());
                drop(looked);
                tokio::time::sleep(SOON.max(began.elapsed() * REST)).await;
            }
        };
        tokio::select! {
            () = watching => {}
            () = closing.cancelled() => {}
        }
    }

    /// Asks the database, and tells the viewers where anything differs.
    async fn look(&self) -> Result<(), ReadError> {
        let sql = format!("SELECT {COLUMNS} FROM tintype.wall($1) e");
        let rows = self.reader.read(sql, vec![Box::new(TILES)]).await?;
        let load = self.reader.load().await?;
        let before = Arc::clone(&self.now.borrow());
        let mut tiles = Vec::with_capacity(rows.len());
        for row in &rows {
            let tile = Tile::read(row, &self.storage)?;
            let known = before.tiles.iter().find(|hung| hung.id == tile.id && hung.revision == tile.revision);
            tiles.push(match known {
                Some(known) => Arc::clone(known),
                None => Arc::new(Hung { html: page::tile(&tile), id: tile.id, revision: tile.revision }),
            });
        }
        let strip = page::strip(&self.strip(load));
        if tiles != before.tiles || strip != before.strip {
            self.now.send_replace(Arc::new(Snapshot { tiles, strip }));
        }
        Ok(())
    }

    fn strip(&self, load: Load) -> Strip {
        Strip {
            depth: load.depth,
            oldest: span(load.oldest),
            recent: load.recent,
            wait: self.vitals.recent_wait().map(|wait| span(wait.as_secs_f64())),
            listening: self.alarm.connected(),
            workers: load.workers,
            draining: self.stop.is_cancelled(),
            backfill: self.backfill(load.backfill),
        }
    }

    /// What is left of a backfill, and how long that takes if it goes on as in the last minute.
    fn backfill(&self, left: i64) -> Option<Backfill> {
        let mut most = self.most.lock().unwrap_or_else(PoisonError::into_inner);
        let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        if left == 0 {
            (*most, *backlog) = (0, VecDeque::new());
            return None;
        }
        if left > backlog.back().map_or(0, |(_, left)| *left) {
            backlog.clear(); // more was marked
        }
        *most = left.max(*most);
        backlog.push_back((Instant::now(), left));
        while backlog.front().is_some_and(|(at, _)| at.elapsed() > RATE) {
            backlog.pop_front();
        }
        let first = backlog.front().map(|(at, left)| (at.elapsed().as_secs_f64(), *left));
        let time_left = first.filter(|(seconds, first)| *seconds > 2.0 && *first > left).map(|(seconds, first)| {
            let rate = (first - left) as f64 / seconds;
            span(left as f64 / rate)
        });
        Some(Backfill { left, of: *most, time_left })
    }
}

/// A span of time for people.
pub(super) fn span(seconds: f64) -> String {
    match seconds {
        ..0.0005 => "0 s".to_owned(),
        ..1.0 => format!("{:.0} ms", seconds * 1000.0),
        ..10.0 => format!("{seconds:.1} s"),
        ..90.0 => format!("{seconds:.0} s"),
        ..5_400.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_for_people() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.0234, "23 ms"),
            (1.26, "1.3 s"),
            (42.4, "42 s"),
            (90.0, "2 min"),
            (3_599.0, "60 min"),
            (7_200.0, "2 h"),
            (200_000.0, "2 days"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
