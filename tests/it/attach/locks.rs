//! Tables in use: attach waits a little, says whom it waits for, and never fails because another attach runs.

use std::time::Duration;

use crate::support::{
    eventually,
    program::{command, run as run_program, tintype},
    schema::{installed, refused, run, text, texts},
};

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn two_attaches_at_once_leave_one_source() {
    let (test, client) = installed().await;
    run(
        &client,
        "tables",
        "CREATE TABLE posts (id int PRIMARY KEY, body text); CREATE TABLE notes (id int PRIMARY KEY, body text)",
    )
    .await;
    let url = test.url();
    let attach = async |table: &str| tintype(&url, &["attach", table, "--json"]).await;
    for ran in <[_; 4]>::from(tokio::join!(attach("posts"), attach("posts"), attach("notes"), attach("posts"))) {
        ran.done();
    }
    assert_eq!(texts(&client, "SELECT name FROM tintype.source ORDER BY 1").await, ["notes", "posts"]);
    run(&client, "write", "INSERT INTO posts VALUES (1, 'x')").await;
    assert_eq!(texts(&client, "SELECT key FROM tintype.change").await, ["1"], "one trigger, one mark");
}

#[tokio::test]
async fn a_table_that_stays_in_use_is_named_with_its_user() {
    let (test, client) = installed().await;
    let host = test.client().await;
    run(
        &client,
        "table",
        "CREATE TABLE posts (id int PRIMARY KEY, body text); SET application_name = 'nightly import'",
    )
    .await;
    run(
        &host,
        "a long transaction",
        "SET application_name = 'nightly import'; BEGIN; INSERT INTO posts VALUES (1, 'x')",
    )
    .await;
    let pid = text(&host, "SELECT pg_backend_pid()").await;
    let refusal = refused(&client, "attach", "SELECT tintype.attach('posts')").await;
    assert_eq!(refusal.state, "55P03", "{refusal:?}");
    assert_eq!(refusal.message, "table public.posts is in use by another transaction");
    assert!(refusal.hint.contains(&format!("process {pid} (nightly import")), "{refusal:?}");
    assert_eq!(text(&client, "SELECT count(*) FROM tintype.source").await, "0");
    run(&host, "it ends", "COMMIT").await;
    run(&client, "attach", "SELECT tintype.attach('posts')").await;
    run(&host, "another", "BEGIN; UPDATE posts SET body = 'y'").await;
    let refusal = refused(&client, "detach", "SELECT tintype.detach('posts')").await;
    assert_eq!(
        (refusal.state.as_str(), refusal.message.as_str()),
        ("55P03", "table public.posts is in use by another transaction")
    );
    run(&host, "it ends", "COMMIT").await;
    run(&client, "detach", "SELECT tintype.detach('posts')").await;
}

#[tokio::test]
async fn the_command_tries_again_until_the_lock_is_gone() {
    let (test, host) = installed().await;
    run(&host, "table", "CREATE TABLE posts (id int PRIMARY KEY, body text)").await;
    run(&host, "a transaction", "BEGIN; INSERT INTO posts VALUES (1, 'x')").await;
    let mut attach = command(&["attach", "posts", "--json"]);
    attach.env("DATABASE_URL", test.url());
    let attach = tokio::spawn(run_program(attach));
    let watch = test.client().await;
    let waiting = "SELECT waitstart::text FROM pg_locks WHERE NOT granted AND relation = 'posts'::regclass";
    let first = eventually("the first try", LIMIT, async || texts(&watch, waiting).await.pop()).await;
    eventually("the second try", LIMIT, async || {
        texts(&watch, waiting).await.pop().filter(|since| *since != first && since != "NULL")
    })
    .await;
    assert!(!attach.is_finished());
    run(&host, "the lock goes", "COMMIT").await;
    attach.await.unwrap().done();
    assert_eq!(texts(&watch, "SELECT name FROM tintype.source").await, ["posts"]);
}
