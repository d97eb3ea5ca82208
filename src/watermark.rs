//! A fold deletes the marks that it takes, and where an old transaction of the host's keeps the dead ones from being cleared away,
//! each look at `change` walks over all of them again. A worker therefore remembers how far it has come: marks with ids up to the
//! watermark are taken and settled, and looks begin above it.
//!
//! A wrong watermark costs time and never a mark: the last look before a sleep sees everything, a worker that wakes has forgotten it,
//! and every ten seconds one look begins at the beginning.

use std::{collections::HashSet, time::Duration};

use tokio::time::Instant;

use crate::{
    db::{DbError, Queries},
    queue::{self, FOLD_CHUNK},
};

/// How often the watermark is moved at most, and how often a look begins at the beginning.
const MOVE: Duration = Duration::from_secs(1);
const FULL_LOOK: Duration = Duration::from_secs(10);

/// How far one worker has come.
#[derive(Debug)]
pub struct Watermark {
    /// Marks up to this id need no look.
    settled: i64,
    /// No transaction can add a mark up to this id any more, but some of these may not be taken yet.
    filled: i64,
    /// The last id that was given out at some moment, and the transactions that were about to add marks then.
    pending: Option<(i64, HashSet<String>)>,
    moved: Instant,
    full_look: Instant,
}

impl Default for Watermark {
    fn default() -> Self {
        let now = Instant::now();
        Self { settled: 0, filled: 0, pending: None, moved: now, full_look: now }
    }
}

impl Watermark {
    /// Turns marks into jobs; returns how many marks were taken. Zero also while another worker folds.
    pub async fn fold(&mut self, client: &impl Queries) -> Result<u64, DbError> {
        if self.moved.elapsed() >= MOVE {
            self.advance(client).await?;
        }
        let full = self.full_look.elapsed() >= FULL_LOOK;
        let taken = queue::fold(client, if full { 0 } else { self.settled }).await?;
        if full && taken < u64::from(FOLD_CHUNK.unsigned_abs()) {
            self.full_look = Instant::now();
        }
        // Some and not a chunk: no other worker was folding, and all that was there has been taken.
        if (1..u64::from(FOLD_CHUNK.unsigned_abs())).contains(&taken) {
            self.settled = self.settled.max(self.filled);
        }
        Ok(taken)
    }

    /// Forgets how far it had come: the next look sees everything.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// A transaction takes an id while it holds a lock on `change`, and keeps the lock to its end. So once all have ended that held
    /// one when the last id was so and so, every mark up to that id is there to be seen by the next look, or never will be.
    async fn advance(&mut self, client: &impl Queries) -> Result<(), DbError> {
        let row = client.query_one("SELECT last_id, in_flight FROM tintype.tide()", &[]).await?;
        let (last, in_flight) = (row.get(0), row.get::<_, Vec<String>>(1).into_iter().collect::<HashSet<_>>());
        self.moved = Instant::now();
        match &self.pending {
            Some((_, before)) if !before.is_disjoint(&in_flight) => return Ok(()),
            Some((id, _)) => self.filled = *id,
            None => {}
        }
        self.pending = Some((last, in_flight));
        Ok(())
    }
}
