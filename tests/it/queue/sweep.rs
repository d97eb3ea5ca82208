//! The sweep: finds what no trigger saw, forgets what is gone, goes on where it stood, and harms nothing.

use std::time::Duration;

use super::Queue;
use crate::support::eventually;

/// One whole sweep of the table `posts`, a step of `chunk` rows at a time; returns how many rows it marked.
async fn sweep(queue: &Queue, chunk: i32) -> i64 {
    let before: Option<std::time::SystemTime> = queue.ask("SELECT swept_at FROM tintype.source").await;
    let mut marked = 0;
    for _ in 0..100 {
        marked += queue.ask::<i64>(&format!("SELECT tintype.sweep(1, {chunk})")).await;
        if queue.ask::<Option<std::time::SystemTime>>("SELECT swept_at FROM tintype.source").await != before {
            return marked;
        }
    }
    panic!("the sweep does not end");
}

#[tokio::test]
async fn finds_what_no_trigger_saw() {
    for (case, statement, found) in [
        ("nothing amiss", "SELECT", 0),
        (
            "edited with triggers off",
            "SET session_replication_role = replica; UPDATE posts SET body = 'restored' WHERE id < 3",
            2,
        ),
        ("URL erased", "SET session_replication_role = replica; UPDATE posts SET og_image_url = NULL WHERE id = 2", 1),
        (
            "an earlier URL written back",
            "UPDATE posts SET og_image_url = replace(og_image_url, '.png', '0.png') WHERE id = 2",
            1,
        ),
        ("the trigger disabled", "ALTER TABLE posts DISABLE TRIGGER tintype_update; UPDATE posts SET title = 'x'", 5),
    ] {
        let queue = Queue::with_posts(5).await;
        queue.work().await;
        queue.run(statement).await;
        queue.run("RESET session_replication_role").await;
        assert_eq!(sweep(&queue, 2).await, found, "{case}");
        queue.work().await;
        assert_eq!(sweep(&queue, 2).await, 0, "{case}: a second sweep finds nothing more");
        assert_eq!(queue.left().await, 0, "{case}");
    }
}

#[tokio::test]
async fn rows_never_seen_are_drawn_only_after_a_full_backfill() {
    let load = "SET session_replication_role = replica;
                INSERT INTO posts (id, body) SELECT coalesce(max(id), 0) + 1, 'loaded' FROM posts; RESET session_replication_role";
    let queue = Queue::new().await;
    queue.run("UPDATE tintype.source SET whole = false").await; // as where the table had rows when it was attached
    queue.run(load).await;
    assert_eq!(sweep(&queue, 10).await, 0, "old rows are nobody's business until somebody says so");
    queue.run("SELECT tintype.backfill('posts', condition => 'false')").await;
    assert_eq!(sweep(&queue, 10).await, 0, "a partial backfill does not say so");
    assert_eq!(queue.ask::<i64>("SELECT tintype.backfill('posts')").await, 1);
    queue.work().await;
    queue.run(load).await;
    assert_eq!(sweep(&queue, 10).await, 1, "a row loaded with triggers off");
    queue.work().await;
    assert!(queue.post_url(2).await.is_some());
}

#[tokio::test]
async fn a_table_that_was_empty_when_it_was_attached_is_watched_whole() {
    let queue = Queue::new().await;
    queue.run("SET session_replication_role = replica; INSERT INTO posts (id, body) VALUES (1, 'loaded'); RESET session_replication_role").await;
    assert_eq!(sweep(&queue, 10).await, 1, "no trigger saw it, and it is not old");
}

#[tokio::test]
async fn leaves_pictures_chosen_by_hand_alone() {
    let queue = Queue::with_posts(2).await;
    queue.run("UPDATE posts SET og_image_url = 'https://ada.example/portrait.jpg' WHERE id = 1").await;
    queue.work().await;
    assert_eq!(sweep(&queue, 10).await, 0, "kept from the beginning");
    queue.run("UPDATE posts SET og_image_url = 'https://grace.example/portrait.jpg' WHERE id = 2").await;
    sweep(&queue, 10).await;
    queue.work().await;
    assert_eq!(queue.post_url(2).await.as_deref(), Some("https://grace.example/portrait.jpg"), "chosen later");
    assert_eq!(sweep(&queue, 10).await, 0, "and looked at once, not each time");
}

#[tokio::test]
async fn forgets_the_pictures_of_deleted_rows() {
    let queue = Queue::with_posts(7).await;
    queue.work().await;
    queue.run("DELETE FROM posts WHERE id IN (1, 4, 7)").await;
    sweep(&queue, 2).await;
    let keys: Vec<String> = queue.ask("SELECT array_agg(key ORDER BY key) FROM tintype.image").await;
    assert_eq!(keys, ["2", "3", "5", "6"]);
}

