//! The host's own status column: what it says at each step, that its writes mark nothing, and what they cost.

use serde_json::json;

use super::{Queue, claim, draw, fold, publish, publish_one, without_picture};

/// Posts with a status column of this type, attached with it.
async fn with_status(column: &str) -> Queue {
    let queue = Queue::new().await;
    queue
        .run(&format!(
            "ALTER TABLE posts ADD COLUMN status {column}; SELECT tintype.attach('posts', status => 'status');
             INSERT INTO posts (id, title, body) SELECT n, 'Post ' || n, 'Text ' || n FROM generate_series(1, 2) n"
        ))
        .await;
    queue
}

async fn says(queue: &Queue, id: i64) -> String {
    queue.ask(&format!("SELECT coalesce(status::text, 'NULL') FROM posts WHERE id = {id}")).await
}

async fn processing(queue: &Queue, claim: &super::Claim) {
    queue.run(&format!("SELECT tintype.say_processing({}, '{}', {})", claim.source, claim.key, claim.lease)).await;
}

#[tokio::test]
async fn a_row_says_how_its_picture_stands_and_is_never_marked_for_it() {
    for column in ["text NOT NULL DEFAULT 'pending'", "varchar(10) DEFAULT 'pending'"] {
        let queue = with_status(column).await;
        assert_eq!(says(&queue, 1).await, "pending", "by the column's default");
        fold(&queue.client).await;
        let claims = claim(&queue.client, 1, 10).await;
        let (first, second) = (&claims[0], &claims[1]);
        processing(&queue, first).await;
        assert_eq!(says(&queue, 1).await, "processing");
        let versions = "SELECT xmin::text FROM posts WHERE id = 1";
        let before: String = queue.ask(versions).await;
        let picture = draw(&queue.client, first).await;
        assert_eq!(publish_one(&queue.client, &picture).await, "published");
        assert_eq!(says(&queue, 1).await, "ready");
        assert_ne!(before, queue.ask::<String>(versions).await);
        queue.run("UPDATE posts SET status = 'pending' WHERE id = 1").await;
        assert_eq!(fold(&queue.client).await, 0, "no write to the column marks its row, not the host's either");
        let failed = without_picture(&draw(&queue.client, second).await, "failed", "no page");
        processing(&queue, second).await;
        assert_eq!(publish_one(&queue.client, &failed).await, "published");
        assert_eq!(says(&queue, 2).await, "failed");
        assert_eq!(queue.ask::<i64>("SELECT tintype.retry('posts', '2')").await, 1);
        assert_eq!(says(&queue, 2).await, "pending");
        queue.work().await;
        assert_eq!(says(&queue, 2).await, "ready");
        assert_eq!(queue.left().await, 0, "tintype's own writes have marked nothing");
        queue.run("UPDATE posts SET body = 'x' WHERE id = 2").await;
        let edited = queue.claim_one().await;
        processing(&queue, &edited).await;
        let skipped = without_picture(&draw(&queue.client, &edited).await, "skipped", "nothing to draw");
        publish_one(&queue.client, &skipped).await;
        assert_eq!(says(&queue, 2).await, "skipped");
    }
}

