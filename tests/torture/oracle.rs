//! The judge: when the faults have ended the queue has to run empty, and then every row, entry, object and every single write that
//! the witness saw is held against what tintype promises.

use std::{
    collections::{HashMap, HashSet},
    fs,
    time::{Duration, Instant},
};

use tintype::{
    card::Looks,
    picture::{self, Draw, Wish},
    post::Post,
    queue, source,
    storage::object_path,
    studio::Studio,
};
use tokio_postgres::{Client, Row};

use super::{Dice, Stage, Tally, crew::Crew, editors::HAND, stage::BASE, witness};
use crate::support::schema::database;

/// Pictures that are drawn anew and compared byte by byte.
const SAMPLE: usize = 50;

/// Every row of a table with what the ledger has for it.
const ROWS: &str = "SELECT k.key, x.og_image_url AS shown, x.hand, r.content, i.state, i.reason, i.content AS drawn, i.template, i.url, i.object
  FROM TABLE x CROSS JOIN tintype.source s CROSS JOIN LATERAL (SELECT KEY AS key) k CROSS JOIN LATERAL tintype.read_row(s, k.key) r
  LEFT JOIN tintype.image i ON i.source = s.id AND i.key = k.key WHERE s.name = 'TABLE'";

/// Waits for the end, and judges.
pub(crate) async fn judge(stage: &Stage, crew: &Crew, tally: &Tally) {
    let client = stage.connect("judge").await;
    let began = Instant::now();
    if !settle(&client, stage, tally, "after the last fault").await {
        return;
    }
    tally.sample("from the last fault until the queue is empty", began.elapsed());
    // What no trigger saw (replication's role, stale saves of the URL alone, a table that was detached) the sweep has to find.
    let back = "SELECT CASE WHEN NOT EXISTS (SELECT FROM tintype.source WHERE name = 'pages') THEN tintype.attach('pages') END;
                SELECT tintype.backfill('pages', rerender => true)";
    client.batch_execute(back).await.expect("pages are attached again");
    sweep(&client, tally).await;
    // An operator's word draws again what was given up.
    let again: i64 = client.query_one("SELECT tintype.retry()", &[]).await.expect("a retry").get(0);
    tally.add("rows that an operator's retry drew again", again.unsigned_abs());
    if !settle(&client, stage, tally, "after the sweep").await {
        return;
    }
    sweep(&client, tally).await;
    settle(&client, stage, tally, "after the second sweep").await;
    let templates = rows(&client, stage, tally).await;
    ledger(&client, tally).await;
    redraw(&client, stage, tally).await;
    witness::judge(&client, crew, tally, &templates).await;
    logs(stage, tally);
}

