//! Backfill: which old rows are marked, how many, and in which order a table is walked.

use super::{Queue, fold};

/// A blog of six posts from before tintype came: 1 to 4 without a picture, 5 with an empty one, 6 with one chosen by hand.
async fn old_blog() -> Queue {
    let queue = Queue::new().await;
    queue
        .run(
            "ALTER TABLE posts DISABLE TRIGGER tintype_insert;
              INSERT INTO posts (id, title, body) SELECT n, 'Post ' || n, 'Text ' || n FROM generate_series(1, 6) n;
              ALTER TABLE posts ENABLE TRIGGER tintype_insert;
              UPDATE posts SET og_image_url = '' WHERE id = 5;
              UPDATE posts SET og_image_url = 'https://ada.example/portrait.jpg' WHERE id = 6;
              UPDATE tintype.source SET whole = false", // as where these rows were there before it was attached
        )
        .await;
    queue
}

#[tokio::test]
async fn backfill_marks_what_was_asked_for() {
    for (call, marked) in [
        ("tintype.backfill('posts')", 5),
        ("tintype.backfill('posts', condition => 'id > 3')", 2),
        ("tintype.backfill('posts', rerender => true)", 6),
        ("tintype.backfill('posts', rerender => true, condition => 'id > 3 OR title LIKE ''%1''')", 4),
        ("tintype.backfill('posts', condition => 'false')", 0),
    ] {
        let queue = old_blog().await;
        assert_eq!(queue.ask::<i64>(&format!("SELECT {call}")).await, marked, "{call}");
        assert_eq!(fold(&queue.client).await, marked, "{call}: marks");
    }
}

#[tokio::test]
async fn a_second_backfill_finds_nothing_missing() {
    let queue = old_blog().await;
    queue.run("SELECT tintype.backfill('posts')").await;
    queue.work().await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.backfill('posts')").await, 0);
    assert_eq!(queue.ask::<i64>("SELECT count(*) FROM posts WHERE og_image_url LIKE 'https://cdn%'").await, 5);
    assert_eq!(queue.ask::<i64>("SELECT tintype.backfill('posts', rerender => true)").await, 6);
    queue.work().await;
    assert_eq!(queue.post_url(6).await.as_deref(), Some("https://ada.example/portrait.jpg"), "chosen by hand");
}

#[tokio::test]
async fn a_rerender_draws_even_what_has_not_changed() {
    let (queue, _) = Queue::published().await;
    queue.run("SELECT tintype.backfill('posts', rerender => true)").await;
    assert!(queue.ask::<bool>("SELECT content IS NULL FROM tintype.image").await, "the ledger vouches for nothing");
}

/// The names of the ledger's own columns are common in host applications.
#[tokio::test]
async fn a_filter_may_speak_of_columns_that_the_ledger_has_too() {
    let queue = Queue::new().await;
    queue
        .run("CREATE TABLE pages (id bigint PRIMARY KEY, content text, cover_url text, state text, source text, kind text, key text,
                                  updated_at timestamptz DEFAULT now(), url text, width integer DEFAULT 1);
              INSERT INTO pages (id, content, state, source, kind, key, url) VALUES
                (1, 'a', 'published', 'x', 'post', 'k', 'u'), (2, 'b', 'draft', 'x', 'post', 'k', 'u');
              SELECT tintype.attach('pages', row_filter =>
                $$state = 'published' AND source = 'x' AND kind = 'post' AND key = 'k' AND url = 'u' AND width = 1 AND content <> '' AND updated_at < now()$$)")
        .await;
    assert_eq!(queue.ask::<i64>("SELECT tintype.backfill('pages')").await, 1);
    assert_eq!(
        queue.ask::<i64>("SELECT tintype.backfill('pages', condition => $$state = 'draft'$$)").await,
        0,
        "outside the filter"
    );
    queue.work().await;
    queue.run("SET session_replication_role = replica; UPDATE pages SET cover_url = NULL; RESET session_replication_role; SELECT tintype.sweep(id, 10) FROM tintype.source").await;
    assert_eq!(fold(&queue.client).await, 1, "the sweep as well");
}

