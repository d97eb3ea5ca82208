//! Editors: connections that write to the host's tables in every way that applications do, as fast as they can. What a write
//! takes, and how it fails, is noted: a host's write may fail because of the host or of a fault, and never because of tintype.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::SinkExt;
use tokio_postgres::{Client, CopyInSink, Error, error::SqlState};
use tokio_util::sync::CancellationToken;

use super::{Dice, Stage, Tally};

/// A picture that somebody chose.
pub(crate) const HAND: &str = "https://hand.example/chosen.png";

/// Keys are alike in what may be done to them where they leave the same remainder by this.
const KINDS: u64 = 17;
/// The remainder of rows whose picture is chosen by hand.
const BY_HAND: u64 = 3;
/// That of rows which one transaction holds for a while, so that nobody else waits for it.
const HELD: u64 = 5;

/// The ways to write; some stand here more often than others.
const WAYS: [Way; 26] = [
    Way::Insert,
    Way::Body,
    Way::Body,
    Way::Title,
    Way::ThereAndBack,
    Way::Delete,
    Way::DeleteAndInsert,
    Way::NewKey,
    Way::Unrelated,
    Way::Unrelated,
    Way::WholeRow,
    Way::WholeRow,
    Way::Whitespace,
    Way::Copy,
    Way::Select,
    Way::Partition,
    Way::Replica,
    Way::Rollback,
    Way::Savepoint,
    Way::Repeatable,
    Way::Serializable,
    Way::Hold,
    Way::Storm,
    Way::Erase,
    Way::Page,
    Way::Nothing,
];

#[derive(Debug, Clone, Copy)]
enum Way {
    Insert,
    Body,
    Title,
    ThereAndBack,
    Delete,
    DeleteAndInsert,
    NewKey,
    Unrelated,
    WholeRow,
    Whitespace,
    Copy,
    Select,
    Partition,
    Replica,
    Rollback,
    Savepoint,
    Repeatable,
    Serializable,
    Hold,
    Storm,
    Erase,
    Page,
    Nothing,
}

/// One row: its table, and what finds it.
struct Target {
    table: &'static str,
    id: u64,
    region: &'static str,
}

impl Target {
    fn roll(dice: &mut Dice, rows: u64) -> Self {
        let posts = dice.percent(50);
        // Half of all writes meet in a tenth of the rows.
        let mut id = if dice.percent(50) { dice.between(1, rows / 10 + 2) } else { dice.between(1, rows * 2) };
        if id % KINDS == HELD {
            id += 1;
        }
        let region = if id.is_multiple_of(2) { "north" } else { "south" };
        Self { table: if posts { "posts" } else { "articles" }, id, region }
    }

    fn hand(&self) -> bool {
        self.id % KINDS == BY_HAND
    }

    fn only(&self) -> String {
        match self.table {
            "posts" => format!("id = {}", self.id),
            _ => format!("region = '{}' AND id = {}", self.region, self.id),
        }
    }

    fn insert(&self, title: &str, body: &str) -> String {
        let (region, its) =
            if self.table == "posts" { ("", String::new()) } else { ("region, ", format!("'{}', ", self.region)) };
        let image = if self.hand() { format!("'{HAND}'") } else { "NULL".to_owned() };
        format!(
            "INSERT INTO {} ({region}id, title, body, og_image_url, hand) VALUES ({its}{}, {title}, {body}, {image}, {}) ON CONFLICT DO NOTHING",
            self.table,
            self.id,
            self.hand()
        )
    }

    fn set(&self, what: &str) -> String {
        format!("UPDATE {} SET {what} WHERE {}", self.table, self.only())
    }
}

/// The rows that the tables begin with.
pub(crate) fn first_rows(rows: u64) -> String {
    let of = |table: &str, region: &str, its: &str| {
        format!(
            "INSERT INTO {table} ({region}id, title, body, og_image_url, hand)
             SELECT {its}n, 'Title ' || n, E'A text.\\n\\n```rust\\nfn main() {{\\n    println!(\"{{}}\", ' || n || E');\\n}}\\n```\\n',
                    CASE WHEN n % {KINDS} = {BY_HAND} THEN '{HAND}' END, n % {KINDS} = {BY_HAND} FROM generate_series(1, {rows}) n;"
        )
    };
    of("posts", "", "") + &of("articles", "region, ", "CASE WHEN n % 2 = 0 THEN 'north' ELSE 'south' END, ")
}

fn body(dice: &mut Dice) -> String {
    let number = dice.below(1_000_000_000);
    match dice.below(10) {
        0 => format!("E'Words about {number}, and *more* of them.\\n\\n- one\\n- two'"),
        1 => format!("E'```python\\ndef answer():\\n    return {number}\\n\\nprint(answer())\\n```'"),
        2 => format!("E'```sql\\nSELECT {number} AS answer\\n  FROM posts\\n WHERE views > 10;\\n```'"),
        _ => format!(
            "E'Text.\\n\\n```rust\\nlet answer: u64 = {number};\\nassert_eq!(answer, {number}, \"as it was\");\\n```'"
        ),
    }
}

