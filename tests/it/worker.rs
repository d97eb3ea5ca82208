//! The worker as it is run: `tintype run` as a child process, with a folder for its pictures.

mod pages;
mod store;
mod traces;
mod turns;

use std::{collections::HashSet, time::Duration};

use serde_json::Value;
use tintype::db::{ConnectSettings, Database, LibpqEnv};
use tokio_postgres::{Client, types::FromSqlOwned};

use crate::support::{
    postgres::TestDatabase,
    worker::{BASE, POSTS, Workplace, blog, until, until_asleep, until_drawn},
};

async fn ask<T: FromSqlOwned>(client: &Client, statement: &str) -> T {
    client.query_one(statement, &[]).await.expect(statement).get(0)
}

async fn open() -> (TestDatabase, Client, Workplace) {
    let (database, client) = blog().await;
    let workplace = Workplace::new(database.url());
    (database, client, workplace)
}

/// Adds posts with these numbers.
async fn write(client: &Client, first: i64, last: i64) {
    let insert = format!(
        "INSERT INTO posts (id, title, body) SELECT n, 'Post ' || n, 'Text' FROM generate_series({first}, {last}) n"
    );
    client.batch_execute(&insert).await.unwrap();
}

async fn url(client: &Client, id: i64) -> String {
    ask(client, &format!("SELECT og_image_url FROM posts WHERE id = {id}")).await
}

#[tokio::test]
async fn a_new_post_gets_its_picture_and_an_edit_another() {
    let (_database, client, workplace) = open().await;
    let _worker = workplace.start(&[]);
    write(&client, 1, 1).await;
    until_drawn(&client).await;
    let first = url(&client, 1).await;
    client.batch_execute("UPDATE posts SET body = 'other words'").await.unwrap();
    until_drawn(&client).await;
    let second = url(&client, 1).await;
    assert_ne!(first, second);
    let pictures = workplace.pictures();
    assert_eq!(pictures.len(), 2, "the first picture stays, for those who link to it");
    for url in [first, second] {
        let path = url.strip_prefix(BASE).expect("a URL in the store").trim_start_matches('/');
        assert!(pictures.iter().any(|picture| picture == path), "{url} is one of {pictures:?}");
    }
}

#[tokio::test]
async fn characters_that_no_font_has_are_on_record() {
    let (_database, client, workplace) = open().await;
    let _worker = workplace.start(&[]);
    client.batch_execute("INSERT INTO posts (id, title, body) VALUES (1, 'a\u{10fffd}b', 'Text')").await.unwrap();
    until_drawn(&client).await;
    let told: String = ask(&client, "SELECT state || ': ' || reason FROM tintype.image").await;
    assert_eq!(told, "ready: no font has U+10FFFD");
}

#[tokio::test]
async fn a_burst_is_drawn_and_leaves_no_trace_in_the_queue() {
    let (_database, client, workplace) = open().await;
    let worker = workplace.start(&[]);
    for chunk in 0..30 {
        write(&client, chunk * 10 + 1, chunk * 10 + 10).await;
    }
    until_drawn(&client).await;
    assert_eq!(ask::<i64>(&client, "SELECT ready FROM tintype.status").await, 300);
    assert_eq!(workplace.pictures().len(), 300);
    assert_eq!(worker.logged("failed").len() + worker.logged("postponed").len(), 0);
}

#[tokio::test]
async fn edits_while_it_draws_end_with_the_last_content() {
    let (_database, client, workplace) = open().await;
    write(&client, 1, 5).await;
    let _worker = workplace.start(&[]);
    for edit in 0..100 {
        let id = edit % 5 + 1;
        client.batch_execute(&format!("UPDATE posts SET body = 'edit {edit}' WHERE id = {id}")).await.unwrap();
    }
    until_drawn(&client).await;
}

#[tokio::test]
async fn a_sleeping_worker_hears_the_bell() {
    let (_database, client, workplace) = open().await;
    let _worker = workplace.start(&[]);
    for id in 1..=2 {
        until_asleep(&client).await;
        write(&client, id, id).await;
        let written = std::time::Instant::now();
        until_drawn(&client).await;
        assert!(written.elapsed() < Duration::from_secs(3), "post {id}: it did not wait for the next poll");
    }
}

