//! Backfill (the sweep does the same by itself, in SQL): a table is walked in key order and its rows marked, a step at a time, each step
//! its own short transaction, which also notes how far the walk is. What was done stays done when the process is killed, and another
//! goes on from there.

use std::time::Duration;

use tokio_postgres::Row;

use crate::{
    db::{DbError, Queries},
    source::Source,
};

/// How many rows a step looks at.
const CHUNK: i32 = 1_000;

/// How many steps a second there are where a rate is to be held.
const STEPS: u64 = 4;

/// Which rows a backfill marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Rows that have no picture.
    Missing,
    /// Rows that tintype draws, for the worker to draw those that would look different now.
    Stale,
    /// Every row, drawn again whatever it holds.
    Rerender,
}

impl Mode {
    /// As `tintype.scan` calls it.
    fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Rerender => "all",
        }
    }

    fn read(word: &str) -> Result<Self, DbError> {
        let known = [Self::Missing, Self::Stale, Self::Rerender].into_iter().find(|mode| mode.word() == word);
        known.ok_or_else(|| DbError::unexpected(format!("the mode `{word}`")))
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Which rows.
    pub mode: Mode,
    /// Only those that meet this SQL condition.
    pub condition: Option<String>,
    /// At most so many.
    pub limit: Option<u64>,
    /// At most so many a second.
    pub rate: Option<u64>,
}

/// A walk through one table.
#[derive(Debug)]
pub struct Scan<'a> {
    source: &'a Source,
    wish: Wish,
    dry: bool,
    /// Where the next step begins at the beginning, whatever an earlier walk has left.
    anew: bool,
    /// Where a dry run stands; a real one is on record.
    after: Option<String>,
    marked: u64,
    ended: bool,
}

/// What one step saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Rows looked at.
    pub scanned: u64,
    /// Rows marked, or, in a dry run, that would be.
    pub marked: u64,
}

/// A walk that did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Which rows.
    pub mode: Mode,
    /// Under which condition.
    pub condition: Option<String>,
    /// The key that it reached.
    pub reached: Option<String>,
    /// What it saw until then.
    pub seen: Step,
}

/// Rows without a picture that share a reason.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Failures {
    /// Why.
    pub reason: String,
    /// How many.
    pub rows: u64,
    /// One of them.
    pub key: String,
    /// They will be tried again.
    pub postponed: bool,
}

impl<'a> Scan<'a> {
    /// A walk from the beginning.
    pub fn new(source: &'a Source, wish: Wish) -> Self {
        Self { source, wish, dry: false, anew: true, after: None, marked: 0, ended: false }
    }

    /// One that only counts.
    pub fn dry(source: &'a Source, wish: Wish) -> Self {
        Self { dry: true, ..Self::new(source, wish) }
    }

    /// One that goes on where an unfinished one stood; `wish` asks for the same.
    pub fn resumed(source: &'a Source, wish: Wish) -> Self {
        Self { anew: false, ..Self::new(source, wish) }
    }

    /// Takes one step; `None` after the last, or where the limit is reached.
    pub async fn step(&mut self, client: &impl Queries) -> Result<Option<Step>, DbError> {
        let left = self.wish.limit.map(|limit| limit.saturating_sub(self.marked));
        if self.ended || left == Some(0) {
            return Ok(None);
        }
        let burst = self.wish.rate.filter(|_| !self.dry).map(|rate| rate.div_ceil(STEPS));
        let most = [left, burst].into_iter().flatten().min().map(|most| i64::try_from(most).unwrap_or(i64::MAX));
        let step = if self.dry { self.count(client, most).await? } else { self.mark(client, most).await? };
        self.marked += step.marked;
        Ok(Some(step))
    }

    async fn mark(&mut self, client: &impl Queries, most: Option<i64>) -> Result<Step, DbError> {
        let (rerender, stale) = (self.wish.mode == Mode::Rerender, self.wish.mode == Mode::Stale);
        let row = client
            .query_one(
                "SELECT t.* FROM tintype.source s, tintype.backfill_step(s.relation, $2, $3, $4, $5, $6, $7) t WHERE s.id = $1",
                &[&self.source.id, &rerender, &self.wish.condition, &stale, &most, &CHUNK, &self.anew],
            )
            .await?;
        self.anew = false;
        self.ended = row.get("ended");
        Ok(Step::from(&row))
    }