#[tokio::test]
async fn goes_on_where_it_stood() {
    let queue = Queue::with_posts(5).await;
    queue.work().await;
    let step = "SELECT tintype.sweep(1, 2)";
    queue.run(step).await;
    assert_eq!(queue.ask::<String>("SELECT swept_to FROM tintype.source").await, "2");
    queue.run("SET session_replication_role = replica; UPDATE posts SET og_image_url = NULL WHERE id IN (1, 3); RESET session_replication_role").await;
    assert_eq!(queue.ask::<i64>(step).await, 1, "row 3, which is ahead");
    assert_eq!(queue.ask::<i64>(step).await, 0);
    for _ in 0..3 {
        queue.run(step).await;
    }
    assert!(
        queue
            .ask::<bool>("SELECT swept_at IS NOT NULL AND swept_to IS NULL AND pruned_to IS NULL FROM tintype.source")
            .await
    );
    queue.work().await;
    assert_eq!(sweep(&queue, 2).await, 1, "row 1, which it had passed, comes with the next sweep");
}

#[tokio::test]
async fn waits_for_nobody_and_rests_while_paused() {
    let queue = Queue::with_posts(1).await;
    queue.work().await;
    queue.run("SET session_replication_role = replica; UPDATE posts SET og_image_url = NULL; RESET session_replication_role").await;
    let other = queue.database.client().await;
    other.batch_execute("BEGIN; SELECT FROM tintype.source FOR UPDATE").await.unwrap();
    assert_eq!(queue.ask::<i64>("SELECT tintype.sweep(1, 10)").await, 0, "another worker sweeps");
    other.batch_execute("COMMIT").await.unwrap();
    queue.run("SELECT tintype.pause('posts')").await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.sweep(1, 10)").await, 0, "paused");
    queue.run("SELECT tintype.resume('posts')").await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.sweep(1, 10)").await, 1);
}

/// What a worker runs each round: the table whose sweep is due.
const DUE: &str = include_str!("../../../sql/queries/due_sweep.sql");

#[tokio::test]
async fn each_table_gets_its_turn_even_beside_a_broken_one() {
    let queue = Queue::with_posts(1).await;
    queue.work().await;
    queue
        .run("CREATE TABLE broken (id bigint PRIMARY KEY, body text, og_image_url text); SELECT tintype.attach('broken');
              ALTER TABLE broken DROP COLUMN body CASCADE;
              UPDATE posts SET og_image_url = NULL;
              UPDATE tintype.source SET attached_at = now() - interval '2 hours' - id * interval '1 minute'")
        .await;
    let mut marked = 0;
    for _ in 0..5 {
        if let Ok(Some(row)) = queue.client.query_opt(DUE, &[&10]).await {
            marked += row.get::<_, i64>(1);
        }
    }
    assert_eq!(marked, 1, "the erased URL of the good table is found");
    assert!(queue.client.query_opt(DUE, &[&10]).await.unwrap().is_none(), "then nothing is due for an hour");
}

/// A row is deleted, and comes back under its key while the sweep is about to forget its entry, which a publication holds.
#[tokio::test]
async fn keeps_the_entry_of_a_row_that_came_back_meanwhile() {
    let queue = Queue::with_posts(2).await;
    queue.work().await;
    queue.run("DELETE FROM posts WHERE id = 2; UPDATE tintype.source SET swept_to = NULL, pruned_to = ''").await;
    let publisher = queue.database.client().await;
    publisher.batch_execute("BEGIN; SELECT FROM tintype.image WHERE key = '2' FOR UPDATE").await.unwrap();
    let sweeper = queue.database.client().await;
    let sweeping = tokio::spawn(async move { sweeper.batch_execute("SELECT tintype.sweep(1, 10)").await });
    eventually("the sweep waits for the publication", Duration::from_secs(30), async || {
        queue.ask::<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").await.then_some(())
    })
    .await;
    queue.run("INSERT INTO posts (id, body) VALUES (2, 'back again')").await;
    publisher.batch_execute("UPDATE tintype.image SET content = 'published' WHERE key = '2'; COMMIT").await.unwrap();
    sweeping.await.unwrap().unwrap();
    assert_eq!(
        queue.ask::<i64>("SELECT count(*) FROM tintype.image WHERE key = '2' AND content = 'published'").await,
        1
    );
    assert_eq!(
        queue.ask::<i64>("SELECT count(*) FROM tintype.garbage").await,
        0,
        "nothing that a row shows is garbage"
    );
}
