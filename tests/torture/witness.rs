//! The witness's log, judged: no URL was committed to a row of another content (promise 3), none without a reason (promise 4), and
//! none by a worker whose job had passed to another.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tintype::storage::object_path;
use tokio_postgres::{Client, Row};

use super::{Tally, crew::Crew};

const LOG: &str = "SELECT source, key, gone, app, owner, live, content, before, url, extract(epoch FROM at)::float8 AS at FROM torture.log";

/// One write that the witness saw.
#[derive(Debug, Clone)]
struct Seen {
    source: String,
    key: String,
    gone: bool,
    app: String,
    owner: Option<String>,
    live: Option<bool>,
    content: Option<String>,
    before: Option<String>,
    url: Option<String>,
    at: f64,
}

impl Seen {
    fn read(row: &Row) -> Self {
        Self {
            source: row.get("source"),
            key: row.get("key"),
            gone: row.get("gone"),
            app: row.get("app"),
            owner: row.get("owner"),
            live: row.get("live"),
            content: row.get("content"),
            before: row.get("before"),
            url: row.get("url"),
            at: row.get("at"),
        }
    }

    fn ours(&self) -> bool {
        self.app.starts_with("torture-w")
    }

    fn words(&self) -> String {
        let Self { at, app, gone, owner, live, content, before, url, .. } = self;
        let gone = if *gone { " gone" } else { "" };
        format!("    {at:.3} {app}{gone} content {content:?} {before:?} -> {url:?} owner {owner:?} live {live:?}")
    }
}

/// What happened to a row of late.
pub(crate) async fn history(client: &Client, source: &str, key: &str) -> String {
    let sql = format!("{LOG} WHERE source = $1 AND key = $2 ORDER BY id DESC LIMIT 8");
    let rows = client.query(&sql, &[&source, &key]).await.expect("the witness's log");
    rows.iter().rev().map(|row| Seen::read(row).words()).collect::<Vec<_>>().join("\n")
}

/// Goes through the whole log.
pub(crate) async fn judge(client: &Client, crew: &Crew, tally: &Tally, templates: &HashMap<String, String>) {
    let rows = client.query(&format!("{LOG} ORDER BY source, key, id"), &[]).await.expect("the witness's log");
    let seen: Vec<Seen> = rows.iter().map(Seen::read).collect();
    let processes: HashMap<String, u32> = crew.lives().into_iter().map(|life| (life.app, life.pid)).collect();
    for (at, one) in seen.iter().enumerate() {
        tally.count("writes that the witness saw");
        if !one.ours() {
            continue;
        }
        tally.count(if one.url.is_some() { "URLs written by workers" } else { "URLs taken out by workers" });
        tally.count(&format!("writes of worker {}", one.app.split('-').nth(1).unwrap_or_default()));
        if one.live == Some(false) {
            tally.count("URLs written after the lease's end, before another worker took the job");
        }
        let last = at
            .checked_sub(1)
            .map(|before| &seen[before])
            .filter(|last| (&last.source, &last.key) == (&one.source, &one.key));
        if let Some(wrong) = wrong(one, last, &processes, templates) {
            let around = &seen[at.saturating_sub(5)..seen.len().min(at + 3)];
            let around = around.iter().filter(|near| (&near.source, &near.key) == (&one.source, &one.key));
            let around: Vec<String> = around.map(Seen::words).collect();
            tally.violation(format!("{} {}: {wrong}\n{}\n{}", one.source, one.key, one.words(), around.join("\n")));
        }
    }
    recoveries(&seen, crew, tally);
}

fn wrong(
    one: &Seen,
    last: Option<&Seen>,
    processes: &HashMap<String, u32>,
    templates: &HashMap<String, String>,
) -> Option<String> {
    let (content, template) = (one.content.as_deref()?, templates.get(&one.source)?);
    if let Some(url) = &one.url
        && !url.ends_with(&format!("/{}", object_path(&one.source, &one.key, content, template, "png")))
    {
        return Some("a URL was committed to a row of another content (promise 3)".to_owned());
    }
    if last.is_some_and(|last| last.ours() && !last.gone && last.content == one.content) {
        return Some("the URL changed twice for one content (promise 4)".to_owned());
    }
    let process = processes.get(&one.app).map(|pid| format!(":{pid}"));
    match (&one.owner, process) {
        (Some(owner), Some(process)) if owner.ends_with(&process) => None,
        (owner, process) => Some(format!("it was published by {process:?}, and the job was in the hands of {owner:?}")),
    }
}

fn since(at: f64, time: SystemTime) -> Option<Duration> {
    let time = time.duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
    (at > time).then(|| Duration::from_secs_f64(at - time))
}

/// From each death until the first picture: of the process that took the dead one's place, and of anybody after the database's.
fn recoveries(seen: &[Seen], crew: &Crew, tally: &Tally) {
    let first = |whose: Option<&str>, after: SystemTime| {
        let theirs = seen.iter().filter(|one| whose.map_or(one.ours(), |app| one.app == app));
        theirs.filter_map(|one| since(one.at, after)).min()
    };
    for (when, successor) in crew.lives().into_iter().filter_map(|life| life.killed) {
        if let Some(time) = first(Some(&successor), when) {
            tally.sample("from a kill -9 to the first picture of the next process", time);
        }
    }
    for when in tally.book().restarts {
        if let Some(time) = first(None, when) {
            tally.sample("from the database's death to the first picture", time);
        }
    }
}
