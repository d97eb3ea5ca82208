//! What claims and folds cost, whatever is waiting: the functions in SQL, without a worker. Databases with nothing, some and a great
//! many jobs take turns.

use std::time::Instant;

use tokio_postgres::Client;

use super::{
    Effort,
    report::{Goal, Report, quantile},
    server::connect,
    stage::{Blog, Stage},
};

/// Jobs of one claim.
const SLOTS: i32 = 8;

/// Marks of one fold.
const CHUNK: i32 = 1_000;

/// A database in which so many jobs wait.
async fn crowd(stage: &Stage, name: &str, waiting: usize) -> Blog {
    let blog = stage.blog(&format!("{name}_{waiting}"), "").await;
    blog.db.run(&format!(
        "INSERT INTO tintype.job (source, key, priority, due_at)
             SELECT 1, 'waiting-' || n, 10, now() - interval '1 hour' + n * interval '1 millisecond' FROM generate_series(1, {waiting}) n"
    ))
    .await;
    blog.db.run("VACUUM ANALYZE tintype.job").await;
    blog
}

/// Claims by several at once. Each adds as many jobs as it takes, so that always the same number waits.
pub(crate) async fn claims(stage: &Stage, effort: Effort, report: &mut Report) {
    let mut crowds = Vec::new();
    for waiting in effort.waiting {
        crowds.push(crowd(stage, "claim", waiting).await);
    }
    for claimers in [1_usize, 4, 16] {
        let mut times = vec![Vec::new(); crowds.len()];
        for round in 0..effort.rounds {
            // Each round begins with another.
            for at in (0..crowds.len()).cycle().skip(round).take(crowds.len()) {
                times[at].push(together(&crowds[at], claimers, effort.claims).await);
            }
        }
        let none = times[0].clone();
        for (waiting, times) in effort.waiting.iter().zip(&times) {
            let case = format!("claim of {SLOTS}, {claimers} at once · {waiting} waiting");
            report.add_samples(&case, "a claim", times, "ms", Goal::None);
            let ratios: Vec<f64> = times.iter().zip(&none).map(|(mine, none)| mine / none).collect();
            let goal = if *waiting == 0 { Goal::None } else { Goal::AtMost(1.3) };
            report.add_samples(&case, "against none waiting", &ratios, "×", goal);
        }
    }
}

/// The median of the milliseconds that a claim takes.
async fn together(blog: &Blog, claimers: usize, claims: usize) -> f64 {
    let mut tasks = tokio::task::JoinSet::new();
    for claimer in 0..claimers {
        let client = connect(&blog.db.url).await;
        tasks.spawn(async move { claimer_of(&client, claimer as i32 + 1, claims).await });
    }
    let mut all = tasks.join_all().await.concat();
    quantile(&mut all, 0.5)
}

async fn claimer_of(client: &Client, worker: i32, claims: usize) -> Vec<f64> {
    let prepare = async |sql: &str| client.prepare(sql).await.expect("a statement");
    client.batch_execute("SET synchronous_commit = off").await.expect("a setting");
    let add = prepare(
        "INSERT INTO tintype.job (source, key, priority)
             SELECT 1, nextval('tintype.lease')::text, 10 FROM generate_series(1, $1)",
    )
    .await;
    let claim = prepare("SELECT source, key, lease FROM tintype.claim($1, $2, 60)").await;
    let finish = prepare("DELETE FROM tintype.job j USING unnest($1::text[]) k WHERE j.source = 1 AND j.key = k").await;
    let mut times = Vec::new();
    for at in 0..claims + 5 {
        client.execute(&add, &[&SLOTS]).await.expect("jobs");
        let begun = Instant::now();
        let rows = client.query(&claim, &[&worker, &SLOTS]).await.expect("a claim");
        if at >= 5 {
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let keys: Vec<String> = rows.iter().map(|row| row.get(1)).collect();
        client.execute(&finish, &[&keys]).await.expect("jobs that are done");
    }
    times
}

/// Folds of marks on rows that have no job yet, of marks on rows that have one, and of nothing.
pub(crate) async fn folds(stage: &Stage, effort: Effort, report: &mut Report) {
    let mut crowds = Vec::new();
    for waiting in [effort.waiting[0], effort.waiting[2]] {
        crowds.push((waiting, crowd(stage, "fold", waiting).await));
    }
    let mut times = vec![[Vec::new(), Vec::new(), Vec::new()]; crowds.len()];
    for round in 0..effort.rounds * 4 {
        for at in (0..crowds.len()).cycle().skip(round).take(crowds.len()) {
            let blog = &crowds[at].1;
            for samples in times[at].iter_mut().take(2) {
                // The same keys twice: the second time each has a job.
                blog.db.run(&format!(
                    "INSERT INTO tintype.change (source, key) SELECT 1, '{round}-' || n FROM generate_series(1, {CHUNK}) n"
                ))
                .await;
                samples.push(fold(blog).await * 1e3 / f64::from(CHUNK));
            }
            times[at][2].push(fold(blog).await);
        }
    }
    for ((waiting, _), [new, known, nothing]) in crowds.iter().zip(&times) {
        let case = format!("fold of {CHUNK} marks · {waiting} waiting");
        report.add_samples(&case, "a mark, new job", new, "µs", Goal::None);
        report.add_samples(&case, "a mark, known job", known, "µs", Goal::None);
        report.add_samples(&case, "no marks", nothing, "ms", Goal::None);
    }
}

/// Milliseconds of one fold.
async fn fold(blog: &Blog) -> f64 {
    let begun = Instant::now();
    blog.db.client.query_one("SELECT tintype.fold($1)", &[&CHUNK]).await.expect("a fold");
    begun.elapsed().as_secs_f64() * 1e3
}
