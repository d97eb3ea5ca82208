//! The queue, seen from the worker: marks are folded into jobs, jobs are claimed, read, given back. Every operation is one
//! call of a function in `sql/functions`, which hold the protocol; no transaction stays open between two of them.

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use tokio_postgres::{
    Row,
    types::{FromSql, Json, Type},
};

use crate::{
    db::{DbError, Queries},
    ledger::Ledger,
    post::{self, Fields},
    source::Source,
    studio::Style,
};

/// How many marks one fold takes: enough for 50,000 a second, short enough to lock nothing for long.
pub const FOLD_CHUNK: i32 = 1_000;

/// Reads a row by its source's number and its key.
pub(crate) const READ: &str = include_str!("../sql/queries/read.sql");

/// One row's turn: the right to draw and publish it until the lease runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// `tintype.source.id`.
    pub source: i32,
    /// Its name, for people.
    pub source_name: String,
    /// The row's key as text; an array literal where it has several columns.
    pub key: String,
    /// The token without which nothing may be published.
    pub lease: i64,
    /// Failures so far.
    pub attempt: i32,
    /// It is for the browser.
    pub page: bool,
    /// When the row changed, by this process' clock.
    pub marked: Instant,
}

/// How many jobs a worker can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// In all.
    pub all: usize,
    /// Of them for the browser.
    pub pages: usize,
}

/// What a claimed row says, and how it wants to be drawn.
#[derive(Debug, Clone, Default)]
pub struct Material {
    /// The source's name, the first part of its objects' keys.
    pub source_name: String,
    /// `auto`, `code`, `title`, `page` or `html`.
    pub draw: String,
    /// The source's look.
    pub look: String,
    /// The look that the row asks for in its place.
    pub row_look: Option<String>,
    /// The theme that replaces the look's code colours.
    pub theme: Option<String>,
    /// The template in whose layout titles are drawn.
    pub template: Option<String>,
    /// The site's name on the card.
    pub site: Option<String>,
    /// False where the row filter leaves the row out.
    pub wanted: bool,
    /// The fingerprint of the drawn columns.
    pub content: String,
    /// The title column.
    pub title: Option<String>,
    /// The body column.
    pub body: Option<String>,
    /// The author column.
    pub author: Option<String>,
    /// The date column, ISO form, UTC.
    pub date: Option<String>,
    /// The tags column, as Postgres writes it.
    pub tags: Option<String>,
    /// The address of its page, with columns in braces.
    pub url: Option<String>,
    /// The name of its template in HTML.
    pub html: Option<String>,
    /// How its page is taken.
    pub capture: serde_json::Value,
    /// The columns that address or template are filled with.
    pub data: Vec<(String, Option<String>)>,
    /// A column of the row says how its picture stands.
    pub has_status: bool,
    /// The browser draws it.
    pub page: bool,
    /// What was published for this row before.
    pub ledger: Option<Ledger>,
}

impl Material {
    /// The row's columns as a post's fields.
    pub fn fields(&self) -> Fields {
        Fields {
            title: self.title.clone(),
            author: self.author.clone(),
            site: self.site.clone(),
            date: self.date.clone(),
            tags: self.tags.as_deref().map(post::tags).unwrap_or_default(),
            body: self.body.clone().unwrap_or_default(),
        }
    }

    /// All that decides its picture besides its content.
    pub fn style(&self) -> Style<'_> {
        Style {
            look: self.row_look.as_deref().unwrap_or(&self.look),
            theme: self.theme.as_deref(),
            template: self.template.as_deref(),
            draw: &self.draw,
            site: self.site.as_deref().unwrap_or_default(),
        }
    }
}

/// What lies ahead of a worker with nothing to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// There are marks, or due jobs.
    pub work: bool,
    /// Time until the next job falls due.
    pub next_due: Option<Duration>,
}

impl Outlook {
    /// Out of the columns of `tintype.outlook()`.
    pub(crate) fn of(row: &Row) -> Self {
        let next_due = row.get::<_, Option<f64>>("next_due");
        let next_due = next_due.map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0)));
        Self { work: row.get("work"), next_due }
    }
}

/// Text in the bytes that `tintype.bytes` gives. A database in `SQL_ASCII` can hold bytes that are no UTF-8; they become U+FFFD
/// instead of an error: content is drawn whatever it is, and a key that cannot be named back is parked and holds nobody up.
pub(crate) struct Text(String);

impl Text {
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl<'a> FromSql<'a> for Text {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(String::from_utf8_lossy(raw).into_owned()))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::BYTEA
    }
}

/// Turns marks with ids above `after` into jobs; returns how many marks were taken. Zero also while another worker folds.
pub async fn fold(client: &impl Queries, after: i64) -> Result<u64, DbError> {
    let row = client.query_one("SELECT tintype.fold($1, $2)", &[&FOLD_CHUNK, &after]).await?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}

