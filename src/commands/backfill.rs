//! `tintype backfill`: marks old rows a step at a time, and waits for their pictures where it is asked to.

use std::time::Duration;

use deadpool_postgres::GenericClient;
use serde_json::json;

use super::{
    Context,
    terminal::{bar, print_json, say},
};
use crate::{
    cli::Backfill,
    db::DbError,
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
    let failed = wait(&client, &source, marked).await?;
    report(
        flags,
        scanned,
        marked,
        &format!("drew {} of {marked} rows of {}", marked.saturating_sub(failed), source.name),
    );
    if failed > 0 { Err(Error::PartlyDone { failed, postponed: 0 }) } else { Ok(()) }
}

fn report(flags: &Backfill, scanned: u64, marked: u64, words: &str) {
    if flags.json {
        print_json(&json!({ "scanned": scanned, "marked": marked, "dry_run": flags.dry_run }));
    } else {
        say(words);
    }
}

async fn mark(client: &impl GenericClient, source: &Source, flags: &Backfill) -> Result<(u64, u64), Error> {
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

/// Waits until nothing of the source is marked, claimed or due; returns how many of its rows have failed since.
async fn wait(client: &impl GenericClient, source: &Source, marked: u64) -> Result<u64, Error> {
    let began = client.query_one("SELECT clock_timestamp()::text", &[]).await.map_err(DbError::from)?;
    let began: String = began.get(0);
    let progress = bar("drawing", marked);
    loop {
        let row = client
            .query_one(include_str!("../../sql/queries/backfill_progress.sql"), &[&source.id, &began])
            .await
            .map_err(DbError::from)?;
        let (waiting, failed, workers): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        progress.set_position(marked.saturating_sub(waiting.unsigned_abs()));
        if waiting == 0 {
            progress.finish_and_clear();
            return Ok(failed.unsigned_abs());
        }
        if workers == 0 {
            progress.finish_and_clear();
            return Err(Error::NoWorker);
        }
        tokio::time::sleep(LOOK).await;
    }
}
