//! What an operator reads: status, the depth of the queue, the picture of one row.

use super::{Queue, claim, draw, fold, publish_one, without_picture};
use crate::support::{eventually, worker::LIMIT};

/// The counts of `posts` in `tintype.status`: ready, skipped, failed, pending, processing, retrying.
async fn counts(queue: &Queue) -> [i64; 6] {
    let row = queue
        .client
        .query_one("SELECT ready, skipped, failed, pending::bigint, processing, retrying FROM tintype.status WHERE source = 'posts'", &[])
        .await
        .unwrap();
    std::array::from_fn(|column| row.get(column))
}

#[tokio::test]
async fn status_counts_each_row_once() {
    let queue = Queue::new().await;
    assert_eq!(counts(&queue).await, [0; 6], "nothing yet");
    queue.run("INSERT INTO posts (id, body) SELECT n, 'x' FROM generate_series(1, 6) n").await;
    assert_eq!(counts(&queue).await, [0, 0, 0, 6, 0, 0], "marked");
    fold(&queue.client).await;
    assert_eq!(counts(&queue).await, [0, 0, 0, 6, 0, 0], "folded");
    let claims = claim(&queue.client, 1, 5).await;
    assert_eq!(counts(&queue).await, [0, 0, 0, 1, 5, 0], "claimed");
    for (claim, state) in claims.iter().zip(["ready", "ready", "skipped", "failed"]) {
        let picture = draw(&queue.client, claim).await;
        let entry = if state == "ready" { picture } else { without_picture(&picture, state, "why not") };
        assert_eq!(publish_one(&queue.client, &entry).await, "published", "{state}");
    }
    let last = &claims[4];
    queue
        .run(&format!(
            "SELECT tintype.retry_later({}, '{}', {}, 60, true, 'no ink')",
            last.source, last.key, last.lease
        ))
        .await;
    assert_eq!(counts(&queue).await, [2, 1, 1, 1, 0, 1]);
    assert_eq!(queue.ask::<String>("SELECT last_error FROM tintype.status").await, "no ink");
    assert_eq!(queue.ask::<i64>("SELECT depth FROM tintype.queue_depth").await, 2, "one due, one later");
    claim(&queue.client, 1, 1).await;
    queue.expire().await;
    assert_eq!(counts(&queue).await, [2, 1, 1, 1, 0, 1], "an expired lease is pending again");
}

#[tokio::test]
async fn status_names_the_state_of_a_table() {
    let queue = Queue::with_posts(1).await;
    for (case, statement, state, depth) in [
        ("as it is", "SELECT", "watching", 1),
        ("paused", "SELECT tintype.pause('posts')", "paused", 0),
        ("resumed", "SELECT tintype.resume('posts')", "watching", 1),
        ("dropped", "DROP TABLE posts", "table dropped", 1),
    ] {
        queue.run(statement).await;
        assert_eq!(queue.ask::<String>("SELECT state FROM tintype.status").await, state, "{case}");
        assert_eq!(queue.ask::<i64>("SELECT depth FROM tintype.queue_depth").await, depth, "{case}");
    }
}

#[tokio::test]
async fn the_oldest_mark_and_the_live_workers_show() {
    let queue = Queue::with_posts(1).await;
    queue.run("UPDATE tintype.job SET marked_at = now() - interval '90 seconds'").await;
    assert!(queue.ask::<bool>("SELECT oldest_age BETWEEN '90 s' AND '100 s' FROM tintype.status").await);
    assert_eq!(queue.ask::<i64>("SELECT workers FROM tintype.status").await, 0);
    queue
        .run("INSERT INTO tintype.worker (name, version, seen_at) VALUES ('alive', '1', now()), ('dead', '1', now() - interval '2 minutes')")
        .await;
    assert_eq!(queue.ask::<i64>("SELECT workers FROM tintype.status").await, 1, "seen within a minute");
    queue.work().await;
    assert!(
        queue.ask::<bool>("SELECT oldest_age IS NULL OR oldest_age = '0' FROM tintype.status").await,
        "nothing waits"
    );
}

