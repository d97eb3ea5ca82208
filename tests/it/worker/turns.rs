//! Whose turn it is: leases that are prolonged and lost, edits before a backfill, rows that leave and come back.

use std::{sync::Arc, time::Duration};

use tintype::{
    db::DbError,
    drawing::Engines,
    executor::Workshop,
    listener::Alarm,
    maintenance::Rhythm,
    publish::Publisher,
    storage::Storage,
    worker::{self, Tally, WorkerOptions},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{ask, open, url, write};
use crate::support::{
    postgres::TestDatabase,
    s3::S3Server,
    schema::database,
    worker::{LIMIT, until, until_drawn},
};

/// A worker in this process, quicker than usual, which draws into a bucket and ends when nothing is due.
async fn work(test: &TestDatabase, server: &S3Server) -> JoinHandle<Result<Tally, DbError>> {
    let db = database(&test.url()).await;
    let storage = Storage::open(&server.settings("s3://pictures")).await.unwrap();
    let (publisher, desk) = Publisher::new(db.clone(), false);
    tokio::spawn(desk);
    let workshop = Workshop { db, engines: Engines::of_cards(1), storage, publisher, vitals: Arc::default() };
    let options = WorkerOptions {
        name: "quick".to_owned(),
        slots: 2,
        page_slots: 0,
        grace: Duration::ZERO,
        exit_when_idle: true,
        prune_after: None,
        rhythm: Rhythm { lease: Duration::from_secs(2), heartbeat: Duration::from_millis(200) },
    };
    tokio::spawn(
        async move { worker::run(workshop, &options, Arc::new(Alarm::default()), CancellationToken::new()).await },
    )
}

const LEASED: &str = "SELECT count(*) = 1 FROM tintype.job WHERE lease IS NOT NULL";

#[tokio::test]
async fn a_long_job_keeps_its_lease() {
    let (test, client, _) = open().await;
    let server = S3Server::start().await;
    write(&client, 1, 1).await;
    server.hold(true);
    let worker = work(&test, &server).await;
    until(&client, "it is claimed", LEASED).await;
    let (lease, end): (i64, String) = {
        let row = client.query_one("SELECT lease, (lease_until + interval '1 s')::text FROM tintype.job", &[]).await;
        let row = row.unwrap();
        (row.get(0), row.get(1))
    };
    let lasts = format!("SELECT now() > '{end}' AND lease = {lease} AND lease_until > now() FROM tintype.job");
    until(&client, "its lease outlasts its first term", &lasts).await;
    server.hold(false);
    until_drawn(&client).await;
    assert_eq!(tokio::time::timeout(LIMIT, worker).await.unwrap().unwrap().unwrap().published, 1);
}

#[tokio::test]
async fn a_job_whose_lease_was_lost_is_stopped() {
    let (test, client, _) = open().await;
    let server = S3Server::start().await;
    write(&client, 1, 1).await;
    server.hold(true);
    let worker = work(&test, &server).await;
    until(&client, "it is claimed", LEASED).await;
    client
        .batch_execute("UPDATE tintype.job SET lease = nextval('tintype.lease'), owner = 0, lease_until = now() + interval '1 hour'")
        .await
        .unwrap();
    let tally = tokio::time::timeout(Duration::from_secs(10), worker).await.expect("it does not wait for the store");
    assert_eq!(tally.unwrap().unwrap(), Tally::default());
    assert_eq!(ask::<i64>(&client, "SELECT count(*) FROM tintype.job WHERE owner = 0").await, 1, "the other's still");
    assert_eq!(ask::<i64>(&client, "SELECT count(*) FROM tintype.image").await, 0);
}

#[tokio::test]
async fn an_edit_is_drawn_before_the_rest_of_a_backfill() {
    const OLD: i64 = 6_000;
    let (_test, client, workplace) = open().await;
    client.batch_execute("SET session_replication_role = replica").await.unwrap();
    write(&client, 1, OLD).await;
    client.batch_execute("RESET session_replication_role; SELECT tintype.backfill('posts')").await.unwrap();
    write(&client, OLD + 1, OLD + 1).await; // its mark stands behind all others
    let _worker = workplace.start(&[]);
    let drawn = format!("SELECT og_image_url IS NOT NULL FROM posts WHERE id = {}", OLD + 1);
    until(&client, "the new post is drawn", &drawn).await;
    let left: i64 = ask(&client, "SELECT count(*) FROM posts WHERE og_image_url IS NULL").await;
    assert!(left > OLD / 2, "most of the backfill is still to do: {left}");
}

#[tokio::test]
async fn a_row_that_comes_back_is_not_drawn_again() {
    let (_test, client, workplace) = open().await;
    client
        .batch_execute("SELECT tintype.attach('posts', row_filter => 'views < 10', unpublish => true)")
        .await
        .unwrap();
    write(&client, 1, 1).await;
    assert_eq!(workplace.work().await, 0);
    let shown = url(&client, 1).await;
    let drawn_at: String = ask(&client, "SELECT rendered_at::text FROM tintype.image").await;
    client.batch_execute("UPDATE posts SET views = 10").await.unwrap();
    let mut worker = workplace.start(&["--exit-when-idle"]);
    worker.exit().await;
    assert_eq!(worker.logged_with("unpublished").len(), 1);
    assert_eq!(ask::<Option<String>>(&client, "SELECT og_image_url FROM posts").await, None);
    std::fs::remove_dir_all(workplace.store()).unwrap();
    client.batch_execute("UPDATE posts SET views = 9").await.unwrap();
    assert_eq!(workplace.work().await, 0);
    assert_eq!(url(&client, 1).await, shown);
    assert_eq!(workplace.pictures().len(), 0, "nothing was drawn or stored");
    assert_eq!(ask::<String>(&client, "SELECT rendered_at::text FROM tintype.image").await, drawn_at);
    assert_eq!(ask::<String>(&client, "SELECT state FROM tintype.image").await, "ready");
}
