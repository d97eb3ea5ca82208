//! Each verdict of a publication, with its exact effects on the row, the ledger and the job.

use serde_json::Value;
use tokio_postgres::types::Json;

use super::{Queue, draw, fold, publish, publish_one, url, without_picture};

/// The ledger's entry of post 1: state, URL, whether the row holds it.
async fn entry(queue: &Queue) -> Option<(String, Option<String>, bool)> {
    let row =
        queue.client.query_opt("SELECT state, url, in_row FROM tintype.image WHERE key = '1'", &[]).await.unwrap();
    row.map(|row| (row.get(0), row.get(1), row.get(2)))
}

/// The job of post 1: whether it is leased.
async fn leased(queue: &Queue) -> Option<bool> {
    let row = queue.client.query_opt("SELECT lease IS NOT NULL FROM tintype.job WHERE key = '1'", &[]).await.unwrap();
    row.map(|row| row.get(0))
}

#[tokio::test]
async fn published() {
    let (queue, _, picture) = Queue::drawn().await;
    assert_eq!(publish_one(&queue.client, &picture).await, "published");
    assert_eq!(queue.post_url(1).await, Some(url(&picture)));
    assert_eq!(entry(&queue).await, Some(("ready".into(), Some(url(&picture)), true)));
    assert_eq!(queue.left().await, 0, "the job is done, and the write-back marks nothing");
    let kept: Value = queue.ask("SELECT to_jsonb(i) FROM tintype.image('posts', 1) i").await;
    for field in ["content", "template", "object", "width", "height", "bytes", "media_type", "kind", "engine", "alt"] {
        assert_eq!(kept[field], picture[field], "{field}");
    }
    assert_eq!(publish_one(&queue.client, &picture).await, "lost", "a second time: the lease ended with the job");
}

#[tokio::test]
async fn published_again_while_it_was_marked() {
    let (queue, _, picture) = Queue::drawn().await;
    queue.run("UPDATE posts SET body = 'other'; UPDATE posts SET body = 'Text 1'").await;
    fold(&queue.client).await;
    assert_eq!(publish_one(&queue.client, &picture).await, "published", "the content is the drawn one again");
    assert_eq!(leased(&queue).await, Some(false), "but the mark is newer than the claim: due again");
    let claim = queue.claim_one().await;
    let again = draw(&queue.client, &claim).await;
    assert_eq!(publish_one(&queue.client, &again).await, "published");
    assert_eq!((queue.left().await, queue.post_url(1).await), (0, Some(url(&picture))));
}

#[tokio::test]
async fn kept() {
    let (queue, _, picture) = Queue::drawn().await;
    queue.run("UPDATE posts SET og_image_url = 'https://ada.example/portrait.jpg'").await;
    assert_eq!(publish_one(&queue.client, &picture).await, "kept");
    assert_eq!(queue.post_url(1).await.as_deref(), Some("https://ada.example/portrait.jpg"));
    assert_eq!(entry(&queue).await, Some(("ready".into(), Some(url(&picture)), false)));
    assert_eq!(queue.left().await, 0);
}

#[tokio::test]
async fn changed() {
    for folded in [false, true] {
        let (queue, _, stale) = Queue::drawn().await;
        queue.run("UPDATE posts SET body = 'newer'").await;
        if folded {
            fold(&queue.client).await;
        }
        assert_eq!(publish_one(&queue.client, &stale).await, "changed", "mark folded: {folded}");
        assert_eq!((queue.post_url(1).await, entry(&queue).await), (None, None), "nothing is shown: {folded}");
        assert_eq!(leased(&queue).await, Some(false), "due again, mark folded: {folded}");
        queue.work().await;
        let fresh: String = queue.ask("SELECT url FROM tintype.image").await;
        assert_ne!(fresh, url(&stale));
        assert_eq!((queue.post_url(1).await, queue.left().await), (Some(fresh), 0));
    }
}

#[tokio::test]
async fn changed_without_a_trigger() {
    let (queue, _, stale) = Queue::drawn().await;
    queue
        .run("SET session_replication_role = replica; UPDATE posts SET body = 'newer'; RESET session_replication_role")
        .await;
    assert_eq!(publish_one(&queue.client, &stale).await, "changed");
    queue.work().await;
    assert!(queue.post_url(1).await.is_some_and(|shown| shown != url(&stale)), "due again without any mark");
}

