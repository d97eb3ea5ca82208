//! What a worker tells of itself while it works: counts and times, and whether it still takes its turns. Worker and executor write,
//! `http/` reads; nothing here waits, and nothing is kept a row.

mod meters;
mod pace;

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

pub use meters::{Meters, engine};
pub use pace::{Capacity, Pace, Room};

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It has not begun.
    Starting,
    /// It folds, claims and draws, or looks for something to draw.
    Working,
    /// It waits for the bell.
    Asleep,
    /// It was told to stop and finishes what it has begun.
    Draining,
}

/// How many waits are remembered, and for how long.
const WAITS: usize = 2_048;
const RECENT: Duration = Duration::from_secs(300);

/// One worker's signs of life.
#[derive(Debug)]
pub struct Vitals {
    /// Counts and times since it began.
    pub meters: Meters,
    /// Rung when a job came to an end.
    pub news: Notify,
    /// How fast pictures are made.
    pub pace: Pace,
    turn: Mutex<(Phase, Instant)>,
    waits: Mutex<VecDeque<(Instant, Duration)>>,
}

impl Default for Vitals {
    fn default() -> Self {
        let turn = Mutex::new((Phase::Starting, Instant::now()));
        Self { meters: Meters::default(), news: Notify::new(), pace: Pace::default(), turn, waits: Mutex::default() }
    }
}

impl Vitals {
    /// Notes that the worker's loop has come round, and in which phase.
    pub fn turn(&self, phase: Phase) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = (phase, Instant::now());
    }

    /// The phase, and how long ago the loop came round.
    pub fn last_turn(&self) -> (Phase, Duration) {
        let (phase, at) = *self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        (phase, at.elapsed())
    }

    /// Notes how long a row had to wait for its picture.
    pub fn waited(&self, wait: Duration) {
        self.meters.wait.observe(wait.as_secs_f64());
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if waits.len() == WAITS {
            waits.pop_front();
        }
        waits.push_back((Instant::now(), wait));
    }

    /// Of the pictures of the last five minutes, the last two thousand at most: how long 95 in a hundred had to wait at most.
    pub fn recent_wait(&self) -> Option<Duration> {
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recent: Vec<_> = waits.iter().filter(|(at, _)| at.elapsed() < RECENT).map(|(_, wait)| *wait).collect();
        drop(waits);
        recent.sort_unstable();
        recent.get((recent.len() * 95).div_ceil(100).checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_of_95_in_a_hundred() {
        let vitals = Vitals::default();
        assert_eq!(vitals.recent_wait(), None);
        vitals.waited(Duration::from_millis(7));
        assert_eq!(vitals.recent_wait(), Some(Duration::from_millis(7)));
        for milliseconds in (1..=100).rev() {
            vitals.waited(Duration::from_millis(milliseconds));
        }
        assert_eq!(vitals.recent_wait(), Some(Duration::from_millis(95)));
        for _ in 0..2 * WAITS {
            vitals.waited(Duration::from_millis(3));
        }
        assert_eq!(vitals.waits.lock().unwrap().len(), WAITS, "no more is kept");
    }

    #[test]
    fn a_turn_is_remembered() {
        let vitals = Vitals::default();
        assert_eq!(vitals.last_turn().0, Phase::Starting);
        vitals.turn(Phase::Asleep);
        assert_eq!(vitals.last_turn().0, Phase::Asleep);
    }
}
