//! `tintype backfill`: marks old rows a step at a time, and waits for their pictures where it is asked to.

use std::time::Duration;

use serde_json::json;

use super::{
    Context,
    terminal::{bar, print_json, say},
};
use crate::{
    cli::Backfill,
    db::Queries,
    error::Error,
    scan::{self, Mode, Scan},
    source::{self, Source},
};

/// How often a waiting backfill looks.
const LOOK: Duration = Duration::from_millis(250);

pub(super) async fn backfill(context: &Context, flags: &Backfill) -> Result<(), Error> {
    let db = context.installed().await?;
    let client = db.get().await?;
    let source = source::find(&client, &flags.table).await?;
    if flags.wait && source.paused {
        return Err(Error::Usage {
            what: format!("{} is paused, so nothing would be drawn", source.name),
            hint: format!("SELECT tintype.resume('{}')", source.relation),
        });
    }
    let began = client.query_one("SELECT clock_timestamp()::text", &[]).await?.get(0);
    let (scanned, marked) = mark(&client, &source, flags).await?;
    if flags.dry_run {
        report(flags, scanned, marked, &format!("{marked} of {scanned} rows of {} would be drawn", source.name));
        return Ok(());
    }
    if !flags.wait {
        report(flags, scanned, marked, &format!("marked {marked} of {scanned} rows of {}", source.name));
        if marked > 0 && !flags.json {
            say("next: tintype run draws them; tintype status shows how far it is");
        }
        return Ok(());
    }
    let (failed, postponed) = wait(&client, &source, marked, began).await?;
    report(
        flags,
        scanned,
        marked,
        &format!("drew {} of {marked} rows of {}", marked.saturating_sub(failed + postponed), source.name),
    );
    if failed + postponed > 0 { Err(Error::PartlyDone { failed, postponed }) } else { Ok(()) }
}

fn report(flags: &Backfill, scanned: u64, marked: u64, words: &str) {
    if flags.json {
        print_json(&json!({ "scanned": scanned, "marked": marked, "dry_run": flags.dry_run }));
    } else {
        say(words);
    }
}

async fn mark(client: &impl Queries, source: &Source, flags: &Backfill) -> Result<(u64, u64), Error> {
    let mode = if flags.rerender { Mode::Rerender } else { Mode::Missing };
    let mut scan = Scan::new(source, mode, flags.condition.as_deref(), flags.dry_run);
    let progress = bar("marking", scan::estimate(client, source).await?);
    let (mut scanned, mut marked) = (0, 0);
    while let Some(step) = scan.step(client).await? {
        scanned += step.scanned;
        marked += step.marked;
        progress.set_position(scanned);
    }
    progress.finish_and_clear();
    Ok((scanned, marked))
}

/// Waits until nothing of the source is marked, claimed or due, jobs aside that wait for another attempt; returns how many of
/// its rows have failed since `began`, and how many will be tried again.
async fn wait(client: &impl Queries, source: &Source, marked: u64, began: String) -> Result<(u64, u64), Error> {
    let progress = bar("drawing", marked);
    loop {
        let row =
            client.query_one(include_str!("../../sql/queries/backfill_progress.sql"), &[&source.id, &began]).await?;
        let [waiting, postponed, failed, workers] = [0, 1, 2, 3].map(|column| row.get::<_, i64>(column).unsigned_abs());
        progress.set_position(marked.saturating_sub(waiting));
        if waiting == postponed {
            progress.finish_and_clear();
            return Ok((failed, postponed));
        }
        if workers == 0 {
            progress.finish_and_clear();
            return Err(Error::NoWorker);
        }
        tokio::time::sleep(LOOK).await;
    }
}