#[tokio::test]
async fn gone_by_delete() {
    let (queue, before) = Queue::published().await;
    queue.run("UPDATE posts SET body = 'newer'").await;
    let claim = queue.claim_one().await;
    let picture = draw(&queue.client, &claim).await;
    queue.run("DELETE FROM posts").await;
    assert_eq!(entry(&queue).await, Some(("ready".into(), Some(before), true)));
    assert_eq!(publish_one(&queue.client, &picture).await, "gone");
    assert_eq!((entry(&queue).await, queue.left().await), (None, 0), "ledger and job are gone with the row");
}

#[tokio::test]
async fn gone_by_filter() {
    let (queue, shown) = Queue::published().await;
    queue.run("SELECT tintype.attach('posts', row_filter => 'views < 10'); UPDATE posts SET body = 'newer'").await;
    let claim = queue.claim_one().await;
    let picture = draw(&queue.client, &claim).await;
    queue.run("UPDATE posts SET views = 10").await;
    assert_eq!(publish_one(&queue.client, &picture).await, "gone");
    let outside = Some(("skipped".to_owned(), Some(shown.clone()), false));
    assert_eq!(entry(&queue).await, outside);
    assert_eq!(queue.post_url(1).await, Some(shown), "the row keeps what it shows");
    queue.work().await;
    assert_eq!((entry(&queue).await, queue.left().await), (outside, 0), "also when read as unwanted");
    queue.run("UPDATE tintype.source SET row_filter = 'views < 11'").await; // as time lets a row in, without a write
    assert_eq!(queue.ask::<i64>("SELECT tintype.sweep(id, 10) FROM tintype.source").await, 1, "found by the sweep");
    queue.run("UPDATE posts SET views = 9").await;
    queue.work().await;
    let fresh: String = queue.ask("SELECT url FROM tintype.image").await;
    assert_eq!(
        queue.post_url(1).await,
        Some(fresh),
        "back within the filter, it is drawn, over the earlier URL of ours"
    );
}

#[tokio::test]
async fn a_row_that_comes_back_is_due_again() {
    let queue = Queue::with_posts(1).await;
    let claim = queue.claim_one().await;
    queue.run("DELETE FROM posts").await;
    let nothing = draw(&queue.client, &claim).await;
    queue.run("INSERT INTO posts (id, body) VALUES (1, 'back')").await;
    assert_eq!(publish_one(&queue.client, &nothing).await, "changed", "nothing was drawn of the row that is there now");
    queue.work().await;
    assert!(queue.post_url(1).await.is_some());
}

#[tokio::test]
async fn locked() {
    for lock in [
        "UPDATE posts SET views = 1",
        "SELECT FROM posts FOR UPDATE",
        "UPDATE posts SET body = 'unseen'",
        "DELETE FROM posts",
    ] {
        let (queue, _, picture) = Queue::drawn().await;
        let host = queue.database.client().await;
        host.batch_execute(&format!("BEGIN; {lock}")).await.unwrap();
        assert_eq!(publish_one(&queue.client, &picture).await, "locked", "{lock}: it does not wait");
        assert_eq!((queue.post_url(1).await, entry(&queue).await), (None, None), "{lock}");
        assert_eq!(leased(&queue).await, Some(true), "{lock}: the lease is still ours");
        host.batch_execute("ROLLBACK").await.unwrap();
        assert_eq!(publish_one(&queue.client, &picture).await, "published", "{lock}: another knock");
        assert_eq!(queue.post_url(1).await, Some(url(&picture)), "{lock}");
    }
}

#[tokio::test]
async fn a_foreign_key_check_does_not_lock_a_row() {
    let (queue, _, picture) = Queue::drawn().await;
    queue.run("CREATE TABLE comments (post bigint REFERENCES posts)").await;
    let host = queue.database.client().await;
    host.batch_execute("BEGIN; INSERT INTO comments VALUES (1)").await.unwrap();
    assert_eq!(publish_one(&queue.client, &picture).await, "published");
    host.batch_execute("COMMIT").await.unwrap();
}

