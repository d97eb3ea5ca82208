//! `tintype backfill`: marks old rows a step at a time, and waits for their pictures where it is asked to.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    Context,
    terminal::{bar, print_json, say},
};
use crate::{
    cli::Backfill,
    db::Queries,
    error::Error,
    scan::{self, Failures, Forecast, Mode, Scan, Step, Wish},
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
    let began: String = client.query_one("SELECT clock_timestamp()::text", &[]).await?.get(0);
    let walk = walk(&client, &source, flags).await?;
    if flags.dry_run {
        return foresee(&client, &source, flags, walk).await;
    }
    if !flags.wait {
        let words = marked(walk.seen, flags.limit, &source.name);
        report(flags, &walk, &json!({}), &words);
        if walk.seen.marked > 0 && !flags.json {
            say("next: tintype run draws them; tintype status shows how far it is");
        }
        return Ok(());
    }
    wait(&client, &source, walk.seen.marked, &began).await?;
    let failures = scan::failures(&client, &source, &began).await?;
    let of = |postponed| failures.iter().filter(|one| one.postponed == postponed).map(|one| one.rows).sum();
    let (failed, postponed): (u64, u64) = (of(false), of(true));
    let drawn = walk.seen.marked.saturating_sub(failed + postponed);
    let more = json!({ "drawn": drawn, "failed": failed, "postponed": postponed, "failures": failures });
    report(flags, &walk, &more, &format!("drew {drawn} of {} rows of {}", walk.seen.marked, source.name));
    if !flags.json {
        tell(&failures);
    }
    if failed + postponed > 0 { Err(Error::PartlyDone { failed, postponed }) } else { Ok(()) }
}

/// `marked 5 rows of posts`, and how far the walk came.
fn marked(seen: Step, limit: Option<u64>, table: &str) -> String {
    let Step { scanned, marked } = seen;
    let rows = if marked == 1 { "row" } else { "rows" };
    if limit.is_some_and(|limit| limit <= marked) {
        return format!("marked {marked} {rows} of {table}, as many as --limit asked for; --resume goes on from there");
    }
    match scanned - marked.min(scanned) {
        0 => format!("marked {marked} {rows} of {table}"),
        others => format!("marked {marked} {rows} of {table}; {others} others needed nothing"),
    }
}

/// What a walk came to.
struct Walk {
    seen: Step,
    /// The key after which it went on.
    resumed: Option<String>,
}

fn report(flags: &Backfill, walk: &Walk, more: &Value, words: &str) {
    if !flags.json {
        say(words);
        return;
    }
    let mut told = json!({ "scanned": walk.seen.scanned, "marked": walk.seen.marked, "dry_run": flags.dry_run });
    if let (Some(told), Some(more)) = (told.as_object_mut(), more.as_object()) {
        told.extend(more.clone());
        if let Some(key) = &walk.resumed {
            told.insert("resumed_after".to_owned(), json!(key));
        }
    }
    print_json(&told);
}

/// What a dry run saw, and how long the drawing would take.
async fn foresee(client: &impl Queries, source: &Source, flags: &Backfill, walk: Walk) -> Result<(), Error> {
    let Step { scanned, marked } = walk.seen;
    let slow = flags.rate.map(|rate| Duration::from_secs(marked.div_ceil(rate))).unwrap_or_default();
    let forecast = scan::forecast(client, source, marked).await?;
    let time = forecast.map(|forecast| forecast.time.max(slow));
    let verb = if flags.stale { "be looked at again" } else { "be drawn" };
    let differ = if flags.stale { ", where all of them differ" } else { "" };
    let about = match (time, forecast) {
        _ if marked == 0 => String::new(),
        (Some(time), Some(Forecast { at_work: true, .. })) => format!(", in about {}{differ}", human(time)),
        (Some(time), _) => format!(", in about {} once a worker runs{differ}", human(time)),
        (None, _) => "; how long that takes is unknown until a worker has drawn some".to_owned(),
    };
    let more = json!({ "seconds": time.map(|time| time.as_secs()) });
    report(flags, &walk, &more, &format!("{marked} of {scanned} rows of {} would {verb}{about}", source.name));
    Ok(())
}

