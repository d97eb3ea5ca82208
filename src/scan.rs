//! Backfill (the sweep does the same by itself, in SQL): a table is walked in key order and its rows marked, a step of a thousand at a time, each step its own short
//! transaction. A step that was done stays done when the process is killed.

use crate::{
    db::{DbError, Queries},
    source::Source,
};

/// How many rows a step looks at.
const CHUNK: i32 = 1_000;

/// Which rows a backfill marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Rows that have no picture.
    Missing,
    /// Every row, drawn again whatever it holds.
    Rerender,
}

/// A walk through one table.
#[derive(Debug)]
pub struct Scan<'a> {
    source: &'a Source,
    mode: Mode,
    condition: Option<&'a str>,
    dry: bool,
    after: Option<String>,
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

impl<'a> Scan<'a> {
    /// A walk over the rows that meet `condition`; `dry` only counts.
    pub fn new(source: &'a Source, mode: Mode, condition: Option<&'a str>, dry: bool) -> Self {
        Self { source, mode, condition, dry, after: None, ended: false }
    }

    /// Takes one step; `None` after the last.
    pub async fn step(&mut self, client: &impl Queries) -> Result<Option<Step>, DbError> {
        if self.ended {
            return Ok(None);
        }
        let mode = match self.mode {
            Mode::Missing => "missing",
            Mode::Rerender => "all",
        };
        let row = client
            .query_one(
                "SELECT t.scanned, t.marked, t.last_key FROM tintype.source s, tintype.scan(s, $2, $3, $4, $5, NULL, $6) t WHERE s.id = $1",
                &[&self.source.id, &mode, &self.after, &CHUNK, &self.condition, &self.dry],
            )
            .await?;
        self.after = row.get("last_key");
        self.ended = self.after.is_none();
        if self.ended && !self.dry && self.condition.is_none() {
            client.execute("UPDATE tintype.source SET whole = true WHERE id = $1", &[&self.source.id]).await?;
        }
        let count = |column| row.get::<_, i64>(column).unsigned_abs();
        Ok(Some(Step { scanned: count("scanned"), marked: count("marked") }))
    }
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
