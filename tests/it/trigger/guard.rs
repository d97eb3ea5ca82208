//! The host's write never fails because of tintype, and what was not marked is found by the sweep.

use super::{ATTACH, marked, posts};
use crate::support::schema::{installed, run, text};

/// What breaks, and how it is mended later.
const BREAKS: &[(&str, &str, &str)] = &[
    (
        "the table has another name",
        "ALTER TABLE tintype.change RENAME TO elsewhere",
        "ALTER TABLE tintype.elsewhere RENAME TO change",
    ),
    (
        "a column is gone",
        "ALTER TABLE tintype.change DROP COLUMN key",
        "ALTER TABLE tintype.change ADD COLUMN key text NOT NULL",
    ),
    (
        "a condition refuses every mark",
        "ALTER TABLE tintype.change ADD CONSTRAINT never CHECK (false) NOT VALID",
        "ALTER TABLE tintype.change DROP CONSTRAINT never",
    ),
    (
        "its numbers are used up",
        "SELECT setval(pg_get_serial_sequence('tintype.change', 'id'), 9223372036854775807)",
        "SELECT setval(pg_get_serial_sequence('tintype.change', 'id'), 1000)",
    ),
    (
        "a trigger on the marks fails",
        "CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END';
         CREATE TRIGGER boom BEFORE INSERT ON tintype.change FOR EACH ROW EXECUTE FUNCTION boom()",
        "DROP TRIGGER boom ON tintype.change; DROP FUNCTION boom()",
    ),
    ("the bell is gone", "ALTER SEQUENCE tintype.bell RENAME TO gong", "ALTER SEQUENCE tintype.gong RENAME TO bell"),
    (
        "the owner has lost its right",
        "REVOKE ALL ON tintype.change FROM CURRENT_USER; CREATE ROLE nobody_at_all;
         ALTER FUNCTION tintype.mark_1() OWNER TO nobody_at_all",
        "ALTER FUNCTION tintype.mark_1() OWNER TO CURRENT_USER; DROP ROLE nobody_at_all; GRANT ALL ON tintype.change TO CURRENT_USER",
    ),
    // (The last, because its views do not come back.)
    (
        "the table is dropped",
        "CREATE TABLE tintype.spare (LIKE tintype.change INCLUDING ALL); DROP VIEW tintype.status, tintype.queue_depth;
         DROP TABLE tintype.change",
        "ALTER TABLE tintype.spare RENAME TO change",
    ),
];

/// One whole sweep of the one source.
const SWEEP: &str = "SELECT tintype.sweep(s.id, 100), tintype.sweep(s.id, 100) FROM tintype.source s";

#[tokio::test]
async fn a_broken_tintype_costs_the_host_nothing_and_the_sweep_finds_the_rows() {
    let (_test, client) = installed().await;
    posts(&client).await;
    run(&client, "backfill", "SELECT tintype.backfill('posts')").await;
    marked(&client).await;
    let drawn = "INSERT INTO tintype.image AS i (source, key, state, content)
                 SELECT s.id, p.id::text, 'ready', r.content FROM tintype.source s, posts p, tintype.read_row(s, p.id::text) r
                 ON CONFLICT (source, key) DO UPDATE SET content = excluded.content";
    for (number, (what, break_it, mend_it)) in BREAKS.iter().enumerate() {
        run(&client, what, drawn).await;
        run(&client, what, SWEEP).await;
        assert!(marked(&client).await.is_empty(), "{what}: all is drawn");
        let born = 10 + number;
        // In a transaction, because that is where a swallowed error could do harm; undone at the end is only the role.
        run(&client, what, &format!("BEGIN; {break_it}")).await;
        run(&client, what, &format!("INSERT INTO posts (id, body) VALUES ({born}, 'x')")).await;
        run(&client, what, &format!("UPDATE posts SET body = '{what}' WHERE id = 1")).await;
        run(&client, what, &format!("{mend_it}; COMMIT")).await;
        let stored = format!("SELECT count(*) FROM posts WHERE id = {born} OR (id = 1 AND body = '{what}')");
        assert_eq!(text(&client, &stored).await, "2", "{what}: the host's writes stand");
        assert!(marked(&client).await.is_empty(), "{what}: nothing could be marked");
        run(&client, what, SWEEP).await;
        assert_eq!(marked(&client).await, ["1".to_owned(), born.to_string()], "{what}: the sweep finds both");
    }
}

#[tokio::test]
async fn rows_loaded_past_the_triggers_are_found() {
    let (_test, client) = installed().await;
    posts(&client).await;
    run(&client, "backfill", "SELECT tintype.backfill('posts')").await;
    marked(&client).await;
    let restore = "SET session_replication_role = replica; INSERT INTO posts (id, body) VALUES (77, 'restored');
                   RESET session_replication_role; INSERT INTO tintype.image (source, key, state, content)
                   SELECT s.id, p.id::text, 'ready', r.content FROM tintype.source s, posts p, tintype.read_row(s, p.id::text) r
                    WHERE p.id < 77";
    run(&client, "restore", restore).await;
    assert!(marked(&client).await.is_empty());
    run(&client, "sweep", SWEEP).await;
    assert_eq!(marked(&client).await, ["77"]);
}

#[tokio::test]
async fn a_refused_host_write_leaves_no_mark() {
    let (_test, client) = installed().await;
    posts(&client).await;
    let twice = "INSERT INTO posts (id, body) VALUES (8, 'x'), (1, 'a key that is taken')";
    assert!(client.batch_execute(twice).await.is_err());
    assert!(marked(&client).await.is_empty());
}

#[tokio::test]
async fn in_the_strict_mode_a_write_fails_that_cannot_be_marked() {
    let (_test, client) = installed().await;
    posts(&client).await;
    run(&client, "attach", "SELECT tintype.attach('posts', row_filter => 'published', strict => true)").await;
    run(&client, "insert", "INSERT INTO posts (id, body) VALUES (8, 'x')").await;
    run(&client, "update", "UPDATE posts SET body = 'y' WHERE id IN (1, 2)").await;
    assert_eq!(marked(&client).await, ["1", "2", "8"], "it marks as before");
    for (what, break_it, _) in BREAKS {
        run(&client, what, &format!("BEGIN; {break_it}; SAVEPOINT broken")).await;
        assert!(
            client.batch_execute("UPDATE posts SET body = 'z' WHERE id = 1").await.is_err(),
            "{what}: the write fails"
        );
        run(&client, what, "ROLLBACK TO broken; UPDATE posts SET views = views + 1; ROLLBACK").await;
    }
    assert_eq!(text(&client, "SELECT body FROM posts WHERE id = 1").await, "y", "the row is as it was");
    run(&client, "attach again", ATTACH).await;
    let (what, break_it, _) = BREAKS[0];
    run(&client, what, &format!("BEGIN; {break_it}; UPDATE posts SET body = 'z' WHERE id = 1; ROLLBACK")).await;
}

#[tokio::test]
async fn a_load_larger_than_the_temporary_files_that_the_host_allows_goes_through() {
    let (_test, client) = installed().await;
    posts(&client).await;
    // A trigger that keeps the new rows for later (a transition table) would spill them here, and the host's statement would fail.
    run(&client, "limits", "SET work_mem = '64kB'; SET temp_file_limit = '64kB'").await;
    run(
        &client,
        "insert",
        "INSERT INTO posts (id, body) SELECT n, repeat('x', 1000) FROM generate_series(100, 1099) n",
    )
    .await;
    run(&client, "update", "UPDATE posts SET body = body || 'y'").await;
    assert_eq!(marked(&client).await.len(), 1000 + 1003);
}
