//! Turns for hosts, so that nobody is hammered: a host comes in, the right to capture one of its pages goes out as soon as few enough
//! others run and few enough have begun within the last minute. It always holds that a turn is free again when it is dropped.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

/// Over which time starts are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// All hosts that were captured of late.
#[derive(Debug)]
pub(super) struct Hosts {
    at_once: usize,
    per_minute: Option<usize>,
    known: Mutex<HashMap<String, Arc<Host>>>,
}

#[derive(Debug)]
struct Host {
    turns: Arc<Semaphore>,
    starts: Mutex<VecDeque<Instant>>,
}

/// The right to capture a page of a host.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
    /// Keeps the host known.
    _host: Arc<Host>,
}

impl Hosts {
    pub(super) fn new(at_once: usize, per_minute: Option<u32>) -> Self {
        let per_minute = per_minute.map(|number| number.max(1) as usize);
        Self { at_once: at_once.max(1), per_minute, known: Mutex::default() }
    }

    /// Waits for a turn. Those who wait for the same host get it in the order in which they came.
    pub(super) async fn turn(&self, name: &str) -> Option<Turn> {
        let host = self.host(name);
        let permit = Arc::clone(&host.turns).acquire_owned().await.ok()?;
        while let Some(later) = self.per_minute.and_then(|most| host.start(most)) {
            sleep_until(later).await;
        }
        Some(Turn { _permit: permit, _host: host })
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut known = lock(&self.known);
        known.retain(|_, host| Arc::strong_count(host) > 1 || host.is_recent());
        let new = || Host { turns: Arc::new(Semaphore::new(self.at_once)), starts: Mutex::default() };
        Arc::clone(known.entry(name.to_owned()).or_insert_with(|| Arc::new(new())))
    }
}

impl Host {
    /// Notes a start now, or says from when on there may be one.
    fn start(&self, most: usize) -> Option<Instant> {
        let mut starts = lock(&self.starts);
        let now = Instant::now();
        starts.retain(|start| *start + MINUTE > now);
        if starts.len() >= most {
            return starts.front().map(|first| *first + MINUTE);
        }
        starts.push_back(now);
        None
    }

    fn is_recent(&self) -> bool {
        lock(&self.starts).back().is_some_and(|last| last.elapsed() < MINUTE)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_host_has_so_many_turns_and_others_have_their_own() {
        let hosts = Hosts::new(1, None);
        let first = hosts.turn("a.example").await.unwrap();
        assert!(timeout(SOON, hosts.turn("a.example")).await.is_err());
        assert!(hosts.turn("b.example").await.is_some());
        drop(first);
        assert!(hosts.turn("a.example").await.is_some());
    }

    #[tokio::test]
    async fn a_minute_has_so_many_starts() {
        let hosts = Hosts::new(9, Some(2));
        for _ in 0..2 {
            drop(hosts.turn("a.example").await);
        }
        assert!(timeout(SOON, hosts.turn("a.example")).await.is_err());
        let host = hosts.host("a.example");
        for start in host.starts.lock().unwrap().iter_mut() {
            *start = start.checked_sub(MINUTE).unwrap();
        }
        assert!(timeout(SOON, hosts.turn("a.example")).await.is_ok());
    }

    #[tokio::test]
    async fn hosts_are_forgotten() {
        let hosts = Hosts::new(1, None);
        for number in 0..100 {
            drop(hosts.turn(&format!("{number}.example")).await);
        }
        assert!(hosts.known.lock().unwrap().len() <= 2);
    }
}