    async fn count(&mut self, client: &impl Queries, most: Option<i64>) -> Result<Step, DbError> {
        let row = client
            .query_one(
                "SELECT t.scanned, t.marked, t.last_key FROM tintype.source s, tintype.scan(s, $2, $3, $4, $5, NULL, true, $6) t WHERE s.id = $1",
                &[&self.source.id, &self.wish.mode.word(), &self.after, &CHUNK, &self.wish.condition, &most],
            )
            .await?;
        self.after = row.get("last_key");
        self.ended = self.after.is_none();
        Ok(Step::from(&row))
    }

    /// How long to wait after a step, so that the rate is held: as long as what it marked may take, less what it took.
    pub fn pause(&self, step: Step, took: Duration) -> Duration {
        let due = |rate: u64| Duration::from_secs_f64(step.marked as f64 / rate.max(1) as f64);
        self.wish.rate.map_or(Duration::ZERO, |rate| due(rate).saturating_sub(took))
    }
}

impl From<&Row> for Step {
    fn from(row: &Row) -> Self {
        let count = |column| row.get::<_, i64>(column).unsigned_abs();
        Self { scanned: count("scanned"), marked: count("marked") }
    }
}

/// The walk of a table that did not come to its end, if there is one.
pub async fn unfinished(client: &impl Queries, source: &Source) -> Result<Option<Unfinished>, DbError> {
    let sql = "SELECT mode, condition, reached, scanned, marked FROM tintype.backfill_run WHERE source = $1";
    let row = client.query_opt(sql, &[&source.id]).await?;
    let read = |row: &Row| {
        let mode = Mode::read(row.get("mode"))?;
        Ok(Unfinished { mode, condition: row.get("condition"), reached: row.get("reached"), seen: Step::from(row) })
    };
    row.as_ref().map(read).transpose()
}

/// About how many rows a table has, by the planner's statistics; zero where nobody has counted.
pub async fn estimate(client: &impl Queries, source: &Source) -> Result<u64, DbError> {
    let row = client
        .query_one(
            "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint FROM pg_class c
              WHERE c.oid IN (SELECT relid FROM pg_partition_tree($1::text::regclass) UNION SELECT $1::text::regclass) AND c.relkind = 'r'",
            &[&source.relation],
        )
        .await?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}

/// How long pictures will take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// From now, or from when a worker runs.
    pub time: Duration,
    /// Whether one does.
    pub at_work: bool,
}

/// How long so many pictures take by what those at work have measured, or the last that was; `None` where no worker has drawn any.
pub async fn forecast(client: &impl Queries, source: &Source, pictures: u64) -> Result<Option<Forecast>, DbError> {
    let row = client
        .query_one(
            "SELECT tintype.pace($1::text::regclass), EXISTS (SELECT FROM tintype.worker w WHERE w.seen_at > now() - interval '1 minute')",
            &[&source.relation],
        )
        .await?;
    let pace = row.get::<_, Option<i64>>(0).map(i64::unsigned_abs).filter(|pace| *pace > 0);
    let time = |pace| Duration::from_secs(pictures.saturating_mul(60).div_ceil(pace));
    Ok(pace.map(|pace| Forecast { time: time(pace), at_work: row.get(1) }))
}

/// What has failed in a table since `began`, or waits for another attempt, by reason, the most frequent first.
pub async fn failures(client: &impl Queries, source: &Source, began: &str) -> Result<Vec<Failures>, DbError> {
    let rows = client.query(include_str!("../sql/queries/backfill_failures.sql"), &[&source.id, &began]).await?;
    let failures = rows.iter().map(|row| Failures {
        reason: row.get("reason"),
        rows: row.get::<_, i64>("rows").unsigned_abs(),
        key: row.get("key"),
        postponed: row.get("postponed"),
    });
    Ok(failures.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_as_they_are_written() {
        for mode in [Mode::Missing, Mode::Stale, Mode::Rerender] {
            assert_eq!(Mode::read(mode.word()).unwrap(), mode);
        }
        assert!(Mode::read("some").is_err());
    }
}