#[tokio::test]
async fn the_exit_code_tells_whether_everything_is_drawn() {
    let (_database, client, workplace) = open().await;
    assert_eq!(workplace.work().await, 0, "nothing to do");
    write(&client, 1, 3).await;
    assert_eq!(workplace.work().await, 0, "everything drawn");
    client.batch_execute("ALTER TABLE posts ADD CHECK (id <> 4 OR og_image_url IS NULL)").await.unwrap();
    write(&client, 4, 5).await;
    assert_eq!(workplace.work().await, 4, "one row is refused");
    assert_eq!(ask::<i64>(&client, "SELECT count(*) FROM posts WHERE og_image_url IS NOT NULL").await, 4);
    assert_eq!(workplace.work().await, 0, "which is on record, and not tried again");
}

#[tokio::test]
async fn threads_that_draw_give_way_and_those_that_talk_to_the_database_do_not() {
    for (arguments, nice) in [(&[][..], 10), (&["--nice", "3"], 3), (&["--nice", "0"], 0)] {
        let (_database, client, workplace) = open().await;
        let worker = workplace.start(arguments);
        write(&client, 1, 3).await;
        until_drawn(&client).await;
        let threads = worker.niceness();
        assert!(threads.contains(&0) && threads.contains(&nice), "{arguments:?}: {threads:?}");
        assert!(threads.iter().all(|of| [0, nice].contains(of)), "{arguments:?}: {threads:?}");
    }
}

#[tokio::test]
async fn a_signal_ends_it_in_good_order() {
    for (signal, arguments) in
        [("TERM", &["--grace", "0"][..]), ("INT", &["--grace", "0"]), ("TERM", &[]), ("INT", &[])]
    {
        let (database, client, workplace) = open().await;
        let host = database.client().await;
        write(&client, 1, 20).await;
        host.batch_execute("BEGIN; SELECT FROM posts WHERE id = 7 FOR UPDATE").await.unwrap();
        let mut worker = workplace.start(arguments);
        let stuck = "SELECT count(*) = 1 AND bool_and(key = '7' AND lease IS NOT NULL) FROM tintype.job";
        until(&client, "one job is under way, held up by the host", stuck).await;
        worker.signal(signal).await;
        let case = format!("{signal} {arguments:?}");
        assert_eq!(worker.exit().await.code(), Some(0), "{case}");
        assert_eq!(
            ask::<i64>(&client, "SELECT count(*) FROM tintype.job WHERE lease IS NOT NULL").await,
            0,
            "{case}: claims"
        );
        assert_eq!(ask::<i64>(&client, "SELECT count(*) FROM tintype.worker").await, 0, "{case}: workers");
        host.batch_execute("ROLLBACK").await.unwrap();
        client.batch_execute("UPDATE tintype.job SET due_at = now()").await.unwrap();
        assert_eq!(
            ask::<i64>(&client, "SELECT coalesce(sum(attempt + deaths), 0) FROM tintype.job").await,
            0,
            "{case}: uncharged"
        );
        assert_eq!(workplace.work().await, 0, "{case}: another worker");
        until_drawn(&client).await;
    }
}

#[tokio::test]
async fn what_a_killed_worker_held_is_taken_over() {
    let (database, client, workplace) = open().await;
    let host = database.client().await;
    write(&client, 1, 5).await;
    host.batch_execute("BEGIN; SELECT FROM posts WHERE id < 3 FOR UPDATE").await.unwrap();
    let mut killed = workplace.start(&[]);
    let stuck = "SELECT count(*) = 2 AND bool_and(lease IS NOT NULL) FROM tintype.job";
    until(&client, "two jobs are under way", stuck).await;
    killed.signal("KILL").await;
    assert_eq!(killed.exit().await.code(), None, "no exit code: killed");
    host.batch_execute("ROLLBACK").await.unwrap();
    let _other = workplace.start(&[]);
    client.batch_execute("UPDATE tintype.job SET lease_until = now() - interval '1 s'").await.unwrap();
    until_drawn(&client).await;
}

#[tokio::test]
async fn two_workers_share_the_work_and_draw_nothing_twice() {
    let (_database, client, workplace) = open().await;
    client.batch_execute("SELECT tintype.pause('posts')").await.unwrap();
    write(&client, 1, 400).await;
    let workers = [workplace.start(&[]), workplace.start(&[])];
    until(&client, "both are there", "SELECT count(*) = 2 FROM tintype.worker").await;
    client.batch_execute("SELECT tintype.resume('posts')").await.unwrap();
    until_drawn(&client).await;
    let published = |lines: Vec<Value>| lines.iter().map(|line| line["row"].to_string()).collect::<Vec<_>>();
    let rows: Vec<String> = workers.iter().flat_map(|worker| published(worker.logged("published"))).collect();
    assert_eq!(rows.len(), 400, "each row once");
    assert_eq!(rows.iter().collect::<HashSet<_>>().len(), 400, "and every row");
    assert_eq!(workplace.pictures().len(), 400);
}

