//! Health and metrics: what they say of a worker that works, that drains, and whose database is away.

use std::{net::SocketAddr, time::Duration};

use super::shown;
use crate::support::{
    eventually,
    proxy::Proxy,
    web::{address, get},
    worker::{LIMIT, Workplace, blog, until, until_asleep, until_drawn},
};

/// Waits until a path is answered with this status, and returns the text.
async fn answers(at: SocketAddr, path: &str, status: u16, text: &str) -> String {
    eventually(&format!("{path} says {status} {text}"), LIMIT, async || {
        let answer = get(at, path).await;
        (answer.status == status && answer.text().contains(text)).then(|| answer.text())
    })
    .await
}

/// A sample's value; `name` with its labels.
fn sample(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn a_worker_is_ready_and_counts_what_it_does() {
    let (_database, client, _workplace, _worker, at) = shown(&[]).await;
    assert_eq!(get(at, "/healthz").await.text(), "alive\n");
    answers(at, "/readyz", 200, "ready, listening").await;
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One'), (2, 'Two'), (3, NULL)").await.unwrap();
    let settled = "SELECT count(*) = 3 FROM tintype.image";
    until(&client, "all three are settled", settled).await;
    let counted = |text: &str| sample(text, "tintype_jobs_total{source=\"posts\",result=\"published\"}") == Some(2.0);
    let text = eventually("both pictures are counted", LIMIT, async || {
        Some(get(at, "/metrics").await.text()).filter(|text| counted(text))
    })
    .await;
    assert_eq!(sample(&text, "tintype_jobs_total{source=\"posts\",result=\"skipped\"}"), Some(1.0), "{text}");
    assert_eq!(sample(&text, "tintype_render_seconds_count{engine=\"native\"}"), Some(2.0), "{text}");
    assert_eq!(sample(&text, "tintype_upload_seconds_count{engine=\"folder\"}"), Some(2.0), "{text}");
    assert_eq!(sample(&text, "tintype_wait_seconds_count"), Some(2.0), "{text}");
    assert_eq!(sample(&text, "tintype_retries_total"), Some(0.0), "{text}");
    assert_eq!(sample(&text, "tintype_listen_connected"), Some(1.0), "{text}");
    assert_eq!(sample(&text, "tintype_workers"), Some(1.0), "{text}");
    let build = format!("tintype_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(sample(&text, &build), Some(1.0), "{text}");
    assert!(get(at, "/metrics").await.header("content-type").starts_with("text/plain; version=0.0.4"));

    client.batch_execute("SELECT tintype.pause('posts'); UPDATE posts SET title = 'x'").await.unwrap();
    until(&client, "nothing of it counts", "SELECT depth = 0 FROM tintype.queue_depth").await;
    client.batch_execute("SELECT tintype.resume('posts')").await.unwrap();
    until(&client, "nothing is left to do", "SELECT depth = 0 FROM tintype.queue_depth").await;
    let idle = eventually("the queue is empty", LIMIT, async || {
        Some(get(at, "/metrics").await.text()).filter(|text| sample(text, "tintype_queue_depth") == Some(0.0))
    });
    assert_eq!(sample(&idle.await, "tintype_oldest_job_age_seconds"), Some(0.0));
}

#[tokio::test]
async fn a_queue_that_waits_is_seen() {
    let (_database, client, _workplace, _worker, at) = shown(&[]).await;
    // A job that falls due in an hour waits, and a mark of a backfill with it.
    client.batch_execute("INSERT INTO tintype.job (source, key, priority, due_at, marked_at) SELECT id, '7', 10, now() + interval '1 h', now() - interval '1 h' FROM tintype.source").await.unwrap();
    let text = eventually("the job is counted", LIMIT, async || {
        Some(get(at, "/metrics").await.text()).filter(|text| sample(text, "tintype_queue_depth") == Some(1.0))
    })
    .await;
    assert_eq!(sample(&text, "tintype_backfill_depth"), Some(1.0));
    assert!(
        sample(&text, "tintype_oldest_job_age_seconds").is_some_and(|age| (3_600.0..3_700.0).contains(&age)),
        "{text}"
    );
}

#[tokio::test]
async fn a_worker_that_drains_says_so_and_lives() {
    let (database, client) = blog().await;
    let workplace = Workplace::new(database.url());
    let mut worker = workplace.start(&["--http", "127.0.0.1:0"]);
    let at = address(&worker).await;
    answers(at, "/readyz", 200, "ready").await;
    let mut host = database.client().await;
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One')").await.unwrap();
    until_drawn(&client).await;
    let held = host.transaction().await.unwrap();
    held.batch_execute("SELECT FROM posts FOR UPDATE").await.unwrap();
    client.batch_execute("INSERT INTO tintype.change (source, key) SELECT id, '1' FROM tintype.source; UPDATE tintype.image SET content = NULL").await.unwrap();
    until(&client, "its job is under way", "SELECT count(*) = 1 FROM tintype.job WHERE lease IS NOT NULL").await;
    worker.signal("TERM").await;
    answers(at, "/readyz", 503, "draining").await;
    assert_eq!(get(at, "/healthz").await.status, 200);
    held.rollback().await.unwrap();
    assert_eq!(worker.exit().await.code(), Some(0));
    assert!(tokio::net::TcpStream::connect(at).await.is_err(), "the door is closed");
}

#[tokio::test]
async fn a_worker_without_its_database_is_not_ready_and_comes_back() {
    let (database, client) = blog().await;
    let proxy = Proxy::before(&database.url()).await;
    let workplace = Workplace::new(proxy.url(&database.url()));
    let worker = workplace.start(&["--http", "127.0.0.1:0"]);
    let at = address(&worker).await;
    answers(at, "/readyz", 200, "ready, listening").await;
    until_asleep(&client).await;
    proxy.cut();
    answers(at, "/readyz", 503, "the database does not answer").await;
    assert_eq!(get(at, "/healthz").await.status, 200);
    let metrics = get(at, "/metrics").await.text();
    assert_eq!(sample(&metrics, "tintype_database_up"), Some(0.0), "{metrics}");
    assert_eq!(sample(&metrics, "tintype_queue_depth"), None, "what is not known is not said");
    proxy.clear();
    answers(at, "/readyz", 200, "ready").await;
}

#[tokio::test]
async fn a_host_that_may_prepare_transactions_is_polled_for() {
    let scratch = crate::support::postgres::scratch(&[("max_prepared_transactions", "5")]);
    let url = scratch.url("postgres");
    let client = crate::support::postgres::connect(&url).await;
    crate::support::worker::install(&client).await;
    let workplace = Workplace::new(url);
    let worker = workplace.start(&["--http", "127.0.0.1:0"]);
    let at = address(&worker).await;
    answers(at, "/readyz", 200, "ready, ").await;
    let slow = tokio::time::timeout(Duration::from_secs(5), get(at, "/readyz")).await;
    assert_eq!(slow.expect("probes are quick").status, 200);
}

/// The names of metrics in a text, without what a histogram or a counter puts behind them.
fn names(text: &str) -> std::collections::BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
    let found = words.filter(|word| word.starts_with("tintype_") && word.len() > "tintype_".len());
    found
        .map(|word| word.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count").to_owned())
        .collect()
}

#[tokio::test]
async fn the_document_and_the_dashboard_name_what_there_is() {
    let (_database, client, _workplace, _worker, at) = shown(&[]).await;
    client.batch_execute("INSERT INTO posts (id, title) VALUES (1, 'One')").await.unwrap();
    until_drawn(&client).await;
    answers(at, "/metrics", 200, "tintype_jobs_total{").await;
    let mut told = names(&get(at, "/metrics").await.text());
    told.insert("tintype_capture_seconds".to_owned()); // comes with the first page
    let document = include_str!("../../../docs/HTTP.md").split_once("## Metrics").unwrap().1;
    assert_eq!(names(document), told);
    let dashboard = names(include_str!("../../../deploy/grafana.json"));
    assert!(dashboard.is_subset(&told), "{:?}", dashboard.difference(&told));
}
