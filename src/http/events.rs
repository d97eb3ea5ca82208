//! What a viewer is told while the page is open: server-sent events, each with the order of the wall and the tiles that this viewer has
//! not seen as they are now. So many viewers and no more; one who is slow misses steps and never the last.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

use super::{Site, board::Snapshot};

/// How many pages are kept up to date at once.
pub(super) const VIEWERS: usize = 64;

/// A sign for proxies that the connection is in use.
const ALIVE: Duration = Duration::from_secs(15);

/// One viewer.
struct Viewer {
    wall: watch::Receiver<Arc<Snapshot>>,
    /// The revisions it has, by the ids of tiles.
    seen: HashMap<String, String>,
    strip: String,
    closing: CancellationToken,
    _place: OwnedSemaphorePermit,
}

pub(super) async fn events(State(site): State<Arc<Site>>) -> Response {
    let Ok(place) = Arc::clone(&site.viewers).try_acquire_owned() else {
        let later = [("retry-after", "30")];
        return (StatusCode::SERVICE_UNAVAILABLE, later, "too many viewers\n").into_response();
    };
    let mut wall = site.board.watch();
    wall.mark_changed(); // so that the first event comes at once
    let _ = site.board.snapshot().await;
    let (seen, strip, closing) = (HashMap::new(), String::new(), site.closing.clone());
    let viewer = Viewer { wall, seen, strip, closing, _place: place };
    let events = stream::unfold(viewer, |mut viewer| async move {
        tokio::select! {
            changed = viewer.wall.changed() => changed.ok()?,
            () = viewer.closing.cancelled() => return None,
        }
        let event = Event::default().data(viewer.news().to_string());
        Some((Ok::<_, Infallible>(event), viewer))
    });
    let unbuffered = [("x-accel-buffering", "no")]; // for a proxy that waits for more
    (unbuffered, Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE))).into_response()
}

impl Viewer {
    /// What has changed since the last time.
    fn news(&mut self) -> serde_json::Value {
        let now = Arc::clone(&self.wall.borrow_and_update());
        let fresh = now.tiles.iter().filter(|hung| self.seen.get(&hung.id) != Some(&hung.revision));
        let fresh: serde_json::Map<_, _> = fresh.map(|hung| (hung.id.clone(), json!(hung.html))).collect();
        self.seen = now.tiles.iter().map(|hung| (hung.id.clone(), hung.revision.clone())).collect();
        let order: Vec<_> = now.tiles.iter().map(|hung| &hung.id).collect();
        let strip = (now.strip != self.strip).then(|| now.strip.clone());
        self.strip = now.strip.clone();
        json!({ "order": order, "tiles": fresh, "strip": strip })
    }
}
