//! The bell: a commit notifies only while somebody sleeps, and then once.

use std::time::Duration;

use tintype::db::Subscription;
use tokio_postgres::Client;

use super::{marked, posts};
use crate::support::schema::{database, installed, run};

/// What was heard up to now: a last notification of our own comes after all that was committed before.
async fn heard(client: &Client, ear: &mut Subscription) -> Vec<String> {
    run(client, "the end", "NOTIFY tintype, 'end'").await;
    let mut payloads = Vec::new();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(10), ear.next()).await;
        let notification = next.expect("the notification that ends it").expect("a connection");
        if notification.payload == "end" {
            return payloads;
        }
        payloads.push(notification.payload);
    }
}

const NEVER: &str = "SELECT 1";
const DOWN: &str = "SELECT tintype.set_bell(0)";
const UP: &str = "SELECT tintype.set_bell(15)";
const RUN_OUT: &str = "SELECT setval('tintype.bell', extract(epoch FROM clock_timestamp())::bigint - 1)";

/// What is done to the bell, a host's transactions, how many notifications they make.
const CASES: &[(&str, &str, &[&str], usize)] = &[
    ("nobody ever slept", NEVER, &["UPDATE posts SET body = body || '1'"], 0),
    ("the bell is down", DOWN, &["UPDATE posts SET body = body || '2'"], 0),
    ("the lease has run out", RUN_OUT, &["UPDATE posts SET body = body || '3'"], 0),
    ("one row", UP, &["UPDATE posts SET body = body || '4' WHERE id = 1"], 1),
    ("many rows", UP, &["INSERT INTO posts (id, body) SELECT i, 'x' FROM generate_series(100, 600) i"], 1),
    ("many statements", UP, &["BEGIN; UPDATE posts SET body = 'a'; UPDATE posts SET body = 'b'; COMMIT"], 1),
    ("two transactions", UP, &["UPDATE posts SET body = 'c'", "UPDATE posts SET body = 'd'"], 2),
    ("a rollback", UP, &["BEGIN; UPDATE posts SET body = 'e'; ROLLBACK"], 0),
    ("a view counter", UP, &["UPDATE posts SET views = views + 1"], 0),
    ("down again", DOWN, &["UPDATE posts SET body = body || '5'"], 0),
];

#[tokio::test]
async fn it_rings_only_while_somebody_sleeps() {
    let (test, host) = installed().await;
    posts(&host).await;
    let mut ear = database(&test.url()).await.listen("tintype").await.unwrap();
    for (what, bell, transactions, expected) in CASES {
        run(&host, what, bell).await;
        for transaction in *transactions {
            run(&host, what, transaction).await;
        }
        assert_eq!(heard(&host, &mut ear).await, vec![""; *expected], "{what}");
    }
    assert!(!marked(&host).await.is_empty(), "marks are made whether it rings or not");
}
