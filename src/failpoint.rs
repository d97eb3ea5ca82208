//! Where the fault suite lets a worker die or stand still. `TINTYPE_FAILPOINT` is for tests alone and is read here, once:
//! `after-upload:3:STOP` has the third job that comes to that point send its own process this signal (KILL where none is named),
//! and `lease=3` makes claims last three seconds; a comma stands between the two. Without the variable a point does nothing.

use std::{
    process::{Command, id},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// A job was claimed, and nothing is done yet.
pub const AFTER_CLAIM: &str = "after-claim";
/// The picture is drawn, and not stored.
pub const AFTER_RENDER: &str = "after-render";
/// The picture is stored, and its URL is not in the row.
pub const AFTER_UPLOAD: &str = "after-upload";
/// A batch is about to be published.
pub const BEFORE_PUBLISH: &str = "before-publish";
/// A batch is published, and nobody has been told.
pub const AFTER_PUBLISH: &str = "after-publish";

static PLAN: LazyLock<Plan> = LazyLock::new(|| Plan::read(&std::env::var("TINTYPE_FAILPOINT").unwrap_or_default()));
static REACHED: AtomicU32 = AtomicU32::new(0);

/// What the variable asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    point: Option<String>,
    count: u32,
    signal: String,
    lease: Option<u32>,
}

impl Plan {
    fn read(text: &str) -> Self {
        let mut plan = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            if let Some(seconds) = part.strip_prefix("lease=") {
                plan.lease = seconds.parse().ok().filter(|seconds| *seconds > 0);
                continue;
            }
            let mut words = part.split(':');
            plan.point = words.next().map(str::to_owned);
            plan.count = words.next().and_then(|count| count.parse().ok()).unwrap_or(1);
            plan.signal = words.next().unwrap_or("KILL").to_owned();
        }
        plan
    }
}

/// A job comes to a point.
pub fn reach(point: &str) {
    if PLAN.point.as_deref() == Some(point) && REACHED.fetch_add(1, Ordering::Relaxed) + 1 == PLAN.count {
        // The process does not go on before the signal has come; what fails here fails a test.
        let _ = Command::new("kill").args(["-s", &PLAN.signal, &id().to_string()]).status();
    }
}

/// How long claims last where that is asked for.
pub fn lease() -> Option<Duration> {
    PLAN.lease.map(|seconds| Duration::from_secs(u64::from(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_point_count_signal_and_lease() {
        let plan = Plan::read("lease=3,after-upload:7:STOP");
        assert_eq!(
            plan,
            Plan { point: Some("after-upload".to_owned()), count: 7, signal: "STOP".to_owned(), lease: Some(3) }
        );
        assert_eq!(Plan::read("after-claim").signal, "KILL");
        assert_eq!(Plan::read(""), Plan::default());
    }
}
