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
    if let Some(reason) = trouble(site.vitals.last_turn(), site.stop.is_cancelled()) {
        return Some(reason);
    }
    (!site.reader.is_there().await).then(|| "the database does not answer".to_owned())
}

/// What of the worker itself is in the way.
fn trouble((phase, since): (Phase, Duration), stopping: bool) -> Option<String> {
    if stopping || phase == Phase::Draining {
        return Some("draining: it finishes what it has begun and takes nothing new".to_owned());
    }
    if phase == Phase::Starting {
        return Some("starting".to_owned());
    }
    (since > ROUND).then(|| format!("the worker's loop has not come round for {} s", since.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_does_not_come_round_is_not_ready() {
        let after = |phase, seconds, stopping| trouble((phase, Duration::from_secs(seconds)), stopping);
        assert_eq!(after(Phase::Starting, 0, false).as_deref(), Some("starting"));
        for phase in [Phase::Working, Phase::Asleep] {
            assert_eq!(after(phase, 0, false), None);
            assert_eq!(after(phase, 90, false), None, "a round may take its time");
            let stuck = after(phase, 91, false);
            assert_eq!(stuck.as_deref(), Some("the worker's loop has not come round for 91 s"), "{phase:?}");
            assert!(after(phase, 91, true).unwrap().starts_with("draining"), "who stops need not come round");
        }
        assert!(after(Phase::Draining, 500, false).unwrap().starts_with("draining"));
    }
}