#[tokio::test]
async fn a_worker_that_leaves_does_not_leave_the_others_deaf() {
    let (_database, client, workplace) = open().await;
    let _stays = workplace.start(&[]);
    until_asleep(&client).await;
    for id in 1..=3 {
        let mut leaves = workplace.start(&[]);
        until(&client, "both are there", "SELECT count(*) = 2 FROM tintype.worker").await;
        until_asleep(&client).await;
        leaves.signal("TERM").await;
        assert_eq!(leaves.exit().await.code(), Some(0));
        let rings = "SELECT pg_sequence_last_value('tintype.bell') > extract(epoch FROM clock_timestamp())";
        let left = std::time::Instant::now();
        until(&client, "the bell is up again for the one that sleeps on", rings).await;
        assert!(left.elapsed() < Duration::from_secs(1), "not only with its next poll");
        write(&client, id, id).await;
        until_drawn(&client).await;
    }
}

#[tokio::test]
async fn it_survives_the_loss_of_all_its_connections() {
    let (_database, client, workplace) = open().await;
    let mut worker = workplace.start(&[]);
    write(&client, 1, 1).await;
    until_drawn(&client).await;
    for id in 2..=3 {
        until_asleep(&client).await;
        let ended: i64 = ask(
            &client,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
              WHERE datname = current_database() AND application_name = 'tintype'",
        )
        .await;
        assert!(ended > 0, "it had connections");
        write(&client, id, id).await;
        until_drawn(&client).await;
    }
    worker.signal("TERM").await;
    assert_eq!(worker.exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_broken_table_keeps_its_jobs_with_a_reason_and_holds_nobody_up() {
    for (case, breakage, reason, mend) in [
        (
            "a drawn column dropped",
            "ALTER TABLE posts DROP COLUMN body CASCADE",
            "table posts cannot be read",
            "ALTER TABLE posts ADD body text; SELECT tintype.attach('posts')",
        ),
        (
            "a drawn column renamed",
            "ALTER TABLE posts RENAME body TO words",
            "table posts cannot be read",
            "ALTER TABLE posts RENAME words TO body",
        ),
        (
            "the image column dropped",
            "ALTER TABLE posts DROP COLUMN og_image_url CASCADE",
            "og_image_url",
            "ALTER TABLE posts ADD og_image_url text",
        ),
        (
            "a look that does not exist",
            "UPDATE tintype.source SET look = 'sepia' WHERE name = 'posts'",
            "",
            "UPDATE tintype.source SET look = 'night'",
        ),
        (
            "a table dropped",
            "DROP TABLE posts",
            "",
            "SELECT tintype.detach(relation) FROM tintype.source WHERE name = 'posts'",
        ),
    ] {
        let (_database, client, workplace) = open().await;
        client.batch_execute("CREATE TABLE notes (id bigint PRIMARY KEY, body text, og_image_url text); SELECT tintype.attach('notes')").await.unwrap();
        write(&client, 1, 2).await;
        client.batch_execute(breakage).await.unwrap();
        client.batch_execute("INSERT INTO notes (id, body) VALUES (1, 'a')").await.unwrap();
        assert_eq!(workplace.work().await, 4, "{case}");
        let jobs = "SELECT coalesce(array_agg(last_error ORDER BY key), '{}') FROM tintype.job j JOIN tintype.source s ON s.id = j.source WHERE s.name = 'posts'";
        let errors: Vec<Option<String>> = ask(&client, jobs).await;
        assert_eq!(errors.len(), 2, "{case}: both jobs are kept");
        for error in errors {
            let error = error.unwrap_or_else(|| panic!("{case}: no reason"));
            assert!(!error.is_empty() && error.contains(reason), "{case}: {error}");
        }
        assert!(
            ask::<Option<String>>(&client, "SELECT og_image_url FROM notes").await.is_some(),
            "{case}: the other table"
        );
        client.batch_execute(mend).await.unwrap();
        client.batch_execute("SELECT tintype.retry()").await.unwrap();
        assert_eq!(workplace.work().await, 0, "{case}: mended");
        assert_eq!(ask::<i64>(&client, "SELECT count(*) FROM tintype.job").await, 0, "{case}");
    }
}

#[tokio::test]
async fn a_picture_chosen_by_hand_stays() {
    let (_database, client, workplace) = open().await;
    write(&client, 1, 2).await;
    client
        .batch_execute("UPDATE posts SET og_image_url = 'https://ada.example/portrait.jpg' WHERE id = 1")
        .await
        .unwrap();
    assert_eq!(workplace.work().await, 0);
    assert_eq!(url(&client, 1).await, "https://ada.example/portrait.jpg");
    assert!(url(&client, 2).await.starts_with(BASE));
    assert!(
        ask::<String>(&client, "SELECT url FROM tintype.image('posts', 1)").await.starts_with(BASE),
        "ours is on record"
    );
}

#[tokio::test]
async fn a_row_deleted_while_it_waits_is_forgotten() {
    let (_database, client, workplace) = open().await;
    write(&client, 1, 3).await;
    client.batch_execute("DELETE FROM posts WHERE id = 2").await.unwrap();
    assert_eq!(workplace.work().await, 0);
    until_drawn(&client).await;
    assert_eq!(workplace.pictures().len(), 2);
    assert_eq!(ask::<i64>(&client, "SELECT count(*) FROM tintype.image").await, 2);
}

#[tokio::test]
async fn a_second_run_draws_nothing_again() {
    let (_database, client, workplace) = open().await;
    write(&client, 1, 4).await;
    assert_eq!(workplace.work().await, 0);
    let urls = "SELECT array_agg(og_image_url ORDER BY id) FROM posts";
    let (before, pictures) = (ask::<Vec<String>>(&client, urls).await, workplace.pictures());
    client.batch_execute("UPDATE posts SET body = 'x'; UPDATE posts SET body = 'Text'").await.unwrap();
    let mut worker = workplace.start(&["--exit-when-idle"]);
    assert_eq!(worker.exit().await.code(), Some(0));
    assert_eq!(ask::<Vec<String>>(&client, urls).await, before);
    assert_eq!(workplace.pictures(), pictures);
    assert_eq!(worker.logged("published").len(), 0, "marks whose content is the drawn one cost no picture");
}

/// NOTIFY takes a lock that all commits of a database share: hosts must not pay for it while a worker looks anyway.
#[tokio::test]
async fn host_writes_notify_nobody_while_a_worker_is_awake() {
    let (database, client, workplace) = open().await;
    let settings = ConnectSettings { url: Some(database.url()), ..ConnectSettings::default() };
    let listener = Database::connect(&settings, &LibpqEnv::default()).await.unwrap();
    let mut bell = listener.listen("tintype").await.unwrap();
    write(&client, 1, 1).await; // nobody is there to be notified
    let _worker = workplace.start(&[]);
    until_asleep(&client).await;
    write(&client, 2, 2).await; // rings
    until_drawn(&client).await;
    for id in 3..=150 {
        write(&client, id, id).await;
    }
    client.batch_execute("NOTIFY tintype, 'end'").await.unwrap();
    let mut rings = 0;
    while bell.next().await.unwrap().payload != "end" {
        rings += 1;
    }
    assert_eq!(rings, 1, "the one that woke the worker");
    until_drawn(&client).await;
}

#[tokio::test]
async fn a_worker_without_a_schema_says_what_to_do() {
    let database = TestDatabase::new().await;
    database.client().await.batch_execute(POSTS).await.unwrap();
    let mut worker = Workplace::new(database.url()).start(&[]);
    assert_eq!(worker.exit().await.code(), Some(3), "a matter of configuration");
}

#[tokio::test]
async fn a_worker_that_outlives_its_schema_ends_as_one_that_never_had_it() {
    let (_database, client, workplace) = open().await;
    let mut worker = workplace.start(&[]);
    write(&client, 1, 3).await;
    until_drawn(&client).await;
    client.batch_execute(tintype::install::down()).await.unwrap();
    assert_eq!(worker.exit().await.code(), Some(3), "a matter of configuration");
    // The statement that was under way may complain in other words than those after it.
    let told = worker.logged("no look at the queue");
    let different: std::collections::HashSet<_> = told.iter().map(|line| line["error"].to_string()).collect();
    assert!((1..=2).contains(&told.len()) && different.len() == told.len(), "said once, not once a second: {told:?}");
    assert!(worker.said("error: tintype is not installed in this database"), "and at last what is wrong");
}
