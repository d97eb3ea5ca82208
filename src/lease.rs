//! The leases that a worker holds, one a running job. The heartbeat prolongs them in the database and here; a job whose lease was
//! not prolonged is stopped when it ends, so that nobody works on what another worker may have taken over.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

/// How long a job may go on after its lease was found to have ended: its publication, which ended it, may be on its way back.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The leases of one worker, by their tokens, and when each ends.
#[derive(Debug, Default)]
pub struct Leases {
    held: Mutex<HashMap<i64, watch::Sender<Instant>>>,
}

impl Leases {
    /// Notes a lease, which is held as long as the value lives.
    pub fn hold(self: &Arc<Self>, token: i64, until: Instant) -> Lease {
        let (sender, until) = watch::channel(until);
        self.lock().insert(token, sender);
        Lease { token, until, leases: Arc::clone(self) }
    }

    /// The tokens of all leases.
    pub fn tokens(&self) -> Vec<i64> {
        self.lock().keys().copied().collect()
    }

    /// Notes what came of an attempt to prolong the leases in `asked`: those that are `live` go on, the others have ended.
    pub fn prolonged(&self, asked: &[i64], live: &[i64], until: Instant) {
        let (held, now) = (self.lock(), Instant::now());
        for token in asked {
            if let Some(end) = held.get(token) {
                // What has ended stays ended, however often it is found to have.
                end.send_modify(|end| *end = if live.contains(token) { until } else { now.min(*end) });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, watch::Sender<Instant>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One lease.
#[derive(Debug)]
pub struct Lease {
    token: i64,
    until: watch::Receiver<Instant>,
    leases: Arc<Leases>,
}

impl Lease {
    /// `work` to its end; `None` where the lease ended first.
    pub async fn over<T>(mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.end() => None,
        }
    }

    async fn end(&mut self) {
        loop {
            let end = *self.until.borrow_and_update() + LAST_WORDS;
            tokio::select! {
                () = tokio::time::sleep_until(end) => return,
                Ok(()) = self.until.changed() => {}
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.leases.lock().remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_ends_with_its_lease_unless_it_is_prolonged() {
        let leases = Arc::new(Leases::default());
        let now = Instant::now();
        let (lost, kept, quick) = (leases.hold(1, now), leases.hold(2, now), leases.hold(3, now));
        leases.prolonged(&leases.tokens(), &[2, 3], now + Duration::from_secs(600));
        let ended = *lost.until.borrow();
        leases.prolonged(&[1], &[], now);
        assert_eq!(*lost.until.borrow(), ended, "it does not end later for being asked again");
        let job = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        assert_eq!(lost.over(job(600)).await, None);
        assert!(now.elapsed() >= LAST_WORDS);
        assert_eq!(kept.over(job(1)).await, Some(()));
        assert_eq!(quick.over(async {}).await, Some(()));
        assert!(leases.tokens().is_empty(), "what is over is forgotten");
        leases.prolonged(&[1, 2, 3], &[], now);
    }
}