#[tokio::test]
async fn url_and_status_are_one_update() {
    let queue = with_status("text DEFAULT 'pending'").await;
    queue
        .run("CREATE TABLE writes (id bigint, status text, url text);
              CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.writes VALUES (NEW.id, NEW.status, NEW.og_image_url); RETURN NULL; END $$;
              CREATE TRIGGER note AFTER UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION note()")
        .await;
    fold(&queue.client).await;
    for one in claim(&queue.client, 1, 10).await {
        processing(&queue, &one).await;
        let picture = draw(&queue.client, &one).await;
        publish(&queue.client, &[picture]).await;
    }
    let told: String =
        queue.ask("SELECT string_agg(status || ' ' || (url IS NOT NULL), ', ' ORDER BY status, id) FROM writes").await;
    assert_eq!(told, "processing false, processing false, ready true, ready true", "two updates a picture and no more");
    queue.run("SELECT tintype.backfill('posts', stale => true)").await;
    queue.work().await;
    assert_eq!(queue.ask::<i64>("SELECT count(*) FROM writes").await, 4, "what has not changed costs none");
}

#[tokio::test]
async fn what_waits_again_is_pending_and_what_died_is_failed() {
    let queue = with_status("text DEFAULT 'pending'").await;
    fold(&queue.client).await;
    let claims = claim(&queue.client, 1, 10).await;
    for one in &claims {
        processing(&queue, one).await;
    }
    let (first, second) = (&claims[0], &claims[1]);
    queue
        .run(&format!(
            "SELECT tintype.retry_later({}, '{}', {}, 60, true, 'the store is away')",
            first.source, first.key, first.lease
        ))
        .await;
    assert_eq!((says(&queue, 1).await, says(&queue, 2).await), ("pending".to_owned(), "processing".to_owned()));
    assert_eq!(queue.ask::<i64>("SELECT tintype.release(1)").await, 1);
    assert_eq!(says(&queue, 2).await, "pending", "a worker that stops gives its rows back");
    let old = second.clone();
    for _ in 1..=3 {
        let again = queue.claim_one().await;
        processing(&queue, &again).await;
        queue.expire().await;
    }
    processing(&queue, &old).await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.park()").await, 1);
    assert_eq!(says(&queue, 2).await, "failed");
}

#[tokio::test]
async fn a_row_that_the_host_holds_is_not_waited_for() {
    let queue = with_status("text DEFAULT 'pending'").await;
    fold(&queue.client).await;
    let claims = claim(&queue.client, 1, 10).await;
    let host = queue.database.client().await;
    host.batch_execute("BEGIN; UPDATE posts SET views = 1 WHERE id = 1").await.unwrap();
    queue.run("SET lock_timeout = '1s'").await;
    processing(&queue, &claims[0]).await;
    let picture = draw(&queue.client, &claims[0]).await;
    assert_eq!(publish_one(&queue.client, &picture).await, "locked");
    host.batch_execute("COMMIT").await.unwrap();
    assert_eq!(publish_one(&queue.client, &picture).await, "published");
    assert_eq!(says(&queue, 1).await, "ready");
}

#[tokio::test]
async fn enums_and_what_cannot_serve() {
    let queue = Queue::new().await;
    queue
        .run("CREATE TYPE progress AS ENUM ('pending', 'processing', 'ready', 'failed');
              CREATE TYPE short AS ENUM ('pending', 'ready');
              ALTER TABLE posts ADD COLUMN progress progress DEFAULT 'pending', ADD COLUMN short short, ADD COLUMN narrow varchar(5), ADD COLUMN progress_of_review text;
              SELECT tintype.attach('posts', status => 'progress', row_filter => 'progress_of_review IS NULL');
              INSERT INTO posts (id, title) VALUES (1, 'One')")
        .await;
    let claimed = queue.claim_one().await;
    let skipped = without_picture(&draw(&queue.client, &claimed).await, "skipped", "nothing to draw");
    publish_one(&queue.client, &skipped).await;
    assert_eq!(queue.ask::<String>("SELECT progress::text FROM posts").await, "failed", "an enum without skipped");
    for (status, filter, words) in [
        ("short", "", "does not know: processing, failed"),
        ("narrow", "", "does not know: pending, processing, failed"),
        ("views", "", "cannot serve as the status"),
        ("title", "", "cannot hold the status as well"),
        ("progress", "progress <> ''failed''", "which tintype writes"),
        ("no_such", "", "has no column"),
    ] {
        let attach = format!("SELECT tintype.attach('posts', status => '{status}', row_filter => '{filter}')");
        let error = queue.client.batch_execute(&attach).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert!(error.message().contains(words) && error.hint().is_some(), "{status}: {error:?}");
    }
    queue.run("SELECT tintype.attach('posts', status => '')").await;
    assert!(queue.ask::<bool>("SELECT status_column IS NULL FROM tintype.source").await);
}

#[tokio::test]
async fn a_table_without_an_image_column_may_have_a_status() {
    let queue = Queue::new().await;
    queue
        .run(
            "CREATE TABLE notes (id bigint PRIMARY KEY, body text, status text DEFAULT 'pending');
              SELECT tintype.attach('notes', body => 'body', status => 'status'); INSERT INTO notes VALUES (1, 'x')",
        )
        .await;
    queue.work().await;
    assert_eq!(queue.ask::<String>("SELECT status FROM notes").await, "ready");
    assert_eq!(queue.ask::<String>("SELECT state FROM tintype.image").await, "ready");
}

#[tokio::test]
async fn a_check_that_refuses_the_word_is_told() {
    let queue =
        with_status("text DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'ready', 'failed'))").await;
    let mut claims = Vec::new();
    while fold(&queue.client).await > 0 {}
    claims.extend(claim(&queue.client, 1, 10).await);
    let skipped = without_picture(&draw(&queue.client, &claims[0]).await, "skipped", "nothing to draw");
    let told = publish(&queue.client, &[skipped]).await.remove(0);
    assert!(told.1 == "refused" && told.2.as_deref().is_some_and(|words| words.contains("status")), "{told:?}");
    assert_eq!(queue.ask::<serde_json::Value>("SELECT to_jsonb(i.state) FROM tintype.image i").await, json!("failed"));
}

#[tokio::test]
async fn one_cause_tried_again_is_pending_too() {
    let queue = Queue::with_posts(2).await;
    queue.run("ALTER TABLE posts ADD COLUMN card text; SELECT tintype.attach('posts', status => 'card')").await;
    for claim in claim(&queue.client, 1, 2).await {
        let picture = draw(&queue.client, &claim).await;
        publish_one(&queue.client, &without_picture(&picture, "failed", "the page is gone")).await;
    }
    let says = "SELECT string_agg(DISTINCT card, ' ') FROM posts";
    assert_eq!(queue.ask::<String>(says).await, "failed");
    assert_eq!(queue.ask::<i64>("SELECT tintype.retry_cause(tintype.cause('the page is gone'))").await, 2);
    assert_eq!(queue.ask::<String>(says).await, "pending");
}
