//! A backfill of a large table beside a host that goes on writing: how quickly rows are marked, how long its transactions are, and how long
//! a new post waits for its picture while it runs.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use super::{
    Effort,
    latency::Writer,
    posts,
    report::{Goal, Report, quantile},
    server,
    stage::Stage,
};

/// The name of the backfill's connections.
const NAME: &str = "backfill";

/// Marks every row while a worker draws and the host writes.
pub(crate) async fn measure(stage: &Stage, effort: Effort, report: &mut Report) {
    let blog = stage.blog("backfill", "").await;
    let rows = effort.old_rows;
    blog.db.run(&format!(
        "SET session_replication_role = replica; INSERT INTO posts (title, body) SELECT 'Post ' || n, 'Text ' || n FROM generate_series(1, {rows}) n;
         RESET session_replication_role; UPDATE tintype.source SET whole = false; ANALYZE posts"
    ))
    .await;
    let worker = blog.work(&["--announce"], None).await;
    let mut writer = Writer::on(&blog).await;
    let mut quiet = Vec::new();
    for at in 0..effort.samples + posts::LANGUAGES {
        quiet.push(writer.post(at).await);
    }
    quiet.drain(..posts::LANGUAGES); // a worker is warm after them
    let began = Instant::now();
    let mut backfill = blog.db.program(None, &["backfill", "posts"]);
    let mut backfill = backfill.env("PGAPPNAME", NAME).stderr(Stdio::null()).spawn().expect("a backfill");
    let mut marked_after = None;
    let mut longest: f64 = 0.0;
    let watch = server::connect(&blog.db.url).await;
    let mut busy = Vec::new();
    while marked_after.is_none() || busy.len() < effort.samples {
        busy.push(writer.post(busy.len()).await);
        let open = "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start) * 1000), 0)::float8 FROM pg_stat_activity WHERE application_name = $1";
        longest = longest.max(watch.query_one(open, &[&NAME]).await.expect("its transactions").get(0));
        if marked_after.is_none() && backfill.try_wait().expect("a status").is_some() {
            marked_after = Some((began.elapsed(), busy.len()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (time, during) = marked_after.expect("it has ended");
    let case = format!("backfill of {rows} rows beside a worker and a writing host");
    report.add(&case, "rows marked a second", rows as f64 / time.as_secs_f64(), "", Goal::None);
    report.add(&case, "longest transaction seen", longest, "ms", Goal::AtMost(1_000.0));
    let jobs = blog.db.number("SELECT count(*) FROM tintype.job").await;
    report.add(&case, "jobs waiting at the end", jobs, "", Goal::None);
    add(report, &format!("{case}: a post before it"), &quiet, Goal::None);
    add(report, &format!("{case}: a post while rows are marked"), &busy[..during.max(1)], Goal::AtMost(1_000.0));
    if busy.len() > during {
        add(report, &format!("{case}: a post while they are drawn"), &busy[during..], Goal::AtMost(1_000.0));
    }
    drop(worker); // the rest need not be drawn
}

fn add(report: &mut Report, case: &str, times: &[f64], goal: Goal) {
    let case = format!("{case} · {} samples", times.len());
    report.add_samples(&case, "median", times, "ms", Goal::None);
    let mut times = times.to_vec();
    report.add(&case, "p95", quantile(&mut times, 0.95), "ms", goal);
    report.add(&case, "longest", quantile(&mut times, 1.0), "ms", Goal::None);
}
