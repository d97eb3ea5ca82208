//! What a publication may write over, what it must leave alone, and how batches keep out of each other's way.

use tintype::db::{ConnectSettings, Database, LibpqEnv};
use tokio_postgres::types::Json;

use super::{Claim, Queue, claim, draw, fold, publish, publish_one, ready, url, without_picture};
use crate::support::worker::{BASE, until};

#[tokio::test]
async fn only_nothing_and_our_own_urls_are_written_over() {
    let hash = "0123456789abcdef0123456789abcdef";
    let earlier = format!("{BASE}/posts/1/{hash}.png");
    let moved = format!("https://old-cdn.example/pictures/posts/1/{hash}.png");
    let of_another = format!("{BASE}/posts/2/{hash}.png");
    for (case, value, outcome) in [
        ("NULL", "NULL", "published"),
        ("empty", "''", "published"),
        ("the URL in the ledger", "(SELECT url FROM tintype.image WHERE key = '1')", "published"),
        ("an earlier URL of this row", &*format!("'{earlier}'"), "published"),
        ("one from before the store moved", &*format!("'{moved}'"), "published"),
        ("a picture chosen by hand", "'https://ada.example/portrait.jpg'", "kept"),
        ("an upload below a folder of the same name", "'https://cdn.example/uploads/posts/1/portrait.jpg'", "kept"),
        ("the picture of the row that this one was copied from", &*format!("'{of_another}'"), "published"),
        ("blanks", "' '", "kept"),
    ] {
        let (queue, before) = Queue::published().await;
        queue.run("UPDATE posts SET body = 'newer'").await;
        queue.run(&format!("UPDATE posts SET og_image_url = {value}")).await;
        let given = queue.post_url(1).await;
        let claim = queue.claim_one().await;
        let picture = draw(&queue.client, &claim).await;
        assert_ne!(url(&picture), before);
        assert_eq!(publish_one(&queue.client, &picture).await, outcome, "{case}");
        let shown = if outcome == "kept" { given } else { Some(url(&picture)) };
        assert_eq!(queue.post_url(1).await, shown, "{case}");
        assert_eq!(queue.left().await, 0, "{case}");
    }
}

/// An ORM that saves every column writes back the picture that the row showed when it was loaded.
#[tokio::test]
async fn a_stale_full_save_with_an_edit_gets_the_right_picture() {
    let (queue, first) = Queue::published().await;
    queue.run("UPDATE posts SET body = 'second'").await;
    queue.work().await;
    queue.run(&format!("UPDATE posts SET body = 'third', og_image_url = '{first}'")).await;
    queue.work().await;
    let third: String = queue.ask("SELECT url FROM tintype.image").await;
    assert_eq!(queue.post_url(1).await, Some(third.clone()));
    queue.run(&format!("UPDATE posts SET body = 'Text 1', og_image_url = '{third}'")).await;
    queue.work().await;
    assert_eq!(queue.post_url(1).await, Some(first), "the same content has the same URL");
}

#[tokio::test]
async fn a_row_whose_key_changes_keeps_its_picture_until_it_is_drawn_anew() {
    let (queue, before) = Queue::published().await;
    queue.run("UPDATE posts SET id = 7").await;
    assert_eq!(fold(&queue.client).await, 1, "a new key is a change");
    queue.work().await;
    let renewed: String = queue.ask("SELECT url FROM tintype.image WHERE key = '7'").await;
    assert_ne!(renewed, before);
    assert_eq!(queue.post_url(7).await, Some(renewed), "the URL of the old key was ours");
    queue.run("UPDATE posts SET body = 'newer'").await;
    queue.work().await;
    let newer: String = queue.ask("SELECT url FROM tintype.image WHERE key = '7'").await;
    assert_eq!(queue.post_url(7).await, Some(newer));
}

#[tokio::test]
async fn a_column_that_refuses_null_is_emptied() {
    let queue = Queue::new().await;
    queue
        .run(
            "ALTER TABLE posts ALTER og_image_url SET DEFAULT '', ALTER og_image_url SET NOT NULL;
              SELECT tintype.attach('posts');
              INSERT INTO posts (id, body) VALUES (1, 'a')",
        )
        .await;
    queue.work().await;
    assert!(queue.post_url(1).await.is_some_and(|url| url.starts_with(BASE)), "'' is no picture chosen by hand");
    queue.run("UPDATE posts SET body = ''").await;
    let claim = queue.claim_one().await;
    let nothing = without_picture(&draw(&queue.client, &claim).await, "skipped", "nothing to draw");
    assert_eq!(publish_one(&queue.client, &nothing).await, "published");
    assert_eq!(queue.post_url(1).await.as_deref(), Some(""));
    let claim = queue.claim_one().await; // emptying it was a mark, whoever did it
    let again = without_picture(&draw(&queue.client, &claim).await, "skipped", "nothing to draw");
    assert_eq!(publish_one(&queue.client, &again).await, "published");
    queue.run("SELECT tintype.sweep(1, 10)").await;
    assert_eq!(queue.left().await, 0, "the sweep finds nothing amiss");
}