/// Waits until nothing is marked and nothing is to do; false where that does not come.
async fn settle(client: &Client, stage: &Stage, tally: &Tally, when: &str) -> bool {
    let (began, mut asked) = (Instant::now(), Instant::now());
    let mut given_up = false;
    loop {
        let depth = "SELECT (SELECT count(*) FROM tintype.change) + (SELECT count(*) FROM tintype.job)";
        let depth: i64 = client.query_one(depth, &[]).await.expect("the queue's depth").get(0);
        if depth == 0 {
            if !given_up {
                failures(client, tally).await;
            }
            return true;
        }
        if began.elapsed() > stage.plan.retry_after && asked.elapsed() > Duration::from_secs(2) {
            if !given_up {
                failures(client, tally).await;
                given_up = true;
            }
            // Only what waits: what failed stays failed until it was looked at.
            let hurry = "UPDATE tintype.job SET due_at = now() WHERE lease IS NULL AND due_at > now()";
            client.batch_execute(hurry).await.expect("an operator's word");
            asked = Instant::now();
        }
        if began.elapsed() > stage.plan.patience {
            let left = "SELECT string_agg(j::text, E'\\n') FROM (SELECT * FROM tintype.job ORDER BY due_at LIMIT 10) j";
            let left: Option<String> = client.query_one(left, &[]).await.expect("jobs").get(0);
            tally.violation(format!(
                "{when} the queue does not run empty, {depth} are left:\n{}",
                left.unwrap_or_default()
            ));
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What was recorded as failed has a reason, and there is only one that faults like ours may give.
async fn failures(client: &Client, tally: &Tally) {
    let sql = "SELECT coalesce(i.reason, ''), count(*), min(s.name || ' ' || i.key) FROM tintype.image i JOIN tintype.source s ON s.id = i.source
                WHERE i.state = 'failed' GROUP BY 1";
    for row in client.query(sql, &[]).await.expect("failures") {
        let (reason, count, one): (String, i64, String) = (row.get(0), row.get(1), row.get(2));
        tally.add(&format!("failed: {reason}"), count.unsigned_abs());
        if !reason.contains("three workers died") {
            tally.violation(format!("{count} rows failed, such as {one}, for the reason `{reason}`"));
        }
    }
}

/// One whole sweep of each source, in this connection, as a worker takes it step by step every hour.
async fn sweep(client: &Client, tally: &Tally) {
    for source in client.query("SELECT id FROM tintype.source", &[]).await.expect("sources") {
        let id: i32 = source.get(0);
        let start = "UPDATE tintype.source SET swept_to = NULL, pruned_to = NULL, swept_at = NULL WHERE id = $1";
        client.execute(start, &[&id]).await.expect("a sweep begins");
        let mut ended = false;
        while !ended {
            let marked: i64 = client.query_one("SELECT tintype.sweep($1, 2000)", &[&id]).await.expect("a step").get(0);
            tally.add("rows that the sweep marked", marked.unsigned_abs());
            let done = "SELECT swept_at IS NOT NULL, problem FROM tintype.source WHERE id = $1";
            let row = client.query_one(done, &[&id]).await.expect("a source");
            ended = row.get(0);
            if let Some(problem) = row.get::<_, Option<String>>(1).filter(|_| ended) {
                tally.violation(format!("source {id} cannot be swept: {problem}"));
            }
        }
    }
}

/// Every row; returns the template that each source's pictures were drawn with.
async fn rows(client: &Client, stage: &Stage, tally: &Tally) -> HashMap<String, String> {
    let mut templates = HashMap::new();
    for table in ["posts", "articles"] {
        let key = format!("SELECT tintype.key_sql(s, 'x') FROM tintype.source s WHERE s.name = '{table}'");
        let key: String = client.query_one(&key, &[]).await.expect("a key").get(0);
        let sql = ROWS.replace("TABLE", table).replace("KEY", &key);
        let mut seen = HashSet::new();
        for row in client.query(&sql, &[]).await.expect("rows and entries") {
            tally.count("rows at the end");
            let template: Option<String> = row.get("template");
            if let Some(template) = &template
                && seen.insert(template.clone())
                && templates.insert(table.to_owned(), template.clone()).is_some()
            {
                tally.violation(format!("{table} was drawn with more than one template"));
            }
            if let Err(wrong) = row_is_right(table, &row, stage, tally) {
                let key: String = row.get("key");
                let history = witness::history(client, table, &key).await;
                tally.violation(format!("{table} {key}: {wrong}\n{history}"));
            }
        }
    }
    templates
}

fn row_is_right(table: &str, row: &Row, stage: &Stage, tally: &Tally) -> Result<(), String> {
    let text = |name| row.get::<_, Option<String>>(name);
    let (key, hand, shown): (String, bool, Option<String>) = (row.get("key"), row.get("hand"), text("shown"));
    let content: String = row.get("content");
    if hand && shown.as_deref() != Some(HAND) {
        return Err(format!("the picture that was chosen by hand was replaced by {shown:?}"));
    }
    let verdict = text("state").ok_or("it has no entry in the ledger")?;
    if text("drawn").as_deref() != Some(&*content) {
        return Err(format!("its content is {content}, and the ledger is {verdict} for {:?}", text("drawn")));
    }
    match (&*verdict, text("url"), text("template"), text("reason")) {
        ("ready", Some(url), Some(template), _) => {
            if !url.ends_with(&format!("/{}", object_path(table, &key, &content, &template, "png"))) {
                return Err(format!("the ledger's URL {url} is not that of its content"));
            }
            if !hand && shown.as_ref() != Some(&url) {
                return Err(format!("the row shows {shown:?}, the ledger has {url}"));
            }
            let object = stage.objects().join(text("object").unwrap_or_default());
            if fs::metadata(&object).is_ok_and(|file| file.len() > 0) {
                Ok(())
            } else {
                Err(format!("there is no object {}", object.display()))
            }
        }
        ("skipped", None, _, Some(_)) if hand || shown.is_none() => Ok(()),
        ("skipped", None, _, Some(_)) if of_another_key(table, &key, shown.as_deref()) => {
            // Known, and not mended: nothing tells such a URL from one that was chosen by hand.
            tally.count("rows that call for no picture and show the one that they had under another key");
            Ok(())
        }
        (other, url, _, reason) => Err(format!("it shows {shown:?} while the ledger says {other} {url:?} {reason:?}")),
    }
}

/// Whether a URL is one of a worker's and not from this row's own folder: its key was changed before it was drawn under the new one.
fn of_another_key(table: &str, key: &str, shown: Option<&str>) -> bool {
    let own = object_path(table, key, "", "", "png");
    let folder = own.rsplit_once('/').map_or("", |(folder, _)| folder);
    shown.is_some_and(|url| url.starts_with(BASE) && !url.contains(&format!("/{folder}/")))
}

/// Nothing is kept of rows that are gone.
async fn ledger(client: &Client, tally: &Tally) {
    for table in ["posts", "articles"] {
        let sql = format!(
            "SELECT i.key FROM tintype.image i JOIN tintype.source s ON s.id = i.source WHERE s.name = '{table}'
                AND NOT EXISTS (SELECT FROM tintype.read_row(s, i.key)) LIMIT 5"
        );
        for row in client.query(&sql, &[]).await.expect("the ledger") {
            tally.violation(format!("{table} {} is gone, and its entry is not", row.get::<_, String>(0)));
        }
    }
}

/// The bytes in the store are those that the row gives when it is drawn anew.
async fn redraw(client: &Client, stage: &Stage, tally: &Tally) {
    let db = database(&stage.url()).await;
    let connection = db.get().await.expect("a connection");
    let studio = Studio::new(Looks::default(), 1, None);
    let mut dice = Dice::new(stage.plan.seed, 2);
    for table in ["posts", "articles"] {
        let watched = source::find(&connection, table).await.expect("a source");
        let sql = format!(
            "SELECT i.key, i.object FROM tintype.image i JOIN tintype.source s ON s.id = i.source WHERE s.name = '{table}' AND i.state = 'ready' ORDER BY i.key"
        );
        let mut entries = client.query(&sql, &[]).await.expect("entries");
        dice.shuffle(&mut entries);
        for entry in entries.iter().take(SAMPLE / 2) {
            let (key, object): (String, String) = (entry.get(0), entry.get(1));
            let material = queue::read_planned(&connection, &watched, &key).await.expect("a row").expect("it is there");
            let renderer = studio.renderer(material.style()).expect("a look");
            let wish = Wish { room: renderer.room(), ..Wish::default() };
            let card = picture::choose_as(&Post::new(material.fields()), Draw::Auto, &wish).expect("a card");
            let anew = renderer.render(&card).expect("a picture").bytes;
            tally.count("pictures drawn anew and compared");
            if fs::read(stage.objects().join(&object)).ok().as_ref() != Some(&anew) {
                tally.violation(format!("{table} {key}: the bytes of {object} are not those of its content"));
            }
        }
    }
}

/// What the server and the workers wrote down.
fn logs(stage: &Stage, tally: &Tally) {
    let server = stage.server_log();
    let lines = |words: &str| server.lines().filter(|line| line.contains(words)).count() as u64;
    tally.add("marks whose error was swallowed", lines("was not marked"));
    for (at, _) in server.match_indices("deadlock detected") {
        let told: String = server[at..].lines().take(24).collect::<Vec<_>>().join("\n");
        tally.violation(format!("the server saw a {told}"));
    }
    for number in 0..super::crew::WORKERS {
        let log = fs::read(stage.folder.path().join(format!("worker{number}.log"))).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let said = |words: &str| log.lines().filter(|line| line.contains(words)).count() as u64;
        tally.add("jobs that lost their lease", said("lost the lease"));
        tally.add("jobs that were put off", said("postponed"));
        tally.add("rows that changed while they were drawn", said("changed meanwhile"));
        if said("panicked") > 0 {
            tally.violation(format!("worker {number} logged a panic"));
        }
    }
}
