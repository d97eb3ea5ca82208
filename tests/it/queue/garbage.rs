//! Objects that no row shows any more: which are noted, which may be deleted, and that none is published while it is deleted.

use std::slice::from_ref;

use serde_json::Value;

use super::{Claim, Queue, draw, publish_one, url, without_picture};

fn object(picture: &Value) -> String {
    picture["object"].as_str().expect("an object").to_owned()
}

async fn noted(queue: &Queue) -> Vec<String> {
    queue
        .ask("SELECT coalesce(array_agg(object ORDER BY object), '{}') FROM tintype.garbage WHERE deleted_at IS NULL")
        .await
}

/// What a worker would delete after this grace period.
async fn condemned(queue: &Queue, grace: &str) -> Vec<String> {
    queue.ask(&format!("SELECT coalesce(array_agg(o), '{{}}') FROM tintype.condemn('{grace}', '', 100) o")).await
}

async fn bury(queue: &Queue, object: &str) {
    queue.run(&format!("SELECT tintype.bury(ARRAY['{object}'])")).await;
}

/// A post that says this now, claimed and drawn.
async fn edited(queue: &Queue, body: &str) -> (Claim, Value) {
    queue.run(&format!("UPDATE posts SET body = '{body}'")).await;
    let claim = queue.claim_one().await;
    let picture = draw(&queue.client, &claim).await;
    (claim, picture)
}

/// A published post, and the object of its picture.
async fn published() -> (Queue, String) {
    let (queue, _, picture) = Queue::drawn().await;
    assert_eq!(publish_one(&queue.client, &picture).await, "published");
    assert_eq!(noted(&queue).await, Vec::<String>::new(), "nothing is garbage yet");
    (queue, object(&picture))
}

#[tokio::test]
async fn a_superseded_picture_is_garbage_after_its_grace() {
    let (queue, first) = published().await;
    let (_, second) = edited(&queue, "newer").await;
    assert_eq!(publish_one(&queue.client, &second).await, "published");
    assert_eq!(noted(&queue).await, from_ref(&first));
    assert_eq!(condemned(&queue, "1 hour").await, Vec::<String>::new(), "not before its time");
    assert_eq!(condemned(&queue, "0").await, from_ref(&first));
    assert_eq!(condemned(&queue, "0").await, Vec::<String>::new(), "one worker deletes it");
    queue.run("UPDATE tintype.garbage SET condemned_at = now() - interval '11 minutes'").await;
    assert_eq!(condemned(&queue, "0").await, from_ref(&first), "unless it never came back");
    bury(&queue, &first).await;
    assert_eq!(condemned(&queue, "0").await, Vec::<String>::new());
    queue.run("UPDATE tintype.garbage SET deleted_at = now() - interval '2 hours'").await;
    condemned(&queue, "0").await;
    assert_eq!(queue.ask::<i64>("SELECT count(*) FROM tintype.garbage").await, 0, "and it is forgotten");
}

#[tokio::test]
async fn a_row_that_goes_leaves_garbage() {
    for (case, statement) in [
        ("marked", "SELECT tintype.backfill('posts', rerender => true); DELETE FROM posts"),
        ("swept", "DELETE FROM posts; SELECT tintype.prune(s, '', 10) FROM tintype.source s"),
    ] {
        let (queue, first) = published().await;
        queue.run(statement).await;
        queue.work().await;
        assert_eq!(noted(&queue).await, [first], "{case}");
    }
    let (queue, _) = published().await;
    queue.run("SELECT tintype.detach('posts')").await;
    assert_eq!(noted(&queue).await, Vec::<String>::new(), "detach leaves URLs in the rows, and their pictures");
}

#[tokio::test]
async fn a_picture_that_is_shown_again_is_no_garbage() {
    let (queue, first) = published().await;
    let (_, second) = edited(&queue, "newer").await;
    publish_one(&queue.client, &second).await;
    let (_, again) = edited(&queue, "Text 1").await;
    assert_eq!(object(&again), first, "the same content has the same object");
    assert_eq!(publish_one(&queue.client, &again).await, "published");
    assert_eq!(noted(&queue).await, [object(&second)]);
    assert_eq!(condemned(&queue, "0").await, [object(&second)]);
    queue.run(&format!("SELECT tintype.discard('{first}', 1, '1')")).await; // whatever may have noted it
    assert_eq!(condemned(&queue, "0").await, Vec::<String>::new(), "what the ledger shows is never deleted");
    assert_eq!(noted(&queue).await, [object(&second)]);
}

#[tokio::test]
async fn what_was_stored_for_nothing_is_garbage() {
    let (queue, _) = published().await;
    let (_, stale) = edited(&queue, "second").await;
    queue.run("UPDATE posts SET body = 'third'").await;
    assert_eq!(publish_one(&queue.client, &stale).await, "changed");
    assert_eq!(noted(&queue).await, [object(&stale)]);
}

#[tokio::test]
async fn a_skipped_row_gives_its_picture_up_and_a_failed_one_keeps_it() {
    let (queue, first) = published().await;
    let (_, picture) = edited(&queue, "no glyphs").await;
    publish_one(&queue.client, &without_picture(&picture, "failed", "no glyphs")).await;
    assert_eq!(noted(&queue).await, Vec::<String>::new(), "the last good picture is shown");
    let (_, picture) = edited(&queue, "").await;
    publish_one(&queue.client, &without_picture(&picture, "skipped", "nothing to draw")).await;
    assert_eq!(noted(&queue).await, from_ref(&first));
    assert_eq!(condemned(&queue, "0").await, [first]);
}

/// A worker has stored a picture again while another deletes it: the one may not be published as if the other were not there.
#[tokio::test]
async fn nothing_is_published_while_it_is_deleted() {
    let (queue, first) = published().await;
    let (_, second) = edited(&queue, "newer").await;
    publish_one(&queue.client, &second).await;
    let (_, again) = edited(&queue, "Text 1").await;
    assert_eq!(condemned(&queue, "0").await, from_ref(&first));
    assert_eq!(publish_one(&queue.client, &again).await, "removed", "while it is deleted");
    assert_eq!(queue.post_url(1).await, Some(url(&second)));
    queue.run("UPDATE tintype.job SET due_at = now()").await;
    let claim = queue.claim_one().await;
    let early = draw(&queue.client, &claim).await;
    bury(&queue, &first).await;
    assert_eq!(publish_one(&queue.client, &early).await, "removed", "it may have been stored before it was deleted");
    queue.run("UPDATE tintype.job SET due_at = now()").await;
    let claim = queue.claim_one().await;
    let late = draw(&queue.client, &claim).await;
    assert_eq!(publish_one(&queue.client, &late).await, "published", "this one was stored afterwards");
    assert_eq!(queue.post_url(1).await, Some(url(&late)));
    assert_eq!(noted(&queue).await, [object(&second)]);
}

#[tokio::test]
async fn only_what_lies_below_the_prefix_is_deleted() {
    let queue = Queue::new().await;
    queue
        .run("SELECT tintype.discard('og/posts/1/a.png', 1, '1'), tintype.discard('other/posts/1/a.png', 1, '1')")
        .await;
    let below: Vec<String> = queue.ask("SELECT array_agg(o) FROM tintype.condemn('0', 'og/', 100) o").await;
    assert_eq!(below, ["og/posts/1/a.png"]);
}