/// `40 s`, `12 min`, `3 h 20 min`.
fn human(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=90 => format!("{} s", seconds.max(1)),
        seconds @ 91..=5400 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A line a reason.
fn tell(failures: &[Failures]) {
    for one in failures {
        let again = if one.postponed { ", will be tried again" } else { "" };
        say(&format!("{:>8}  {} (such as {}{again})", one.rows, one.reason, one.key));
    }
}

/// What is asked for, and whether a walk goes on with it where an earlier one stood.
async fn wish(client: &impl Queries, source: &Source, flags: &Backfill) -> Result<(Wish, Option<String>), Error> {
    let (limit, rate) = (flags.limit, flags.rate);
    let left = scan::unfinished(client, source).await?;
    if flags.resume {
        let Some(left) = left else {
            return Err(Error::Usage {
                what: format!("there is no backfill of {} that stopped on its way", source.name),
                hint: format!("tintype backfill {}", source.name),
            });
        };
        return Ok((Wish { mode: left.mode, condition: left.condition, limit, rate }, left.reached));
    }
    if let (Some(left), false) = (&left, flags.dry_run) {
        let (done, after) = (left.seen.scanned, left.reached.as_deref().unwrap_or_default());
        say(&format!(
            "note: an earlier backfill stopped after {done} rows, at key {after}; this one begins anew (--resume would go on)"
        ));
    }
    let mode = match (flags.rerender, flags.stale) {
        (true, _) => Mode::Rerender,
        (false, true) => Mode::Stale,
        (false, false) => Mode::Missing,
    };
    Ok((Wish { mode, condition: flags.condition.clone(), limit, rate }, None))
}

async fn walk(client: &impl Queries, source: &Source, flags: &Backfill) -> Result<Walk, Error> {
    let (wish, resumed) = wish(client, source, flags).await?;
    let mut scan = match (flags.dry_run, flags.resume) {
        (true, _) => Scan::dry(source, wish),
        (false, true) => Scan::resumed(source, wish),
        (false, false) => Scan::new(source, wish),
    };
    let progress = bar(if flags.dry_run { "counting" } else { "marking" }, scan::estimate(client, source).await?);
    let mut seen = Step::default();
    loop {
        let began = Instant::now();
        let Some(step) = scan.step(client).await? else { break };
        seen.scanned += step.scanned;
        seen.marked += step.marked;
        progress.set_position(seen.scanned);
        let pause = scan.pause(step, began.elapsed());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
    progress.finish_and_clear();
    Ok(Walk { seen, resumed })
}

/// Waits until nothing of the source is marked, claimed or due, jobs aside that wait for another attempt.
async fn wait(client: &impl Queries, source: &Source, marked: u64, began: &str) -> Result<(), Error> {
    let progress = bar("drawing", marked);
    loop {
        let row =
            client.query_one(include_str!("../../sql/queries/backfill_progress.sql"), &[&source.id, &began]).await?;
        let [waiting, postponed, failed, workers] = [0, 1, 2, 3].map(|column| row.get::<_, i64>(column).unsigned_abs());
        progress.set_position(marked.saturating_sub(waiting));
        if failed + postponed > 0 {
            progress.set_message(format!("{failed} failed, {postponed} wait for another attempt"));
        }
        if waiting == postponed {
            progress.finish_and_clear();
            return Ok(());
        }
        if workers == 0 {
            progress.finish_and_clear();
            return Err(Error::NoWorker);
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        let told = [0, 40, 90, 91, 3_600, 5_401, 12_000].map(|seconds| human(Duration::from_secs(seconds)));
        assert_eq!(told, ["1 s", "40 s", "90 s", "2 min", "60 min", "1 h 30 min", "3 h 20 min"]);
    }
}
