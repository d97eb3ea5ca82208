//! Rows that leave the row filter: with `unpublish` they lose their URL, and only ours, and get it back when they return.

use super::{Queue, draw, publish, publish_one};
use crate::support::schema::refused;

/// A published post in a table that is attached like this.
async fn published(options: &str) -> (Queue, String) {
    let (queue, shown) = Queue::published().await;
    queue.run(&format!("SELECT tintype.attach('posts', {options})")).await;
    (queue, shown)
}

const UNPUBLISH: &str = "row_filter => 'views < 10', unpublish => true";

async fn reason(queue: &Queue) -> String {
    queue.ask("SELECT state || ': ' || reason FROM tintype.image").await
}

#[tokio::test]
async fn a_row_that_leaves_loses_its_url_and_gets_it_back() {
    let (queue, shown) = published(UNPUBLISH).await;
    queue.run("UPDATE posts SET views = 10").await;
    let claim = queue.claim_one().await;
    let nothing = draw(&queue.client, &claim).await;
    assert_eq!(publish_one(&queue.client, &nothing).await, "unpublished");
    queue.work().await; // the URL that was erased marks the row once more
    assert_eq!((queue.post_url(1).await, queue.left().await), (None, 0));
    assert_eq!(reason(&queue).await, "skipped: outside the row filter; its URL was taken out of the row");
    let kept: bool = queue.ask("SELECT outside AND url IS NOT NULL AND content IS NOT NULL FROM tintype.image").await;
    assert!(kept, "what was drawn stays on record");
    queue.run("UPDATE posts SET views = 9").await;
    queue.work().await;
    assert_eq!(queue.post_url(1).await, Some(shown));
    assert!(queue.ask::<bool>("SELECT state = 'ready' AND NOT outside AND in_row FROM tintype.image").await);
}

#[tokio::test]
async fn only_our_own_url_is_taken() {
    for (case, options, value, left) in [
        ("not asked for", "row_filter => 'views < 10'", None, None),
        ("a picture chosen by hand", UNPUBLISH, Some("https://ada.example/portrait.jpg"), None),
        ("an empty one", UNPUBLISH, Some(""), Some("")),
    ] {
        let (queue, shown) = published(options).await;
        let value = value.unwrap_or(&shown);
        queue.run(&format!("UPDATE posts SET views = 10, og_image_url = '{value}'")).await;
        queue.work().await;
        assert_eq!(queue.post_url(1).await.as_deref(), Some(left.unwrap_or(value)), "{case}");
        assert_eq!(reason(&queue).await, "skipped: outside the row filter", "{case}");
    }
}

#[tokio::test]
async fn a_column_that_may_not_be_null_is_emptied() {
    let (queue, _) = Queue::published().await;
    queue.run("ALTER TABLE posts ALTER og_image_url SET NOT NULL").await;
    queue.run(&format!("SELECT tintype.attach('posts', {UNPUBLISH}); UPDATE posts SET views = 10")).await;
    queue.work().await;
    assert_eq!(queue.post_url(1).await.as_deref(), Some(""));
}

#[tokio::test]
async fn a_table_that_refuses_is_on_record_and_a_row_in_use_waits() {
    let (queue, shown) = published(UNPUBLISH).await;
    queue.run("ALTER TABLE posts ADD CHECK (og_image_url <> '' IS TRUE); UPDATE posts SET views = 10").await;
    let host = queue.database.client().await;
    host.batch_execute("BEGIN; SELECT FROM posts FOR UPDATE").await.unwrap();
    let claim = queue.claim_one().await;
    let nothing = draw(&queue.client, &claim).await;
    assert_eq!(publish_one(&queue.client, &nothing).await, "locked");
    host.batch_execute("ROLLBACK").await.unwrap();
    let (_, outcome, detail) = publish(&queue.client, &[nothing]).await.remove(0);
    assert_eq!(outcome, "refused");
    assert!(detail.is_some_and(|detail| detail.contains("check constraint")));
    assert!(reason(&queue).await.contains("check constraint"));
    assert_eq!((queue.post_url(1).await, queue.left().await), (Some(shown), 0));
}

/// As time moves a row out of its filter and in again, nobody writes it.
#[tokio::test]
async fn the_sweep_finds_rows_that_time_moves() {
    let (queue, shown) = published(UNPUBLISH).await;
    let sweep = "SELECT tintype.sweep(1, 10)";
    queue.run("UPDATE tintype.source SET row_filter = 'views < 0'").await;
    assert_eq!(queue.ask::<i64>(sweep).await, 1, "left out");
    queue.work().await;
    assert_eq!(queue.post_url(1).await, None);
    queue.run("UPDATE tintype.source SET pruned_to = NULL").await;
    assert_eq!(queue.ask::<i64>(sweep).await, 0, "once is enough");
    queue.run("UPDATE tintype.source SET row_filter = 'views < 10', pruned_to = NULL").await;
    assert_eq!(queue.ask::<i64>(sweep).await, 1, "let in again");
    queue.work().await;
    assert_eq!(queue.post_url(1).await, Some(shown));
}

#[tokio::test]
async fn what_failed_is_not_shown_again_after_a_stay_outside() {
    let (queue, shown) = published(UNPUBLISH).await;
    queue.run("UPDATE posts SET body = 'that no renderer can draw'").await;
    let claim = queue.claim_one().await;
    let failure = super::without_picture(&draw(&queue.client, &claim).await, "failed", "no glyphs");
    assert_eq!(publish_one(&queue.client, &failure).await, "published");
    assert_eq!(queue.post_url(1).await, Some(shown), "the last good picture");
    queue.run("UPDATE posts SET views = 10").await;
    queue.work().await;
    assert!(queue.ask::<bool>("SELECT content IS NULL FROM tintype.image").await, "nothing to go back to");
}

#[tokio::test]
async fn a_deadly_row_that_was_outside_once_is_parked_once() {
    let (queue, _) = published(UNPUBLISH).await;
    queue.run("UPDATE posts SET views = 10").await;
    queue.work().await;
    queue.run("UPDATE posts SET views = 9, body = 'deadly'").await;
    super::fold(&queue.client).await;
    for _ in 0..3 {
        queue.claim_one().await;
        queue.expire().await;
    }
    assert_eq!(queue.ask::<i64>("SELECT tintype.park()").await, 1);
    assert_eq!(queue.ask::<i64>("SELECT tintype.sweep(1, 10)").await, 0, "the sweep leaves it parked");
}

#[tokio::test]
async fn it_needs_a_filter_and_a_column() {
    let (queue, _) = Queue::published().await;
    for options in ["unpublish => true", "body => 'body', row_filter => 'views < 10', unpublish => true"] {
        let refusal = refused(&queue.client, options, &format!("SELECT tintype.attach('posts', {options})")).await;
        assert!(refusal.message.contains("could lose its URL") && refusal.hint.contains("--where"), "{refusal:?}");
    }
}
