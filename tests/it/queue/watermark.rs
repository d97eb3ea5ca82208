//! The watermark spares looks at dead marks, and never costs a living one.

use std::time::{Duration, Instant};

use tintype::{db::Database, watermark::Watermark};

use super::Queue;
use crate::support::{schema::database, worker::LIMIT};

/// Edits and folds by turns until the watermark had the time to move.
async fn trickle(queue: &Queue, watermark: &mut Watermark, db: &Database) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(2500) {
        queue.run("UPDATE posts SET views = views + 1, body = 'edit ' || views").await;
        assert!(watermark.fold(&db.get().await.unwrap()).await.unwrap() > 0, "a new mark is above the watermark");
    }
}

#[tokio::test]
async fn a_mark_that_commits_late_is_taken() {
    let queue = Queue::with_posts(1).await;
    let db = database(&queue.database.url()).await;
    let mut watermark = Watermark::default();
    trickle(&queue, &mut watermark, &db).await;
    let host = queue.database.client().await;
    host.batch_execute("BEGIN; INSERT INTO posts (id, body) VALUES (2, 'late')").await.unwrap();
    trickle(&queue, &mut watermark, &db).await;
    host.batch_execute("COMMIT").await.unwrap();
    assert_eq!(watermark.fold(&db.get().await.unwrap()).await.unwrap(), 1, "at once: the watermark waits for it");
    let folded: bool = queue.ask("SELECT EXISTS (SELECT FROM tintype.job WHERE key = '2')").await;
    assert!(folded);
}

/// What only a restored dump or a hand can do: a mark below ids that were settled long ago.
#[tokio::test]
async fn a_mark_below_the_watermark_is_found_all_the_same() {
    let queue = Queue::with_posts(1).await;
    let db = database(&queue.database.url()).await;
    let mut watermark = Watermark::default();
    trickle(&queue, &mut watermark, &db).await;
    let low = "INSERT INTO tintype.change (id, source, key) OVERRIDING SYSTEM VALUE VALUES (1, 1, '7')";
    queue.run(low).await;
    assert!(queue.ask::<bool>("SELECT work FROM tintype.outlook()").await, "the last look before a sleep sees it");
    let client = db.get().await.unwrap();
    let began = Instant::now();
    while watermark.fold(&client).await.unwrap() == 0 {
        assert!(began.elapsed() < LIMIT, "no look begins at the beginning");
        tokio::task::yield_now().await;
    }
    queue.run(low).await;
    watermark.forget();
    assert_eq!(watermark.fold(&client).await.unwrap(), 1, "a worker that wakes begins there too");
}