#[tokio::test]
async fn without_an_image_column_the_ledger_alone_holds_the_url() {
    let queue = Queue::new().await;
    queue.run("SELECT tintype.attach('posts', body => 'body'); INSERT INTO posts (id, body) VALUES (1, 'a')").await;
    queue.work().await;
    assert_eq!(queue.post_url(1).await, None);
    assert!(queue.ask::<String>("SELECT url FROM tintype.image('posts', 1)").await.starts_with(BASE));
    queue.run("SELECT tintype.sweep(1, 10)").await;
    assert_eq!(queue.left().await, 0, "the sweep finds nothing amiss");
}

#[tokio::test]
async fn a_refused_row_does_not_hold_up_its_batch() {
    let queue = Queue::with_posts(5).await;
    queue.run("ALTER TABLE posts ADD CHECK (id <> 3 OR og_image_url IS NULL)").await;
    let host = queue.database.client().await;
    host.batch_execute("BEGIN; SELECT FROM posts WHERE id = 4 FOR UPDATE").await.unwrap();
    let mut batch = Vec::new();
    for claim in claim(&queue.client, 1, 10).await {
        batch.push(draw(&queue.client, &claim).await);
    }
    let mut verdicts: Vec<_> =
        publish(&queue.client, &batch).await.into_iter().map(|(key, outcome, _)| (key, outcome)).collect();
    verdicts.sort();
    let expected = [("1", "published"), ("2", "published"), ("3", "refused"), ("4", "locked"), ("5", "published")];
    assert_eq!(verdicts, expected.map(|(key, outcome)| (key.to_owned(), outcome.to_owned())));
    assert_eq!(
        queue.ask::<Vec<i64>>("SELECT array_agg(id ORDER BY id) FROM posts WHERE og_image_url IS NOT NULL").await,
        [1, 2, 5]
    );
}

#[tokio::test]
async fn batches_in_opposite_orders_do_not_deadlock() {
    const ROUNDS: usize = 15;
    let queue = Queue::with_posts(40).await;
    for round in 0..ROUNDS {
        queue.run(&format!("UPDATE posts SET body = 'round {round}'")).await;
        fold(&queue.client).await;
        let claims = claim(&queue.client, 1, 40).await;
        assert_eq!(claims.len(), 40);
        let mut batch = Vec::new();
        for claim in &claims {
            batch.push(draw(&queue.client, claim).await);
        }
        let backwards: Vec<_> = batch.iter().rev().cloned().collect();
        let (one, other) = (queue.database.client().await, queue.database.client().await);
        let (ours, theirs, _) = tokio::join!(publish(&one, &batch), publish(&other, &backwards), fold(&queue.client));
        let published = ours.iter().chain(&theirs).filter(|(_, outcome, _)| outcome == "published").count();
        let locked = ours.iter().chain(&theirs).filter(|(_, outcome, _)| outcome == "locked").count();
        assert_eq!(published, 40, "round {round}: each row once, {locked} were locked");
    }
}

/// A new picture of a row may be uploaded before its earlier one is published: only the fingerprint decides.
#[tokio::test]
async fn a_picture_of_other_content_is_never_published() {
    let queue = Queue::with_posts(1).await;
    let claim: Claim = queue.claim_one().await;
    let wrong = ready(&claim, "00000000000000000000000000000000");
    assert_eq!(publish_one(&queue.client, &wrong).await, "changed");
    assert_eq!(queue.post_url(1).await, None);
}

#[tokio::test]
async fn announcements_name_the_row_and_its_picture() {
    let (queue, _, picture) = Queue::drawn().await;
    let settings = ConnectSettings { url: Some(queue.database.url()), ..ConnectSettings::default() };
    let listener = Database::connect(&settings, &LibpqEnv::default()).await.unwrap();
    let mut heard = listener.listen("tintype_image").await.unwrap();
    queue.run("SELECT tintype.backfill('posts')").await; // another turn for the same row
    assert_eq!(publish_one(&queue.client, &picture).await, "published", "nobody asked to be told");
    let claim = queue.claim_one().await;
    let picture = draw(&queue.client, &claim).await;
    let batch = tokio_postgres::types::Json(vec![picture.clone()]);
    queue.client.query("SELECT tintype.publish($1, true)", &[&batch]).await.unwrap();
    queue.run("NOTIFY tintype_image, 'end'").await;
    let mut told = Vec::new();
    while told.last().is_none_or(|payload| payload != "end") {
        told.push(
            tokio::time::timeout(crate::support::worker::LIMIT, heard.next()).await.expect("in time").unwrap().payload,
        );
    }
    assert_eq!(told.len(), 2, "one notification, for the one that was asked for: {told:?}");
    let said: serde_json::Value = serde_json::from_str(&told[0]).unwrap();
    assert_eq!(said, serde_json::json!({ "source": "posts", "key": "1", "state": "ready", "url": url(&picture) }));
}

