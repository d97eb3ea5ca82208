//! Whether the process lives, and whether it can do its work: what a supervisor asks before it restarts one or sends it anything.
//! Reasons are words without names, because anybody may ask.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::Site;
use crate::vitals::Phase;

/// How long the worker's loop may take for one round: a statement or two, each with a limit of its own.
const ROUND: Duration = Duration::from_secs(90);

pub(super) async fn alive() -> &'static str {
    "alive\n"
}

pub(super) async fn ready(State(site): State<Arc<Site>>) -> Response {
    match reason(&site).await {
        None if site.alarm.connected() => "ready, listening\n".into_response(),
        None => "ready, polling\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

/// Why it can do no work.
async fn reason(site: &Site) -> Option<String> {
    let (phase, since) = site.vitals.last_turn();
    if site.stop.is_cancelled() || phase == Phase::Draining {
        return Some("draining: it finishes what it has begun and takes nothing new".to_owned());
    }
    if phase == Phase::Starting {
        return Some("starting".to_owned());
    }
    if since > ROUND {
        return Some(format!("the worker's loop has not come round for {} s", since.as_secs()));
    }
    (!site.reader.is_there().await).then(|| "the database does not answer".to_owned())
}