#[tokio::test]
async fn refused() {
    let host_trigger =
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no strangers'; END $$;
                        CREATE TRIGGER refuse BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION refuse()";
    let silent_trigger = "CREATE FUNCTION ignore() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
                          CREATE TRIGGER ignore BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION ignore()";
    for (case, definition, reason) in [
        ("CHECK", "ALTER TABLE posts ADD CHECK (og_image_url NOT LIKE 'https://cdn%')", "violates check constraint"),
        ("trigger", host_trigger, "no strangers"),
        (
            "column too short",
            "DROP TRIGGER tintype_erased ON posts; ALTER TABLE posts ALTER og_image_url TYPE varchar(20)",
            "value too long",
        ),
        ("trigger that drops the write", silent_trigger, "trigger"),
    ] {
        let (queue, _, picture) = Queue::drawn().await;
        queue.run(definition).await;
        let (_, outcome, detail) = publish(&queue.client, std::slice::from_ref(&picture)).await.remove(0);
        assert_eq!(outcome, "refused", "{case}");
        assert!(detail.as_deref().is_some_and(|detail| detail.contains(reason)), "{case}: {detail:?}");
        assert_eq!(queue.post_url(1).await, None, "{case}");
        let (state, _, in_row) = entry(&queue).await.expect(case);
        assert_eq!((state.as_str(), in_row), ("failed", false), "{case}");
        assert_eq!(queue.ask::<Option<String>>("SELECT reason FROM tintype.image").await, detail, "{case}");
        assert_eq!(queue.left().await, 0, "{case}: not tried again until the content changes");
    }
}

#[tokio::test]
async fn trouble_of_the_server_is_no_verdict_on_the_row() {
    for state in ["53100", "53200", "57014", "57P01", "58030"] {
        let (queue, _, picture) = Queue::drawn().await;
        queue
            .run(&format!(
                "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room' USING ERRCODE = '{state}'; END $$;
                 CREATE TRIGGER no_room BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION no_room()"
            ))
            .await;
        let published = "SELECT outcome FROM tintype.publish($1, false)";
        let error = queue.client.query(published, &[&Json([&picture])]).await.expect_err(state);
        assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some(state));
        assert_eq!(
            (entry(&queue).await, leased(&queue).await),
            (None, Some(true)),
            "{state}: it can be handed in again"
        );
    }
}

#[tokio::test]
async fn lost() {
    let (queue, _, picture) = Queue::drawn().await;
    for (case, loss) in [
        ("released", "SELECT tintype.release(1)"),
        ("claimed by another", "SELECT tintype.claim(2, 1, 60)"),
        ("detached", "SELECT tintype.detach('posts')"),
    ] {
        queue.run(loss).await;
        assert_eq!(publish_one(&queue.client, &picture).await, "lost", "{case}");
        assert_eq!((queue.post_url(1).await, entry(&queue).await), (None, None), "{case}");
    }
}

#[tokio::test]
async fn skipped_takes_the_old_picture_away() {
    let (queue, shown) = Queue::published().await;
    queue.run("UPDATE posts SET body = ''").await;
    let claim = queue.claim_one().await;
    let nothing = without_picture(&draw(&queue.client, &claim).await, "skipped", "nothing to draw");
    assert_eq!(publish_one(&queue.client, &nothing).await, "published");
    assert_eq!((queue.post_url(1).await, entry(&queue).await), (None, Some(("skipped".into(), None, true))));
    queue.run(&format!("UPDATE posts SET og_image_url = '{shown}'")).await; // saved by somebody who had loaded it before
    queue.run("SELECT tintype.sweep(1, 10)").await;
    let claim = queue.claim_one().await;
    let nothing = without_picture(&draw(&queue.client, &claim).await, "skipped", "nothing to draw");
    assert_eq!(publish_one(&queue.client, &nothing).await, "published", "an earlier URL of ours");
    assert_eq!(queue.post_url(1).await, None);
}

#[tokio::test]
async fn failed_keeps_the_last_good_picture() {
    let (queue, shown) = Queue::published().await;
    queue.run("UPDATE posts SET body = 'that no renderer can draw'").await;
    let claim = queue.claim_one().await;
    let failure = without_picture(&draw(&queue.client, &claim).await, "failed", "no glyphs");
    assert_eq!(publish_one(&queue.client, &failure).await, "published");
    assert_eq!(entry(&queue).await, Some(("failed".into(), Some(shown.clone()), false)));
    assert_eq!(queue.post_url(1).await, Some(shown.clone()), "the row goes on showing it");
    assert_eq!(queue.left().await, 0);
    queue.run("UPDATE posts SET body = 'drawable'").await;
    queue.work().await;
    assert!(queue.post_url(1).await.is_some_and(|now| now != shown), "and the next good one replaces it");
}
