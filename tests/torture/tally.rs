//! What a run counts, and what it found wrong.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// Counted by everyone who takes part.
#[derive(Debug)]
pub(crate) struct Tally {
    /// What the plan was made from.
    pub(crate) seed: u64,
    book: Mutex<Book>,
}

/// What was counted.
#[derive(Debug, Default, Clone)]
pub(crate) struct Book {
    /// How often something happened, by its name.
    pub(crate) counts: BTreeMap<String, u64>,
    /// The longest of several times in milliseconds, by its name.
    pub(crate) longest: BTreeMap<String, (Duration, String)>,
    /// Samples of times, by their name.
    pub(crate) samples: BTreeMap<String, Vec<Duration>>,
    /// What must not be.
    pub(crate) violations: Vec<String>,
    /// When the database was ended.
    pub(crate) restarts: Vec<SystemTime>,
    /// What could not be tried here, and why.
    pub(crate) skipped: Vec<String>,
}

impl Tally {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, book: Mutex::default() }
    }

    /// One more of something.
    pub(crate) fn count(&self, what: &str) {
        self.add(what, 1);
    }

    /// So many more of something.
    pub(crate) fn add(&self, what: &str, more: u64) {
        *self.lock().counts.entry(what.to_owned()).or_default() += more;
    }

    /// Something took so long; the longest is kept with what it was.
    pub(crate) fn took(&self, what: &str, time: Duration, words: &str) {
        let mut book = self.lock();
        let longest = book.longest.entry(what.to_owned()).or_default();
        if time > longest.0 {
            *longest = (time, words.to_owned());
        }
    }

    /// One sample of a time.
    pub(crate) fn sample(&self, what: &str, time: Duration) {
        self.lock().samples.entry(what.to_owned()).or_default().push(time);
    }

    /// The database was ended at this time, and starts again.
    pub(crate) fn restarted(&self, at: SystemTime) {
        self.lock().restarts.push(at);
    }

    /// Something that must not be.
    pub(crate) fn violation(&self, what: String) {
        self.lock().violations.push(what);
    }

    /// Something that could not be tried.
    pub(crate) fn skip(&self, what: &str) {
        let mut book = self.lock();
        if !book.skipped.iter().any(|known| known == what) {
            book.skipped.push(what.to_owned());
        }
    }

    /// A copy of all that was counted.
    pub(crate) fn book(&self) -> Book {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