#[tokio::test]
async fn a_key_too_long_to_be_announced_is_published_all_the_same() {
    let (queue, _) = Queue::published().await;
    queue
        .run(
            "CREATE TABLE tags (name text PRIMARY KEY, body text, og_image_url text); SELECT tintype.attach('tags');
              INSERT INTO tags VALUES (repeat('k', 2000) || repeat('é', 3000), 'text')",
        )
        .await;
    let settings = ConnectSettings { url: Some(queue.database.url()), ..ConnectSettings::default() };
    let listener = Database::connect(&settings, &LibpqEnv::default()).await.unwrap();
    let mut heard = listener.listen("tintype_image").await.unwrap();
    let claim = queue.claim_one().await;
    let batch = tokio_postgres::types::Json(vec![draw(&queue.client, &claim).await]);
    let row = queue.client.query_one("SELECT outcome FROM tintype.publish($1, true)", &[&batch]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "published");
    let heard = tokio::time::timeout(crate::support::worker::LIMIT, heard.next()).await.expect("in time").unwrap();
    let said: serde_json::Value = serde_json::from_str(&heard.payload).unwrap();
    assert_eq!(said, serde_json::json!({ "source": "tags", "key": null, "state": "ready", "url": null }));
}

#[tokio::test]
async fn a_batch_that_takes_long_leaves_its_rest_for_another_call() {
    let queue = Queue::with_posts(3).await;
    queue
        .run(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1.1); RETURN NEW; END';
              CREATE TRIGGER slow BEFORE UPDATE OF og_image_url ON posts FOR EACH ROW EXECUTE FUNCTION slow()",
        )
        .await;
    let mut batch = Vec::new();
    for claim in super::claim(&queue.client, 1, 3).await {
        batch.push(draw(&queue.client, &claim).await);
    }
    let publish = "SELECT array_agg(key ORDER BY key) FROM tintype.publish($1)";
    let done: Vec<String> = queue.client.query_one(publish, &[&Json(&batch)]).await.unwrap().get(0);
    assert_eq!(done, ["1", "2"], "its rows are locked until it ends");
    batch.drain(..2);
    let rest: Vec<String> = queue.client.query_one(publish, &[&Json(&batch)]).await.unwrap().get(0);
    assert_eq!(rest, ["3"]);
}

#[tokio::test]
async fn a_server_that_runs_full_is_not_the_row_s_fault() {
    let (queue, _, picture) = Queue::drawn().await;
    queue
        .run("CREATE FUNCTION runs_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = 'disk_full'; END $$;
              CREATE TRIGGER runs_full BEFORE UPDATE OF og_image_url ON posts FOR EACH ROW EXECUTE FUNCTION runs_full()")
        .await;
    let publish = "SELECT outcome FROM tintype.publish($1)";
    assert!(queue.client.query_one(publish, &[&Json(&[&picture])]).await.is_err());
    assert_eq!(queue.ask::<i64>("SELECT count(*) FROM tintype.image").await, 0, "nothing is on record");
    queue.run("DROP TRIGGER runs_full ON posts").await;
    assert_eq!(publish_one(&queue.client, &picture).await, "published");
}

#[tokio::test]
async fn another_image_column_while_pictures_are_handed_in() {
    let queue = Queue::with_posts(2).await;
    queue.work().await;
    // The first has no entry that attach could wait at.
    queue.run("DELETE FROM tintype.image WHERE key = '1'; UPDATE posts SET body = 'x' || id; ALTER TABLE posts ADD COLUMN card text").await;
    fold(&queue.client).await;
    let mut pictures = Vec::new();
    for claim in claim(&queue.client, 1, 10).await {
        pictures.push(draw(&queue.client, &claim).await);
    }
    pictures.sort_by_key(|picture| picture["key"].to_string());
    queue.run("BEGIN").await;
    assert_eq!(publish_one(&queue.client, &pictures[0]).await, "published");
    let other = queue.database.client().await;
    let attached =
        tokio::spawn(async move { other.batch_execute("SELECT tintype.attach('posts', image => 'card')").await });
    let waits =
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(&queue.database.client().await, "attach waits", waits).await;
    assert_eq!(publish_one(&queue.client, &pictures[1]).await, "published");
    queue.run("COMMIT").await;
    attached.await.unwrap().unwrap();
    assert_eq!(queue.ask::<i64>("SELECT count(*) FROM tintype.image WHERE in_row").await, 0);
}