#[tokio::test]
async fn steps_meet_every_row_once_in_key_order() {
    let queue = Queue::new().await;
    queue
        .run("CREATE TABLE entries (at timestamptz, n numeric, body text, og_image_url text, PRIMARY KEY (at, n));
              INSERT INTO entries SELECT t.at, n, 'x' FROM generate_series(-2, 2) n,
                unnest('{-infinity,0044-03-15 BC,2026-01-01 00:00:00.000001+00,2026-01-01 00:00:00.000002+00,infinity}'::timestamptz[]) t(at);
              SELECT tintype.attach('entries', image => 'og_image_url')")
        .await;
    for chunk in [1, 2, 7, 25, 26] {
        let mut after: Option<String> = None;
        let (mut scanned, mut steps) = (0, 0);
        loop {
            let step = "SELECT t.scanned, t.marked, t.last_key FROM tintype.source s, tintype.scan(s, 'missing', $1, $2) t WHERE s.name = 'entries'";
            let row = queue.client.query_one(step, &[&after, &chunk]).await.unwrap();
            assert_eq!(row.get::<_, i64>(0), row.get::<_, i64>(1), "all are missing, chunk {chunk}");
            scanned += row.get::<_, i64>(0);
            steps += 1;
            after = row.get(2);
            if after.is_none() {
                break;
            }
        }
        assert_eq!((scanned, steps), (25, 25 / i64::from(chunk) + 1), "chunk {chunk}");
        let twice: i64 = queue.ask("SELECT count(*) - count(DISTINCT key) FROM tintype.change").await;
        assert_eq!(twice, 0, "chunk {chunk}: no row twice");
        queue.run("TRUNCATE tintype.change").await;
    }
}

#[tokio::test]
async fn a_dry_run_counts_and_touches_nothing() {
    let queue = old_blog().await;
    for (mode, marked) in [("missing", 5), ("stale", 6), ("all", 6), ("changed", 0)] {
        let step =
            format!("SELECT t.marked FROM tintype.source s, tintype.scan(s, '{mode}', NULL, 10, NULL, 't', true) t");
        assert_eq!(queue.ask::<i64>(&step).await, marked, "{mode}");
        assert_eq!(queue.left().await, 0, "{mode}: no mark");
    }
}

#[tokio::test]
async fn stale_means_other_content_or_another_template() {
    let queue = Queue::with_posts(3).await;
    queue.work().await;
    let stale = |template: &str| {
        format!("SELECT t.marked FROM tintype.source s, tintype.scan(s, 'stale', NULL, 10, NULL, '{template}', true) t")
    };
    assert_eq!(queue.ask::<i64>(&stale("t")).await, 0);
    assert_eq!(queue.ask::<i64>(&stale("another")).await, 3);
    queue.run("UPDATE posts SET body = 'newer' WHERE id = 2").await;
    assert_eq!(queue.ask::<i64>(&stale("t")).await, 1);
}

#[tokio::test]
async fn a_backfill_of_some_rows_stops_at_them_and_a_dry_one_marks_none() {
    let queue = old_blog().await;
    for (call, marked, marks) in [
        ("tintype.backfill('posts', max_rows => 2)", 2, 2),
        ("tintype.backfill('posts', max_rows => 0)", 0, 0),
        ("tintype.backfill('posts', rerender => true, max_rows => 100)", 6, 6),
        ("tintype.backfill('posts', rerender => true, max_rows => 6)", 6, 6),
        ("tintype.backfill('posts', dry_run => true)", 5, 0),
        ("tintype.backfill('posts', stale => true, dry_run => true)", 6, 0),
    ] {
        queue.run("TRUNCATE tintype.change").await;
        assert_eq!(queue.ask::<i64>(&format!("SELECT {call}")).await, marked, "{call}");
        assert_eq!(queue.ask::<i64>("SELECT count(*) FROM tintype.change").await, marks, "{call}: marks");
    }
    assert!(queue.ask::<bool>("SELECT whole FROM tintype.source").await, "the whole table was asked for once");
}

#[tokio::test]
async fn steps_go_on_where_the_last_one_stood_unless_something_else_is_asked_for() {
    let queue = old_blog().await;
    let step = async |arguments: &str| -> (i64, i64, bool) {
        let sql = format!("SELECT scanned, marked, ended FROM tintype.backfill_step('posts'{arguments})");
        let row = queue.client.query_one(&sql, &[]).await.unwrap();
        (row.get(0), row.get(1), row.get(2))
    };
    let marked = async || -> String {
        queue.ask("SELECT coalesce(string_agg(key, ' ' ORDER BY id), '') FROM tintype.change").await
    };
    assert_eq!(step(", max_rows => 2").await, (2, 2, false));
    assert_eq!(step(", max_rows => 2").await, (2, 2, false));
    assert_eq!(marked().await, "1 2 3 4");
    assert_eq!(step(", max_rows => 1, anew => true").await, (1, 1, false));
    assert_eq!(step(", chunk => 3").await, (3, 3, false));
    assert_eq!(step("").await, (2, 1, true), "post 6 has a picture");
    assert_eq!(marked().await, "1 2 3 4 1 2 3 4 5");
    assert_eq!(queue.ask::<i64>("SELECT count(*) FROM tintype.backfill_run").await, 0);
    step(", max_rows => 1").await;
    assert_eq!(step(", rerender => true, max_rows => 1").await, (1, 1, false), "another walk, from the beginning");
    assert_eq!(step(", rerender => true, max_rows => 0").await, (0, 0, false));
    queue.run("SELECT tintype.detach('posts')").await;
    assert_eq!(queue.ask::<i64>("SELECT count(*) FROM tintype.backfill_run").await, 0);
}

/// An idle worker's pictures a minute are not what it could make: it says that itself.
#[tokio::test]
async fn the_pace_is_what_those_at_work_could_make() {
    let queue = Queue::new().await;
    let pace = async || queue.ask::<Option<i64>>("SELECT tintype.pace('posts')").await;
    assert_eq!(pace().await, None);
    queue.run("INSERT INTO tintype.worker (name, version) VALUES ('a', '0'), ('b', '0')").await;
    assert_eq!(pace().await, None, "none has drawn any");
    queue.run("SELECT tintype.beat(1, 'a', '0', 600.4, 30)").await;
    assert_eq!(pace().await, Some(1201), "the other is taken for as quick");
    queue.run("SELECT FROM tintype.beat(2, 'b', '0', 100, NULL), tintype.doze(1, 'a', '0', 15)").await;
    assert_eq!(pace().await, Some(701), "who says nothing new is what it was");
    queue.run("SELECT tintype.say_goodbye(2, 100, NULL); UPDATE tintype.worker SET seen_at = now() - interval '2 minutes'").await;
    assert_eq!(pace().await, Some(100), "nobody is at work; the last that left");
    queue.run("UPDATE tintype.source SET draw = 'page', url = 'https://app.example/{id}'").await;
    assert_eq!(pace().await, None, "which took no pages");
    queue.run("SELECT tintype.say_goodbye(1, NULL, 30.2)").await;
    assert_eq!(pace().await, Some(31));
}

/// What the command line does, for those who stay in SQL: every step is committed, so that no transaction is long.
#[tokio::test]
async fn a_backfill_in_steps_from_sql() {
    let queue = old_blog().await;
    let call = async |more: &str| {
        let sql = format!("CALL tintype.backfill_in_steps('posts'{more})");
        queue.client.query_one(&sql, &[]).await.map(|row| row.get::<_, i64>(0))
    };
    assert_eq!(call(", max_rows => 2").await.unwrap(), 2);
    assert_eq!(queue.ask::<String>("SELECT reached FROM tintype.backfill_run").await, "2");
    assert_eq!(call(", resume => true").await.unwrap(), 3);
    assert!(queue.ask::<bool>("SELECT whole FROM tintype.source").await, "a walk of the whole table");
    let marked = "SELECT string_agg(key, ' ' ORDER BY id) FROM tintype.change";
    assert_eq!(queue.ask::<String>(marked).await, "1 2 3 4 5");
    let error = call(", resume => true").await.unwrap_err();
    assert!(error.as_db_error().unwrap().message().starts_with("there is no backfill of posts"), "{error:?}");
    assert_eq!(call(", rerender => true, max_rows => 1").await.unwrap(), 1);
    assert_eq!(call(", resume => true").await.unwrap(), 5, "with what was asked for then");
    queue
        .run("INSERT INTO posts (id, body) SELECT n, 'x' FROM generate_series(7, 2500) n; DELETE FROM tintype.change")
        .await;
    assert_eq!(call(", stale => true").await.unwrap(), 2500);
    let transactions = "SELECT count(DISTINCT xmin::text) FROM tintype.change";
    assert_eq!(queue.ask::<i64>(transactions).await, 3, "a transaction for each thousand");
    queue.run("SET search_path = evil, pg_catalog; CREATE SCHEMA evil; CREATE FUNCTION evil.plus(bigint, bigint) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$evil$$; END';
               CREATE OPERATOR evil.+ (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.plus); CREATE OPERATOR evil.- (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.plus)").await;
    let sql = "CALL tintype.backfill_in_steps('public.posts', stale => true, max_rows => 5)";
    assert_eq!(queue.client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 5, "whatever stands in the way");
}

#[tokio::test]
async fn a_backfill_lets_edits_stay_near_the_front() {
    let queue = old_blog().await;
    let step = async || {
        let sql = "SELECT concat_ws(' ', scanned, marked, ended) FROM tintype.backfill_step('posts')";
        queue.ask::<String>(sql).await
    };
    queue
        .run(
            "INSERT INTO tintype.change (source, key, priority) SELECT 1, n::text, 10 FROM generate_series(1, 2000) n;
             INSERT INTO tintype.worker (name, version) VALUES ('somebody', '0')",
        )
        .await;
    assert_eq!(step().await, "0 0 f", "the worker is to fold these first");
    queue.run("DELETE FROM tintype.change WHERE key = '1'").await;
    assert_eq!(step().await, "6 5 t");
    queue.run("DELETE FROM tintype.worker").await;
    assert_eq!(step().await, "6 5 t", "where nobody is at work nobody is waited for");
}