/// Claims as many due jobs as there are `slots`, for `worker`, for the time of `lease`.
pub async fn claim(client: &impl Queries, worker: i32, slots: Slots, lease: Duration) -> Result<Vec<Claim>, DbError> {
    let number = |slots: usize| i32::try_from(slots).unwrap_or(i32::MAX);
    let (all, pages) = (number(slots.all), number(slots.pages));
    let seconds = seconds(lease);
    let rows = client
        .query(
            "SELECT c.source, tintype.bytes(c.key), c.lease, c.attempt,
                    coalesce(tintype.by_browser(s.draw), false), coalesce(s.name, c.source::text),
                    date_part('epoch', clock_timestamp() - c.marked_at)
               FROM tintype.claim($1, $2, $3, $4) c LEFT JOIN tintype.source s ON s.id = c.source",
            &[&worker, &all, &seconds, &pages],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Claim {
            source: row.get(0),
            source_name: row.get(5),
            key: row.get::<_, Text>(1).0,
            lease: row.get(2),
            attempt: row.get(3),
            page: row.get(4),
            marked: ago(row.get(6)),
        })
        .collect())
}

/// So many seconds ago; now, where a clock jumped.
fn ago(seconds: f64) -> Instant {
    let now = Instant::now();
    Duration::try_from_secs_f64(seconds).ok().and_then(|age| now.checked_sub(age)).unwrap_or(now)
}

/// Reads the claimed row; `None` when it is deleted.
pub async fn read(client: &impl Queries, claim: &Claim) -> Result<Option<Material>, DbError> {
    let row = client.query_opt(READ, &[&claim.source, &claim.key]).await?;
    row.as_ref().map(material).transpose()
}

/// Reads the row with `key` as a source that may only be planned would; `None` where there is none.
pub async fn read_planned(client: &impl Queries, source: &Source, key: &str) -> Result<Option<Material>, DbError> {
    let row = client.query_opt(include_str!("../sql/queries/read_planned.sql"), &[&Json(source), &key]).await?;
    row.as_ref().map(material).transpose()
}

/// Out of the row that [`READ`] gives.
pub(crate) fn material(row: &Row) -> Result<Material, DbError> {
    let ledger = row.get::<_, Option<serde_json::Value>>("ledger").map(serde_json::from_value);
    let ledger = ledger.transpose().map_err(|error| DbError::unexpected(format!("a ledger entry with {error}")))?;
    let names: Vec<String> = row.get("data_columns");
    let values = row.get::<_, Vec<Option<Text>>>("data").into_iter().map(|text| text.map(|text| text.0));
    let text = |column: &str| row.get::<_, Option<Text>>(column).map(|text| text.0);
    Ok(Material {
        source_name: row.get("source_name"),
        draw: row.get("draw"),
        look: row.get("look"),
        row_look: text("row_look").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()),
        theme: row.get("theme"),
        template: row.get::<_, Option<String>>("layout").filter(|name| !name.is_empty()),
        site: row.get("site"),
        wanted: row.get("wanted"),
        content: row.get("content"),
        title: text("title"),
        body: text("body"),
        author: text("author"),
        date: text("date"),
        tags: text("tags"),
        url: row.get("url"),
        html: row.get("html"),
        capture: row.get("capture"),
        has_status: row.get("has_status"),
        page: row.get("page"),
        data: names.into_iter().zip(values).collect(),
        ledger,
    })
}

/// Says in the row's own column that it is being drawn, where it has one and nobody holds the row.
pub async fn say_processing(client: &impl Queries, claim: &Claim) -> Result<(), DbError> {
    client.execute("SELECT tintype.say_processing($1, $2, $3)", &[&claim.source, &claim.key, &claim.lease]).await
}

/// Puts a claimed job back for a random time within `delay`, a second at least. `charge` counts it against the job. Without a reason
/// nothing is wrong with it: what is on record and what the row says stay as they are.
pub async fn retry_later(
    client: &impl Queries,
    claim: &Claim,
    delay: &RangeInclusive<Duration>,
    charge: bool,
    reason: Option<&str>,
) -> Result<(), DbError> {
    client
        .execute(
            "SELECT tintype.retry_later($1, $2, $3, greatest(1, $4 + random() * ($5 - $4)), $6, $7)",
            &[
                &claim.source,
                &claim.key,
                &claim.lease,
                &delay.start().as_secs_f64(),
                &delay.end().as_secs_f64(),
                &charge,
                &reason,
            ],
        )
        .await?;
    Ok(())
}

/// Whole seconds as Postgres takes them.
pub(crate) fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

/// Prolongs those of a worker's claims that it `holds` and that have not run out by `lease`; returns their tokens.
pub async fn extend(client: &impl Queries, worker: i32, lease: Duration, holds: &[i64]) -> Result<Vec<i64>, DbError> {
    let seconds = seconds(lease);
    let rows = client.query("SELECT tintype.extend($1, $2, $3)", &[&worker, &seconds, &holds.to_vec()]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Gives all of a worker's claims back at once, uncharged.
pub async fn release(client: &impl Queries, worker: i32) -> Result<u64, DbError> {
    let row = client.query_one("SELECT tintype.release($1)", &[&worker]).await?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}

/// Says whether there is work, and when there will be.
pub async fn outlook(client: &impl Queries) -> Result<Outlook, DbError> {
    let row = client.query_one("SELECT work, next_due FROM tintype.outlook()", &[]).await?;
    Ok(Outlook::of(&row))
}

/// How many jobs wait for another attempt after a failure.
pub async fn postponed(client: &impl Queries) -> Result<u64, DbError> {
    let row = client.query_one("SELECT count(*) FROM tintype.job WHERE last_error IS NOT NULL", &[]).await?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}