#[tokio::test]
async fn the_picture_of_a_row_is_found_by_any_form_of_its_key() {
    let queue = Queue::with_posts(1).await;
    queue
        .run("CREATE TABLE pairs (a integer, b text, body text, og_image_url text, PRIMARY KEY (a, b));
              CREATE TABLE things (id uuid PRIMARY KEY, body text, og_image_url text);
              SELECT tintype.attach('pairs'); SELECT tintype.attach('things');
              INSERT INTO pairs VALUES (1, 'x y', 'text'); INSERT INTO things VALUES ('A0000000-0000-4000-8000-000000000001', 'text')")
        .await;
    queue.work().await;
    for form in [
        "tintype.image('posts', 1)",
        "tintype.image('posts', '1')",
        "tintype.image('posts', 1::bigint)",
        "tintype.image('pairs', '1', 'x y')",
        "tintype.image('pairs', '{1,\"x y\"}'::text)",
        "tintype.image('things', 'a0000000-0000-4000-8000-000000000001'::uuid)",
        "tintype.image('things', 'a0000000-0000-4000-8000-000000000001')",
    ] {
        assert_eq!(queue.ask::<i64>(&format!("SELECT count(*) FROM {form} WHERE state = 'ready'")).await, 1, "{form}");
    }
}

#[tokio::test]
async fn the_outlook_says_when_work_falls_due() {
    let queue = Queue::new().await;
    let outlook = async || {
        let row = queue.client.query_one("SELECT work, next_due FROM tintype.outlook()", &[]).await.unwrap();
        (row.get::<_, bool>(0), row.get::<_, Option<f64>>(1).map(f64::round))
    };
    assert_eq!(outlook().await, (false, None), "nothing");
    queue.run("INSERT INTO posts (id, body) VALUES (1, 'x')").await;
    assert!(outlook().await.0, "a mark");
    fold(&queue.client).await;
    assert!(outlook().await.0, "a due job");
    let claim = claim(&queue.client, 1, 1).await.remove(0);
    assert_eq!(outlook().await, (false, Some(60.0)), "a lease that may run out");
    queue.run(&format!("SELECT tintype.retry_later({}, '1', {}, 30, true, 'no ink')", claim.source, claim.lease)).await;
    assert_eq!(outlook().await, (false, Some(30.0)), "another attempt");
}

/// A publisher locks its job, then the row; detach takes both in that order, or one of the two would be the victim of a deadlock.
#[tokio::test]
async fn detach_waits_for_a_publication_and_never_the_other_way_round() {
    let queue = Queue::new().await;
    queue.run("INSERT INTO posts (id, body) VALUES (1, 'x')").await;
    fold(&queue.client).await;
    let (publisher, owner) = (queue.database.client().await, queue.database.client().await);
    publisher.batch_execute("BEGIN; SELECT FROM tintype.job FOR UPDATE").await.unwrap();
    let detach = tokio::spawn(async move { owner.batch_execute("SELECT tintype.detach('posts')").await });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("detach waits", LIMIT, async || (queue.ask::<i64>(waits).await > 0).then_some(())).await;
    publisher.batch_execute("SELECT FROM posts FOR NO KEY UPDATE; COMMIT").await.expect("the row, at once");
    detach.await.unwrap().expect("detached");
    assert_eq!(queue.left().await, 0);
}

#[tokio::test]
async fn jobs_that_nobody_owns_are_cleared_away() {
    let queue = Queue::new().await;
    queue.run("INSERT INTO tintype.job (source, key) VALUES (77, '1')").await;
    assert!(claim(&queue.client, 1, 1).await.is_empty());
    let chores = "SELECT chores FROM tintype.doze(1, 'test', '0', 15)";
    assert!(queue.ask::<bool>(chores).await, "a sleeper leaves them to maintenance");
    assert_eq!(queue.ask::<i64>("SELECT tintype.park()").await, 0);
    assert!(!queue.ask::<bool>(chores).await);
    assert_eq!(queue.left().await, 0);
}

#[tokio::test]
async fn a_reader_reads_pictures_and_nothing_else() {
    let (queue, url) = Queue::published().await;
    let role = format!("reader_{}", queue.database.url().rsplit('/').next().unwrap_or_default());
    queue.run(&format!("CREATE ROLE {role}; SELECT tintype.grant_reader('{role}'); SET ROLE {role}")).await;
    let read = "SELECT concat_ws(' ', i.url, i.width) FROM tintype.image('posts'::regclass, 1) i";
    assert!(queue.client.query_one("SELECT FROM posts", &[]).await.is_err(), "the host's table is not ours to give");
    queue.run(&format!("RESET ROLE; GRANT SELECT ON posts TO {role}; SET ROLE {role}")).await;
    assert_eq!(queue.ask::<String>(read).await, format!("{url} 1200"));
    assert_eq!(queue.ask::<String>("SELECT url FROM tintype.image").await, url);
    assert!(queue.client.query("SELECT FROM tintype.job", &[]).await.is_err());
    assert!(queue.client.query("SELECT tintype.pause('posts')", &[]).await.is_err());
    queue.run(&format!("RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn what_waits_is_counted_in_an_index() {
    let queue = Queue::new().await;
    queue
        .run(
            "INSERT INTO tintype.job (source, key, priority, marked_at)
             SELECT 1, i::text, CASE WHEN i % 10 = 0 THEN 0 ELSE 10 END, now() - i * interval '1 ms' FROM generate_series(1, 20000) i",
        )
        .await;
    queue.run("VACUUM tintype.job").await;
    let read =
        "SELECT seq_scan || ' ' || idx_tup_fetch FROM pg_stat_xact_all_tables WHERE relid = 'tintype.job'::regclass";
    queue.run("BEGIN").await;
    let read_before: String = queue.ask(read).await;
    let told: String = queue
        .ask("SELECT depth || ' ' || backfill || ' ' || (oldest_age BETWEEN 18 AND 100) FROM tintype.load()")
        .await;
    assert_eq!(told, "20000 18000 true");
    let read_after: String = queue.ask(read).await;
    let numbers = |text: &str| text.split(' ').map(|number| number.parse::<i64>().unwrap()).collect::<Vec<_>>();
    let (before, after) = (numbers(&read_before), numbers(&read_after));
    assert_eq!(after[0], before[0], "the table is not read as a whole");
    assert!(after[1] - before[1] <= 4000, "it is looked at for the oldest alone: {before:?}, {after:?}");
    queue.run("COMMIT").await;
}