fn title(dice: &mut Dice) -> String {
    format!("'Ada Lovelace, note {}'", dice.below(1_000_000))
}

/// Edits until `stop`.
pub(crate) async fn edit(stage: Arc<Stage>, tally: Arc<Tally>, number: u64, stop: CancellationToken) {
    let mut dice = Dice::new(stage.plan.seed, 100 + number);
    let name = format!("editor-{number}");
    let mut client = stage.connect(&name).await;
    let mut asleep = Duration::ZERO;
    while !stop.is_cancelled() {
        let way = *dice.pick(&WAYS);
        let began = Instant::now();
        let done = write(&client, way, &mut dice, stage.plan.rows, &mut asleep).await;
        let took = began.elapsed().saturating_sub(std::mem::take(&mut asleep));
        match done {
            Ok(()) => {
                tally.count("edits");
                if matches!(way, Way::Hold) {
                    continue; // it may have waited for another one that holds the same row
                }
                tally.took("longest host write", took, &format!("{way:?} of {name}"));
                if took > stage.plan.stall {
                    tally.violation(format!("a host's write ({way:?} of {name}) took {took:?}"));
                }
            }
            Err(error) => note(&tally, way, &error),
        }
        if client.is_closed() || client.batch_execute("ROLLBACK").await.is_err() {
            client = stage.connect(&name).await;
        }
        tokio::time::sleep(Duration::from_millis(dice.below(40))).await;
    }
}

/// A write failed: by a fault, by what isolation levels promise, or else as it must not.
fn note(tally: &Tally, way: Way, error: &Error) {
    let Some(told) = error.as_db_error() else {
        return tally.count("edits that lost their connection");
    };
    match told.code() {
        code if *code == SqlState::T_R_SERIALIZATION_FAILURE => tally.count("edits refused by serialization"),
        // The server dies or has died; a key that was taken meanwhile.
        code if code.code().starts_with("57") || code.code().starts_with("08") => {
            tally.count("edits that lost their connection");
        }
        code if *code == SqlState::UNIQUE_VIOLATION => tally.count("edits to a key that was taken"),
        code => tally.violation(format!("a host's write ({way:?}) failed: {} {}", code.code(), told.message())),
    }
}

async fn write(client: &Client, way: Way, dice: &mut Dice, rows: u64, asleep: &mut Duration) -> Result<(), Error> {
    let row = Target::roll(dice, rows);
    let (one, two, words) = (body(dice), body(dice), title(dice));
    let both = |then: &str| format!("BEGIN; {}; {then}", row.set(&format!("body = {one}")));
    let sql = match way {
        Way::Insert => row.insert(&words, &one),
        Way::Body => row.set(&format!("body = {one}")),
        Way::Title => row.set(&format!("title = {words}")),
        Way::ThereAndBack => return there_and_back(client, &row, dice, asleep).await,
        Way::Delete => format!("DELETE FROM {} WHERE {}", row.table, row.only()),
        Way::DeleteAndInsert => {
            format!("BEGIN; DELETE FROM {} WHERE {}; {}; COMMIT", row.table, row.only(), row.insert(&words, &one))
        }
        Way::NewKey => row.set(&format!("id = {}", row.id + KINDS * 2 * dice.between(1, rows / 20 + 2))),
        Way::Unrelated => format!("UPDATE {} SET views = views + 1 WHERE {}", row.table, row.only()),
        Way::WholeRow => return whole_row(client, &row, dice, asleep).await,
        Way::Whitespace => row.set(if dice.percent(50) { "body = body || ' '" } else { "body = rtrim(body)" }),
        Way::Copy => return copy(client, dice, rows).await,
        Way::Select => format!(
            "UPDATE {0} SET title = 'Grace Hopper, ' || id WHERE id IN (SELECT id FROM {0} WHERE id BETWEEN {1} AND {1} + 12 AND id % {KINDS} <> {HELD} ORDER BY id FOR UPDATE)",
            row.table, row.id
        ),
        Way::Partition => format!("UPDATE articles_{} SET body = {one} WHERE id = {}", row.region, row.id),
        Way::Replica => format!(
            "BEGIN; SET LOCAL session_replication_role = replica; {}; COMMIT",
            row.set(&format!("body = {one}"))
        ),
        Way::Rollback => both("ROLLBACK"),
        Way::Savepoint => both(&format!(
            "SAVEPOINT a; {}; ROLLBACK TO a; {}; COMMIT",
            row.set(&format!("body = {two}")),
            row.set(&format!("title = {words}"))
        )),
        Way::Repeatable => return isolated(client, "REPEATABLE READ", &row, dice, asleep).await,
        Way::Serializable => return isolated(client, "SERIALIZABLE", &row, dice, asleep).await,
        Way::Hold => return hold(client, dice, rows, asleep).await,
        Way::Storm => return storm(client, dice).await,
        Way::Erase if !row.hand() => row.set("og_image_url = NULL"),
        Way::Erase | Way::Page => format!("UPDATE pages SET title = {words} WHERE id = {}", row.id % 20),
        Way::Nothing => row.set("title = NULL, body = ''"),
    };
    client.batch_execute(&sql).await
}

