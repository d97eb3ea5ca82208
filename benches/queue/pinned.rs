//! A host that writes 500 times a second while somebody's old transaction keeps dead rows from being cleared away: a forgotten
//! psql, a long report, an abandoned replication slot.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{
    Effort, posts,
    report::{Goal, Report},
    server::connect,
    stage::{Blog, Stage},
};

/// The host's connections, and how often each writes.
const WRITERS: usize = 4;
const EVERY: Duration = Duration::from_millis(8);

/// One post in so many has code and gets a picture; the others are looked at and skipped.
const PICTURES: usize = 10;

/// What one stretch gave.
struct Stretch {
    /// Rows a second that were published or skipped.
    rate: f64,
    /// Milliseconds from a write to that, in the last third.
    median: f64,
    late: f64,
    /// Megabytes of both tables and of their indexes at the end.
    tables: f64,
    indexes: f64,
    /// The same when the transaction has ended and a vacuum has come by.
    after: f64,
}

/// Twice the same, without and with the old transaction.
pub(crate) async fn measure(stage: &Stage, effort: Effort, report: &mut Report) {
    let free = stretch(stage, "free", effort.pinned, false).await;
    let pinned = stretch(stage, "pinned", effort.pinned, true).await;
    let group = format!("500 posts a second for {} s, {} of them drawn", effort.pinned.as_secs(), 500 / PICTURES);
    for (name, of, pinned) in [("nothing pinned", &free, false), ("horizon pinned", &pinned, true)] {
        let case = format!("{group} · {name}");
        // Where the worker falls behind without a pin, a pin is not what is measured, and there is no verdict.
        let steady = free.rate >= 0.9 * 500.0;
        let share = if pinned && steady { Goal::AtLeast(0.9) } else { Goal::None };
        let most = if pinned && steady { Goal::AtMost(free.tables + free.indexes + 1.0) } else { Goal::None };
        report.add(&case, "rows done a second", of.rate, "", Goal::None);
        report.add(&case, "against nothing pinned", of.rate / free.rate, "×", share);
        report.add(&case, "write to done, last third, median", of.median, "ms", Goal::None);
        report.add(&case, "p95", of.late, "ms", Goal::None);
        report.add(&case, "change and job", of.tables, "MB", Goal::None);
        report.add(&case, "their indexes", of.indexes, "MB", Goal::None);
        report.add(&case, "both at the end", of.tables + of.indexes, "MB", most);
        report.add(&case, "both after a vacuum", of.after, "MB", Goal::None);
    }
}

async fn stretch(stage: &Stage, name: &str, length: Duration, pinned: bool) -> Stretch {
    let blog = stage.blog(name, ", draw => 'code'").await;
    let worker = blog.work(&[], None).await;
    let old = connect(&blog.db.url).await;
    if pinned {
        old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()")
            .await
            .expect("a snapshot");
    }
    let end = Instant::now() + length;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let client = connect(&blog.db.url).await;
        writers.spawn(async move {
            let insert = client.prepare("INSERT INTO posts (title, body) VALUES ($1, $2)").await.expect("a statement");
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            for at in (writer..).step_by(WRITERS) {
                ticks.tick().await;
                if Instant::now() >= end {
                    break;
                }
                let body = if at % PICTURES == 0 { posts::body(at / PICTURES) } else { format!("Words of note {at}.") };
                client.execute(&insert, &[&posts::title(at), &body]).await.expect("a post");
            }
        });
    }
    writers.join_all().await;
    let seconds = length.as_secs_f64();
    let rate = blog.db.number("SELECT count(*) FROM tintype.image").await / seconds;
    let (tables, indexes) = sizes(&blog).await;
    blog.until_done().await;
    let late = |share: f64| {
        format!(
            "SELECT 1e3 * extract(epoch FROM percentile_cont({share}) WITHIN GROUP (ORDER BY i.updated_at - p.written_at))
               FROM posts p JOIN tintype.image i ON i.key = p.id::text WHERE p.id > (SELECT max(id) * 2 / 3 FROM posts)"
        )
    };
    let (median, late) = (blog.db.number(&late(0.5)).await, blog.db.number(&late(0.95)).await);
    if pinned {
        old.batch_execute("ROLLBACK").await.expect("the end of the old transaction");
    }
    worker.stop().await;
    blog.db.run("VACUUM tintype.change").await;
    blog.db.run("VACUUM tintype.job").await;
    let after = sizes(&blog).await;
    Stretch { rate, median, late, tables, indexes, after: after.0 + after.1 }
}

/// Megabytes of change and job, and of their indexes.
async fn sizes(blog: &Blog) -> (f64, f64) {
    let of = |function: &str| format!("SELECT ({function}('tintype.change') + {function}('tintype.job')) / 1048576.0");
    (blog.db.number(&of("pg_table_size")).await, blog.db.number(&of("pg_indexes_size")).await)
}
