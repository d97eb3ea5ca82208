//! Marks become jobs: one job a row whatever the number of marks, and no mark is lost or taken twice.

use super::{Queue, ask, claim, fold};

#[tokio::test]
async fn marks_of_one_row_meet_in_one_job() {
    let queue = Queue::new().await;
    queue.run("INSERT INTO posts (id, body) VALUES (1, 'a')").await;
    queue.run("UPDATE posts SET body = 'b'").await;
    queue.run("UPDATE posts SET body = 'c'").await;
    let oldest: std::time::SystemTime = queue.ask("SELECT min(at) FROM tintype.change").await;
    assert_eq!(fold(&queue.client).await, 3, "marks taken");
    assert_eq!(queue.ask::<i64>("SELECT count(*) FROM tintype.job").await, 1, "jobs");
    assert_eq!(queue.ask::<i64>("SELECT count(*) FROM tintype.change").await, 0, "marks left");
    assert_eq!(queue.ask::<std::time::SystemTime>("SELECT marked_at FROM tintype.job").await, oldest, "oldest mark");
    let before: i64 = queue.ask("SELECT revision FROM tintype.job").await;
    queue.run("UPDATE posts SET body = 'd'").await;
    assert_eq!(fold(&queue.client).await, 1);
    assert_eq!(
        queue.ask::<i64>("SELECT revision FROM tintype.job").await,
        before + 1,
        "a later mark raises the revision"
    );
    assert_eq!(
        queue.ask::<std::time::SystemTime>("SELECT marked_at FROM tintype.job").await,
        oldest,
        "still the oldest"
    );
    assert_eq!(fold(&queue.client).await, 0, "nothing is left to fold");
}

#[tokio::test]
async fn what_is_not_drawn_is_not_marked() {
    let queue = Queue::with_posts(2).await;
    queue.work().await;
    for (what, statement, marks) in [
        ("a counter", "UPDATE posts SET views = views + 1", 0),
        ("a body that stays as it is", "UPDATE posts SET body = body", 0),
        ("another image", "UPDATE posts SET og_image_url = 'https://ada.example/a.jpg'", 0),
        ("a transaction that is rolled back", "BEGIN; UPDATE posts SET body = 'x'; ROLLBACK", 0),
        ("an edit of both rows", "UPDATE posts SET body = body || '.'", 2),
    ] {
        queue.run(statement).await;
        assert_eq!(fold(&queue.client).await, marks, "{what}");
    }
}

#[tokio::test]
async fn an_edit_lifts_a_backfill_but_never_the_other_way() {
    let queue = Queue::with_posts(2).await;
    queue.work().await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.backfill('posts', rerender => true)").await, 2);
    fold(&queue.client).await;
    assert_eq!(queue.ask::<Vec<i16>>("SELECT array_agg(priority) FROM tintype.job").await, [10, 10]);
    queue.run("UPDATE posts SET body = 'edited' WHERE id = 2").await;
    fold(&queue.client).await;
    let priorities = "SELECT array_agg(priority ORDER BY key) FROM tintype.job";
    assert_eq!(queue.ask::<Vec<i16>>(priorities).await, [10, 0], "the edit counts");
    queue.run("SELECT tintype.backfill('posts', rerender => true)").await;
    fold(&queue.client).await;
    assert_eq!(queue.ask::<Vec<i16>>(priorities).await, [10, 0], "a later backfill does not push it back");
}

#[tokio::test]
async fn a_fold_takes_the_oldest_marks_first() {
    let queue = Queue::new().await;
    queue.run("INSERT INTO posts (id, body) SELECT n, 'x' FROM generate_series(1, 5) n").await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.fold(2)").await, 2);
    assert_eq!(queue.ask::<Vec<String>>("SELECT array_agg(key ORDER BY key) FROM tintype.job").await, ["1", "2"]);
    assert_eq!(queue.ask::<i64>("SELECT tintype.fold(10)").await, 3, "and the rest later");
}

#[tokio::test]
async fn marks_of_a_detached_table_are_dropped() {
    let queue = Queue::new().await;
    queue.run("INSERT INTO posts (id, body) VALUES (1, 'a')").await;
    queue.run("SELECT tintype.detach('posts')").await;
    assert_eq!(fold(&queue.client).await, 1);
    assert_eq!(queue.left().await, 0);
}

#[tokio::test]
async fn a_second_fold_does_not_wait_for_the_first() {
    let queue = Queue::new().await;
    queue.run("INSERT INTO posts (id, body) VALUES (1, 'a'), (2, 'b')").await;
    let other = queue.database.client().await;
    queue.run("BEGIN").await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.fold(1)").await, 1);
    assert_eq!(fold(&other).await, 0, "while another worker folds");
    queue.run("COMMIT").await;
    assert_eq!(fold(&other).await, 1, "afterwards");
    assert_eq!(ask::<i64>(&other, "SELECT count(*) FROM tintype.job").await, 2);
}

#[tokio::test]
async fn a_mark_that_commits_late_is_folded_late() {
    let queue = Queue::new().await;
    let host = queue.database.client().await;
    host.batch_execute("BEGIN; INSERT INTO posts (id, body) VALUES (1, 'slow')").await.unwrap();
    queue.run("INSERT INTO posts (id, body) VALUES (2, 'quick')").await;
    assert_eq!(fold(&queue.client).await, 1, "the committed one, although its number is higher");
    host.batch_execute("COMMIT").await.unwrap();
    assert_eq!(fold(&queue.client).await, 1, "the late one is not passed over");
}

#[tokio::test]
async fn folds_and_writers_at_once_lose_no_mark() {
    const WRITERS: i64 = 3;
    const WRITES: i64 = 60;
    let queue = Queue::new().await;
    queue.run("INSERT INTO posts (id, body) SELECT n, '' FROM generate_series(1, 7) n").await;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let client = queue.database.client().await;
        tasks.spawn(async move {
            for turn in 0..WRITES {
                let id = (writer + turn) % 7 + 1;
                let edit = format!("UPDATE posts SET body = body || '{writer}.{turn} ' WHERE id = {id}");
                client.batch_execute(&edit).await.expect("an edit");
            }
            0
        });
    }
    for _ in 0..3 {
        let client = queue.database.client().await;
        tasks.spawn(async move {
            let mut taken = 0;
            while taken < WRITERS * WRITES
                && ask::<i64>(
                    &client,
                    "SELECT coalesce(sum(length(body) - length(replace(body, ' ', ''))), 0)::bigint FROM posts",
                )
                .await
                    < WRITERS * WRITES
            {
                taken += fold(&client).await;
            }
            taken
        });
    }
    let taken: i64 = tasks.join_all().await.iter().sum();
    let rest = fold(&queue.client).await;
    assert_eq!(taken + rest, 7 + WRITERS * WRITES, "each mark is taken by exactly one fold");
    assert_eq!(claim(&queue.client, 1, 100).await.len(), 7, "one job a row");
}