async fn rest(dice: &mut Dice, most: u64, asleep: &mut Duration) {
    let pause = Duration::from_millis(dice.below(most));
    *asleep += pause;
    tokio::time::sleep(pause).await;
}

async fn there_and_back(client: &Client, row: &Target, dice: &mut Dice, asleep: &mut Duration) -> Result<(), Error> {
    let (one, two) = (body(dice), body(dice));
    for text in [&one, &two, &one] {
        client.batch_execute(&row.set(&format!("body = {text}"))).await?;
        rest(dice, 150, asleep).await;
    }
    Ok(())
}

/// As ORMs save: every column, the URL of the picture too, as it was when the row was read.
async fn whole_row(client: &Client, row: &Target, dice: &mut Dice, asleep: &mut Duration) -> Result<(), Error> {
    let read = format!("SELECT title, body, og_image_url, views FROM {} WHERE {}", row.table, row.only());
    let Some(old) = client.query_opt(&read, &[]).await? else { return Ok(()) };
    rest(dice, 400, asleep).await;
    let words = if dice.percent(70) { body(dice).trim_matches('\'').to_owned() } else { String::new() };
    let text: Option<String> = if words.is_empty() { old.get(1) } else { Some(words) };
    let save = row.set("title = $1, body = $2, og_image_url = $3, views = $4");
    let (title, image): (Option<String>, Option<String>) = (old.get(0), old.get(2));
    client.execute(&save, &[&title, &text, &image, &old.get::<_, i32>(3)]).await?;
    Ok(())
}

async fn copy(client: &Client, dice: &mut Dice, rows: u64) -> Result<(), Error> {
    client.batch_execute("BEGIN").await?;
    let start = dice.between(rows, rows * 2);
    let ids = (start..start + 25).filter(|id| id % KINDS != BY_HAND && id % KINDS != HELD);
    let line = |id: u64| format!("{id}\tCopied {id}\tWords of {}\n", dice.below(9_999));
    let lines = ids.map(line).collect::<Vec<_>>().concat();
    // Those that are free come by COPY into the table itself; the rest would fail it.
    let taken = client.query("SELECT id FROM posts WHERE id BETWEEN $1 AND $1 + 25", &[&(start as i64)]).await?;
    let taken: Vec<String> = taken.iter().map(|row| format!("{}\t", row.get::<_, i64>(0))).collect();
    let free: String =
        lines.split_inclusive('\n').filter(|line| !taken.iter().any(|id| line.starts_with(id))).collect();
    let sink: CopyInSink<std::io::Cursor<Vec<u8>>> = client.copy_in("COPY posts (id, title, body) FROM STDIN").await?;
    let mut sink = Box::pin(sink);
    sink.send(std::io::Cursor::new(free.into_bytes())).await?;
    sink.close().await?;
    client.batch_execute("COMMIT").await
}

async fn isolated(
    client: &Client,
    level: &str,
    row: &Target,
    dice: &mut Dice,
    asleep: &mut Duration,
) -> Result<(), Error> {
    let (one, count) = (body(dice), format!("SELECT count(*) FROM {} WHERE id < 40", row.table));
    client.batch_execute(&format!("BEGIN ISOLATION LEVEL {level}; {count}")).await?;
    rest(dice, 60, asleep).await;
    client.batch_execute(&row.set(&format!("body = {one}"))).await?;
    rest(dice, 60, asleep).await;
    client.batch_execute("COMMIT").await
}

/// Holds a row for longer than a worker knocks at it.
async fn hold(client: &Client, dice: &mut Dice, rows: u64, asleep: &mut Duration) -> Result<(), Error> {
    let id = dice.below(rows / KINDS + 1) * KINDS + HELD;
    let text = body(dice);
    client.batch_execute(&format!("UPDATE posts SET body = {} WHERE id = {id}", body(dice))).await?;
    client
        .batch_execute(&format!(
            "BEGIN; SET LOCAL lock_timeout = '20s'; UPDATE posts SET body = {text} WHERE id = {id}"
        ))
        .await?;
    rest(dice, 4_000, asleep).await;
    client.batch_execute("COMMIT").await
}

async fn storm(client: &Client, dice: &mut Dice) -> Result<(), Error> {
    for _ in 0..dice.between(10, 40) {
        client.batch_execute(&format!("UPDATE posts SET body = {} WHERE id = 1", body(dice))).await?;
    }
    Ok(())
}
