//! How many pictures a minute a worker could make: the times of its last pictures go in, a number for cards and one for pages come out.
//! Idle or busy, it is told alike: a busy worker's jobs wait for each other, and that is part of their time.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Over about how many pictures a mean goes.
const MEMORY: u32 = 64;

/// How much a worker does at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Room {
    /// Jobs of any kind.
    pub slots: usize,
    /// Cards that are drawn.
    pub easels: usize,
    /// Jobs for the browser.
    pub pages: usize,
}

/// Pictures a minute; `None` where none has been made yet.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Capacity {
    /// Cards.
    pub cards: Option<f64>,
    /// Pages.
    pub pages: Option<f64>,
}

/// The times of a worker's pictures.
#[derive(Debug, Default)]
pub struct Pace(Mutex<Times>);

#[derive(Debug, Default)]
struct Times {
    room: Room,
    drawing: Mean,
    card: Mean,
    page: Mean,
}

impl Pace {
    /// Says how much is done at once.
    pub fn settle(&self, room: Room) {
        self.times().room = room;
    }

    /// Notes a card: how long its thread drew, and how long the whole job took.
    pub fn card(&self, drawing: Duration, job: Duration) {
        let mut times = self.times();
        times.drawing.take(drawing);
        times.card.take(job);
    }

    /// Notes a page's job.
    pub fn page(&self, job: Duration) {
        self.times().page.take(job);
    }

    /// What the worker could make. For cards whichever is scarce: places at an easel, or slots.
    pub fn capacity(&self) -> Capacity {
        let Times { room, drawing, card, page } = &*self.times();
        let at_once = |many: usize, mean: &Mean| mean.seconds().map(|seconds| 60.0 * many as f64 / seconds);
        let cards = at_once(room.easels, drawing).zip(at_once(room.slots, card)).map(|(drawn, done)| drawn.min(done));
        Capacity { cards, pages: at_once(room.pages.min(room.slots), page) }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A mean that follows what comes.
#[derive(Debug, Default)]
struct Mean {
    value: f64,
    count: u32,
}

impl Mean {
    /// The first of all also finds what the others have: it counts only while it is alone.
    fn take(&mut self, time: Duration) {
        self.count = self.count.saturating_add(1);
        self.value += (time.as_secs_f64() - self.value) / f64::from((self.count - 1).clamp(1, MEMORY));
    }

    fn seconds(&self) -> Option<f64> {
        (self.count > 0).then(|| self.value.max(1e-6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        let pace = Pace::default();
        pace.settle(Room { slots: 16, easels: 2, pages: 4 });
        pace
    }

    fn near(told: Option<f64>, wanted: f64) {
        assert!(told.is_some_and(|told| (told / wanted - 1.0).abs() < 0.01), "{told:?}, {wanted}");
    }

    #[test]
    fn nothing_is_said_before_a_picture() {
        assert_eq!(pace().capacity(), Capacity::default());
    }

    #[test]
    fn cards_are_held_up_by_easels_or_by_slots() {
        let pace = pace();
        pace.card(Duration::from_millis(10), Duration::from_millis(20));
        near(pace.capacity().cards, 12_000.0); // two easels at 10 ms
        let pace = self::pace();
        pace.card(Duration::from_millis(1), Duration::from_millis(160));
        near(pace.capacity().cards, 6_000.0); // sixteen slots at 160 ms
        assert_eq!(pace.capacity().pages, None);
    }

    #[test]
    fn the_first_counts_while_it_is_alone() {
        let pace = pace();
        pace.page(Duration::from_secs(8));
        near(pace.capacity().pages, 30.0);
        pace.page(Duration::from_secs(1));
        pace.page(Duration::from_secs(3));
        near(pace.capacity().pages, 120.0);
        for _ in 0..1_000 {
            pace.page(Duration::from_secs(1));
        }
        near(pace.capacity().pages, 240.0);
    }
}
